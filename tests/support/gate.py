"""The database calls of one HTTP request, stopped or failed one after the other.

    with gated_server(database, …) as server:
        server.gate.arm(3, Step.PAUSE)   # the third call from now waits until `release`
        …

The server answers over real HTTP, in threads of this process, so that a test
can stand between two calls of a request. What the writing of the answer does
counts as the last call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import attrs
import psycopg
import pytest

from support.engines import open_engine
from support.faults import Fault, failure
from support.waiting import until
from workersai_core import Engine
from workersai_core.callbacks.transport import Outcome
from workersai_core.store import libpq, postgresql
from workersai_core.store.opening import database_url
from workersai_core.store.postgresql import PostgresqlStore
from workersai_core.store.sqlite import SqliteStore, _connect
from workersai_core.testing import CapturingTransport
from workersai_server.accounts import Accounts
from workersai_server.app import create_app
from workersai_server.quota import Quota
from workersai_server.settings import Settings

__all__ = ["Gate", "GatedServer", "Step", "gated_server"]

PATIENCE_S = 10.0
ANSWER = "the answer is written"
SECRET_KEY = "a secret key that only the tests know"


class Step(Enum):
    """What happens at the chosen call."""

    PAUSE = "it waits until it is released"
    LOST = "the connection is lost before the call"
    LOST_ANSWER = "the call is done, and the connection lost before anybody knows"


class Gate:
    """Counts calls while it is armed, and lets one of them wait or fail."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.reached = threading.Event()
        self._released = threading.Event()
        self._at = 0
        self._step: Step | None = None
        self._lock = threading.Lock()

    def arm(self, at: int, step: Step) -> None:
        """Choose the call with this number, counted from 1 and from now."""
        with self._lock:
            self.calls, self._at, self._step = [], at, step
            self.reached.clear()
            self._released.clear()

    def release(self) -> None:
        """Let the call that waits go on."""
        self._released.set()

    def disarm(self) -> bool:
        """Count no more; return whether the chosen call was made."""
        self.release()
        with self._lock:
            self._step = None
            return len(self.calls) >= self._at

    def due(self, call: str) -> Step | None:
        """Count a call, let it wait if it is to, and return how it fails."""
        with self._lock:
            if self._step is None:
                return None
            self.calls.append(call)
            if len(self.calls) != self._at:
                return None
            step = self._step
        self.reached.set()
        if step is Step.PAUSE:
            assert self._released.wait(PATIENCE_S)
            return None
        return step


class _Sqlite:
    """A connection of the SQLite store behind a gate."""

    def __init__(self, real: Any, gate: Gate) -> None:
        self._real = real
        self._gate = gate
        self._lost = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        return self._call(sql, lambda: self._real.execute(sql, parameters))

    def executemany(self, sql: str, rows: Any) -> Any:
        return self._call(sql, lambda: self._real.executemany(sql, rows))

    def _call(self, sql: str, run: Callable[[], Any]) -> Any:
        step = None if self._lost else self._gate.due(sql)
        if step is None and not self._lost:
            return run()
        if step is Step.LOST_ANSWER:
            run()
        self._lost = True
        raise failure(Fault.BROKEN)


def _guard_postgresql(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put every call of the PostgreSQL store behind a gate."""

    def guarded(connection: Any, sql: str, run: Callable[[], Any]) -> Any:
        step = gate.due(sql)
        if step is None:
            return run()
        if step is Step.LOST_ANSWER:
            run()
        connection.close()
        raise psycopg.OperationalError("the connection was lost")

    command, execute = postgresql.command, libpq.Driver.execute
    monkeypatch.setattr(
        postgresql,
        "command",
        lambda connection, sql: guarded(connection, sql.decode(), lambda: command(connection, sql)),
    )
    monkeypatch.setattr(
        libpq.Driver,
        "execute",
        lambda driver, sql, values=None: guarded(driver._connection, sql, lambda: execute(driver, sql, values)),
    )


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = False  # `server_close` waits for the requests that still run

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is what these tests are about."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@attrs.define
class GatedServer:
    """A server, and what a test looks at behind it."""

    engine: Engine
    accounts: Accounts
    transport: CapturingTransport
    gate: Gate
    port: int
    begun: int = 0
    ended: int = 0

    def idle(self) -> bool:
        """Return whether every request that was begun has ended."""
        return self.begun == self.ended


@contextmanager
def gated_server(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[GatedServer]:
    """Serve a database, which has its tables; live tasks are counted and callbacks captured."""
    gate, url = Gate(), database_url(database)
    if url.get_backend_name() == "sqlite":
        store: Any = SqliteStore(str(url.database), connect=lambda path: _Sqlite(_connect(path), gate))
    else:
        store = PostgresqlStore(url)
        _guard_postgresql(gate, monkeypatch)
    settings = Settings(db=database, secret_key=SECRET_KEY, free_requests=10_000)
    transport = CapturingTransport(lambda request: Outcome(status=200, latency_ms=1))
    engine = open_engine(Quota(settings), database=store, transport=transport)
    accounts = Accounts(engine, settings)
    app = create_app(engine, settings, accounts)

    def gated(environ: Any, start_response: Any) -> Any:
        found.begun += 1
        try:
            body = app(environ, start_response)
            gate.due(ANSWER)
            return body
        finally:
            found.ended += 1

    with make_server("127.0.0.1", 0, gated, server_class=_Server, handler_class=_Quiet) as server:
        found = GatedServer(engine, accounts, transport, gate, server.server_port)
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield found
        finally:
            gate.disarm()
            until(found.idle)
            server.shutdown()
            serving.join(PATIENCE_S)
            accounts.close()
            engine.close()
