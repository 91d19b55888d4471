"""What a worker chooses follows them to another browser."""

from __future__ import annotations

import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from support import chromium
from support.recordings import serving, tone

PARAMS = {"attachment_type": "text", "attachment": "x", "categories": ["a", "b"]}


@pytest.fixture(scope="module")
def recording():
    with serving({"/tone.wav": ("audio/wav", tone(1))}) as url:
        yield f"{url}/tone.wav"


@contextmanager
def another_browser(chrome, world, *, allowed=()):
    """Give the console of the same worker in a browser that knows nothing of the first."""
    context = chrome.new_context(locale="en-US", color_scheme="light")
    page = context.new_page()
    watch = chromium.Watch(page, world.url, allowed=allowed)
    page.goto(f"{world.url}/work/sign-in")
    page.fill("#token", world.worker_token)
    page.click("main button")
    page.wait_for_url("**/work")
    yield page
    context.close()
    assert [] == watch.complaints


def chosen(page):
    """Wait at the end of a `with` block until a choice is stored."""
    return page.expect_response(re.compile(r"/work/preferences$"))


def test_language_and_theme_follow_the_worker(at_work, world, chrome):
    at_work.get_by_role("button", name="한국어").click()
    at_work.get_by_role("button", name="어둡게").click()
    with another_browser(chrome, world) as page:
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.get_by_role("button", name="English").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
    at_work.reload()
    expect(at_work.locator("html")).to_have_attribute("lang", "en")


def test_the_choice_of_single_keys_follows_the_worker(at_work, world, chrome):
    world.requester.tasks.create(params=PARAMS)
    at_work.reload()
    at_work.wait_for_selector(".wai-item")
    with chosen(at_work):
        at_work.keyboard.press("Alt+k")
    with another_browser(chrome, world) as page:
        page.wait_for_selector(".wai-item")
        page.keyboard.press("1")
        expect(page.locator("input:checked[name='response/category']")).to_have_count(0)
        page.keyboard.press("Alt+k")
        page.keyboard.press("1")
        expect(page.locator(".wai-nothing")).to_be_visible()


def test_speed_and_shortcuts_follow_the_worker(at_work, world, chrome, recording):
    at_work.watch.allow(recording)
    world.requester.tasks.create(task_type="audio_transcription", params={"attachment": recording})
    at_work.reload()
    expect(at_work.locator(".wai-player")).to_be_visible()
    with chosen(at_work):
        at_work.get_by_label("Speed").select_option("2")
    at_work.locator(".wai-snippets summary").click()
    with chosen(at_work):
        at_work.locator("#wai-snippets").fill("ty = Thank you.")
    with another_browser(chrome, world, allowed=(recording,)) as page:
        expect(page.get_by_label("Speed")).to_have_value("2")
        page.locator(".wai-transcript").focus()
        page.keyboard.type("ty ")
        expect(page.locator(".wai-transcript")).to_have_value("Thank you. ")


def test_a_choice_that_could_not_be_sent_is_sent_later(at_work, world, chrome):
    world.requester.tasks.create(params=PARAMS)
    at_work.route(re.compile(r"/work/preferences$"), lambda route: route.abort())
    at_work.reload()
    at_work.wait_for_selector(".wai-item")
    at_work.keyboard.press("Alt+k")
    expect(at_work.locator("#message")).to_have_text("Single-key shortcuts are off")
    at_work.unroute(re.compile(r"/work/preferences$"))
    with chosen(at_work) as answer:
        at_work.reload()
    assert 204 == answer.value.status
    at_work.watch.forget("Failed to load resource")
