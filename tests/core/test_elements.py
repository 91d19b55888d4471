"""The custom elements that task types bring."""

from __future__ import annotations

import sys
import types

import pytest

from support.broken_types import Tick
from workersai_core.elements import Element, element_of
from workersai_core.errors import PluginConfigurationError
from workersai_core.plugins.unchecked import task_types_of
from workersai_core.testing import conformance

PLUGIN = """
from workersai_core.api import TaskType, hookimpl

class Dot(TaskType):
    name = "dot"
    summary = "Make a dot."
    params_schema = {"type": "object", "additionalProperties": False, "properties": {}}
    response_schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["dot"],
        "properties": {"dot": {"type": "boolean", "description": "Whether it is made."}},
    }
    examples = [({}, {"dot": True})]
    ui = {"element": ELEMENT}

@hookimpl
def register_task_types():
    return [Dot()]
"""
HINT = {"name": "a-dot", "module": "dot.js"}


@pytest.fixture
def dot(tmp_path):
    """Return a function that makes a plugin file with an element hint and returns its type."""

    def make(hint, **files):
        plugin = tmp_path / "dot.py"
        plugin.write_text(PLUGIN.replace("ELEMENT", repr(hint)))
        for name, source in files.items():
            (tmp_path / f"{name}.js").write_text(source)
        (found,) = task_types_of(str(plugin))
        return found

    return make


def test_the_module_is_read_from_beside_the_python_module(dot):
    element = element_of(dot(HINT, dot="export {};"))
    assert Element(name="a-dot", module="dot.js", source=b"export {};") == element


def test_a_type_without_an_element_has_none():
    assert element_of(Tick()) is None


@pytest.mark.parametrize(
    ("hint", "problem"),
    [
        ("a-dot", "ui/element is like"),
        ({"name": "a-dot"}, "ui/element is like"),
        ({**HINT, "path": "/"}, "ui/element is like"),
        ({**HINT, "name": "dot"}, "'dot' is no name of a custom element"),
        ({**HINT, "name": "A-Dot"}, "'A-Dot' is no name"),
        ({**HINT, "name": 1}, "1 is no name"),
        ({**HINT, "module": "../secret.js"}, "a file beside the Python module"),
        ({**HINT, "module": "/etc/passwd"}, "a file beside the Python module"),
        ({**HINT, "module": "dot.py"}, "a file beside the Python module"),
        ({**HINT, "module": ["dot.js"]}, "a file beside the Python module"),
        ({**HINT, "module": "other.js"}, "other.js cannot be read; ship it with the package"),
    ],
)
def test_a_wrong_hint_is_refused_with_the_remedy(dot, hint, problem):
    with pytest.raises(PluginConfigurationError) as refusal:
        element_of(dot(hint, dot=""))
    assert problem in refusal.value.detail


def test_a_law_of_the_kit_tells_whether_the_element_is_shipped(dot):
    (shipped,) = conformance.check(dot(HINT, dot=""), only=["the_element_is_shipped"])
    (missing,) = conformance.check(dot({**HINT, "module": "other.js"}), only=["the_element_is_shipped"])
    assert [True, False] == [shipped.ok, missing.ok]
    assert "other.js cannot be read" in missing.detail


def test_a_module_that_is_too_long_is_refused(dot):
    with pytest.raises(PluginConfigurationError, match="at most 1000000 are served"):
        element_of(dot(HINT, dot=" " * 1_000_001))


def test_a_type_that_was_made_without_a_file_has_nothing_beside_it(monkeypatch):
    module = types.ModuleType("made_by_hand")
    made = type("Made", (Tick,), {"ui": {"element": HINT}, "__module__": module.__name__})
    with pytest.raises(PluginConfigurationError, match="is no file"):
        element_of(made())
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(PluginConfigurationError, match="is no file"):
        element_of(made())
