"""Task types with one planted bug each, by the law that must catch it."""

from __future__ import annotations

import math
import random

from workersai_core.api import Issue, TaskType, Verdict, hookimpl

PARAMS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["options", "most"],
    "properties": {
        "options": {
            "type": "array",
            "description": "What to tick.",
            "minItems": 1,
            "maxItems": 6,
            "uniqueItems": True,
            "items": {"type": "string", "minLength": 1, "maxLength": 8},
        },
        "most": {"type": "integer", "description": "How many may be ticked.", "minimum": 1, "maximum": 6},
    },
}
RESPONSE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["ticked"],
    "properties": {
        "ticked": {
            "type": "array",
            "description": "The options ticked.",
            "uniqueItems": True,
            "items": {"type": "string"},
        },
        "unsure": {"type": "boolean", "description": "Whether the worker is unsure."},
    },
}


class Tick(TaskType):
    """A sound type: tick some of the options."""

    name = "tick"
    summary = "Tick what applies."
    params_schema = PARAMS
    response_schema = RESPONSE
    examples = (({"options": ["a", "b", "c"], "most": 2}, {"ticked": ["a", "c"]}),)
    ui = {"show": ["/options/*"], "widgets": {"/ticked": "buttons"}, "hotkeys": {"/ticked": "123456"}}

    def response_schema_for(self, params):
        """Allow the options of the task."""
        ticked = {**RESPONSE["properties"]["ticked"], "items": {"enum": params["options"]}}
        return {**RESPONSE, "properties": {**RESPONSE["properties"], "ticked": ticked}}

    def check_response(self, params, response):
        """Refuse too many ticks."""
        if len(response["ticked"]) > params["most"]:
            yield Issue("/ticked", f"At most {params['most']} may be ticked.", "too_many")

    def mock_response(self, params, rng):
        """Tick by chance."""
        count = min(int(params["most"]), len(params["options"]))
        return {"ticked": rng.sample(params["options"], rng.randint(0, count))}

    def normalize(self, params, response):
        """Forget the order and the doubt."""
        return sorted(response["ticked"])

    def agreement(self, params, a, b):
        """Return the share of common ticks."""
        one, other = set(a["ticked"]), set(b["ticked"])
        return len(one & other) / len(one | other) if one | other else 1.0


def changed(schema, pointer, **changes):
    """Return a schema with keywords of one part changed; None takes one away."""
    name, _, rest = pointer.removeprefix("/").partition("/")
    if name:
        return {**schema, name: changed(schema[name], rest, **changes)}
    return {key: value for key, value in {**schema, **changes}.items() if value is not None}


BROKEN: dict[str, TaskType] = {}


def breaks(law):
    """Plant a type."""

    def plant(kind):
        BROKEN[law] = kind()
        return kind

    return plant


@breaks("attributes_are_well_formed")
class CapitalName(Tick):
    name = "Tick"


@breaks("schemas_are_valid")
class OldKeyword(Tick):
    params_schema = changed(PARAMS, "/properties/most", minimum=None, minimun=1)


@breaks("objects_are_closed")
class OpenObject(Tick):
    response_schema = changed(RESPONSE, "", additionalProperties=None)


@breaks("references_are_local")
class RemoteReference(Tick):
    params_schema = changed(PARAMS, "/properties/most", **{"$ref": "https://example.com/most.json"})


@breaks("properties_are_described")
class NoDescription(Tick):
    params_schema = changed(PARAMS, "/properties/most", description=None)


@breaks("empty_response_is_refused")
class NothingRequired(Tick):
    response_schema = changed(RESPONSE, "", required=None)


@breaks("examples_hold")
class WrongExample(Tick):
    examples = (*Tick.examples, ({"options": ["a", "b"], "most": 1}, {"ticked": ["a", "b"]}))


@breaks("values_can_be_drawn")
class UnusualPattern(Tick):
    params_schema = changed(PARAMS, "/properties/options/items", pattern=r"^\p{L}+$")


@breaks("ui_points_at_what_exists")
class StalePointer(Tick):
    ui = {"show": ["/options/*", "/picture"]}


@breaks("hotkeys_do_not_clash")
class OneKeyTwice(Tick):
    ui = {"hotkeys": {"/ticked": ["1", "2", "1"]}}


@breaks("the_element_is_shipped")
class BringsNoModule(Tick):
    ui = {"element": {"name": "tick-list", "module": "tick_list.js"}}


@breaks("params_never_crash")
class WholeNumbersOnly(Tick):
    """Crashes on 2.0, which is an integer in JSON Schema."""

    def check_params(self, params):
        if len([None] * params["most"]) > 5:
            yield Issue("/most", "Too many.", "too_many")


@breaks("inputs_are_not_changed")
class SortsInPlace(Tick):
    def normalize(self, params, response):
        response["ticked"].sort()
        return response["ticked"]


@breaks("narrowed_schema_is_valid")
class NarrowsToNothing(Tick):
    """Forgets what is required when there is one option."""

    def response_schema_for(self, params):
        schema = super().response_schema_for(params)
        return changed(schema, "", required=None) if len(params["options"]) == 1 else schema


@breaks("mock_is_valid")
class MockTicksAll(Tick):
    def mock_response(self, params, rng):
        return {"ticked": list(params["options"])}


@breaks("mock_is_repeatable")
class MockByGlobalChance(Tick):
    def mock_response(self, params, rng):
        return {"ticked": random.sample(params["options"], 1)}


@breaks("junk_is_answered")
class TrustsTheOrder(Tick):
    """Looks at the first tick where there may be none."""

    def check_response(self, params, response):
        if response["ticked"][0] not in params["options"]:
            yield Issue("/ticked/0", "Not an option.", "not_in_list")
        yield from super().check_response(params, response)


@breaks("issues_point_into_the_document")
class PointsFromOutside(Tick):
    def check_response(self, params, response):
        for issue in super().check_response(params, response):
            yield issue.under("/response")


@breaks("values_survive_json")
class NormalizesToASet(Tick):
    def normalize(self, params, response):
        return frozenset(response["ticked"])

    def aggregate(self, params, answers):
        return None


@breaks("aggregate_ignores_order")
class FirstAnswerWins(Tick):
    def aggregate(self, params, answers):
        return Verdict(response=answers[0].response, confidence=1 / len(answers))


@breaks("unanimous_answers_win")
class NeverDecides(Tick):
    def aggregate(self, params, answers):
        return None


@breaks("verdict_is_valid")
class TicksWhatAnybodyTicked(Tick):
    """The union may be more than the task allows."""

    def aggregate(self, params, answers):
        ticked = sorted({tick for answer in answers for tick in answer.response["ticked"]})
        return Verdict(response={"ticked": ticked}, confidence=1.0)


@breaks("agreement_is_a_share")
class AgreesByCount(Tick):
    def agreement(self, params, a, b):
        return 1.0 if a == b else 1.0 * len(set(a["ticked"]) & set(b["ticked"])) - 0.5


@breaks("agreement_is_symmetric")
class AgreesOneWay(Tick):
    def agreement(self, params, a, b):
        return len(set(a["ticked"]) & set(b["ticked"])) / len(a["ticked"]) if a["ticked"] else 1.0


@breaks("agreement_with_itself_is_full")
class EmptyAgreesWithNothing(Tick):
    def agreement(self, params, a, b):
        both = set(a["ticked"]) | set(b["ticked"])
        return len(set(a["ticked"]) & set(b["ticked"])) / len(both) if both else 0.0


@breaks("same_input_gives_the_same")
class CountsItsCalls(Tick):
    """Gives every answer a serial number."""

    calls = 0

    def normalize(self, params, response):
        type(self).calls += 1
        return [*sorted(response["ticked"]), type(self).calls]


@breaks("form_gives_the_answer_back")
class HidesTheAnswer(Tick):
    ui = {"widgets": {"/ticked": "hidden"}}


class WeightsInOrder(Tick):
    """Sums weights in the order of the answers: a tie depends on rounding."""

    def aggregate(self, params, answers):
        sums = {}
        for answer in answers:
            key = tuple(sorted(answer.response["ticked"]))
            sums[key] = sums.get(key, 0.0) + answer.weight
        best = max(sums, key=lambda key: (sums[key], key))
        return Verdict(response={"ticked": list(best)}, confidence=min(1.0, sums[best] / math.fsum(sums.values())))


class OverSure(Tick):
    def aggregate(self, params, answers):
        found = super().aggregate(params, answers)
        return Verdict(response=found.response, confidence=100 * found.confidence)


class Flickers(Tick):
    """Now right, now wrong, on the same input."""

    calls = 0

    def check_response(self, params, response):
        type(self).calls += 1
        if type(self).calls % 3 == 0:
            yield Issue("/nowhere/at/all", "Sometimes.", "sometimes")


class Plugin:
    """A plugin with the sound type."""

    @hookimpl
    def register_task_types(self):
        """Return it."""
        return [Tick()]
