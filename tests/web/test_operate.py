"""The operator's pages."""

from __future__ import annotations

import re

import pytest

from support.site import pages, text_of

PARAMS = {"attachment_type": "text", "attachment": "x", "categories": ["a", "b"]}
EMAIL, PASSWORD = "op@example.com", "correct horse"
PATHS = ["", "/workers", "/accounts", "/plugins", "/log"]


@pytest.fixture
def world():
    world = pages()
    world.house.accounts.create(EMAIL, password=PASSWORD, operator=True)
    yield world
    world.house.engine.close()


@pytest.fixture
def operator(world):
    browser = world.browser()
    browser.get("/sign-in")
    browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    return browser


@pytest.mark.parametrize("path", PATHS)
def test_only_operators_get_in(world, operator, path):
    assert 200 == operator.get(f"/operate{path}").status_code
    stranger = world.browser()
    stranger.get(f"/operate{path}")
    assert stranger.path.startswith("/sign-in?next=")
    stranger.get("/sign-up")
    stranger.post("/sign-up", {"email": "anna@example.com", "password": PASSWORD})
    refused = stranger.get(f"/operate{path}")
    assert (403, True) == (refused.status_code, "for operators" in text_of(refused.text))
    for verb in ("workers", "workers/block", "accounts/credit", "accounts/unlimited"):
        assert 403 == stranger.post(f"/operate/{verb}", {"email": EMAIL, "name": "x"}).status_code


def test_queues_and_receivers_in_trouble_are_seen(world, operator):
    anna = world.house.accounts.create("anna@example.com", unlimited=True)
    engine = world.house.engine
    engine.create_task(account=anna.account_id, params=PARAMS, overlap=3)
    world.house.advance(600)
    text = text_of(operator.get("/operate").text)
    assert "categorization 1 3 10" in text
    assert "Every receiver answers." in text


def test_a_worker_is_made_works_and_is_blocked(world, operator):
    operator.get("/operate/workers")
    operator.post("/operate/workers", {"name": "Bora", "skill": ["categorization"]})
    token = re.search("wkr_[0-9A-Za-z]{38}", operator.page)[0]
    worker = world.house.accounts.authenticate_worker(token)
    anna = world.house.accounts.create("anna@example.com", unlimited=True)
    world.house.engine.create_task(account=anna.account_id, params=PARAMS)
    claim = world.house.engine.claim(worker)
    world.house.advance(4)
    world.house.engine.submit(claim.assignment.id, worker, {"category": "a"})
    assert "Bora categorization 1 0 0 4.0" in text_of(operator.get("/operate/workers").text)
    assert token not in operator.page
    operator.post("/operate/workers/block", {"worker": worker.id})
    assert "blocked" in text_of(operator.page)


def test_a_worker_without_a_name_is_refused(world, operator):
    operator.get("/operate/workers")
    refused = operator.post("/operate/workers", {"name": " "})
    assert (422, True) == (refused.status_code, "A worker's name has" in text_of(refused.text))


def test_credit_is_given_and_limits_are_lifted(world, operator):
    operator.get("/operate/accounts")
    operator.post("/operate/accounts/credit", {"email": EMAIL, "amount": "12.50"})
    assert "12.50" in text_of(operator.page)
    assert 422 == operator.post("/operate/accounts/credit", {"email": EMAIL, "amount": "much"}).status_code
    operator.get("/operate/accounts")
    operator.post("/operate/accounts/unlimited", {"email": EMAIL, "unlimited": "yes"})
    assert world.house.accounts.get(EMAIL).unlimited
    operator.post("/operate/accounts/unlimited", {"email": EMAIL, "unlimited": "no"})
    assert not world.house.accounts.get(EMAIL).unlimited


def test_the_log_goes_on_page_by_page(world, operator):
    anna = world.house.accounts.create("anna@example.com", unlimited=True)
    assert "Nothing has happened yet." in text_of(operator.get("/operate/log").text)
    for _ in range(201):
        world.house.engine.create_task(account=anna.account_id, params=PARAMS)
    page = operator.get("/operate/log").text
    later = re.search('rel="next" href="([^"]+)"', page)[1]
    assert 1 == operator.get(later).text.count("task created")
    assert 200 == operator.get("/operate/log?after=nonsense").status_code
