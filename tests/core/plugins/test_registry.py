"""What the engine asks of task types, and what becomes of types that misbehave."""

from __future__ import annotations

import random

import attrs
import pytest

from support.engines import OPTIONS, create, open_engine
from support.plugins import Registers, load, pick_named, plugin
from support.task_types import Pick, TestTypes
from workersai_core.api import Answer, Issue, TaskType, Verdict
from workersai_core.errors import PluginFailed, TaskTypeUnavailable, UnknownTaskType
from workersai_core.registry import TaskTypes

PARAMS = {"options": ["a", "b"]}
ANSWERS = [Answer(response={"choice": "a"}, worker_id="ann"), Answer(response={"choice": "b"}, worker_id="bob")]


def kept(**members):
    """Return the registry and a type in it, like `Pick` with these members."""
    types = load(Registers(pick_named("mine", **members), name="theirs")).types
    return types, types.require("mine")


def fails(caplog, operation):
    """Return the error and what the log says of it."""
    with pytest.raises(PluginFailed) as caught:
        operation()
    (record,) = caplog.records
    assert "theirs" == record.plugin
    assert "theirs" == caught.value.extra["plugin"]
    return caught.value, f"{record.exc_info[0].__name__}: {record.exc_info[1]}"


def raising(error):
    """Return a method that works for the example and raises for everything else."""

    def method(self, params, *_):
        if params == Pick.examples[0][0]:
            return getattr(Pick, method.__name__)(self, params, *_)
        raise error

    return method


# --- which types there are -----------------------------------------------------------------------------


def test_types_are_listed_by_name():
    types = load(TestTypes()).types

    assert ["pick", "unanimous"] == types.names()
    assert ["pick", "unanimous"] == [task_type.name for task_type in types]
    assert 2 == len(types)
    assert types.get("nothing") is None


def test_an_unknown_type_is_told_with_what_was_meant_and_what_there_is():
    with pytest.raises(UnknownTaskType) as caught:
        load(TestTypes()).types.require("pik")

    assert "There is no task type pik; known are pick, unanimous. Did you mean pick?" == caught.value.detail
    assert [("/task_type", "unknown_task_type")] == [(issue.pointer, issue.code) for issue in caught.value.issues]


def test_an_unknown_type_of_many_words_is_shortened():
    with pytest.raises(UnknownTaskType) as caught:
        TaskTypes([], {}).require("x" * 1000)

    assert f"There is no task type {'x' * 63}…; none is loaded." == caught.value.detail


@pytest.mark.parametrize("name", [7, None, ["pick"]])
def test_a_type_that_is_no_text_is_unknown(name):
    with pytest.raises(UnknownTaskType, match="task_type is the name of a task type; known are pick, unanimous"):
        load(TestTypes()).types.require(name)


# --- params and responses ------------------------------------------------------------------------------


def test_params_are_checked_by_the_schema_and_only_then_by_the_type():
    asked = []

    def check_params(self, params):
        asked.append(params)
        if len(params["options"]) > 2:
            yield Issue("/options/2", "Two are enough.", "too_many")

    types, mine = kept(check_params=check_params)
    asked.clear()

    assert ["/options"] == [issue.pointer for issue in types.check_params(mine, {"options": []})]
    assert [] == asked
    assert [Issue("/options/2", "Two are enough.", "too_many")] == types.check_params(
        mine, {"options": ["a", "b", "c"]}
    )
    assert [] == types.check_params(mine, PARAMS)


def test_the_value_itself_is_passed_and_not_a_copy():
    seen = []

    def check_params(self, params):
        seen.append(params)
        return ()

    types, mine = kept(check_params=check_params)
    types.check_params(mine, PARAMS)

    assert seen[-1] is PARAMS


def test_at_most_32_issues_of_a_type_are_taken():
    def check_response(self, params, response):
        n = 0
        while response["choice"] != "a":
            yield Issue(f"/{n}", "No.")
            n += 1

    types, mine = kept(check_response=check_response)

    assert 32 == len(types.check_response(mine, PARAMS, {"choice": "b"}))


def test_a_response_is_held_to_the_schema_for_its_params():
    def response_schema_for(self, params):
        return {**Pick.response_schema, "properties": {"choice": {"enum": params["options"], "description": "It."}}}

    types, mine = kept(response_schema_for=response_schema_for)

    assert ["a", "b"] == types.response_schema_for(mine, PARAMS)["properties"]["choice"]["enum"]
    assert ["not_in_list"] == [issue.code for issue in types.check_response(mine, PARAMS, {"choice": "c"})]
    assert [] == types.check_response(mine, {"options": ["c"]}, {"choice": "c"})


def test_a_schema_that_is_not_narrowed_is_the_types_own():
    types, mine = kept()
    assert types.response_schema_for(mine, PARAMS) is mine.response_schema


def test_an_empty_response_is_never_valid_whatever_the_schema_says():
    def response_schema_for(self, params):
        return Pick.response_schema if params["options"] == ["a", "b"] else {}

    types, mine = kept(response_schema_for=response_schema_for)

    assert [Issue("", "The response is empty.", "required")] == types.check_response(mine, {"options": ["z"]}, {})


@pytest.mark.parametrize("error", [RuntimeError("private"), SystemExit("private"), RecursionError("private")])
@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("check_params", ({"options": ["z"]},)),
        ("check_response", ({"options": ["z"]}, {"choice": "z"})),
        ("response_schema_for", ({"options": ["z"]},)),
        ("mock_response", ({"options": ["z"]}, random.Random(1))),
        ("normalize", ({"options": ["z"]}, {"choice": "z"})),
        ("agreement", ({"options": ["z"]}, {"choice": "z"}, {"choice": "z"})),
        ("aggregate", ({"options": ["z"]}, ANSWERS)),
    ],
)
def test_what_a_type_raises_names_the_plugin_and_the_type_and_tells_nothing_else(caplog, method, arguments, error):
    raises = raising(error)
    raises.__name__ = method
    types, mine = kept(**{method: raises})

    failure, logged = fails(caplog, lambda: getattr(types, method)(mine, *arguments))
    assert f"The plugin theirs failed in {method} of the task type mine; nothing was changed." == failure.detail
    assert f"{type(error).__name__}: private" == logged
    assert failure.__cause__ is error


def test_a_checking_method_that_yields_anything_else_fails(caplog):
    def check_params(self, params):
        if len(params["options"]) > 2:
            yield "too many"

    types, mine = kept(check_params=check_params)
    _, logged = fails(caplog, lambda: types.check_params(mine, {"options": ["a", "b", "c"]}))

    assert "TypeError: check_params yields Issues, not 'too many'" == logged


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "strng"}, "what it returned cannot be compiled"),
        ({"$ref": "http://127.0.0.1:1/s"}, "what it returned cannot be compiled"),
        (None, "what it returned cannot be compiled"),
        ({"enum": {1}}, "what it returned is no JSON"),
    ],
)
def test_a_narrowed_schema_that_is_none_fails(caplog, schema, told):
    types, mine = kept(
        response_schema_for=lambda self, params: schema if params["options"] == ["z"] else self.response_schema
    )
    _, logged = fails(caplog, lambda: types.check_response(mine, {"options": ["z"]}, {"choice": "z"}))

    assert told in logged


def test_a_narrowed_schema_that_never_ends_fails(caplog):
    loop = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a", "type": "string"}
    types, mine = kept(
        response_schema_for=lambda self, params: loop if params["options"] == ["z"] else self.response_schema
    )
    failure, logged = fails(caplog, lambda: types.check_response(mine, {"options": ["z"]}, {"choice": "z"}))

    assert "response_schema_for of the task type mine" in failure.detail
    assert logged.startswith("RecursionError")


# --- mocks ---------------------------------------------------------------------------------------------


def test_a_mock_is_valid_and_the_same_for_the_same_seed():
    types, mine = kept()
    first, second = (types.mock_response(mine, PARAMS, random.Random(7)) for _ in range(2))

    assert first == second
    assert [] == types.check_response(mine, PARAMS, first)


@pytest.mark.parametrize(
    ("response", "told"),
    [
        ({"choice": "z"}, "/choice: Not one of the options."),
        ({}, "the whole: The response is empty."),
        ({"choice": {1}}, "Not a JSON value: set."),
    ],
)
def test_a_mock_that_is_not_valid_fails(caplog, response, told):
    types, mine = kept(mock_response=lambda *_: response)
    _, logged = fails(caplog, lambda: types.mock_response(mine, PARAMS, random.Random(1)))

    assert told in logged


# --- quality -------------------------------------------------------------------------------------------


def test_the_defaults_compare_normalized_answers():
    def normalize(self, params, response):
        return response["choice"].casefold()

    types, mine = kept(normalize=normalize, check_response=lambda *_: ())
    a, b = {"choice": "A"}, {"choice": "a"}

    assert "a" == types.normalize(mine, PARAMS, a)
    assert 1.0 == types.agreement(mine, PARAMS, a, b)
    assert 0.0 == types.agreement(mine, PARAMS, a, {"choice": "b"})
    verdict = types.aggregate(
        mine, PARAMS, [Answer(response=given, worker_id="w") for given in (a, b, {"choice": "b"})]
    )
    assert Verdict(response={"choice": "A"}, confidence=pytest.approx(2 / 3)) == verdict


def test_a_type_may_ask_for_one_more_answer():
    types, mine = kept(aggregate=lambda *_: None)
    assert types.aggregate(mine, PARAMS, ANSWERS) is None


@pytest.mark.parametrize("confidence", [None, 0, 1, 0.5])
def test_a_confidence_is_a_share_or_unknown(confidence):
    wanted = Verdict(response={"choice": "a"}, confidence=confidence)
    types, mine = kept(aggregate=lambda *_: wanted)

    assert wanted == types.aggregate(mine, PARAMS, ANSWERS)


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ({"choice": "a"}, "it returned {'choice': 'a'} instead of a Verdict"),
        (Verdict(response={"choice": "z"}), "/choice: Not one of the options."),
        (Verdict(response={}), "The response is empty."),
        (Verdict(response={"choice": object()}), "Not a JSON value: object."),
        (Verdict(response={"choice": "a"}, confidence=1.5), "its confidence is 1.5 instead of a number from 0 to 1"),
        (Verdict(response={"choice": "a"}, confidence=float("nan")), "its confidence is nan"),
        (Verdict(response={"choice": "a"}, confidence=True), "its confidence is True"),
    ],
)
def test_a_verdict_that_is_not_valid_fails(caplog, verdict, told):
    types, mine = kept(aggregate=lambda *_: verdict)
    _, logged = fails(caplog, lambda: types.aggregate(mine, PARAMS, ANSWERS))

    assert told in logged


@pytest.mark.parametrize("agreement", [-0.1, 1.1, "high", None, True, float("nan")])
def test_an_agreement_is_a_share(caplog, agreement):
    types, mine = kept(agreement=lambda *_: agreement)
    _, logged = fails(caplog, lambda: types.agreement(mine, PARAMS, {"choice": "a"}, {"choice": "a"}))

    assert "instead of a number from 0 to 1" in logged


def test_a_normalized_form_is_json(caplog):
    types, mine = kept(normalize=lambda *_: {1, 2})
    _, logged = fails(caplog, lambda: types.normalize(mine, PARAMS, {"choice": "a"}))

    assert "Not a JSON value: set." in logged


# --- versions and types that are gone --------------------------------------------------------------------


class Upgraded(Pick):
    """`Pick`, whose first version had a text of options."""

    name = "pick"
    aliases = ()
    version = 3

    def upgrade_params(self, params, from_version):
        return {"options": params["options"].split(",")} if from_version == 1 else params


@pytest.fixture
def old_task():
    engine = open_engine()
    task = create(engine)
    engine.close()
    return attrs.evolve(task, task_type_version=1, params_json='{"options":"a,b"}')


def test_old_params_are_brought_to_the_present_version(old_task):
    task_type, params = load(Registers(Upgraded())).types.of(old_task)

    assert ("pick", {"options": ["a", "b"]}) == (task_type.name, params)


def test_params_of_this_version_are_taken_as_they_are(old_task):
    types = load(Registers(Upgraded())).types

    assert {"options": OPTIONS} == types.of(
        attrs.evolve(old_task, task_type_version=3, params_json='{"options":["a","b","c"]}')
    )[1]
    assert {"options": 1} == types.of(attrs.evolve(old_task, task_type_version=4, params_json='{"options":1}'))[1]


@pytest.mark.parametrize(
    ("upgraded", "told"),
    [
        ({"options": []}, "/options: At least 1 item"),
        ({"options": {1}}, "Not a JSON value"),
        ({"options": ["x"]}, "No x"),
    ],
)
def test_params_that_are_not_valid_after_the_upgrade_fail(caplog, old_task, upgraded, told):
    def check_params(self, params):
        if "x" in params["options"]:
            yield Issue("/options", "No x.")

    mine = pick_named("pick", version=2, upgrade_params=lambda *_: upgraded, check_params=check_params)
    types = load(Registers(mine, name="theirs")).types
    failure, logged = fails(caplog, lambda: types.of(old_task))

    assert "upgrade_params of the task type pick" in failure.detail
    assert told in logged


def test_a_type_whose_plugin_is_gone_is_unavailable(old_task):
    with pytest.raises(TaskTypeUnavailable) as caught:
        load().types.of(old_task)

    assert "The task type pick cannot be used: its plugin is not loaded." == caught.value.detail
    assert ["/task_type"] == [issue.pointer for issue in caught.value.issues]


def test_a_type_whose_plugin_failed_is_unavailable(old_task):
    broken = plugin("broken", register_task_types=lambda: [Pick(), Pick])
    types = load(broken, Registers(pick_named("pick", examples=()), name="also")).types

    with pytest.raises(TaskTypeUnavailable, match="its plugin also failed"):
        types.of(old_task)
    with pytest.raises(TaskTypeUnavailable, match="its plugin also failed"):
        types.require("pick")


# --- the base class --------------------------------------------------------------------------------------


def test_the_base_class_draws_from_the_schemas():
    assert TaskType.params_strategy(Pick()) is None
    assert TaskType.response_strategy(Pick(), PARAMS) is None
    assert PARAMS == TaskType.upgrade_params(Pick(), PARAMS, 1)
    assert [] == list(TaskType.check_params(Pick(), PARAMS)) + list(TaskType.check_response(Pick(), PARAMS, {}))
