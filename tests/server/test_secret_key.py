from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from workersai_core import StoreUnavailable
from workersai_server.errors import InvalidSetting
from workersai_server.secret_key import secret_key_of
from workersai_server.settings import Settings


def test_the_setting_goes_first():
    assert secret_key_of(Settings(db="postgresql://host/db", secret_key="s" * 32)) == "s" * 32


def test_on_sqlite_one_is_made_once_for_the_owner_alone(tmp_path):
    settings = Settings(db=f"sqlite:///{tmp_path}/labels.db")
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key_of(settings), range(8)))

    assert len(keys) == 1
    assert len(keys.pop()) >= 32
    assert [file.name for file in tmp_path.iterdir()] == ["labels.db.secret"]
    assert (tmp_path / "labels.db.secret").stat().st_mode & 0o777 == 0o600


def test_in_memory_every_key_is_new():
    assert secret_key_of(Settings(db="sqlite://")) != secret_key_of(Settings(db="sqlite://"))


def test_on_postgresql_it_is_required():
    with pytest.raises(InvalidSetting, match="WORKERSAI_SECRET_KEY is required with PostgreSQL"):
        secret_key_of(Settings(db="postgresql://host/db"))


def test_a_file_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "labels.db.secret").mkdir()

    with pytest.raises(StoreUnavailable, match=r"labels\.db\.secret cannot be used"):
        secret_key_of(Settings(db=f"sqlite:///{tmp_path}/labels.db"))
