"""The locks pin everything with hashes, agree with each other, and hold no address."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.snippets import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def pins(name: str) -> set[tuple[str, str]]:
    return set(_PIN.findall((ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")))


def test_there_are_four():
    assert ["build.lock", "dev.lock", "postgresql.lock", "runtime.lock"] == [lock.name for lock in LOCKS]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_no_address(lock):
    text = lock.read_text(encoding="utf-8")
    assert [] == [line for line in text.splitlines() if "://" in line or line.startswith(("-", "#"))]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_pin_has_a_hash(lock):
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
    assert [] == [entry.splitlines()[0] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)]


def test_the_locks_agree():
    assert pins("runtime") <= pins("postgresql") <= pins("dev")
    assert pins("build") <= pins("dev")


@pytest.mark.parametrize("lock", ["runtime", "postgresql", "dev", "build"])
def test_what_the_project_asks_for_is_pinned(lock):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["project"]
    by_lock = {
        "runtime": packages["dependencies"],
        "postgresql": packages["dependencies"] + packages["optional-dependencies"]["postgresql"],
        **project["dependency-groups"],
    }
    wanted = by_lock[lock]
    pinned = dict(pins(lock))
    for requirement in (Requirement(each) for each in wanted if isinstance(each, str)):
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), f"{lock}.lock is stale; run `make lock`"


def test_nothing_else_is_locked():
    assert [] == [
        name for name in ("uv.lock", "pylock.toml", "poetry.lock", "package-lock.json") if (ROOT / name).exists()
    ]
