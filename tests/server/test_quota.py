from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.accounts import PARAMS, house
from workersai_core import DuplicateTask, InvalidInput, Rejected
from workersai_core.api import hookimpl
from workersai_core.testing import memory_engine
from workersai_server.accounts import SERVER, Accounts
from workersai_server.errors import FreeRequestsExhausted
from workersai_server.quota import Quota, violations
from workersai_server.settings import Settings


@pytest.fixture
def open_house():
    made = []

    def build(**settings):
        made.append(house(**settings))
        return made[-1], made[-1].accounts.create("me@example.com")

    yield build
    for each in made:
        assert each.engine.check() + each.engine.read(lambda tx: violations(tx.session)) == []
        each.engine.close()


def refusals(home, account_id: str, times: int) -> int:
    refused = 0
    for _ in range(times):
        try:
            home.create(account_id)
        except FreeRequestsExhausted:
            refused += 1
    return refused


def test_the_first_five_live_creations_are_free_then_comes_402(open_house):
    home, account = open_house()
    remaining = [home.remaining(account.account_id)]
    for _ in range(5):
        home.create(account.account_id)
        remaining.append(home.remaining(account.account_id))

    with pytest.raises(FreeRequestsExhausted) as caught:
        home.create(account.account_id)

    assert remaining == [5, 4, 3, 2, 1, 0]
    assert caught.value.status_hint == 402
    assert caught.value.code == "free_requests_exhausted"
    assert "The 5 free requests are used up" in caught.value.detail
    assert "costs 0.10 and the credit is 0.00; add credit, or ask the operator" in caught.value.detail
    assert home.engine.count_tasks(account=account.account_id) == 5


def test_of_fifty_parallel_creations_exactly_the_five_free_ones_succeed(open_house):
    home, account = open_house()
    with ThreadPoolExecutor(50) as pool:
        refused = sum(pool.map(lambda _: refusals(home, account.account_id, 1), range(50)))

    assert refused == 45
    assert home.engine.count_tasks(account=account.account_id) == 5
    assert home.remaining(account.account_id) == 0


def test_of_parallel_creations_exactly_those_the_credit_pays_for_succeed(open_house):
    home, account = open_house(free_requests=2, default_price=300_000)
    home.accounts.credit(account.email, "1.00")
    with ThreadPoolExecutor(20) as pool:
        refused = sum(pool.map(lambda _: refusals(home, account.account_id, 1), range(20)))

    standing = home.accounts.get(account.email)
    assert refused == 15
    assert (standing.creations, standing.credit_micros, standing.spent_micros) == (5, 100_000, 900_000)


def test_each_type_has_its_price(open_house):
    home, account = open_house(free_requests=0, prices={"categorization": 250_000}, default_price=1_000_000)
    home.accounts.credit(account.email, "1.25")
    home.create(account.account_id)
    audio = {"task_type": "audiotranscription", "params": {"attachment": "https://media.kr/a.wav"}}
    home.create(account.account_id, **audio)

    assert home.accounts.get(account.email).credit_micros == 0
    assert refusals(home, account.account_id, 1) == 1


def test_a_type_of_price_zero_goes_on_without_credit(open_house):
    home, account = open_house(free_requests=0, prices={"categorization": 0})

    assert refusals(home, account.account_id, 3) == 0
    assert home.accounts.get(account.email).creations == 3


def test_test_tasks_are_neither_counted_nor_limited(open_house):
    home, account = open_house(free_requests=0)
    for _ in range(7):
        home.create(account.account_id, mode="test")

    assert home.creations(account.email) == 0


def test_what_was_not_stored_is_not_counted(open_house):
    home, account = open_house()
    home.create(account.account_id, unique_id="one", idempotency_key="a")
    home.create(account.account_id, unique_id="one", idempotency_key="a")
    with pytest.raises(DuplicateTask):
        home.create(account.account_id, unique_id="one")
    with pytest.raises(InvalidInput):
        home.create(account.account_id, params={})

    def create_and_fail(tx):
        tx.create_task(account=account.account_id, params=PARAMS)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        home.engine.run(create_and_fail)

    assert home.remaining(account.account_id) == 4


def test_another_plugins_veto_gives_the_request_back():
    class Never:
        @hookimpl
        def before_task_create(self, ctx, draft):
            raise Rejected("No.")

    settings = Settings()
    engine = memory_engine(schemas=[SERVER], plugins=[Never(), Quota(settings)])
    accounts = Accounts(engine, settings)
    account = accounts.create("me@example.com")
    with pytest.raises(Rejected, match="No"):
        engine.create_task(account=account.account_id, params=PARAMS)

    assert accounts.get("me@example.com").creations == 0
    engine.close()


def test_in_a_batch_the_lines_beyond_the_quota_fail_alone(open_house):
    home, account = open_house()
    draft = home.engine.draft_task(account=account.account_id, params=PARAMS)

    results = home.engine.create_tasks([draft] * 8)

    assert [isinstance(result, FreeRequestsExhausted) for result in results] == [False] * 5 + [True] * 3


def test_unlimited_accounts_and_services_are_counted_but_not_limited(open_house):
    home, account = open_house(free_requests=1)
    home.accounts.set_unlimited(account.email)
    assert refusals(home, account.account_id, 3) == 0
    assert home.remaining(account.account_id) is None
    assert home.accounts.authenticate(account.live_key).unlimited
    home.accounts.set_unlimited(account.email, False)
    assert refusals(home, account.account_id, 1) == 1
    assert not home.accounts.authenticate(account.live_key).unlimited

    everywhere, free = open_house(free_requests="unlimited")
    assert refusals(everywhere, free.account_id, 7) == 0
    assert everywhere.remaining(free.account_id) is None
    assert everywhere.creations(free.email) == 7


def test_an_account_of_the_host_program_is_left_alone(open_house):
    home, _ = open_house(free_requests=0)

    assert refusals(home, "a-host's-own-id", 3) == 0
    assert home.remaining("a-host's-own-id") is None


def test_a_price_of_no_known_type_is_warned_about(open_house, caplog):
    with caplog.at_level(logging.WARNING, "workersai.quota"):
        open_house(prices={"categorisation": 1, "categorization": 1})

    assert [record.args for record in caplog.records] == [("categorisation",)]


def test_a_counter_that_is_wrong_is_found():
    home = house()
    account = home.accounts.create("me@example.com")
    home.create(account.account_id)

    for change in ("creations = creations + 1", "creations = 1, spent_micros = 7"):
        home.engine.run(lambda tx, change=change: tx.session.script(f"UPDATE wai_account SET {change}"))
        found = home.engine.read(lambda tx: violations(tx.session))
        assert [(each.invariant, each.ids) for each in found] == [("I12", [account.account_id])]
    home.engine.close()
