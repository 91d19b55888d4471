"""The fixtures for plugin authors, and what the plugin does to a test run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.task_types import TestTypes
from workersai_core import TaskStatus
from workersai_core.testing import FakeClock, memory_engine
from workersai_core.testing.engines import open_engines

URL = "http://127.0.0.1:1/hook"


@pytest.fixture
def workersai_plugins():
    return [TestTypes()]


def test_the_engine_has_the_plugin_under_test_and_the_installed_ones(workersai_engine):
    assert {"pick", "unanimous", "categorization"} <= set(workersai_engine.types.names())


def test_a_task_is_created_answered_and_called_back(workersai_engine, workersai_complete, workersai_transport):
    task = workersai_engine.create_task(
        account="acme", task_type="pick", params={"options": ["a", "b"]}, overlap=3, callback_url=URL
    )
    done = workersai_complete(task, {"choice": "b"}, {"choice": "a"}, {"choice": "b"})
    assert (TaskStatus.COMPLETED, {"choice": "b"}) == (done.status, done.response)
    workersai_engine.deliver()
    assert [(URL, {"choice": "b"})] == [(each.url, each.json["response"]) for each in workersai_transport.requests]


def test_the_clock_is_the_engines(workersai_engine, workersai_clock):
    assert isinstance(workersai_clock, FakeClock)
    before = workersai_engine.clock.now()
    workersai_clock.advance(60)
    assert 60 == (workersai_engine.clock.now() - before).total_seconds()


def test_closing_an_engine_twice_is_harmless():
    engine = memory_engine(entry_points="none")
    assert engine in open_engines()
    engine.close()
    engine.close()
    assert engine not in open_engines()


LEAKING = """
import pytest
from workersai_core.testing import memory_engine
from workersai_core.testing.engines import open_engines

class Closing:
    from workersai_core.api import hookimpl
    closed = 0

    @hookimpl
    def engine_closing(self):
        Closing.closed += 1

@pytest.fixture(scope="module")
def kept():
    with memory_engine(entry_points="none") as engine:
        yield engine

def test_1_leaks(kept):
    memory_engine(entry_points="none", plugins=[Closing()])

def test_2_the_leaked_one_was_closed_and_the_fixtures_was_not(kept):
    assert [kept] == list(open_engines())
    assert 1 == Closing.closed
"""

UNKNOWN = """
class Broken:
    pass

import pytest

@pytest.fixture
def workersai_plugins():
    return [Broken()]

def test_it(workersai_engine):
    pass
"""

LIGHT = """
import sys

def test_it():
    assert not {"sqlalchemy", "requests", "jsonschema", "jsonschema_rs", "hypothesis"} & sys.modules.keys()
"""


def run(tmp_path, text):
    (tmp_path / "test_it.py").write_text(text)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command += ["-p", "workersai_core.testing.pytest_plugin", str(tmp_path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment).stdout


def test_an_engine_that_a_test_leaves_open_is_closed(tmp_path):
    assert "2 passed" in run(tmp_path, LEAKING)


def test_a_plugin_that_cannot_be_loaded_fails_the_test(tmp_path):
    output = run(tmp_path, UNKNOWN)
    assert "It implements no hook; mark functions with @hookimpl." in output
    assert "1 error" in output


def test_a_run_that_uses_nothing_of_it_does_not_wait_for_the_engine(tmp_path):
    assert "1 passed" in run(tmp_path, LIGHT)


def test_pytest_finds_the_plugin_by_itself(pytestconfig):
    assert pytestconfig.pluginmanager.has_plugin("workersai")
