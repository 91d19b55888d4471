"""The worker console as a browser without JavaScript sees it."""

from __future__ import annotations

import re

import pytest

from support.site import pages, text_of
from support.task_types import TestTypes
from workersai_core import TaskStatus
from workersai_server.accounts.values import Preferences

PARAMS = {"attachment_type": "text", "attachment": "배송이 빨라요", "categories": ["칭찬", "불만"]}
XSS = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def world():
    world = pages(plugins=[TestTypes()], free_requests="unlimited")
    yield world
    world.house.engine.close()


@pytest.fixture
def worker(world):
    made = world.house.accounts.create_worker("Bora")
    browser = world.browser()
    browser.get("/work/sign-in")
    browser.post("/work/sign-in", {"token": made.token})
    return browser


def create(world, **fields):
    return world.house.engine.create_task(account="acme", **{"params": PARAMS, **fields})


def task(world, created):
    return world.house.engine.get_task(created.external_id, account="acme")


def assignment(browser):
    return re.search(r'data-assignment="([^"]+)"', browser.page)[1]


def answer(browser, **fields):
    sent = {f"response/{name}": value for name, value in fields.items()}
    return browser.post(f"/work/{assignment(browser)}/answer", sent)


def test_who_is_not_signed_in_is_led_to_the_door_and_back(world):
    made = world.house.accounts.create_worker("Bora")
    browser = world.browser()
    browser.get("/work?undo=x")
    assert "/work/sign-in?next=%2Fwork%3Fundo%3Dx" == browser.path
    browser.post("/work/sign-in", {"token": made.token, "next": "/work?undo=x"})
    assert "/work?undo=x" == browser.path


def test_a_requester_is_no_worker(world):
    browser = world.browser()
    browser.get("/sign-up")
    browser.post("/sign-up", {"email": "anna@example.com", "password": "correct horse"})
    browser.get("/work")
    assert browser.path.startswith("/work/sign-in")


def test_an_item_shows_the_instruction_the_text_and_the_choices(world, worker):
    create(world, instruction="**What** does the customer say?")
    page = worker.get("/work")
    text = text_of(page.text)
    assert "<strong>What</strong>" in page.text
    assert all(each in text for each in ("배송이 빨라요", "칭찬", "불만"))
    assert "data-one-key" in page.text


def test_an_answer_is_final_after_the_undo_window(world, worker):
    created = create(world)
    worker.get("/work")
    answer(worker, category='"칭찬"')
    assert "Undo" in text_of(worker.page)
    assert TaskStatus.IN_PROGRESS == task(world, created).status
    world.house.advance(5)
    world.site.answers.settle()
    assert {"category": "칭찬"} == task(world, created).response


def test_the_last_answer_can_be_taken_back(world, worker):
    created = create(world)
    worker.get("/work")
    first = assignment(worker)
    answer(worker, category='"칭찬"')
    worker.post(f"/work/{first}/undo")
    assert first == assignment(worker)
    assert 'value="&#34;칭찬&#34;" checked' in worker.page
    answer(worker, category='"불만"')
    world.house.advance(5)
    world.site.answers.settle()
    assert {"category": "불만"} == task(world, created).response


def test_a_wrong_answer_is_explained_at_its_field_and_kept(world, worker):
    create(world, task_type="pick", params={"options": ["a", "b"]})
    worker.get("/work")
    refused = answer(worker, choice="c")
    assert (422, True) == (refused.status_code, "Not one of the options." in text_of(refused.text))
    assert re.search(r">\s*c</textarea>", refused.text)
    assert 'href="#response/choice"' in refused.text


def test_nothing_chosen_says_what_is_missing(world, worker):
    create(world)
    worker.get("/work")
    refused = answer(worker)
    assert 422 == refused.status_code
    assert "Please check one place" in text_of(refused.text)


def test_a_skipped_item_never_comes_back_to_this_worker(world, worker):
    created = create(world)
    worker.get("/work")
    worker.post(f"/work/{assignment(worker)}/skip", {"reason": ["unclear", "too blurred"]})
    assert "Nothing to do" in text_of(worker.page)
    events = world.house.engine.task_events(created.external_id, account="acme")
    assert ["unclear too blurred"] == [each.data["reason"] for each in events if each.name == "assignment_skipped"]


def test_an_item_given_back_may_come_again(world, worker):
    create(world)
    worker.get("/work")
    first = assignment(worker)
    worker.post(f"/work/{first}/release")
    assert first != assignment(worker)


def test_the_same_item_is_shown_again_after_a_reload_with_the_draft(world, worker):
    create(world, task_type="pick", params={"options": ["a", "b"]})
    worker.get("/work")
    first = assignment(worker)
    assert 204 == worker.post(f"/work/{first}/draft", {"response/choice": "half an ans"}).status_code
    worker.get("/work")
    assert first == assignment(worker)
    assert "half an ans</textarea>" in worker.page


def test_more_time_can_be_asked_for(world, worker):
    create(world)
    worker.get("/work")
    before = re.search(r'data-lease="([^"]+)"', worker.page)[1]
    world.house.advance(600)
    worker.post(f"/work/{assignment(worker)}/renew")
    assert before < re.search(r'data-lease="([^"]+)"', worker.page)[1]


def test_an_answer_after_the_lease_is_refused_with_a_reason(world, worker):
    create(world)
    worker.get("/work")
    world.house.advance(901)
    late = answer(worker, category='"칭찬"')
    assert (409, True) == (late.status_code, "run out" in text_of(late.text))


def test_sending_the_same_answer_again_is_fine_even_when_it_is_final(world, worker):
    create(world)
    worker.get("/work")
    url = f"/work/{assignment(worker)}/answer"
    sent = {"response/category": '"칭찬"'}
    worker.post(url, sent)
    world.house.advance(5)
    world.site.answers.settle()
    worker.get("/sign-up")
    assert 200 == worker.post(url, sent).status_code
    assert "/work" == worker.path


def test_another_workers_item_is_not_there(world, worker):
    create(world)
    worker.get("/work")
    url = f"/work/{assignment(worker)}"
    other = world.browser()
    other.get("/work/sign-in")
    other.post("/work/sign-in", {"token": world.house.accounts.create_worker("Choi").token})
    for verb in ("answer", "undo", "skip", "release", "renew", "draft"):
        assert other.post(f"{url}/{verb}", {"response/category": '"칭찬"'}).status_code in (404, 409)


def test_nothing_that_a_requester_writes_becomes_html(world, worker):
    create(
        world,
        instruction=f"{XSS} [x](javascript:alert(3)) ![y](http://a.example/{XSS})",
        params={"attachment_type": "text", "attachment": XSS, "categories": [XSS, "b"]},
    )
    page = worker.get("/work").text
    assert "<script>alert" not in page
    assert "onerror=alert" not in page.replace("&#34;", "").replace("onerror=alert(2)&gt;", "")
    assert 'href="javascript' not in page


def test_a_worker_who_holds_as_much_as_allowed_in_undo_windows_gets_the_next_item(world, worker):
    for _ in range(8):
        create(world)
    for _ in range(8):
        worker.get("/work")
        answer(worker, category='"칭찬"')
    world.house.advance(5)
    world.site.answers.settle()
    assert (
        8
        == world.house.engine.count_tasks(account="acme", chosen=None)
        == len([each for each in world.house.engine.list_tasks(account="acme").tasks if each.response])
    )


def script(worker, path, **more):
    headers = {
        "Accept": "application/json",
        "Cookie": "; ".join(f"{name}={value}" for name, value in worker.cookies.items()),
        "X-CSRF-Token": re.search(r'data-csrf="([^"]+)"', worker.page)[1],
        **more.pop("headers", {}),
    }
    return worker.client.simulate_post(path, headers=headers, **more)


def test_the_script_gets_the_next_item_ahead_and_none_when_there_is_none(world, worker):
    create(world)
    create(world)
    worker.get("/work")
    shown = assignment(worker)
    ahead = script(worker, "/work/next", json={"shown": [shown]})
    assert (200, True) == (ahead.status_code, ahead.json["assignment_id"] in ahead.json["html"])
    again = script(worker, "/work/next", json={"shown": [shown]})
    assert ahead.json["assignment_id"] == again.json["assignment_id"]
    assert 204 == script(worker, "/work/next", json={"shown": [shown, ahead.json["assignment_id"]]}).status_code


def test_the_script_is_told_that_nobody_is_signed_in(world, worker):
    create(world)
    worker.get("/work")
    page = worker.page
    worker.post("/sign-out")
    worker.page = page
    refused = script(worker, "/work/next", json={"shown": []})
    assert (401, "unauthenticated") == (refused.status_code, refused.json["code"])


def test_preferences_are_kept_and_wrong_ones_refused(world, worker):
    def prefer(body):
        token = re.search(r'data-csrf="([^"]+)"', worker.get("/work").text)[1]
        cookies = "; ".join(f"{name}={value}" for name, value in worker.cookies.items())
        headers = {"Cookie": cookies, "X-CSRF-Token": token, "Accept": "application/json"}
        return world.client.simulate_post("/work/preferences", json=body, headers=headers)

    assert 204 == prefer({"speed": 1.5, "snippets": "ty = Thank you", "single_keys": False}).status_code
    assert 204 == prefer({"theme": "dark"}).status_code
    [entry] = world.house.accounts.list_workers()
    expected = Preferences(speed=1.5, snippets="ty = Thank you", single_keys=False, theme="dark")
    assert expected == entry.preferences
    wrong = [{"speed": 4}, {"speed": True}, {"theme": "red"}, {"snippets": "x" * 10_001}, {"language": "fr"}, {"x": 1}]
    for body in [*wrong, {"speed": 1, "single_keys": "yes"}]:
        assert (body, 422) == (body, prefer(body).status_code)
    assert expected == world.house.accounts.list_workers()[0].preferences
