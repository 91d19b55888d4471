"""The conformance kit: sound types pass, and each law catches the bug that is planted for it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from hypothesis import strategies as st

from support.broken_types import BROKEN, Flickers, OverSure, Plugin, Tick, WeightsInOrder, changed
from support.slow_import import Slow
from support.task_types import Pick, TestTypes, Unanimous
from workersai_core.api import Issue, TaskType, Verdict
from workersai_core.errors import PluginConfigurationError
from workersai_core.testing import conformance
from workersai_core.testing.conformance.ui import pointer_problems

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


@pytest.mark.parametrize(("items", "problems"), [(True, 0), (False, 1)])
def test_a_hint_may_lead_to_what_can_be_anything_and_not_to_what_cannot_be(items, problems):
    class Loose(Tick):
        params_schema = changed(Tick.params_schema, "/properties/options", items=items)
        ui = {"show": ["/options/*"]}

    found = list(pointer_problems(Loose()))
    assert ["ui/show: '/options/*' leads to nothing in params_schema"] * problems == found


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


# --- bugs of one kind, each told by one law --------------------------------------------------------------


def broken_laws(task_type, *only, examples=10):
    """Return what does not hold of a type, with what happened."""
    results = conformance.check(task_type, only=only or None, examples=examples)
    return {
        result.law: result.detail.splitlines()[1].removeprefix("What happened: ")
        for result in results
        if not (result.ok or result.blocked)
    }


def test_a_type_that_fails_when_it_is_registered_is_told_so():
    class Moody(Tick):
        @property
        def summary(self):
            raise SystemExit("not today")

    text = "registering the type raised SystemExit: not today"
    assert text == broken_laws(Moody())["attributes_are_well_formed"]


def test_a_wrong_example_is_not_held_against_the_attributes():
    assert ["examples_hold"] == list(broken_laws(BROKEN["examples_hold"], *STATIC_LAWS))


STATIC_LAWS = ("attributes_are_well_formed", "empty_response_is_refused", "examples_hold")
SOUND_PARAMS, SOUND_RESPONSE = Tick.examples[0]


def with_example(*example):
    return type("Exemplary", (Tick,), {"examples": (example,)})()


class EmptyWhenLax(Tick):
    """Narrows its schema so far that nothing is required."""

    examples = ((SOUND_PARAMS, {}),)

    def response_schema_for(self, params):
        return changed(super().response_schema_for(params), "", required=None)


class ChecksInWords(Tick):
    def check_params(self, params):
        yield "too many"


class NarrowsToAnOldSchema(Tick):
    def response_schema_for(self, params):
        return changed(super().response_schema_for(params), "", definitions={})


EXAMPLES = [
    (type("NoExample", (Tick,), {"examples": ()})(), "there is no example"),
    (with_example(SOUND_PARAMS), "example 0 is no pair (params, response)"),
    (EmptyWhenLax(), "example 0: /response: The response is empty."),
    (ChecksInWords(), "check_params yielded 'too many' instead of an Issue"),
    (NarrowsToAnOldSchema(), "The schema that response_schema_for returned breaks a rule. [/definitions: "),
]


@pytest.mark.parametrize(("task_type", "text"), EXAMPLES, ids=lambda each: type(each).__name__)
def test_what_is_wrong_with_the_examples_is_told(task_type, text):
    assert broken_laws(task_type, "examples_hold")["examples_hold"].startswith(text)


def test_a_schema_that_is_wrong_for_some_params_only_is_found():
    class SometimesOld(Tick):
        def response_schema_for(self, params):
            old = {"definitions": {}} if params["most"] != 2 else {}
            return changed(super().response_schema_for(params), "", **old)

    told = broken_laws(SometimesOld())
    assert ["narrowed_schema_is_valid"] == list(told)
    assert "returned breaks a rule. [/definitions: " in told["narrowed_schema_is_valid"]


class Reports(Tick):
    """Has one issue with params that the examples do not have, and only those are drawn."""

    def __init__(self, issue):
        self.issue = issue

    def params_strategy(self):
        return st.just({"options": ["x"], "most": 6})

    def check_params(self, params):
        if params["most"] == 6:
            yield self.issue


@pytest.mark.parametrize(
    ("issue", "fault"),
    [
        (Issue("/most", " "), "it has no message"),
        (Issue("/most", "Too many.", "Too many"), "its code is no slug like not_in_list"),
        (Issue("most", "Too many."), "its pointer does not start with /"),
        (Issue("/least/of/all", "Too many."), "its pointer leads to nothing in the document"),
        (Issue("/options/2", "Too few."), "its pointer leads to nothing in the document"),
        (Issue("/options/first", "Too many."), "its pointer leads to nothing in the document"),
        (Issue("/most/6", "Too many."), "its pointer leads to nothing in the document"),
    ],
)
def test_each_fault_of_an_issue_is_named(issue, fault):
    assert {"issues_point_into_the_document": f"check_params yielded {issue}: {fault}"} == broken_laws(Reports(issue))


@pytest.mark.parametrize("pointer", ["", "/most", "/least", "/options/0", "/options/1"])
def test_an_issue_may_point_at_a_value_or_where_one_is_missing(pointer):
    assert {} == broken_laws(Reports(Issue(pointer, "No.")))


def test_an_issue_about_a_response_is_no_plain_text():
    class InWords(Tick):
        """The mock never meets the check, which others do."""

        def response_strategy(self, params):
            return st.just({"ticked": params["options"] * 7})

        def response_schema_for(self, params):
            return changed(self.response_schema, "/properties/ticked", uniqueItems=None)

        def check_response(self, params, response):
            if len(response["ticked"]) > params["most"]:
                yield "too many"

    told = broken_laws(InWords(), "issues_point_into_the_document", examples=50)
    assert {"issues_point_into_the_document": "check_response yielded 'too many' instead of an Issue"} == told


class Decides(Tick):
    """Its verdict is always this one; of whatever kind."""

    def __init__(self, verdict):
        self.verdict = verdict

    def aggregate(self, params, answers):
        return self.verdict


def test_what_is_no_verdict_is_told_by_one_law():
    told = {"verdict_is_valid": "aggregate returned {'ticked': []} instead of a Verdict"}
    assert told == broken_laws(Decides({"ticked": []}))


def test_a_verdict_may_leave_its_confidence_open():
    assert {} == broken_laws(Decides(Verdict(response={"ticked": []})), "verdict_is_valid", "aggregate_ignores_order")


def test_a_confidence_that_comes_and_goes_with_the_order_is_found():
    class SureOfTheFirst(Tick):
        def aggregate(self, params, answers):
            ticked = min(sorted(answer.response["ticked"]) for answer in answers)
            sure = 1.0 if answers[0].worker_id == "worker-1" else None
            return Verdict(response={"ticked": ticked}, confidence=sure)

    assert "aggregate_ignores_order" in broken_laws(SureOfTheFirst(), examples=50)


AGREEMENT_LAWS = ("agreement_is_a_share", "agreement_is_symmetric", "agreement_with_itself_is_full")


def test_an_agreement_that_is_no_share_is_told_by_one_law():
    class InPercent(Tick):
        def agreement(self, params, a, b):
            return 100

    assert {"agreement_is_a_share": "agreement returned 100"} == broken_laws(InPercent(), *AGREEMENT_LAWS)


class OneWord(BROKEN["values_can_be_drawn"].__class__):
    """Neither its params nor its responses can be drawn: the builder cannot read their pattern."""

    response_schema = changed(
        Tick.response_schema, "/properties/ticked", items={"type": "string", "pattern": r"^\p{L}+$"}
    )
    tired = False

    def response_schema_for(self, params):
        return self.response_schema

    def mock_response(self, params, rng):
        return {"ticked": ["two words"] if self.tired else params["options"][:1]}


def test_where_nothing_can_be_drawn_from_the_schemas_examples_and_mocks_are_taken():
    assert ["values_can_be_drawn"] == list(broken_laws(OneWord()))


def test_a_mock_that_is_refused_only_later_is_told():
    checked = OneWord()
    namespace = {}
    conformance.add_tests(namespace, checked, examples=5)
    namespace["test_tick_mock_is_valid"]()
    checked.tired = True
    with pytest.raises(pytest.fail.Exception, match="the mock is refused, now that it is needed"):
        namespace["test_tick_agreement_is_a_share"]()


def test_a_strategy_that_leaves_nothing_is_told():
    class Picky(Tick):
        def params_strategy(self):
            return st.integers().filter(lambda _: False)

    text = "nothing could be drawn from params_strategy() or response_strategy(params)"
    assert {"params_never_crash": text} == broken_laws(Picky())
