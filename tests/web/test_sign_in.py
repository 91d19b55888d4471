"""Signing up, in and out with a browser that has no JavaScript."""

from __future__ import annotations

import pytest

from support.site import pages, text_of

EMAIL, PASSWORD = "anna@example.com", "correct horse"


@pytest.fixture
def world():
    world = pages()
    yield world
    world.house.engine.close()


def sign_up(browser):
    browser.get("/sign-up")
    return browser.post("/sign-up", {"email": EMAIL, "password": PASSWORD})


def test_signing_up_shows_the_keys_this_once_and_signs_in(world):
    browser = world.browser()
    welcome = sign_up(browser)
    account = world.house.accounts.get(EMAIL)
    assert 200 == welcome.status_code
    keys = [word for word in text_of(welcome.text).split() if word.startswith(("live_", "test_", "whsec_"))]
    assert ["test", "live", "whsec"] == [key.partition("_")[0] for key in keys]
    assert {"live", "test"} == {world.house.accounts.authenticate(key).mode for key in keys[:2]}
    assert account.id == world.site.sessions.find(browser.cookies["wai_session"]).account.id


def test_signing_up_where_it_is_closed_is_refused_with_a_reason():
    world = pages(sign_up="closed")
    browser = world.browser()
    shown = browser.get("/sign-up")
    assert (403, True) == (shown.status_code, "made by the operator" in text_of(shown.text))
    browser.get("/sign-in")
    assert 403 == browser.post("/sign-up", {"email": EMAIL, "password": PASSWORD}).status_code
    assert [] == world.house.accounts.list()
    world.house.engine.close()


@pytest.mark.parametrize(
    ("email", "password", "reason"),
    [
        ("no address", PASSWORD, "This is no email address"),
        (EMAIL, "short", "A password has 8 to 1024 characters"),
    ],
)
def test_a_wrong_sign_up_says_what_to_mend_and_keeps_the_email(world, email, password, reason):
    browser = world.browser()
    browser.get("/sign-up")
    answer = browser.post("/sign-up", {"email": email, "password": password})
    assert 422 == answer.status_code
    assert reason in text_of(answer.text)
    assert f'value="{email}"' in answer.text


def test_a_taken_email_is_a_conflict(world):
    sign_up(world.browser())
    again = sign_up(world.browser())
    assert (409, True) == (again.status_code, "already" in text_of(again.text))


def test_signing_in_leads_back_to_where_one_wanted_to_go(world):
    world.house.accounts.create(EMAIL, password=PASSWORD)
    browser = world.browser()
    browser.get("/sign-in?next=/sign-up")
    browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD, "next": "/sign-up"})
    assert "/sign-up" == browser.path


@pytest.mark.parametrize("elsewhere", ["//evil.example", "/\\evil.example", "https://evil.example", "", "\n/x"])
def test_nobody_is_sent_to_another_site(world, elsewhere):
    world.house.accounts.create(EMAIL, password=PASSWORD)
    browser = world.browser()
    browser.get("/sign-in")
    browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD, "next": elsewhere})
    assert "/dashboard" == browser.path.partition("?")[0]


def test_a_wrong_password_is_told_and_the_form_can_be_sent_again(world):
    world.house.accounts.create(EMAIL, password=PASSWORD)
    browser = world.browser()
    browser.get("/sign-in")
    refused = browser.post("/sign-in", {"email": EMAIL, "password": "wrong"})
    assert (401, True) == (refused.status_code, "do not belong together" in text_of(refused.text))
    assert "wai_session" not in browser.cookies
    browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    assert "wai_session" in browser.cookies


def test_a_worker_signs_in_with_the_token_and_out_again(world):
    worker = world.house.accounts.create_worker("Bora")
    browser = world.browser()
    browser.get("/work/sign-in")
    browser.post("/work/sign-in", {"token": worker.token})
    assert "Bora" == world.site.sessions.find(browser.cookies["wai_session"]).worker.name
    token = browser.cookies["wai_session"]
    browser.get("/sign-up")
    browser.post("/sign-out")
    assert "wai_session" not in browser.cookies
    assert world.site.sessions.find(token) is None


def test_a_wrong_worker_token_is_refused(world):
    browser = world.browser()
    browser.get("/work/sign-in")
    answer = browser.post("/work/sign-in", {"token": "wkr_nothing"})
    assert (401, True) == (answer.status_code, "not valid" in text_of(answer.text))


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/work/sign-in", "/sign-out", "/preferences"])
def test_a_form_from_another_site_is_refused(world, path):
    browser = world.browser()
    browser.get("/sign-in")
    stranger = world.browser()
    stranger.get("/sign-in")
    for token in ("", "0" * 64, browser.page.split('name="csrf" value="')[1].partition('"')[0]):
        assert 403 == stranger.post(path, {"email": EMAIL, "password": PASSWORD}, csrf=token).status_code


def test_pages_speak_korean_to_who_asks_for_it_and_to_who_chose_it(world):
    browser = world.browser(Accept_Language="ko")
    assert 'lang="ko"' in browser.get("/").text
    browser.post("/preferences", {"language": "en", "next": "/"})
    assert 'lang="en"' in browser.page
    browser.post("/preferences", {"theme": "dark", "next": "/"})
    assert 'data-theme="dark"' in browser.page


def test_a_page_that_is_not_there_and_a_wrong_method_are_pages_too(world):
    browser = world.browser()
    missing = browser.get("/work/nothing/here")
    assert (404, True) == (missing.status_code, "There is no such page" in text_of(missing.text))
    assert "text/html; charset=utf-8" == missing.headers["content-type"]
    assert 405 == browser.get("/sign-out").status_code
    script = world.client.simulate_get("/work/nothing/here", headers={"Accept": "application/json"})
    assert ("application/problem+json", "not_found") == (script.headers["content-type"], script.json["code"])


def test_every_page_forbids_scripts_and_styles_of_others(world):
    page = world.browser().get("/sign-in")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
    cookies = page.cookies["wai_guest"]
    assert (True, "Lax") == (cookies.http_only, cookies.same_site)


def test_assets_are_kept_for_ever_under_the_hash_of_their_content(world):
    page = world.browser().get("/").text
    address = page.split('rel="stylesheet" href="')[1].partition('"')[0]
    style = world.client.simulate_get(address)
    assert (200, "text/css; charset=utf-8") == (style.status_code, style.headers["content-type"])
    assert "immutable" in style.headers["cache-control"]
    old = world.client.simulate_get("/static/0123456789abcdef/css/base.css")
    assert (200, "no-cache") == (old.status_code, old.headers["cache-control"])
    for path in ("/static/x/../app.py", "/static/x/%2e%2e/app.py", "/static/x/nothing.css", "/static/x/css"):
        assert 404 == world.client.simulate_get(path, headers={"Accept": "text/html"}).status_code
