"""A requester's ways through the pages in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support import receivers
from workersai_client import APIError, Client

PARAMS = {"attachment_type": "text", "attachment": "x", "categories": ["a", "b"]}
BROKEN = b"HTTP/1.1 500 Oh\r\nContent-Length: 6\r\n\r\nbroken"


@pytest.fixture
def settings():
    """One attempt for each callback, so that a failure is final."""
    return {"callback_schedule": "0"}


def sign_up(page, world):
    page.goto(f"{world.url}/sign-up")
    page.fill("#email", "new@example.com")
    page.fill("#password", "correct horse battery")
    page.click("main button")
    return dict(zip(page.locator("dt").all_inner_texts(), page.locator("dd").all_inner_texts(), strict=True))


def sign_in(page, world):
    page.goto(f"{world.url}/sign-in")
    page.fill("#email", world.email)
    page.fill("#password", world.password)
    page.click("main button")
    page.wait_for_url("**/dashboard")


def row_of(page, key):
    return page.locator("tr", has_text=f"{key[:5]}…{key[-4:]}")


def test_from_signing_up_over_the_first_calls_to_the_sixth_which_is_refused(page, world):
    shown = sign_up(page, world)
    [key] = [text for text in shown.values() if text.startswith("live_")]
    with Client(world.url, key) as client:
        first = client.tasks.create(params=PARAMS)["external_id"]
        page.goto(f"{world.url}/dashboard/tasks?mode=live")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("link", name=first).click()
        expect(page.locator(".wai-timeline")).to_contain_text("task created")
        for _ in range(4):
            client.tasks.create(params=PARAMS)
        with pytest.raises(APIError) as caught:
            client.tasks.create(params=PARAMS)
    assert (402, "free_requests_exhausted") == (caught.value.status, caught.value.code)
    page.goto(f"{world.url}/dashboard")
    expect(page.locator(".wai-figures .wai-card").first).to_contain_text("0")
    page.goto(f"{world.url}/dashboard/keys")
    expect(row_of(page, key).locator("time")).to_have_count(2)


def test_a_key_is_rolled_while_the_old_one_still_works(page, world):
    sign_in(page, world)
    page.goto(f"{world.url}/dashboard/keys?mode=live")
    row = page.locator("tbody tr").first
    row.locator("select").select_option("3600")
    row.get_by_role("button", name="Roll").click()
    new = page.locator(".wai-new code").inner_text()
    with Client(world.url, new) as client:
        for each in (world.requester, client):
            each.tasks.create(params=PARAMS)
        page.locator("tr", has_text="ends").first.get_by_role("button", name="Revoke").click()
        expect(page.locator(".wai-badge", has_text="ended")).to_be_visible()
        with pytest.raises(APIError) as caught:
            list(world.requester.tasks.list())
        assert 401 == caught.value.status
        assert 2 == len(list(client.tasks.list()))
    page.reload()
    expect(page.locator(".wai-new")).to_have_count(0)


def test_a_callback_that_failed_is_sent_again_when_the_receiver_is_mended(page, world):
    mended = []

    def behave(call):
        while call.request():
            call.send(receivers.OK if mended else BROKEN)

    with receivers.Receiver(behave) as receiver:
        sign_in(page, world)
        page.goto(f"{world.url}/dashboard/callbacks?mode=test")
        page.get_by_label("Send a test event to").fill(receiver.url())
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(re.compile("/dashboard/tasks/"))
        shows(page, "exhausted")
        expect(page.locator("main")).to_contain_text("broken")
        mended.append(True)
        page.get_by_role("button", name="Send again").click()
        shows(page, "delivered")
        attempts = [json_row.inner_text().split("\t")[2] for json_row in page.locator("tbody tr").all()]
        assert (["500", "200"], 2) == (attempts, len(receiver.requests))


def shows(page, state):
    """Look again until the page shows a callback in a state."""
    badge = page.locator("h3 .wai-badge", has_text=state)
    for _ in range(100):
        if badge.count():
            return
        page.wait_for_timeout(100)
        page.reload()
    raise AssertionError(f"no callback became {state}")
