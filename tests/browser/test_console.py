"""A worker's shift in a real browser."""

from __future__ import annotations

import re
import time

from playwright.sync_api import expect

CATEGORIES = ["praise", "complaint", "question"]


def create(world, count=1, **fields):
    params = {"attachment_type": "text", "categories": CATEGORIES}
    return [
        world.requester.tasks.create(
            **{
                "params": {**params, "attachment": f"text {n}"},
                "instruction": f"Item {n}",
                "priority": 90 - n,
                **fields,
            }
        )["external_id"]
        for n in range(count)
    ]


def responses(world, ids):
    return [world.requester.tasks.wait(each, timeout_s=15)["response"] for each in ids]


def everything_sent(page):
    """Wait until the browser has handed every answer over."""
    left = "Object.keys(localStorage).filter(k => k.startsWith('wai-outbox') && localStorage[k] !== '[]').length"
    ends_at = time.monotonic() + 15
    while page.evaluate(left) and time.monotonic() < ends_at:
        page.wait_for_timeout(20)


def begin(page):
    page.reload()
    page.wait_for_selector(".wai-item")


def test_one_key_labels_submits_and_shows_the_next_item(at_work, world):
    ids = create(world, 3)
    begin(at_work)
    for n, key in enumerate("123"):
        expect(at_work.locator(".wai-shown-text")).to_have_text(f"text {n}")
        at_work.keyboard.press(key)
    expect(at_work.locator(".wai-nothing")).to_be_visible()
    assert [{"category": each} for each in CATEGORIES] == responses(world, ids)


def test_the_last_answer_can_be_taken_back_with_a_key(at_work, world):
    ids = create(world, 2)
    begin(at_work)
    at_work.keyboard.press("1")
    expect(at_work.locator("#undo")).to_be_visible()
    at_work.keyboard.press("Alt+z")
    expect(at_work.locator(".wai-shown-text")).to_have_text("text 0")
    at_work.keyboard.press("2")
    expect(at_work.locator(".wai-shown-text")).to_have_text("text 1")
    at_work.keyboard.press("3")
    assert [{"category": "complaint"}, {"category": "question"}] == responses(world, ids)


def test_a_hangul_layout_changes_nothing(at_work, world):
    params = {"attachment_type": "text", "attachment": "x", "categories": [f"c{n}" for n in range(12)]}
    ids = create(world, 1, params=params)
    begin(at_work)
    at_work.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ㅁ', code: 'KeyA', bubbles: true}))"
    )
    assert [{"category": "c10"}] == responses(world, ids)


def test_keys_that_compose_a_character_are_left_alone(at_work, world):
    create(world, 1)
    begin(at_work)
    at_work.evaluate(
        "document.body.dispatchEvent("
        "new KeyboardEvent('keydown', {key: '1', code: 'Digit1', isComposing: true, bubbles: true}))"
    )
    expect(at_work.locator(".wai-shown-text")).to_have_text("text 0")
    expect(at_work.locator("input:checked[name='response/category']")).to_have_count(0)


def test_hammered_keys_lose_and_double_nothing(at_work, world):
    ids = create(world, 12)
    begin(at_work)
    ends_at = time.monotonic() + 30
    while at_work.locator(".wai-nothing").count() == 0 and time.monotonic() < ends_at:
        at_work.keyboard.press("1")
    assert [{"category": "praise"}] * 12 == responses(world, ids)


def test_answers_survive_a_server_that_fails_and_is_slow(at_work, world):
    ids = create(world, 4)
    failed = []

    def trouble(route):
        if len(failed) < 3:
            failed.append(route.request.url)
            route.abort() if len(failed) % 2 else route.fulfill(status=503, body="{}")
        else:
            time.sleep(0.1)
            route.continue_()

    at_work.route(re.compile(r"/answer$"), trouble)
    begin(at_work)
    for n in range(4):
        expect(at_work.locator(".wai-shown-text")).to_have_text(f"text {n}")
        at_work.keyboard.press("2")
    everything_sent(at_work)
    assert [{"category": "complaint"}] * 4 == responses(world, ids)
    assert 3 == len(failed)
    at_work.watch.forget("Failed to load resource")


def test_an_unsent_answer_is_sent_after_the_tab_was_closed(at_work, world):
    ids = create(world, 1)
    # Before the page is opened: what a page asks for already may pass by a route made later.
    at_work.route(re.compile(r"/answer$"), lambda route: route.abort())
    begin(at_work)
    at_work.keyboard.press("1")
    expect(at_work.locator("#message")).to_have_text(re.compile("trying again"))
    at_work.unroute(re.compile(r"/answer$"))
    at_work.reload()
    assert [{"category": "praise"}] == responses(world, ids)
    at_work.watch.forget("Failed to load resource")


def test_signing_in_again_within_the_page_loses_nothing(at_work, world):
    ids = create(world, 2)
    begin(at_work)
    session = [each for each in at_work.context.cookies() if each["name"] == "wai_session"]
    at_work.context.clear_cookies(name="wai_session")
    at_work.keyboard.press("1")
    expect(at_work.locator("#sign-in")).to_be_visible()
    at_work.fill("#again-token", world.worker_token)
    at_work.keyboard.press("Enter")
    expect(at_work.locator("#sign-in")).to_be_hidden()
    expect(at_work.locator(".wai-shown-text")).to_have_text("text 1")
    at_work.keyboard.press("2")
    assert [{"category": "praise"}, {"category": "complaint"}] == responses(world, ids)
    assert session
    at_work.watch.forget("Failed to load resource")


def test_a_draft_survives_a_reload(at_work, world):
    params = {"attachment": f"{world.url}/nothing.wav"}
    create(world, 1, task_type="audio_transcription", params=params)
    begin(at_work)
    with at_work.expect_response(re.compile(r"/draft$")):
        at_work.locator("textarea").first.fill("half a sent")
    at_work.reload()
    expect(at_work.locator("textarea").first).to_have_value("half a sent")
    at_work.watch.forget("Failed to load resource")


def test_a_broken_picture_says_so_and_offers_to_skip(at_work, world):
    params = {"attachment_type": "image", "attachment": f"{world.url}/nothing.png", "categories": ["a", "b"]}
    ids = create(world, 1, params=params)
    begin(at_work)
    expect(at_work.locator(".wai-broken")).to_be_visible()
    at_work.keyboard.press("Alt+s")
    at_work.keyboard.press("Enter")
    expect(at_work.locator(".wai-nothing")).to_be_visible()
    reasons = [each["data"].get("reason") for each in world.requester.tasks.events(ids[0])]
    assert "cannot load" in reasons
    at_work.watch.forget("Failed to load resource")


def test_a_recording_that_broke_while_it_waited_says_so(at_work, world):
    create(world, 1)
    params = {"attachment": f"{world.url}/nothing.wav"}
    create(world, 1, task_type="audio_transcription", params=params, priority=1)
    with at_work.expect_response(re.compile(r"nothing\.wav$")):
        begin(at_work)
    at_work.keyboard.press("1")
    expect(at_work.locator(".wai-item[data-type=audio_transcription] .wai-broken")).to_be_visible()
    at_work.watch.forget("Failed to load resource")


def test_single_keys_can_be_switched_off(at_work, world):
    create(world, 1)
    begin(at_work)
    at_work.keyboard.press("Alt+k")
    at_work.keyboard.press("1")
    expect(at_work.locator(".wai-shown-text")).to_have_text("text 0")
    at_work.keyboard.press("Alt+k")
    at_work.keyboard.press("1")
    expect(at_work.locator(".wai-nothing")).to_be_visible()


def test_the_list_of_keys_opens_with_a_question_mark(at_work, world):
    create(world, 1)
    begin(at_work)
    at_work.keyboard.press("?")
    expect(at_work.locator("#help")).to_be_visible()
    at_work.keyboard.press("Escape")
    expect(at_work.locator("#help")).to_be_hidden()


def test_new_work_appears_by_itself(at_work, world):
    expect(at_work.locator(".wai-nothing")).to_be_visible()
    create(world, 1)
    expect(at_work.locator(".wai-shown-text")).to_have_text("text 0")
