"""Loading plugins in tests, and the plugins they load."""

from __future__ import annotations

import importlib
import sys
import textwrap

from support.task_types import Pick
from workersai_core.api import hookimpl
from workersai_core.plugins import Plugins


class Registers:
    """A plugin with these task types."""

    def __init__(self, *types, name="registers"):
        self.name = name
        self.types = types

    @hookimpl
    def register_task_types(self):
        return list(self.types)


def plugin(name="plugin", **hooks):
    """Return a plugin with these functions as its hooks; each is called as a method without self."""
    members = {hook: staticmethod(hookimpl(function)) for hook, function in hooks.items()}
    return type("Plugin", (), {"name": name, **members})()


def load(*plugins, files=(), entry_points="none", strict=False):
    """Load plugins, without the installed ones."""
    return Plugins.load(plugins, files=files, entry_points=entry_points, strict=strict)


def reports(loaded):
    """Return the reports of the plugins that were to be loaded, by name."""
    return {report.name: report for report in loaded.reports() if report.state != "disabled"}


def report_of(*plugins, **options):
    """Return the report of the only plugin."""
    (report,) = reports(load(*plugins, **options)).values()
    return report


def error_of(*plugins, **options):
    """Return why the only plugin failed."""
    report = report_of(*plugins, **options)
    assert "failed" == report.state
    return report.error


def pick_named(name, **members):
    """Return a task type like `Pick` under another name."""
    return type("Other", (Pick,), {"name": name, "aliases": (), **members})()


FINE = """
    from workersai_core.api import TaskType, hookimpl

    class Echo(TaskType):
        name = "NAME"
        summary = "Say it again."
        params_schema = {
            "type": "object", "additionalProperties": False, "required": ["text"],
            "properties": {"text": {"type": "string", "description": "What to say."}},
        }
        response_schema = {
            "type": "object", "additionalProperties": False, "required": ["said"],
            "properties": {"said": {"type": "string", "description": "What was said."}},
        }
        examples = (({"text": "a"}, {"said": "a"}),)

    @hookimpl
    def register_task_types():
        return [Echo()]
"""
"""A plugin of one file; NAME stands for its type's name."""


def write(folder, name, source=FINE):
    """Write a plugin file and return its path."""
    path = folder / f"{name}.py"
    path.write_text(textwrap.dedent(source).replace("NAME", name), encoding="utf-8")
    return path


def install(folder, monkeypatch, distribution, entry_points, version="1.2.3", **modules):
    """Install a distribution as far as Python can tell: its metadata and modules, on the path for one test.

    Args:
        folder: Where to put it.
        monkeypatch: Takes it off the path afterwards.
        distribution: Its name.
        entry_points: Module by the name of the entry point.
        version: Its version.
        **modules: Source by the name of the module.
    """
    for name, source in modules.items():
        write(folder, name, source)
        monkeypatch.delitem(sys.modules, name, raising=False)
    info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    lines = [f"{name} = {target}" for name, target in entry_points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[workersai]", *lines, ""]))
    if str(folder) not in sys.path:
        monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()  # a second one within a moment is not noticed otherwise
