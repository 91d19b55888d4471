"""Where plugins come from: files, installed distributions, objects."""

from __future__ import annotations

import sys
import textwrap

import pytest

from support.plugins import FINE, error_of, install, load, plugin, report_of, reports, write
from support.task_types import TestTypes
from workersai_core.api import hookimpl
from workersai_core.errors import PluginConfigurationError, TaskTypeUnavailable
from workersai_core.plugins import Plugins

# --- files -------------------------------------------------------------------------------------------


def test_a_file_is_a_plugin(tmp_path):
    loaded = load(files=[write(tmp_path, "echo")])

    assert ["echo"] == loaded.types.names()
    assert ("echo", "ok", None, None) == (
        (report := reports(loaded)["echo"]).name,
        report.state,
        report.distribution,
        report.version,
    )


def test_a_file_may_be_named_by_text_and_relative(tmp_path, monkeypatch):
    write(tmp_path, "echo")
    monkeypatch.chdir(tmp_path)

    assert ["echo"] == load(files=["./echo.py"]).types.names()


def test_a_file_may_use_what_looks_its_module_up(tmp_path):
    source = """
        from __future__ import annotations
        from dataclasses import dataclass
        from typing import ClassVar
        from workersai_core.api import hookimpl

        @dataclass
        class Counter:
            most: ClassVar[int] = 3
            n: int = 0

        @hookimpl
        def register_settings():
            return {"count": Counter().n}
    """
    assert {"count": 0} == load(files=[write(tmp_path, "my-counter.v2", source)]).settings


def test_files_of_the_same_name_do_not_take_each_others_place(tmp_path):
    for folder, setting in (("a", "one"), ("b", "two")):
        (tmp_path / folder).mkdir()
        source = (
            "from workersai_core.api import hookimpl\n@hookimpl\ndef register_settings():\n    return {'SETTING': 1}\n"
        )
        write(tmp_path / folder, "same", source.replace("SETTING", setting))
    loaded = load(files=[tmp_path / "a" / "same.py", tmp_path / "b" / "same.py"])

    assert ["same", "same-2"] == list(reports(loaded))
    assert {"one": 1, "two": 1} == loaded.settings


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys; sys.exit(2)", "SystemExit: 2"),
        ("def f(:", "SyntaxError: "),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_cannot_be_imported_is_listed(tmp_path, source, error):
    before = set(sys.modules)

    assert error_of(files=[write(tmp_path, "broken", source)]).startswith(error)
    assert not [name for name in set(sys.modules) - before if "broken" in name]


def test_a_file_that_is_broken_now_leaves_the_module_of_another_engine(tmp_path):
    path = write(tmp_path, "echo")
    first = load(files=[path])
    (name,) = [type(task_type).__module__ for task_type in first.types]
    module = sys.modules[name]
    path.write_text("1 / 0")

    assert "ZeroDivisionError" in error_of(files=[path])
    assert module is sys.modules[name]


def test_a_file_that_is_not_there_is_listed(tmp_path):
    assert f"FileNotFoundError: there is no file {tmp_path / 'none.py'}" == error_of(files=[tmp_path / "none.py"])
    assert "there is no file" in error_of(files=[tmp_path])


def test_a_file_that_is_no_python_is_listed(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")

    assert "notes.txt is no Python file; its name ends in .py" in error_of(files=[tmp_path / "notes.txt"])


def test_ctrl_c_is_nobodys_failure(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        load(files=[write(tmp_path, "patient", "raise KeyboardInterrupt")])


# --- installed ---------------------------------------------------------------------------------------


def test_installed_plugins_are_found_by_their_entry_point(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "wai-echo", {"echo": "wai_echo_module"}, version="4.5", wai_echo_module=FINE)
    loaded = Plugins.load((), entry_points=["echo"])
    report = reports(loaded)["echo"]

    assert ["wai_echo_module"] == loaded.types.names()
    assert ("ok", "wai-echo", "4.5") == (report.state, report.distribution, report.version)


def test_all_installed_plugins_are_loaded_by_default(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "wai-echo", {"echo": "wai_echo_module"}, wai_echo_module=FINE)
    loaded = Plugins.load(())

    assert {"echo", "categorization", "audio_transcription"} <= set(reports(loaded))
    assert "wai_echo_module" in loaded.types.names()


def test_an_entry_point_may_name_an_object(tmp_path, monkeypatch):
    source = (
        textwrap.dedent(FINE)
        + "\nclass Plugin:\n    register_task_types = staticmethod(register_task_types)\nthe = Plugin()\n"
    )
    install(tmp_path, monkeypatch, "wai-echo", {"echo": "wai_object_module:the"}, wai_object_module=source)

    assert ["wai_object_module"] == Plugins.load((), entry_points=["echo"]).types.names()


def test_plugins_that_were_not_chosen_are_listed_as_disabled(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "wai-echo", {"echo": "wai_echo_module"}, wai_echo_module="1 / 0")
    for chosen in ("none", ["categorization"], []):
        loaded = Plugins.load((), entry_points=chosen)
        (report,) = [report for report in loaded.reports() if report.name == "echo"]
        assert ("disabled", None, ()) == (report.state, report.error, report.task_types)
        with pytest.raises(TaskTypeUnavailable, match="its plugin echo is disabled"):
            loaded.types.require("echo")


def test_a_chosen_plugin_that_is_not_installed_is_listed_with_what_was_meant(tmp_path, monkeypatch):
    assert "LookupError: no plugin of this name is installed; did you mean categorization?" == error_of(
        entry_points=["categorisation"]
    )
    assert "installed are audio_transcription, " in error_of(entry_points=["zzz"])
    with pytest.raises(PluginConfigurationError, match="categorisation"):
        load(entry_points=["categorisation"], strict=True)


def test_an_installed_plugin_that_is_broken_is_listed_with_its_distribution(tmp_path, monkeypatch):
    install(
        tmp_path, monkeypatch, "wai-broken", {"broken": "wai_broken_module"}, wai_broken_module="import nothing_there"
    )
    report = report_of(entry_points=["broken"])

    assert ("failed", "wai-broken", "1.2.3") == (report.state, report.distribution, report.version)
    assert "nothing_there" in report.error


def test_two_distributions_may_use_the_same_name(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "wai-one", {"echo": "wai_one_module"}, wai_one_module=FINE)
    install(tmp_path, monkeypatch, "wai-two", {"echo": "wai_two_module"}, wai_two_module=FINE)
    loaded = Plugins.load((), entry_points=["echo"])

    assert ["echo", "echo-2"] == list(reports(loaded))
    assert ["wai_one_module", "wai_two_module"] == loaded.types.names()


def test_settings_choose_between_two_that_take_the_same_name(tmp_path, monkeypatch):
    same = FINE.replace("NAME", "echo")
    install(tmp_path, monkeypatch, "wai-one", {"one": "wai_one_module"}, wai_one_module=same)
    install(tmp_path, monkeypatch, "wai-two", {"two": "wai_two_module"}, wai_two_module=same)

    assert [] == Plugins.load((), entry_points=["one", "two"]).types.names()
    chosen = Plugins.load((), entry_points=["two"])
    assert ["echo"] == chosen.types.names()
    assert "wai_two_module" == type(chosen.types.require("echo")).__module__


# --- objects -----------------------------------------------------------------------------------------


def test_an_object_is_called_by_its_name_its_module_or_its_class(tmp_path):
    module = __import__("support.task_types", fromlist=["task_types"])
    module_report = [*load(module).reports()][-1]

    assert ("task_types", "failed") == (module_report.name, module_report.state)
    assert "mine" == report_of(plugin("mine", engine_ready=lambda: None)).name
    assert "TestTypes" == report_of(TestTypes()).name


def test_an_object_whose_name_cannot_be_asked_is_called_by_its_class():
    class Fragile:
        @property
        def name(self):
            raise RuntimeError

        @hookimpl
        def engine_ready(self):
            pass

    assert ("Fragile", "ok") == ((report := report_of(Fragile())).name, report.state)


def test_an_object_whose_name_is_no_text_is_called_by_its_class():
    class Odd:
        name = 3

        @hookimpl
        def engine_ready(self):
            pass

    assert "Odd" == report_of(Odd()).name


# --- order -------------------------------------------------------------------------------------------


def test_the_hosts_plugins_are_asked_first_then_files_then_installed_ones(tmp_path, monkeypatch):
    hears = """
        from workersai_core.api import hookimpl

        @hookimpl
        def engine_ready(engine):
            engine.append("NAME")
    """
    install(tmp_path, monkeypatch, "wai-x", {"x": "wai_installed_module"}, wai_installed_module=hears)
    last = type(
        "Last", (), {"engine_ready": staticmethod(hookimpl(trylast=True)(lambda engine: engine.append("last")))}
    )()
    first = type(
        "First", (), {"engine_ready": staticmethod(hookimpl(tryfirst=True)(lambda engine: engine.append("first")))}
    )()
    host = plugin("host", engine_ready=lambda engine: engine.append("host"))
    heard = []
    load(last, first, host, files=[write(tmp_path, "file", hears)], entry_points=["x"]).hooks.engine_ready(heard)

    assert ["first", "host", "file", "wai_installed_module", "last"] == heard
