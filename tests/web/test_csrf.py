"""No form of ours can be sent from another site: whatever changes something wants the browser's own token."""

from __future__ import annotations

import falcon.inspect
import pytest

from support.site import pages, text_of
from workersai_server.errors import CsrfFailed

EMAIL, PASSWORD = "anna@example.com", "correct horse"


@pytest.fixture
def world():
    world = pages()
    yield world
    world.house.engine.close()


def unsafe(world):
    """Return the paths of all pages that take something."""
    routes = falcon.inspect.inspect_routes(world.client.app)
    safe = {"GET", "HEAD", "OPTIONS"}
    found = {
        route.path for route in routes for method in route.methods if not method.internal and method.method not in safe
    }
    return sorted(path.format(assignment_id="x", external_id="x", endpoint_id="x") for path in found)


def operator(world):
    world.house.accounts.create(EMAIL, password=PASSWORD, operator=True)
    browser = world.browser()
    browser.get("/sign-in")
    browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    return browser


def worker(world):
    token = world.house.accounts.create_worker("Bora").token
    browser = world.browser()
    browser.get("/work/sign-in")
    browser.post("/work/sign-in", {"token": token})
    return browser


def test_every_address_that_changes_something_wants_the_token(world):
    paths = unsafe(world)
    assert {"/work/next", "/dashboard/keys/revoke", "/operate/workers"} <= set(paths)
    at_desk, at_work = operator(world), worker(world)
    before = len(world.house.accounts.list_keys(world.house.accounts.get(EMAIL).id))
    for path in paths:
        browser = at_work if path.startswith("/work") else at_desk
        for token in ("", "0" * 64):
            refused = browser.post(path, {"key": "x"}, csrf=token)
            assert (path, 403) == (path, refused.status_code)
            assert CsrfFailed().detail in text_of(refused.text)
    assert before == len(world.house.accounts.list_keys(world.house.accounts.get(EMAIL).id))
