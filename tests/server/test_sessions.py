"""Signing in to the pages, staying signed in, and being signed out."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from support.accounts import house
from workersai_core.store import Statement
from workersai_server.accounts.sessions import SESSION_LENGTH, Sessions, csrf_token, is_csrf_token, new_token
from workersai_server.accounts.tables import sessions as sessions_table
from workersai_server.errors import RateLimited, Unauthenticated

EMAIL, PASSWORD = "Anna@Example.com", "correct horse"


@pytest.fixture
def home():
    home = house()
    yield home
    home.engine.close()


@pytest.fixture
def sessions(home):
    home.accounts.create(EMAIL, password=PASSWORD)
    return Sessions(home.engine, home.accounts)


def sign_in(sessions, email=EMAIL, password=PASSWORD, address="192.0.2.1"):
    return sessions.sign_in(email, password, address=address)


def test_a_session_says_who_signed_in(sessions, home):
    found = sessions.find(sign_in(sessions, email=" anna@example.COM"))
    assert ("requester", EMAIL) == (found.role, found.account.email)
    assert home.clock.now() + SESSION_LENGTH == found.expires_at
    with pytest.raises(Unauthenticated):
        _ = found.as_worker


def test_a_worker_signs_in_with_the_token(sessions, home):
    worker = home.accounts.create_worker("Bora")
    found = sessions.find(sessions.sign_in_worker(f" {worker.token}\n", address="192.0.2.1"))
    assert ("worker", "Bora", worker.id) == (found.role, found.worker.name, found.as_worker.id)


def test_a_blocked_worker_is_signed_out(sessions, home):
    worker = home.accounts.create_worker("Bora")
    token = sessions.sign_in_worker(worker.token, address="192.0.2.1")
    home.accounts.revoke_worker(worker.id)
    assert sessions.find(token) is None
    with pytest.raises(Unauthenticated):
        sessions.sign_in_worker(worker.token, address="192.0.2.1")


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong horse"), ("nobody@example.com", PASSWORD), ("", "")])
def test_a_wrong_email_and_a_wrong_password_look_the_same(sessions, email, password):
    with pytest.raises(Unauthenticated, match="This email and password do not belong together"):
        sign_in(sessions, email, password)


def test_an_account_without_a_password_cannot_sign_in(sessions, home):
    home.accounts.create("other@example.com")
    with pytest.raises(Unauthenticated):
        sign_in(sessions, "other@example.com", "")


def test_a_session_ends_by_itself_and_is_forgotten(sessions, home):
    token = sign_in(sessions)
    home.advance(SESSION_LENGTH.total_seconds() - 1)
    assert sessions.find(token) is not None
    home.advance(1)
    assert sessions.find(token) is None


def test_signing_out_ends_one_session_and_ending_all_ends_the_others(sessions, home):
    tokens = [sign_in(sessions) for _ in range(3)]
    sessions.end(tokens[0])
    sessions.end(tokens[0])
    assert [False, True, True] == [sessions.find(token) is not None for token in tokens]
    assert 2 == sessions.end_all(home.accounts.get(EMAIL).id)
    assert [None] * 3 == [sessions.find(token) for token in tokens]


def test_a_new_password_signs_out_everywhere(sessions, home):
    token = sign_in(sessions)
    home.accounts.set_password(EMAIL, "another horse")
    assert sessions.find(token) is None
    assert sessions.find(sign_in(sessions, password="another horse")) is not None


def test_the_token_itself_is_not_in_the_database(sessions, home):
    token = sign_in(sessions)
    rows = home.engine.read(lambda tx: tx.session.all(Statement(select(sessions_table))))
    assert 1 == len(rows)
    assert token not in str(rows)


def test_attempts_are_limited_by_email_even_from_many_addresses(sessions):
    for n in range(10):
        with pytest.raises(Unauthenticated):
            sign_in(sessions, password="guess", address=f"192.0.2.{n}")
    with pytest.raises(RateLimited) as limited:
        sign_in(sessions, address="198.51.100.1")
    assert 900 == limited.value.extra["retry_after_s"]


def test_attempts_are_limited_by_address_even_with_many_names(sessions):
    for _ in range(100):
        with pytest.raises(Unauthenticated):
            sessions.sign_in_worker("wkr_guess", address="192.0.2.1")
    with pytest.raises(RateLimited):
        sign_in(sessions)
    assert sessions.find(sign_in(sessions, address="192.0.2.2")) is not None


def test_a_form_belongs_to_the_browser_that_holds_the_cookie():
    mine, other = new_token(), new_token()
    assert is_csrf_token(csrf_token(mine), mine)
    for wrong in (csrf_token(other), "", mine, "\ud800"):
        assert not is_csrf_token(wrong, mine)


def test_only_operators_are_operators(sessions, home):
    assert not home.accounts.get(EMAIL).operator
    assert home.accounts.set_operator(EMAIL).operator
    assert not home.accounts.set_operator(EMAIL, False).operator
