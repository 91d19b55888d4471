"""Putting items into an order in a real browser."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from support.shift import give, response_of, saved, submit

ITEMS = ["연남동", "성수동", "a < b & “c”", "d"]


def shown(page):
    return page.locator(".wai-rank").all_inner_texts()


def row(page, text):
    return page.get_by_role("button", name=text, exact=True)


def put_in_order(page, order):
    for place, text in enumerate(order):
        row(page, text).focus()
        for _ in range(shown(page).index(text) - place):
            page.keyboard.press("Alt+ArrowUp")


def test_the_keyboard_orders_and_submits(at_work, world):
    task_id = give(at_work, world, "ranking", {"items": ITEMS})
    expect(at_work.locator(".wai-rank")).to_have_count(4)
    order = ["d", "성수동", "a < b & “c”", "연남동"]
    put_in_order(at_work, order)
    assert order == shown(at_work)
    submit(at_work)
    assert {"ranking": order} == response_of(world, task_id)


def test_a_moved_item_keeps_the_focus(at_work, world):
    give(at_work, world, "ranking", {"items": ITEMS})
    expect(at_work.locator(".wai-rank")).to_have_count(4)
    text = shown(at_work)[2]
    row(at_work, text).focus()
    at_work.keyboard.press("Alt+ArrowUp")
    expect(row(at_work, text)).to_be_focused()
    at_work.keyboard.press("Alt+ArrowUp")
    assert text == shown(at_work)[0]


def test_the_arrows_alone_only_move_the_focus(at_work, world):
    give(at_work, world, "ranking", {"items": ITEMS})
    expect(at_work.locator(".wai-rank")).to_have_count(4)
    before = shown(at_work)
    row(at_work, before[0]).focus()
    at_work.keyboard.press("ArrowDown")
    expect(row(at_work, before[1])).to_be_focused()
    assert before == shown(at_work)


def test_the_mouse_drags_an_item(at_work, world):
    task_id = give(at_work, world, "ranking", {"items": ITEMS})
    expect(at_work.locator(".wai-rank")).to_have_count(4)
    before = shown(at_work)
    start, end = row(at_work, before[0]).bounding_box(), row(at_work, before[2]).bounding_box()
    at_work.mouse.move(start["x"] + 20, start["y"] + start["height"] / 2)
    at_work.mouse.down()
    at_work.mouse.move(end["x"] + 20, end["y"] + end["height"] / 2, steps=5)
    at_work.mouse.move(end["x"] + 20, end["y"] + end["height"] - 2)
    at_work.mouse.up()
    after = [before[1], before[2], before[0], before[3]]
    assert after == shown(at_work)
    submit(at_work)
    assert {"ranking": after} == response_of(world, task_id)


def test_the_buttons_move_and_say_where_an_item_is(at_work, world):
    give(at_work, world, "ranking", {"items": ITEMS})
    expect(at_work.locator(".wai-rank")).to_have_count(4)
    before = shown(at_work)
    at_work.get_by_role("button", name=f"Move down: {before[0]}", exact=True).click()
    expect(at_work.locator(".wai-widget [role=status]")).to_have_text(f"{before[0]}: now 2 of 4")
    assert [before[1], before[0], *before[2:]] == shown(at_work)


def test_an_order_survives_a_reload_as_a_draft(at_work, world):
    give(at_work, world, "ranking", {"items": ITEMS})
    expect(at_work.locator(".wai-rank")).to_have_count(4)
    order = sorted(ITEMS)
    with saved(at_work, json.dumps(order, ensure_ascii=False, separators=(",", ":"))):
        put_in_order(at_work, order)
    at_work.reload()
    expect(at_work.locator(".wai-rank")).to_have_text(order)


def test_the_order_at_first_is_not_the_requesters_but_stays_the_same(at_work, world):
    items = [f"item {n}" for n in range(20)]
    give(at_work, world, "ranking", {"items": items})
    expect(at_work.locator(".wai-rank")).to_have_count(20)
    before = shown(at_work)
    assert items != before
    assert sorted(items) == sorted(before)
    at_work.reload()
    expect(at_work.locator(".wai-rank")).to_have_text(before)
