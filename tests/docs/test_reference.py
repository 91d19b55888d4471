"""The generated reference is what the code says now."""

from __future__ import annotations

import re

import attrs
import pytest

from generate import PAGES, REFERENCE
from generators import cli, errors, hooks, routes, task_types
from generators.markdown import signature
from workersai_core.lifecycle import AssignmentState, CallbackState, TaskStatus
from workersai_core.plugins import Plugins
from workersai_server.formats import formats_of, readable
from workersai_server.settings import Settings


def written(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_not_stale(name):
    assert PAGES[name]() == written(name), f"docs/reference/{name} is stale; run `make docs`"


BY_HAND = ["formats.md", "forms.md"]


def test_there_is_no_other_page():
    assert sorted([*PAGES, *BY_HAND]) == sorted(file.name for file in REFERENCE.iterdir())


# What must stand in the pages is asked again apart from the generators, which could forget something.


def test_every_hook_is_there_with_its_signature():
    text = written("hooks.md")
    assert [] == [hook.__name__ for hook in hooks.hooks() if f"\n{signature(hook)}\n" not in text]


def test_every_format_is_there_and_whether_it_is_imported():
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (yes|no) \|", written("formats.md"), re.MULTILINE)
    formats = formats_of(Plugins.load(()).hooks)
    assert {name: "yes" if name in readable(formats) else "no" for name in formats} == dict(rows)


def test_every_setting_is_there():
    text = written("settings.md")
    names = [field.name for field in attrs.fields(Settings)]
    assert [] == [name for name in names if f"`WORKERSAI_{name.upper()}`" not in text]


def test_every_error_code_is_there():
    text = written("errors.md")
    assert [] == sorted({each.code for each in errors.every_error() if f"`{each.code}`" not in text})


def test_every_command_is_there():
    text = written("cli.md")
    assert [] == [name for name, _ in cli.commands() if f"\n## {name}\n" not in text]


def test_every_route_is_there():
    text = written("routes.md")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    missing = [
        (method, path)
        for path, method, _ in routes.routes()
        if not any(f"| `{path}` |" in row and method in row.split(" | ")[0] for row in rows)
    ]
    assert [] == missing


def test_every_state_is_there():
    text = written("lifecycle.md")
    states = [*TaskStatus, *AssignmentState, *CallbackState]
    assert [] == [state for state in states if f"| `{state.value}` |" not in text]


def test_every_bundled_task_type_is_there():
    text = written("task-types.md")
    assert [] == [each.name for each in task_types.types() if f"\n## {each.name}\n" not in text]
