"""A small task type for tests of the engine, independent of the bundled ones."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from workersai_core.api import Issue, Json, TaskType, Verdict, hookimpl


class Pick(TaskType):
    """Pick one of the options."""

    name = "pick"
    aliases = ("choose",)
    summary = "Pick one of the options."
    params_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["options"],
        "properties": {
            "options": {
                "type": "array",
                "description": "What to pick from.",
                "minItems": 1,
                "maxItems": 9,
                "items": {"type": "string", "description": "One option.", "minLength": 1},
            }
        },
    }
    response_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["choice"],
        "properties": {"choice": {"type": "string", "description": "The option picked."}},
    }
    examples = (({"options": ["a", "b"]}, {"choice": "a"}),)

    def check_response(self, params, response):
        """Refuse what is not an option."""
        if response["choice"] not in params["options"]:
            yield Issue("/choice", "Not one of the options.", "not_in_list")

    def mock_response(self, params, rng):
        """Pick by chance."""
        return {"choice": rng.choice(params["options"])}


class Unanimous(Pick):
    """Pick, and ask on until two answers agree."""

    name = "unanimous"
    aliases = ()

    def aggregate(self, params, answers):
        """Return the first choice that two workers made."""
        choices = sorted(answer.response["choice"] for answer in answers)
        agreed = [a for a, b in pairwise(choices) if a == b]
        return Verdict(response={"choice": agreed[0]}, confidence=1.0) if agreed else None


class TestTypes:
    """A plugin with the task types of this module."""

    __test__ = False

    @hookimpl
    def register_task_types(self):
        """Return them."""
        return [Pick(), Unanimous()]
