from __future__ import annotations

import os
import sqlite3

import pytest
import sqlalchemy
from sqlalchemy import text

from workersai_core.errors import InvalidInput, MigrationRequired, StoreUnavailable
from workersai_core.store.opening import database_url, open_store, upgrade
from workersai_core.store.schema import CORE
from workersai_core.store.session import Statement

TABLES = Statement(text("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name LIKE 'wai_%'"))


def tables_of(store):
    """Return how many tables of ours a store has, and close it."""
    found = store.read(lambda session: session.one(TABLES))[0]
    store.close()
    return found


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("sqlite:///labels.db", "sqlite:///labels.db"),
        ("sqlite://", "sqlite://"),
        ("postgresql://me@host/name", "postgresql+psycopg://me@host/name"),
        ("postgresql+psycopg2://me@host/name", "postgresql+psycopg://me@host/name"),
    ],
)
def test_addresses_are_read_as_sqlalchemy_writes_them(given, written):
    assert written == database_url(given).render_as_string(hide_password=False)


def test_the_address_of_an_existing_engine_is_taken():
    engine = sqlalchemy.create_engine("sqlite:///labels.db")
    assert "sqlite:///labels.db" == str(database_url(engine))
    engine.dispose()


@pytest.mark.parametrize("wrong", ["", "labels.db", "://", "sqlite:/labels.db"])
def test_what_is_no_address_is_refused_with_examples(wrong):
    with pytest.raises(InvalidInput, match=r"sqlite:///labels\.db or postgresql://"):
        database_url(wrong)


def test_other_databases_are_refused_by_name():
    with pytest.raises(InvalidInput, match="mysql is not supported"):
        database_url("mysql://host/name")


def test_a_new_file_gets_its_tables_by_itself(tmp_path):
    path = tmp_path / "labels.db"
    assert len(CORE.metadata.tables) + 1 == tables_of(open_store(f"sqlite:///{path}", [CORE], migrate=None))
    before = path.read_bytes()
    assert len(CORE.metadata.tables) + 1 == tables_of(open_store(f"sqlite:///{path}", [CORE], migrate=False))
    assert before == path.read_bytes()


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_has_its_tables_at_once(address):
    assert len(CORE.metadata.tables) == tables_of(open_store(address, [CORE], migrate=False))


def test_a_file_that_may_not_be_changed_must_be_current(tmp_path):
    address = f"sqlite:///{tmp_path / 'labels.db'}"
    with pytest.raises(MigrationRequired, match="workersai db upgrade"):
        open_store(address, [CORE], migrate=False)
    upgrade(address, [CORE])
    open_store(address, [CORE], migrate=False).close()


def test_a_newer_file_is_refused_whether_it_may_be_changed_or_not(tmp_path):
    path = tmp_path / "labels.db"
    upgrade(f"sqlite:///{path}", [CORE])
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE wai_version_core SET version_num = '9999'")
    connection.close()
    for migrate in (None, True, False):
        with pytest.raises(MigrationRequired, match="9999"):
            open_store(f"sqlite:///{path}", [CORE], migrate=migrate)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreUnavailable, match=f"The folder {tmp_path / 'nowhere'} of the database does not exist"):
        open_store(f"sqlite:///{tmp_path / 'nowhere' / 'labels.db'}", [CORE], migrate=None)


@pytest.mark.parametrize("act", [upgrade, lambda address, schemas: open_store(address, schemas, migrate=None)])
def test_a_file_that_is_no_database_is_not_touched(tmp_path, act):
    path = tmp_path / "labels.db"
    path.write_text("dear diary, this is a text and no database at all" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="not a database"):
        act(f"sqlite:///{path}", [CORE])
    assert before == path.read_bytes()


def test_a_folder_in_the_place_of_the_file_cannot_be_opened(tmp_path):
    (tmp_path / "labels.db").mkdir()
    with pytest.raises(StoreUnavailable, match="unable to open database file"):
        open_store(f"sqlite:///{tmp_path / 'labels.db'}", [CORE], migrate=None)


def test_a_relative_address_means_the_present_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///labels.db", [CORE], migrate=None).close()
    assert ["labels.db"] == os.listdir(tmp_path)
