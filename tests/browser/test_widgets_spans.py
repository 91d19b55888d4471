"""Marking spans of a text in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from support.shift import give, response_of, saved, submit

TEXT = "👩‍👩‍👧 서울대학교는 관악구에 있고 🐜 Ada Lovelace liked it."
LABELS = ["기관", "장소", "person"]
SELECT = """(text) => {
  const element = document.querySelector('.wai-marked');
  const start = element.textContent.indexOf(text);
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let from, to, past = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!from && start < past + node.length) from = [node, start - past];
    if (!to && start + text.length <= past + node.length) to = [node, start + text.length - past];
    past += node.length;
  }
  getSelection().setBaseAndExtent(...from, ...to);
}"""


def show(page, world, **params):
    task_id = give(page, world, "named_entity_recognition", {"text": TEXT, "labels": LABELS, **params})
    expect(page.locator(".wai-marked")).to_be_visible()
    return task_id


def select(page, text):
    page.evaluate(SELECT, text)


def mark(page, text, key):
    select(page, text)
    page.keyboard.press(key)


def span(text, label):
    start = TEXT.index(text)
    return {"start": start, "end": start + len(text), "label": label, "text": text}


def rows(page):
    return page.locator(".wai-found li .wai-row").all_inner_texts()


def test_offsets_count_code_points_behind_korean_and_emoji(at_work, world):
    task_id = show(at_work, world)
    mark(at_work, "관악구", "2")
    mark(at_work, "🐜", "1")
    mark(at_work, "Ada Lovelace", "3")
    submit(at_work)
    expected = [span("관악구", "장소"), span("🐜", "기관"), span("Ada Lovelace", "person")]
    assert {"spans": expected} == response_of(world, task_id)


def test_the_mouse_selects_and_a_button_labels_without_white_space(at_work, world):
    task_id = show(at_work, world)
    select(at_work, " Ada Lovelace ")
    at_work.get_by_role("button", name="person").click()
    submit(at_work)
    assert {"spans": [span("Ada Lovelace", "person")]} == response_of(world, task_id)


def test_the_keyboard_alone_selects_labels_and_removes(at_work, world):
    task_id = show(at_work, world)
    text = at_work.locator(".wai-marked")
    text.focus()
    at_work.keyboard.press("ArrowRight")
    at_work.keyboard.press("ArrowRight")
    for _ in range(5):
        at_work.keyboard.press("Shift+ArrowRight")
    at_work.keyboard.press("1")
    expect(at_work.locator(".wai-found li")).to_have_count(1)
    assert ["기관\n서울대학교"] == [each.replace(" ", "") for each in rows(at_work)]
    at_work.keyboard.press("ArrowLeft")
    at_work.keyboard.press("Delete")
    expect(at_work.locator(".wai-found li")).to_have_count(0)
    at_work.keyboard.press("Control+z")
    expect(at_work.locator(".wai-found li")).to_have_count(1)
    submit(at_work)
    assert {"spans": [span("서울대학교", "기관")]} == response_of(world, task_id)


def test_a_marked_span_is_chosen_with_a_click_and_gets_another_label(at_work, world):
    task_id = show(at_work, world)
    mark(at_work, "관악구", "1")
    at_work.evaluate("getSelection().removeAllRanges()")
    at_work.locator("mark").click(position={"x": 12, "y": 12})
    expect(at_work.locator("mark.active")).to_have_count(1)
    at_work.keyboard.press("2")
    submit(at_work)
    assert {"spans": [span("관악구", "장소")]} == response_of(world, task_id)


def test_a_span_that_may_not_overlap_takes_the_place_of_the_others(at_work, world):
    task_id = show(at_work, world)
    mark(at_work, "서울", "2")
    mark(at_work, "서울대학교", "1")
    submit(at_work)
    assert {"spans": [span("서울대학교", "기관")]} == response_of(world, task_id)


def test_nested_spans_stay_and_crossing_ones_go(at_work, world):
    task_id = show(at_work, world, overlap="nested")
    mark(at_work, "대학교는", "3")
    mark(at_work, "서울대학교", "1")
    mark(at_work, "서울", "2")
    submit(at_work)
    assert {"spans": [span("서울", "장소"), span("서울대학교", "기관")]} == response_of(world, task_id)


def test_nothing_to_mark_is_an_answer(at_work, world):
    task_id = show(at_work, world)
    submit(at_work)
    assert {"spans": []} == response_of(world, task_id)


def test_spans_survive_a_reload_as_a_draft(at_work, world):
    show(at_work, world)
    with saved(at_work, "🐜"):
        mark(at_work, "🐜", "2")
    at_work.reload()
    expect(at_work.locator("mark")).to_have_text("🐜")
    expect(at_work.locator("mark")).to_have_attribute("data-label", "장소")


def test_a_label_without_a_selection_says_what_to_do(at_work, world):
    show(at_work, world)
    at_work.get_by_role("button", name="person").click()
    expect(at_work.locator(".wai-widget [role=status]")).to_have_text("Select something first.")


@pytest.mark.parametrize("key", ["Control+a", "x"])
def test_other_keys_change_nothing(at_work, world, key):
    task_id = show(at_work, world)
    mark(at_work, "🐜", "2")
    at_work.locator(".wai-marked").focus()
    at_work.keyboard.press(key)
    submit(at_work)
    assert {"spans": [span("🐜", "장소")]} == response_of(world, task_id)
