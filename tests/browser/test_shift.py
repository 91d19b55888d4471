"""Whole stretches of work in a real browser: many types by keyboard alone, interruptions, two workers at once."""

from __future__ import annotations

import json
import time

import pytest
from playwright.sync_api import expect

from support import chromium
from support.recordings import serving, tone
from support.shift import give, response_of, saved, submit
from workersai_server.service import Service
from workersai_server.settings import Settings

ITEMS = ["첫째", "second", "세 번째"]
TEXT = {"attachment_type": "text"}


@pytest.fixture(scope="module")
def recording():
    with serving({"/tone.wav": ("audio/wav", tone(1.5))}) as url:
        yield f"{url}/tone.wav"


def tab_to(page, selector):
    """Go on with the Tab key until something has the focus, as one without a mouse does."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached with the Tab key")


def choose_and_go_on(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def write_and_submit(page, text):
    expect(page.locator(".wai-item textarea").first).to_be_focused()
    page.keyboard.type(text)
    page.keyboard.press("Control+Enter")


def write_down(page, text):
    expect(page.locator("[name='response/duration']")).to_have_value("1.5")
    expect(page.locator(".wai-transcript")).to_be_focused()
    page.keyboard.press("Alt+p")
    page.keyboard.type(text)
    page.keyboard.press("Control+Enter")


def order(page, wanted):
    expect(page.locator(".wai-rank")).to_have_count(len(wanted))
    for place, text in enumerate(wanted):
        shown = page.locator(".wai-rank").all_inner_texts()
        tab_to(page, ".wai-rank")
        while page.evaluate("document.activeElement.innerText") != text:
            page.keyboard.press(
                "ArrowDown" if shown[-1] != page.evaluate("document.activeElement.innerText") else "Home"
            )
        for _ in range(shown.index(text) - place):
            page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Control+Enter")


def skip(page):
    page.keyboard.press("Alt+s")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def shift(recording):
    """Give the items of a shift: type, params, what to press, and the response; None where it is skipped."""
    yield (
        "categorization",
        {**TEXT, "attachment": "one", "categories": ["a", "b"]},
        lambda page: choose_and_go_on(page, "2"),
        {"category": "b"},
    )
    yield (
        "categorization",
        {**TEXT, "attachment": "many", "categories": ["a", "b", "c"], "allow_multiple": True},
        lambda page: choose_and_go_on(page, "1", "3", "Control+Enter"),
        {"category": ["a", "c"]},
    )
    yield (
        "rating",
        {**TEXT, "attachment": "good?"},
        lambda page: choose_and_go_on(page, "4"),
        {"rating": 4},
    )
    yield (
        "comparison",
        {"attachments": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]},
        lambda page: choose_and_go_on(page, "1"),
        {"choice": "A"},
    )
    yield (
        "text_response",
        {**TEXT, "attachment": "Say it in your words."},
        lambda page: write_and_submit(page, "두 줄"),
        {"text": "두 줄"},
    )
    yield ("rating", {**TEXT, "attachment": "unclear"}, skip, None)
    yield (
        "audio_transcription",
        {"attachment": recording},
        lambda page: write_down(page, "one two"),
        {"transcript": "one two", "duration": 1.5},
    )
    yield ("ranking", {"items": ITEMS}, lambda page: order(page, sorted(ITEMS)), {"ranking": sorted(ITEMS)})


def test_a_whole_shift_over_many_types_needs_no_mouse(at_work, world, recording):
    at_work.watch.allow(recording)
    items = list(shift(recording))
    ids = [
        world.requester.tasks.create(task_type=task_type, params=params, priority=90 - n)["external_id"]
        for n, (task_type, params, _, _) in enumerate(items)
    ]
    at_work.reload()
    for task_type, _, press, _ in items:
        expect(at_work.locator(f".wai-item[data-type={task_type}]")).to_be_visible()
        shown = at_work.locator(".wai-item").get_attribute("data-assignment")
        press(at_work)
        expect(at_work.locator(f".wai-item[data-assignment='{shown}']")).to_have_count(0)
    expect(at_work.locator(".wai-nothing")).to_be_visible()
    expected = [response for *_, response in items]
    assert expected == [
        None if each is None else response_of(world, id) for id, each in zip(ids, expected, strict=True)
    ]


def test_keys_work_after_the_focus_was_lost(at_work, world):
    params = {**TEXT, "attachment": "x", "categories": ["a", "b"]}
    ids = [world.requester.tasks.create(params=params, priority=90 - n)["external_id"] for n in range(3)]
    at_work.reload()
    expect(at_work.locator(".wai-item")).to_be_visible()
    at_work.mouse.click(5, 400)
    at_work.keyboard.press("1")
    at_work.evaluate("document.activeElement.blur()")
    at_work.keyboard.press("2")
    other = at_work.context.new_page()
    other.goto("about:blank")
    at_work.bring_to_front()
    other.close()
    at_work.keyboard.press("1")
    assert [{"category": each} for each in "aba"] == [response_of(world, each) for each in ids]


def test_what_is_being_written_survives_the_end_of_the_session(at_work, world):
    task_id = give(at_work, world, "text_response", {**TEXT, "attachment": "x"})
    with saved(at_work, "half"):
        at_work.keyboard.type("half")
    at_work.context.clear_cookies(name="wai_session")
    at_work.keyboard.type(" and half")
    expect(at_work.locator("#sign-in")).to_be_visible()
    at_work.fill("#again-token", "wrong")
    at_work.keyboard.press("Enter")
    expect(at_work.locator("#sign-in-error")).to_be_visible()
    at_work.fill("#again-token", world.worker_token)
    at_work.keyboard.press("Enter")
    expect(at_work.locator("#sign-in")).to_be_hidden()
    submit(at_work)
    assert {"text": "half and half"} == response_of(world, task_id)
    at_work.watch.forget("Failed to load resource")


def another_worker(world, tmp_path):
    """Make a second worker beside the running server."""
    service = Service.open(Settings(db=f"sqlite:///{tmp_path / 'labels.db'}"), start=False)
    try:
        return service.accounts.create_worker("Cho").token
    finally:
        service.close()


def test_two_workers_are_never_on_one_item(at_work, world, chrome, tmp_path):
    params = {**TEXT, "attachment": "x", "categories": ["a", "b"]}
    ids = [world.requester.tasks.create(params=params)["external_id"] for _ in range(12)]
    context = chrome.new_context(locale="en-US")
    second = context.new_page()
    watch = chromium.Watch(second, world.url)
    second.goto(f"{world.url}/work/sign-in")
    second.fill("#token", another_worker(world, tmp_path))
    second.click("main button")
    second.wait_for_url("**/work")
    at_work.reload()
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at and not all(page.locator(".wai-nothing").count() for page in (at_work, second)):
        at_work.keyboard.press("1")
        second.keyboard.press("2")
    answered = [response_of(world, each)["category"] for each in ids]
    history = [world.requester.tasks.events(each) for each in ids]
    context.close()
    assert [] == watch.complaints
    assert {"a", "b"} == set(answered)
    for events in history:
        names = [event["name"] for event in events]
        assert (1, 1) == (names.count("task_assigned"), names.count("response_submitted")), json.dumps(events)
