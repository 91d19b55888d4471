"""The account dashboard as a requester sees it."""

from __future__ import annotations

import re

import pytest

from support.site import pages, text_of
from workersai_core.testing import complete

PARAMS = {"attachment_type": "text", "attachment": "<b>x</b>", "categories": ["칭찬", "불만"]}
EMAIL, PASSWORD = "anna@example.com", "correct horse"


@pytest.fixture
def world():
    world = pages()
    yield world
    world.house.engine.close()


@pytest.fixture
def anna(world):
    browser = world.browser()
    browser.get("/sign-up")
    browser.post("/sign-up", {"email": EMAIL, "password": PASSWORD})
    return browser


def account(world):
    return world.house.accounts.get(EMAIL)


def create(world, **fields):
    return world.house.engine.create_task(
        **{"account": account(world).id, "params": PARAMS, "callback_url": "https://r.test/hook", **fields}
    )


@pytest.mark.parametrize("path", ["", "/tasks", "/tasks/x", "/callbacks", "/keys"])
def test_every_page_asks_who_is_there(world, path):
    browser = world.browser()
    browser.get(f"/dashboard{path}")
    assert browser.path.startswith("/sign-in?next=")


def test_the_overview_tells_what_is_left_and_how_things_go(world, anna):
    complete(world.house.engine, create(world), {"category": "칭찬"})
    create(world, mode="test")
    text = text_of(anna.get("/dashboard").text)
    assert "Free requests left 4" in text
    assert "completed 1" in text
    assert 4 == anna.page.count("<svg")
    assert 4 == anna.page.count("As a table")


def test_live_and_test_are_apart_and_the_choice_is_kept(world, anna):
    live, test = create(world), create(world, mode="test")
    assert live.external_id in anna.get("/dashboard/tasks").text
    assert test.external_id not in anna.page
    assert "wai-mode-test" in anna.get("/dashboard/tasks?mode=test").text
    assert test.external_id in anna.get("/dashboard/tasks").text
    assert live.external_id not in anna.page
    assert 404 == anna.get(f"/dashboard/tasks/{live.external_id}").status_code


def test_the_list_is_filtered_by_its_address(world, anna):
    done = complete(world.house.engine, create(world), {"category": "칭찬"})
    open_ = create(world)
    page = anna.get("/dashboard/tasks?status=completed&task_type=categorization").text
    assert (True, False) == (done.external_id in page, open_.external_id in page)
    assert "No task fits." in text_of(anna.get("/dashboard/tasks?created_before=2000-01-01").text)
    wrong = anna.get("/dashboard/tasks?status=finished")
    assert (400, True) == (wrong.status_code, "There is no status finished" in text_of(wrong.text))
    assert 400 == anna.get("/dashboard/tasks?created_after=yesterday").status_code
    assert 400 == anna.get("/dashboard/tasks?after=nothing").status_code


def test_long_lists_have_pages(world, anna):
    world.house.accounts.set_unlimited(EMAIL)
    for _ in range(51):
        create(world)
    page = anna.get("/dashboard/tasks").text
    assert 50 == len(re.findall("/dashboard/tasks/[0-9a-f-]{36}", page))
    older = re.search('rel="next" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert 1 == len(re.findall("/dashboard/tasks/[0-9a-f-]{36}", anna.get(older).text))
    assert 'rel="prev"' in anna.page


def test_a_task_shows_its_question_answer_history_and_callbacks(world, anna):
    task = complete(world.house.engine, create(world, instruction="*What?*"), {"category": "칭찬"})
    world.house.engine.deliver()
    page = anna.get(f"/dashboard/tasks/{task.external_id}").text
    text = text_of(page)
    assert all(each in text for each in ("response submitted", "task completed", "delivered", "<b>x</b>"))
    assert "<b>x</b>" not in page
    assert "<em>What?</em>" in page
    assert "checked" in page
    assert f"/v1/tasks/{task.external_id}" in text
    key = next(key for key in world.house.accounts.list_keys(account(world).id) if key.mode == "live")
    assert f"Authorization: Bearer live_…{key.last4}" in text


def test_a_callback_can_be_sent_again(world, anna):
    task = complete(world.house.engine, create(world), {"category": "칭찬"})
    world.house.engine.deliver()
    anna.get(f"/dashboard/tasks/{task.external_id}")
    delivery = re.search('name="delivery" value="([^"]+)"', anna.page)[1]
    anna.post("/dashboard/callbacks/replay", {"delivery": delivery, "task": task.external_id})
    assert 1 == world.house.engine.deliver()
    [shown] = world.house.engine.callbacks(task.external_id, account=account(world).id)
    assert 2 == shown.attempts_total


def test_an_open_task_can_be_canceled(world, anna):
    task = create(world)
    anna.get(f"/dashboard/tasks/{task.external_id}")
    anna.post(f"/dashboard/tasks/{task.external_id}/cancel")
    assert "canceled" in text_of(anna.page)


def test_a_new_key_is_shown_once_and_works(world, anna):
    anna.get("/dashboard/keys")
    anna.post("/dashboard/keys/create")
    key = re.search("live_[0-9A-Za-z]{38}", anna.page)[0]
    assert account(world).id == world.house.accounts.authenticate(key).account_id
    assert key not in anna.get("/dashboard/keys").text


def test_a_key_is_rolled_with_an_overlap_and_revoked(world, anna):
    anna.get("/dashboard/keys")
    key_id = re.search('name="key" value="([^"]+)"', anna.page)[1]
    anna.post("/dashboard/keys/roll", {"key": key_id, "overlap_s": "3600"})
    new = re.search("live_[0-9A-Za-z]{38}", anna.page)[0]
    assert "ends" in text_of(anna.page)
    again = anna.post("/dashboard/keys/roll", {"key": key_id, "overlap_s": "3600"})
    assert 409 == again.status_code
    anna.post("/dashboard/keys/revoke", {"key": key_id})
    ended = [key for key in world.house.accounts.list_keys(account(world).id) if key.revoked_at]
    assert [key_id] == [key.id for key in ended]
    assert world.house.accounts.authenticate(new)


def test_nobody_touches_the_keys_of_others(world, anna):
    other = world.house.accounts.create("other@example.com")
    [key, *_] = world.house.accounts.list_keys(other.account_id)
    anna.get("/dashboard/keys")
    for verb in ("roll", "revoke"):
        assert 404 == anna.post(f"/dashboard/keys/{verb}", {"key": key.id}).status_code
    assert not any(each.revoked_at or each.expires_at for each in world.house.accounts.list_keys(other.account_id))


def test_the_webhook_secret_is_rolled_and_shown_once(world, anna):
    anna.get("/dashboard/keys")
    anna.post("/dashboard/keys/secret", {"overlap_s": "86400"})
    secret = re.search("whsec_[0-9A-Za-z+/=]{20,}", anna.page)[0]
    assert secret == world.house.engine.webhook_secrets(account(world).id)[0].secret
    assert secret not in anna.get("/dashboard/keys").text


def test_a_default_callback_address_is_checked_and_kept(world, anna):
    anna.get("/dashboard/callbacks")
    refused = anna.post("/dashboard/callbacks/defaults", {"callback_url": "ftp://x"})
    assert 422 == refused.status_code
    anna.post("/dashboard/callbacks/defaults", {"callback_url": "https://hooks.test/x"})
    assert "https://hooks.test/x" == account(world).callback_url
    anna.post("/dashboard/callbacks/defaults", {"callback_url": ""})
    assert account(world).callback_url is None


def test_a_test_event_is_a_test_task_to_the_address(world, anna):
    anna.get("/dashboard/callbacks")
    anna.post("/dashboard/callbacks/test", {"callback_url": "https://hooks.test/x"})
    assert "wai-mode-test" in anna.page
    world.house.engine.tick()
    assert 1 == world.house.engine.deliver()
    anna.get("/dashboard/callbacks")
    assert anna.post("/dashboard/callbacks/test", {"callback_url": "ftp://x"}).status_code == 422


def test_what_failed_can_be_sent_again_together(world, anna):
    anna.get("/dashboard/callbacks?state=exhausted")
    assert "There is none." in text_of(anna.page)
    anna.post("/dashboard/callbacks/replay", {"days": "7"})
    assert anna.path.startswith("/dashboard/callbacks?state=pending")


# --- completing a test task ---------------------------------------------------------------------------


def waiting(world, **fields):
    """Create a test task that its mock leaves open."""
    return create(world, mode="test", metadata={"mock": {"outcome": "never"}}, **fields)


def complete_by_hand(browser, task, fields):
    return browser.post(f"/dashboard/tasks/{task.external_id}/complete", fields)


def test_a_test_task_is_completed_with_the_form_and_called_back(world, anna):
    task = waiting(world)
    page = anna.get(f"/dashboard/tasks/{task.external_id}?mode=test").text
    assert "Complete this test task" in page
    complete_by_hand(anna, task, {"response#": "1", "response/category": '"불만"'})
    assert "Complete this test task" not in anna.page
    assert "completed" in text_of(anna.page)
    done = world.house.engine.get_task(task.external_id, account=account(world).id, mode="test")
    assert {"category": "불만"} == done.response
    assert 1 == world.house.engine.deliver()


def test_a_test_task_is_completed_as_the_mock_would(world, anna):
    task = create(world, mode="test", metadata={"mock": {"delay_s": 3600, "response": {"category": "칭찬"}}})
    anna.get(f"/dashboard/tasks/{task.external_id}?mode=test")
    complete_by_hand(anna, task, {"mock": "1"})
    done = world.house.engine.get_task(task.external_id, account=account(world).id, mode="test")
    assert ("completed", {"category": "칭찬"}) == (done.status.value, done.response)


def test_a_wrong_answer_to_a_test_task_comes_back_with_what_is_wrong(world, anna):
    params = {"attachment": "https://example.com/1.wav"}
    task = waiting(world, task_type="audio_transcription", params=params)
    anna.get(f"/dashboard/tasks/{task.external_id}?mode=test")
    refused = complete_by_hand(
        anna, task, {"response#": "1", "response/transcript": "안녕", "response/duration": "long"}
    )
    assert 422 == refused.status_code
    assert "Please check" in text_of(refused.text)
    assert "안녕" in refused.text
    assert 'value="long"' in refused.text


def test_an_item_more_in_the_form_of_a_test_task_completes_nothing(world, anna):
    params = {"attachment": "https://example.com/1.wav"}
    task = waiting(world, task_type="audio_transcription", params=params)
    anna.get(f"/dashboard/tasks/{task.external_id}?mode=test")
    shown = complete_by_hand(anna, task, {"response#": "1", "add": "/segments"})
    assert (200, True) == (shown.status_code, "response/segments/0" in shown.text)
    assert task == world.house.engine.get_task(task.external_id, account=account(world).id, mode="test")


def test_live_tasks_and_ended_ones_cannot_be_completed_by_hand(world, anna):
    live, ended = create(world), waiting(world)
    assert "Complete this test task" not in anna.get(f"/dashboard/tasks/{live.external_id}").text
    assert 404 == complete_by_hand(anna, live, {"mock": "1"}).status_code
    anna.get(f"/dashboard/tasks/{ended.external_id}?mode=test")
    complete_by_hand(anna, ended, {"mock": "1"})
    anna.get(f"/dashboard/tasks/{ended.external_id}")
    assert 409 == complete_by_hand(anna, ended, {"mock": "1"}).status_code
