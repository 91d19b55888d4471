"""The conformance kit: sound types pass, and each law catches the bug that is planted for it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from hypothesis import strategies as st

from support.broken_types import BROKEN, Flickers, OverSure, Plugin, Tick, WeightsInOrder
from support.slow_import import Slow
from support.task_types import Pick, TestTypes, Unanimous
from workersai_core.api import TaskType
from workersai_core.errors import PluginConfigurationError
from workersai_core.testing import conformance

PLANTED = {**BROKEN, "import_is_fast": Slow()}

conformance.add_tests(globals(), Tick())


def result_of(task_type, law):
    return conformance.check(task_type, only=[law])[0]


def test_every_law_has_a_planted_bug():
    assert {law.name for law in conformance.laws()} == set(PLANTED)


@pytest.mark.parametrize("law", PLANTED)
def test_the_law_catches_its_planted_bug(law):
    result = result_of(PLANTED[law], law)
    assert (False, False) == (result.ok, result.blocked)
    assert f"What to do: {remedy_of(law)}" in result.detail


def remedy_of(law):
    return next(each.remedy for each in conformance.laws() if each.name == law).replace("``", "`")


@pytest.mark.parametrize(
    ("task_type", "law"), [(WeightsInOrder(), "aggregate_ignores_order"), (OverSure(), "verdict_is_valid")]
)
def test_a_law_catches_other_bugs_too(task_type, law):
    assert not result_of(task_type, law).ok


def test_a_type_that_keeps_state_is_found_out():
    results = conformance.check(Flickers())
    assert any("does not behave the same on the same input" in result.detail for result in results)


@pytest.mark.parametrize("kind", [Pick, Unanimous])
def test_sound_types_pass(kind):
    assert [] == [result for result in conformance.check(kind()) if not result.ok]


def test_the_report_names_what_happened_and_the_smallest_example():
    refused = "which is refused: /ticked: At most 1 may be ticked."
    lines = [
        "The law: For all accepted params the mock is an answer that a worker could have given.",
        f"What happened: mock_response returned {{'ticked': ['0', '00']}}, {refused}",
        "The smallest example found:",
        '  params = {"options": ["0", "00"], "most": 1}',
        "  seed = 0",
        "What to do: Make the mock from the params: choose among their options, stay within their limits.",
    ]
    assert lines == result_of(BROKEN["mock_is_valid"], "mock_is_valid").detail.splitlines()


def test_a_crash_is_reported_with_its_line():
    detail = result_of(BROKEN["params_never_crash"], "params_never_crash").detail
    assert "check_params raised TypeError: can't multiply sequence by non-int of type 'float'" in detail
    assert 'if len([None] * params["most"]) > 5:' in detail


def test_what_builds_on_a_broken_law_is_not_checked():
    results = conformance.check(BROKEN["objects_are_closed"])
    blocked = [result for result in results if result.blocked]
    assert len(blocked) > 15
    assert {"Not checked, because objects_are_closed does not hold."} == {result.detail for result in blocked}
    assert {False} == {result.ok for result in blocked}


def test_the_same_is_drawn_every_time():
    law = "unanimous_answers_win"
    assert result_of(BROKEN[law], law) == result_of(type(BROKEN[law])(), law)


def test_an_unknown_law_is_refused():
    with pytest.raises(LookupError, match="there is no law mock_is_funny; there are schemas_are_valid, "):
        conformance.check(Tick(), only=["mock_is_funny"])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "at least one task type"),
        ([Tick], r"no instance of TaskType; write Tick\(\)"),
        ([Plugin()], "no instance of TaskType"),
    ],
)
def test_only_instances_of_task_types_are_tested(arguments, text):
    with pytest.raises(TypeError, match=text):
        conformance.add_tests({}, *arguments)


def test_one_test_is_added_per_type_and_law():
    namespace = {}
    conformance.add_tests(namespace, Pick(), Unanimous())
    assert 2 * len(conformance.laws()) == len(namespace)
    assert "For all accepted params the mock is" in namespace["test_pick_mock_is_valid"].__doc__


def test_under_pytest_a_broken_law_fails_with_the_report_alone(tmp_path):
    file = tmp_path / "test_planted.py"
    file.write_text(
        "from support.broken_types import BROKEN\n"
        "from workersai_core.testing import conformance\n"
        "conformance.add_tests(globals(), BROKEN['mock_is_valid'])\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", str(file)]
    command += ["-k", "mock_is_valid or verdict_is_valid", "-rs", "--rootdir", str(tmp_path), "-W", "error"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment())
    assert "mock_is_valid does not hold for tick.\n\nThe law: For all accepted params" in done.stdout
    assert "Not checked, because mock_is_valid does not hold." in done.stdout
    assert "Traceback" not in done.stdout
    assert "1 failed, 1 skipped" in done.stdout


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


# --- laws of other packages ----------------------------------------------------------------------------


@pytest.fixture
def further_law(tmp_path, monkeypatch):
    """A package that adds the law that a summary ends with a full stop."""
    (tmp_path / "full_stops.py").write_text(
        textwrap.dedent('''\
            from workersai_core.testing.conformance import Broken, static_law

            @static_law(remedy="Add one.")
            def summary_ends_with_a_full_stop(task_type):
                """A summary ends with a full stop."""
                if not task_type.summary.endswith("."):
                    raise Broken(f"it ends with {task_type.summary[-1]}")

            LAWS = [summary_ends_with_a_full_stop]
        ''')
    )
    information = tmp_path / "full_stops-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: full-stops\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[workersai.laws]\nfull_stops = full_stops:LAWS\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "summary_ends_with_a_full_stop"
    sys.modules.pop("full_stops", None)


def test_installed_packages_add_laws(further_law):
    class Shouting(Pick):
        summary = "Pick one!"

    assert result_of(Pick(), further_law).ok
    assert "What happened: it ends with !" in result_of(Shouting(), further_law).detail
    assert f"### {further_law}\n" in conformance.laws_markdown()


# --- the reference -------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", conformance.laws(), ids=lambda law: law.name)
def test_every_law_is_documented(law):
    page = conformance.laws_markdown()
    assert f"### {law.name}\n" in page
    assert law.statement.endswith((".", ":"))
    assert f"**When it does not hold:** {law.remedy}" in page


# --- finding the types of a plugin -----------------------------------------------------------------------


def test_types_are_found_by_file_by_name_and_in_an_object(tmp_path):
    file = tmp_path / "ticks.py"
    file.write_text(
        "from support.broken_types import Tick\nfrom workersai_core.api import hookimpl\n"
        "@hookimpl\ndef register_task_types(): return [Tick()]\n"
    )
    assert ["tick"] == [each.name for each in conformance.task_types_of(file)]
    assert ["tick"] == [each.name for each in conformance.task_types_of(str(file))]
    assert ["categorization"] == [each.name for each in conformance.task_types_of("categorization")]
    assert ["pick", "unanimous"] == [each.name for each in conformance.task_types_of(TestTypes())]


def test_types_that_would_not_be_registered_are_found_all_the_same():
    class Broken:
        from workersai_core.api import hookimpl

        @hookimpl
        def register_task_types(self):
            return [BROKEN["objects_are_closed"]]

    assert [BROKEN["objects_are_closed"]] == conformance.task_types_of(Broken())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1 / 0", "cannot be loaded: ZeroDivisionError"),
        ("raise SystemExit(3)", "cannot be loaded: SystemExit: 3"),
        ("x = 1", "It implements no hook"),
        (
            "from workersai_core.api import hookimpl\n@hookimpl\ndef engine_ready(): pass",
            "registers no task type; its hooks are engine_ready",
        ),
    ],
)
def test_a_file_without_task_types_is_refused(tmp_path, text, problem):
    file = tmp_path / "empty.py"
    file.write_text(text)
    with pytest.raises(PluginConfigurationError, match=problem):
        conformance.task_types_of(file)


def test_an_unknown_name_is_refused():
    with pytest.raises(PluginConfigurationError, match=r"did you mean categorization\?"):
        conformance.task_types_of("categorisation")


# --- the rest ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["hypothesis", "pytest"])
def test_who_lacks_the_extra_is_told_so(missing):
    program = f"import sys; sys.modules[{missing!r}] = None; import workersai_core.testing.conformance"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    text = f"The plugin author's kit needs {missing}, which is not installed: run `pip install 'workersai[testing]'`."
    assert f"ImportError: {text}" == done.stderr.splitlines()[-1]


def test_a_type_that_cannot_be_imported_again_is_told_so(tmp_path):
    """Whoever builds a type only while a test runs has a module that a fresh interpreter cannot make."""
    file = tmp_path / "vanishing.py"
    file.write_text(
        "from support.broken_types import Tick\nfrom workersai_core.api import hookimpl\n"
        "class Vanishing(Tick): pass\n@hookimpl\ndef register_task_types(): return [Vanishing()]\n"
    )
    vanishing = conformance.task_types_of(file)[0]
    file.write_text("import nothing_of_this_name")
    assert "No module named 'nothing_of_this_name'" in result_of(vanishing, "import_is_fast").detail


UI_PROBLEMS = {
    "ui has no hint widget": {"widget": {}},
    "ui/show is a list": {"show": "/options"},
    "ui/show: 'options' leads to nothing": {"show": ["options"]},
    "ui/show: '/options/first' leads to nothing": {"show": ["/options/first"]},
    "ui/widgets is a dict": {"widgets": ["/ticked"]},
    "ui/widgets: '/ticked/0/text' leads to nothing": {"widgets": {"/ticked/0/text": "text"}},
    "the widget of /ticked is a name, not 3": {"widgets": {"/ticked": 3}},
}


@pytest.mark.parametrize("problem", UI_PROBLEMS)
def test_each_wrong_hint_is_named(problem):
    class Hinted(Tick):
        ui = UI_PROBLEMS[problem]

    assert problem in result_of(Hinted(), "ui_points_at_what_exists").detail


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (["A"], "the key of choice 1 of /ticked is one digit or lower-case letter, not 'A'"),
        (["a", "ctrl+b"], "the key of choice 2 of /ticked is one digit or lower-case letter, not 'ctrl+b'"),
        ({"a": "b"}, "the keys of /ticked are a list, in the order of its choices"),
    ],
)
def test_each_wrong_hotkey_is_named(keys, problem):
    class Hinted(Tick):
        ui = {"hotkeys": {"/ticked": keys}}

    assert problem in result_of(Hinted(), "hotkeys_do_not_clash").detail


def test_hints_reach_into_references_alternatives_and_arrays():
    class Nested(Tick):
        response_schema = {
            "$ref": "#/$defs/answer",
            "$defs": {
                "answer": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["ticked"],
                    "properties": {
                        "ticked": Tick.response_schema["properties"]["ticked"],
                        "place": {
                            "description": "Where.",
                            "oneOf": [
                                {"type": "null"},
                                {
                                    "type": "array",
                                    "prefixItems": [{"type": "integer"}, {"type": "string"}],
                                    "items": {"type": "boolean"},
                                },
                            ],
                        },
                    },
                }
            },
        }
        ui = {"widgets": {"": "x", "/ticked/3": "x", "/place/0": "x", "/place/*": "x"}}

        def response_schema_for(self, params):
            return self.response_schema

    assert result_of(Nested(), "ui_points_at_what_exists").ok


def test_own_strategies_are_drawn_from():
    class Own(BROKEN["values_can_be_drawn"].__class__):
        def params_strategy(self):
            return st.just({"options": ["x"], "most": 1})

    class NoStrategy(Own):
        def params_strategy(self):
            return {"options": ["x"], "most": 1}

    assert [] == [result for result in conformance.check(Own()) if not result.ok]
    assert (
        "params_strategy returned dict instead of a Hypothesis strategy"
        in conformance.check(NoStrategy(), only=["values_can_be_drawn"])[0].detail
    )


def test_a_type_without_anything_is_told_what_is_missing():
    class Bare(TaskType):
        pass

    assert "params_schema: A schema is an object." in result_of(Bare(), "schemas_are_valid").detail
