from __future__ import annotations

import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, text
from sqlalchemy.engine import make_url

from workersai_core.errors import MigrationRequired
from workersai_core.store import schema, tables
from workersai_core.store.opening import upgrade
from workersai_core.store.schema import CORE, Schema, create_directly
from workersai_core.store.sqlite import SqliteStore

guest_metadata = MetaData()
Table("guest_note", guest_metadata, Column("id", Integer, primary_key=True), Column("word", Text))

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before}
branch_labels = None
depends_on = None


def upgrade():
    {does}
"""


@pytest.fixture
def guest(tmp_path, monkeypatch):
    """A schema of another package in the same database; `grow` adds revisions to it."""
    package = tmp_path / "packages" / "guest_revisions"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.delitem(sys.modules, "guest_revisions", raising=False)

    def grow(revision, before, does):
        source = REVISION.format(revision=revision, before=repr(before), does=does)
        (package / f"{revision}.py").write_text(source)
        return Schema(name="guest", metadata=guest_metadata, package="guest_revisions", head=revision)

    return grow


@pytest.fixture
def url(tmp_path):
    return make_url(f"sqlite:///{tmp_path / 'labels.db'}")


def revision_of(url, name):
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT version_num FROM wai_version_{name}")).scalars().all()
    engine.dispose()
    return found


def set_revision(url, revision):
    connection = sqlite3.connect(url.database)
    with connection:
        connection.execute("UPDATE wai_version_core SET version_num = ?", (revision,))
    connection.close()


def described(url):
    """Return every table and index of a database as SQLite itself describes them, versions aside."""
    connection = sqlite3.connect(url.database)
    names = [
        row[0]
        for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        if not row[0].startswith(("wai_version", "sqlite_"))
    ]
    found = {}
    for name in names:
        columns = connection.execute(f"PRAGMA table_xinfo({name})").fetchall()
        found[name] = {
            "columns": sorted(column[1:] for column in columns),
            "options": connection.execute(
                "SELECT wr, strict FROM pragma_table_list WHERE name = ?", (name,)
            ).fetchall(),
            "autoincrement": "AUTOINCREMENT"
            in connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0],
        }
        for _, index, unique, origin, partial in connection.execute(f"PRAGMA index_list({name})").fetchall():
            parts = connection.execute(f"PRAGMA index_xinfo({index})").fetchall()
            sql = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()
            where = sql[0].partition(" WHERE ")[2] if sql and sql[0] else ""
            key = index if origin == "c" else origin
            found[name][key] = (unique, partial, where, [part[2:] for part in parts])
    connection.close()
    return found


# --- the migrations and the tables are the same thing ---------------------------------------------


def test_the_migrations_lead_to_exactly_the_tables_of_the_code(url, tmp_path):
    upgrade(str(url), [CORE])
    direct = make_url(f"sqlite:///{tmp_path / 'direct.db'}")
    engine = create_engine(direct)
    tables.metadata.create_all(engine)
    engine.dispose()
    assert described(direct) == described(url)
    assert set(tables.metadata.tables) == set(described(url))


def test_a_database_in_memory_gets_the_same_tables_directly(url, tmp_path):
    store = SqliteStore(str(tmp_path / "direct.db"))
    store.write(lambda session: create_directly(session, [CORE]))
    store.close()
    upgrade(str(url), [CORE])
    assert described(url) == described(make_url(f"sqlite:///{tmp_path / 'direct.db'}"))


def test_the_newest_revision_of_the_folder_is_the_head_that_the_code_asks_for():
    assert CORE.head == max(file.stem[:4] for file in CORE.folder.glob("0*.py"))


# --- revisions -------------------------------------------------------------------------------------


def test_upgrading_again_changes_nothing(url):
    upgrade(str(url), [CORE])
    before = described(url)
    upgrade(str(url), [CORE])
    assert before == described(url)
    assert [CORE.head] == revision_of(url, "core")
    with schema.schema_connection(url, changing=False) as connection:
        schema.require_current(connection, [CORE])


def test_two_schemas_live_in_one_database_and_move_on_independently(url, guest):
    first = guest("g1", None, 'op.create_table("guest_note", sa.Column("id", sa.Integer, primary_key=True))')
    upgrade(str(url), [CORE, first])
    assert (["0001"], ["g1"]) == (revision_of(url, "core"), revision_of(url, "guest"))

    second = guest("g2", "g1", 'op.add_column("guest_note", sa.Column("word", sa.Text))')
    with schema.schema_connection(url, changing=False) as connection:
        assert (True, False) == (schema.is_current(connection, CORE), schema.is_current(connection, second))
        with pytest.raises(MigrationRequired, match="The guest tables are at revision g1, this version needs g2"):
            schema.require_current(connection, [CORE, second])
    upgrade(str(url), [CORE, second])
    assert (["0001"], ["g2"]) == (revision_of(url, "core"), revision_of(url, "guest"))
    assert {"id", "word"} == {column[0] for column in described(url)["guest_note"]["columns"]}


def test_a_database_without_tables_is_not_current(url):
    with schema.schema_connection(url, changing=False) as connection:
        assert not schema.is_current(connection, CORE)
        with pytest.raises(MigrationRequired, match=r"revision none, .* run `workersai db upgrade`"):
            schema.require_current(connection, [CORE])


def test_a_database_newer_than_the_code_is_not_touched(url):
    upgrade(str(url), [CORE])
    set_revision(url, "9999")
    with pytest.raises(MigrationRequired, match=r"9999.* install the newer version"):
        upgrade(str(url), [CORE])
    assert ["9999"] == revision_of(url, "core")


def test_a_failing_migration_leaves_the_database_as_it_was(url, guest):
    broken = guest("g1", None, 'op.create_table("guest_note", sa.Column("id", sa.Integer)); 1 / 0')
    with pytest.raises(ZeroDivisionError):
        upgrade(str(url), [CORE, broken])
    assert {} == described(url)


def test_of_several_processes_that_upgrade_at_once_one_does_it(url):
    with ThreadPoolExecutor(4) as pool:
        assert [None] * 4 == list(pool.map(lambda _: upgrade(str(url), [CORE]), range(4)))
    assert [CORE.head] == revision_of(url, "core")
