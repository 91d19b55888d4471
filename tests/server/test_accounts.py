from __future__ import annotations

import threading
import unicodedata

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from support.accounts import house
from workersai_core import Conflict, InvalidInput, NotFound, StoreUnavailable, UnknownTaskType, UnsafeURL, WrongState
from workersai_core.store.schema import CORE, create_directly, is_current, migrate, schema_connection
from workersai_core.store.sqlite import SqliteStore
from workersai_server.accounts import SERVER, passwords
from workersai_server.accounts.cache import TTL_S
from workersai_server.errors import Forbidden, Unauthenticated
from workersai_server.keys import is_well_formed, is_worker_token, new_key, new_worker_token

SEED_KEY = "test_tV4NttbVsN3crLCFonEj"
DAY_S = 86_400


@pytest.fixture
def home():
    made = house()
    yield made
    made.accounts.close()
    made.engine.close()


@pytest.fixture
def account(home):
    return home.accounts.create("me@example.com")


def refused(home, key: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        home.accounts.authenticate(key)
    return caught.value.detail


# --- accounts ----------------------------------------------------------------------------------------


def test_a_new_account_has_a_key_of_each_mode_and_a_webhook_secret(home, account):
    assert is_well_formed(account.live_key)
    assert is_well_formed(account.test_key)
    assert account.live_key.startswith("live_")
    assert account.test_key.startswith("test_")
    assert [secret.secret for secret in home.engine.webhook_secrets(account.account_id)] == [account.webhook_secret]


def test_nothing_secret_is_stored_or_shown(home):
    made = home.accounts.create("me@example.com", password="correct horse")
    worker = home.accounts.create_worker("Ann")
    dump = str(
        home.engine.store.write(
            lambda session: [
                session._driver.execute(f"SELECT * FROM {table.name}").fetchall()
                for table in SERVER.metadata.sorted_tables
            ]
        )
    )

    for secret in (made.live_key, made.test_key, worker.token, "correct horse"):
        assert secret not in dump
        assert secret not in repr((made, worker))
    assert made.live_key[-4:] in dump


def test_an_email_is_unique_whatever_its_case_and_form(home):
    home.accounts.create("Jos\u00e9@Example.com")

    with pytest.raises(Conflict, match="already"):
        home.accounts.create(" jose\u0301@EXAMPLE.com ")
    assert home.accounts.get("JOS\u00c9@example.COM").email == "Jos\u00e9@Example.com"
    assert len(home.accounts.list()) == 1


def test_a_refused_account_leaves_nothing_behind(home, account):
    with pytest.raises(Conflict):
        home.accounts.create("ME@example.com")

    assert [key.account_id for key in home.accounts.list_keys(account.account_id)] == [account.account_id] * 2


@pytest.mark.parametrize(
    "email", ["", "me", "@example.com", "me@", "a b@example.com", "a\n@example.com", "a" * 250 + "@b.kr"]
)
def test_what_is_no_email_is_refused(home, email):
    with pytest.raises(InvalidInput) as caught:
        home.accounts.create(email)

    assert [issue.pointer for issue in caught.value.issues] == ["/email"]
    assert home.accounts.list() == []


def test_an_unknown_email_is_not_found(home):
    for call in (home.accounts.get, home.accounts.set_unlimited):
        with pytest.raises(NotFound, match=r"no account for who@example\.com"):
            call("who@example.com")
    with pytest.raises(NotFound):
        home.accounts.credit("who@example.com", "1")
    with pytest.raises(NotFound):
        home.accounts.set_password("who@example.com", "long enough")


def test_accounts_are_listed_oldest_first(home):
    for name in ("b", "a", "c"):
        home.accounts.create(f"{name}@example.com")
        home.advance(1)

    assert [each.email for each in home.accounts.list()] == ["b@example.com", "a@example.com", "c@example.com"]


def test_sign_up_follows_the_setting(home):
    with pytest.raises(Forbidden, match="Sign-up is closed"):
        home.accounts.sign_up("me@example.com", "long enough")

    open_house = house(sign_up="open")
    made = open_house.accounts.sign_up("me@example.com", "long enough")
    assert open_house.accounts.sign_in("me@example.com", "long enough").id == made.account_id
    open_house.engine.close()


# --- passwords ---------------------------------------------------------------------------------------


@pytest.fixture
def quick_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.mark.usefixtures("quick_hashes")
def test_only_the_right_password_signs_in_and_no_answer_tells_who_exists(home):
    home.accounts.create("me@example.com", password="correct horse")
    home.accounts.create("no-password@example.com")
    texts = set()
    for email, password in [
        ("me@example.com", "wrong horse"),
        ("me@example.com", "x" * 2000),
        ("who@example.com", "correct horse"),
        ("no-password@example.com", "nobody's"),
    ]:
        with pytest.raises(Unauthenticated) as caught:
            home.accounts.sign_in(email, password)
        texts.add(caught.value.detail)

    assert len(texts) == 1
    assert home.accounts.sign_in("ME@example.com", "correct horse").email == "me@example.com"


@pytest.mark.usefixtures("quick_hashes")
def test_a_new_password_replaces_the_old_one(home):
    home.accounts.create("me@example.com", password="correct horse")

    home.accounts.set_password("me@example.com", "\ube44\ubc00\ubc88\ud638 staple")

    decomposed = unicodedata.normalize("NFD", "\ube44\ubc00\ubc88\ud638 staple")
    home.accounts.sign_in("me@example.com", decomposed)
    with pytest.raises(Unauthenticated):
        home.accounts.sign_in("me@example.com", "correct horse")


@pytest.mark.parametrize("password", ["seven 7", "x" * 1025])
def test_a_password_of_the_wrong_length_is_refused(home, password):
    with pytest.raises(InvalidInput) as caught:
        home.accounts.create("me@example.com", password=password)

    assert [issue.pointer for issue in caught.value.issues] == ["/password"]
    assert password not in str(caught.value)


def test_passwords_are_hashed_with_argon2id():
    assert passwords.hash_password("correct horse").startswith("$argon2id$")


def test_at_most_two_passwords_are_hashed_at_once(monkeypatch):
    running, most, lock, third = 0, 0, threading.Lock(), threading.Event()

    class Slow:
        def hash(self, _: str) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
                if running == 3:
                    third.set()
            third.wait(0.05)
            with lock:
                running -= 1
            return ""

    monkeypatch.setattr(passwords, "_hasher", Slow())
    threads = [threading.Thread(target=passwords.hash_password, args=("x",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert most == 2


# --- credit and defaults -----------------------------------------------------------------------------


def test_credit_adds_up_and_can_be_taken_back(home, account):
    home.accounts.credit(account.email, "12.50")
    home.accounts.credit(account.email, 2)

    assert home.accounts.credit(account.email, "-4.5").credit_micros == 10_000_000


@pytest.mark.parametrize("amount", ["-0.01", "lots", "1.0000001", "1000000000000.5"])
def test_credit_outside_its_range_changes_nothing(home, account, amount):
    with pytest.raises(InvalidInput) as caught:
        home.accounts.credit(account.email, amount)

    assert [issue.pointer for issue in caught.value.issues] == ["/amount"]
    assert home.accounts.get(account.email).credit_micros == 0


def test_credit_does_not_grow_beyond_the_column(home, account):
    home.accounts.credit(account.email, "1000000000000")

    with pytest.raises(InvalidInput, match="leave its range"):
        home.accounts.credit(account.email, "0.000001")


def test_callback_defaults_come_with_the_requester_at_once(home, account):
    before = home.accounts.authenticate(account.live_key)
    home.accounts.set_callback_defaults(account.account_id, "https://hooks.kr/a", ["completed", "expired"])
    after = home.accounts.authenticate(account.live_key)

    assert (before.callback_url, before.callback_events) == (None, {"completed"})
    assert (after.callback_url, after.callback_events) == ("https://hooks.kr/a", {"completed", "expired"})


def test_wrong_callback_defaults_are_refused(home, account):
    with pytest.raises(UnsafeURL):
        home.accounts.set_callback_defaults(account.account_id, "https://me:pw@hooks.kr")
    with pytest.raises(InvalidInput, match="no event finished; choose from canceled, completed, error, expired"):
        home.accounts.set_callback_defaults(account.account_id, None, ["finished"])
    with pytest.raises(NotFound):
        home.accounts.set_callback_defaults("nobody", None)


# --- keys --------------------------------------------------------------------------------------------


def test_a_key_stands_for_its_account_and_mode(home, account):
    keys = {key.mode: key.id for key in home.accounts.list_keys(account.account_id)}

    for mode, key in (("live", account.live_key), ("test", account.test_key)):
        requester = home.accounts.authenticate(key)
        assert (requester.account_id, requester.mode, requester.key_id) == (account.account_id, mode, keys[mode])
        assert requester.scopes == frozenset()
        assert requester.unlimited is False


def test_unknown_revoked_expired_and_malformed_keys_are_refused_in_the_same_words(home, account):
    keys = {key.mode: key.id for key in home.accounts.list_keys(account.account_id)}
    home.accounts.revoke_key(keys["live"])
    home.accounts.roll_key(keys["test"])

    texts = {
        refused(home, key)
        for key in (new_key("live"), account.live_key, account.test_key, "live_x", "", "wkr_" + "0" * 38, "\ud800")
    }

    assert len(texts) == 1


def test_a_malformed_key_costs_no_query(home, monkeypatch):
    monkeypatch.setattr(home.engine, "read", lambda operation: pytest.fail("asked the database"))

    refused(home, "live_nothing")


def test_a_key_is_looked_up_once_while_its_answer_counts(home, account, monkeypatch):
    reads, read = [], home.engine.read
    monkeypatch.setattr(home.engine, "read", lambda operation: reads.append(1) or read(operation))
    for _ in range(3):
        home.accounts.authenticate(account.live_key)
    home.ticks.now_s += TTL_S
    home.accounts.authenticate(account.live_key)

    assert len(reads) == 2
    assert TTL_S <= 1


def test_a_key_revoked_in_another_process_ends_within_a_second(home, account):
    home.accounts.authenticate(account.live_key)
    requester = home.accounts.authenticate(account.test_key)
    home.engine.run(lambda tx: tx.session._driver.execute("UPDATE wai_api_key SET revoked_at = 1"))
    home.ticks.now_s += 1

    refused(home, account.live_key)
    refused(home, account.test_key)
    assert requester.mode == "test"


def test_a_key_revoked_here_ends_at_once(home, account):
    requester = home.accounts.authenticate(account.live_key)
    home.accounts.revoke_key(requester.key_id)

    refused(home, account.live_key)
    home.accounts.authenticate(account.test_key)


def test_an_answer_from_before_a_revocation_is_not_remembered_after_it(home, account, monkeypatch):
    read = home.engine.read

    def read_then_revoke(operation):
        answer = read(operation)
        monkeypatch.setattr(home.engine, "read", read)
        home.accounts.revoke_key(answer.requester.key_id)
        return answer

    monkeypatch.setattr(home.engine, "read", read_then_revoke)
    home.accounts.authenticate(account.live_key)

    refused(home, account.live_key)


def test_revoking_again_changes_nothing(home, account):
    key_id = home.accounts.authenticate(account.live_key).key_id
    first = home.accounts.revoke_key(key_id)
    home.advance(5)

    assert home.accounts.revoke_key(key_id).revoked_at == first.revoked_at


def test_a_rolled_key_works_until_its_overlap_ends_and_the_new_one_goes_on(home, account):
    old = home.accounts.authenticate(account.live_key)
    new = home.accounts.roll_key(old.key_id, 7 * DAY_S)
    assert home.accounts.authenticate(account.live_key).key_id == old.key_id

    home.clock.advance(7 * DAY_S - 1)
    home.accounts.authenticate(account.live_key)
    home.clock.advance(1)  # the remembered answer must not outlive the key

    refused(home, account.live_key)
    assert home.accounts.authenticate(new.key) == home.accounts.authenticate(new.key)
    assert home.accounts.authenticate(new.key).key_id == new.entry.id
    assert (new.entry.mode, new.entry.last4, new.entry.prefix) == ("live", new.key[-4:], "live_")


def test_a_key_is_rolled_only_once(home, account):
    key_id = home.accounts.authenticate(account.live_key).key_id
    home.accounts.roll_key(key_id, 60)

    with pytest.raises(WrongState, match="rolled or revoked before"):
        home.accounts.roll_key(key_id, 60)
    assert len(home.accounts.list_keys(account.account_id)) == 3


@pytest.mark.parametrize("overlap_s", [-1, 7 * DAY_S + 1, 1.5, "60", True, None])
def test_an_overlap_is_whole_seconds_up_to_a_week(home, account, overlap_s):
    key_id = home.accounts.authenticate(account.live_key).key_id

    with pytest.raises(InvalidInput) as caught:
        home.accounts.roll_key(key_id, overlap_s)

    assert [issue.pointer for issue in caught.value.issues] == ["/overlap_s"]
    home.accounts.authenticate(account.live_key)


def test_keys_of_others_do_not_exist_and_test_keys_cannot_touch_live_ones(home, account):
    other = home.accounts.authenticate(home.accounts.create("other@example.com").live_key)
    live = home.accounts.authenticate(account.live_key)
    test = home.accounts.authenticate(account.test_key)

    for change in (home.accounts.roll_key, home.accounts.revoke_key):
        with pytest.raises(NotFound):
            change(live.key_id, by=other)
        with pytest.raises(NotFound):
            change("no-such-key", by=live)
        with pytest.raises(Forbidden, match="test key"):
            change(live.key_id, by=test)
    home.accounts.revoke_key(test.key_id, by=live)
    home.accounts.authenticate(account.live_key)


def test_a_key_of_the_first_form_can_be_imported(home, account):
    entry = home.accounts.import_key(account.account_id, SEED_KEY)

    assert home.accounts.authenticate(SEED_KEY).key_id == entry.id
    assert (entry.mode, entry.last4) == ("test", "onEj")
    with pytest.raises(Conflict):
        home.accounts.import_key(account.account_id, SEED_KEY)
    with pytest.raises(InvalidInput):
        home.accounts.import_key(account.account_id, "sk_123")
    with pytest.raises(NotFound):
        home.accounts.import_key("nobody", new_key("live"))


def test_an_account_may_have_more_keys(home, account):
    new = home.accounts.create_key(account.account_id, "live")

    assert new.entry in home.accounts.list_keys(account.account_id)
    assert home.accounts.authenticate(new.key).account_id == account.account_id
    with pytest.raises(NotFound):
        home.accounts.create_key("nobody", "live")


def test_usage_is_written_at_most_once_a_minute_and_seen_in_the_list(home, account, monkeypatch):
    writes, write = [], home.engine.run
    monkeypatch.setattr(home.engine, "run", lambda operation: writes.append(1) or write(operation))
    for _ in range(100):
        home.advance(1)
        home.accounts.authenticate(account.live_key)
    used_at = home.clock.now()

    assert len(writes) == 1
    keys = {key.mode: key.last_used_at for key in home.accounts.list_keys(account.account_id)}
    assert keys == {"live": used_at, "test": None}


def test_usage_that_cannot_be_written_is_kept_and_the_request_goes_on(home, account, monkeypatch):
    run = home.engine.run

    def fail(operation):
        raise StoreUnavailable

    home.accounts.authenticate(account.live_key)
    home.accounts.list_keys(account.account_id)
    monkeypatch.setattr(home.engine, "run", fail)
    home.advance(61)
    home.accounts.authenticate(account.live_key)
    used_at = home.clock.now()
    monkeypatch.setattr(home.engine, "run", run)

    keys = {key.mode: key.last_used_at for key in home.accounts.list_keys(account.account_id)}
    assert keys["live"] == used_at


# --- workers -----------------------------------------------------------------------------------------


def test_a_worker_is_known_by_their_token(home):
    made = home.accounts.create_worker(" Ann ", ["audiotranscription", "categorization"])
    worker = home.accounts.authenticate_worker(made.token)

    assert is_worker_token(made.token)
    assert (worker.id, worker.skills) == (made.id, {"audio_transcription", "categorization"})
    assert [(each.name, each.last4) for each in home.accounts.list_workers()] == [("Ann", made.token[-4:])]
    assert home.accounts.list_workers()[0].last_used_at == home.clock.now()


def test_a_worker_without_skills_may_do_everything(home):
    assert home.accounts.authenticate_worker(home.accounts.create_worker("Ann").token).skills == frozenset()


def test_unknown_revoked_and_malformed_tokens_are_refused_in_the_same_words(home, account):
    made = home.accounts.create_worker("Ann")
    home.accounts.authenticate_worker(made.token)
    revoked = home.accounts.revoke_worker(made.id)
    texts = set()
    for token in (made.token, new_worker_token(), "wkr_x", account.live_key):
        with pytest.raises(Unauthenticated) as caught:
            home.accounts.authenticate_worker(token)
        texts.add(caught.value.detail)

    assert len(texts) == 1
    home.advance(1)
    assert home.accounts.revoke_worker(made.id) == revoked
    with pytest.raises(NotFound):
        home.accounts.revoke_worker("nobody")


def test_a_worker_token_is_no_api_key(home):
    refused(home, home.accounts.create_worker("Ann").token)


def test_wrong_workers_are_refused(home):
    with pytest.raises(UnknownTaskType):
        home.accounts.create_worker("Ann", ["categorisation"])
    for name in (" ", "x" * 201):
        with pytest.raises(InvalidInput) as caught:
            home.accounts.create_worker(name)
        assert [issue.pointer for issue in caught.value.issues] == ["/name"]
    assert home.accounts.list_workers() == []


# --- tables ------------------------------------------------------------------------------------------


def differences(url) -> list:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            ours = SERVER.metadata.tables
            context = MigrationContext.configure(
                connection,
                opts={"include_name": lambda name, kind, _: kind != "table" or name in ours, "compare_type": True},
            )
            return compare_metadata(context, SERVER.metadata)
    finally:
        engine.dispose()


def test_the_migrations_make_exactly_the_tables_of_the_code(tmp_path):
    url = create_engine(f"sqlite:///{tmp_path}/labels.db").url
    with schema_connection(url, changing=True) as connection:
        migrate(connection, [CORE, SERVER])
        assert is_current(connection, SERVER)

    assert differences(url) == []
    direct = SqliteStore(str(tmp_path / "direct.db"))
    direct.write(lambda session: create_directly(session, [SERVER]))
    direct.close()
    assert definitions(tmp_path / "labels.db") == definitions(tmp_path / "direct.db")


def definitions(path) -> set[str]:
    engine = create_engine(f"sqlite:///{path}")
    names = ", ".join(f"'{name}'" for name in SERVER.metadata.tables)
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT sql FROM sqlite_master WHERE tbl_name IN ({names})")
            return {" ".join(row[0].split()).replace('"', "") for row in found if row[0]}
    finally:
        engine.dispose()
