"""The task type `data_collection`: find out values and enter them field by field.

What a field of each kind is, how two of its values compare and how several
become one, is in `field_kinds`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import attachments, choices, weighing
from workersai_plugins.field_kinds import KINDS, Kind
from workersai_plugins.pointers import pointer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["DataCollection", "register_task_types"]

_LARGEST = 1e15


class DataCollection(TaskType):
    """Fill in the fields that the requester names, for example from a website."""

    name = "data_collection"
    summary = "Collect values into fields that you define."
    params_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["fields"],
        "dependentRequired": {"attachment": ["attachment_type"], "attachment_type": ["attachment"]},
        "properties": {
            **attachments.properties("Where to find the values", "값을 찾을 곳"),
            "fields": {
                "type": "array",
                "description": "What to collect; no two names may be the same in Unicode NFC.",
                "x-description-ko": "모을 항목. 이름은 유니코드 NFC 기준으로 모두 달라야 합니다.",
                "minItems": 1,
                "maxItems": 50,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["name", "type"],
                    "properties": {
                        "name": {
                            "type": "string",
                            "description": "Under which name the value comes back.",
                            "x-description-ko": "응답에서 값을 담을 이름",
                            "minLength": 1,
                            "maxLength": 64,
                        },
                        "type": {
                            "type": "string",
                            "description": "What kind of value it is; a date is written 2030-01-31.",
                            "x-description-ko": "값의 종류. 날짜는 2030-01-31처럼 적습니다.",
                            "enum": list(KINDS),
                        },
                        "required": {
                            "type": "boolean",
                            "description": "Whether there must be a value.",
                            "x-description-ko": "값이 꼭 있어야 하는지",
                            "default": False,
                        },
                        "title": {
                            "type": "string",
                            "description": "What workers see instead of the name.",
                            "x-description-ko": "이름 대신 작업자에게 보여 줄 제목",
                            "minLength": 1,
                            "maxLength": 200,
                        },
                        "description": {
                            "type": "string",
                            "description": "What the worker should know about it.",
                            "x-description-ko": "작업자에게 보여 줄 설명",
                            "minLength": 1,
                            "maxLength": 1000,
                        },
                        "choices": {
                            "type": "array",
                            "description": "What to choose from; with the type choice, and only there.",
                            "x-description-ko": "선택지. type이 choice이면 꼭 있어야 하고, 아니면 쓸 수 없습니다.",
                            "minItems": 2,
                            "maxItems": 200,
                            "uniqueItems": True,
                            "items": {
                                "type": "string",
                                "description": "One choice.",
                                "x-description-ko": "선택지 하나",
                                "minLength": 1,
                                "maxLength": 200,
                            },
                        },
                        "minimum": {
                            "type": "number",
                            "description": "The least value; with the types number and integer only.",
                            "x-description-ko": "가장 작은 값. type이 number나 integer일 때만 씁니다.",
                            "minimum": -_LARGEST,
                            "maximum": _LARGEST,
                        },
                        "maximum": {
                            "type": "number",
                            "description": "The greatest value; with the types number and integer only.",
                            "x-description-ko": "가장 큰 값. type이 number나 integer일 때만 씁니다.",
                            "minimum": -_LARGEST,
                            "maximum": _LARGEST,
                        },
                        "max_length": {
                            "type": "integer",
                            "description": "The greatest number of characters; with the type text only.",
                            "x-description-ko": "최대 글자 수. type이 text일 때만 씁니다.",
                            "minimum": 1,
                            "maximum": 20_000,
                            "default": 2000,
                        },
                    },
                },
            },
        },
    }
    response_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["fields"],
        "properties": {
            "fields": {
                "title": "Fields",
                "x-title-ko": "항목",
                "description": "The values by the names of their fields; what could not be found is left out.",
                "x-description-ko": "찾을 수 없는 값은 비워 둡니다.",
                "type": "object",
                "maxProperties": 50,
                "propertyNames": {"minLength": 1, "maxLength": 64},
                "additionalProperties": {"type": ["string", "number", "boolean"]},
            }
        },
    }
    examples = (
        (
            {
                "attachment_type": "website",
                "attachment": "https://example.com/cafe",
                "fields": [
                    {"name": "phone", "type": "text", "required": True, "max_length": 40},
                    {"name": "seats", "type": "integer", "minimum": 0},
                    {"name": "open_on_sunday", "type": "boolean"},
                ],
            },
            {"fields": {"phone": "+82 2 1234 5678", "open_on_sunday": True}},
        ),
        (
            {
                "attachment_type": "image",
                "attachment": "https://example.com/영수증/7.png",
                "fields": [
                    {"name": "date", "title": "날짜", "type": "date", "required": True},
                    {"name": "합계", "type": "number", "description": "부가세를 포함한 금액", "required": True},
                    {"name": "결제", "type": "choice", "choices": ["현금", "카드"]},
                ],
            },
            {"fields": {"date": "2030-01-31", "합계": 12500, "결제": "카드"}},
        ),
    )
    ui: ClassVar[JsonObject] = {"show": ["/attachment"]}

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the schema with this task's fields."""
        wide = self.response_schema["properties"]["fields"]
        fields = {
            **{text: wide[text] for text in ("title", "x-title-ko", "description", "x-description-ko")},
            "type": "object",
            "additionalProperties": False,
            "required": [field["name"] for field in params["fields"] if field.get("required", False)],
            "properties": {field["name"]: _property(field) for field in params["fields"]},
        }
        return {**self.response_schema, "properties": {"fields": fields}}

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield a wrong attachment, repeated names, and limits that do not go with a field's type."""
        if "attachment" in params:
            yield from attachments.attachment_issues(params["attachment_type"], params["attachment"])
        yield from _name_issues(params["fields"])
        for position, field in enumerate(params["fields"]):
            yield from _field_issues(field, "fields", position)

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield what a schema cannot say about the values: blank texts, wrong URLs, choices in any spelling."""
        for field, kind in _fields(params):
            if field["name"] in response["fields"]:
                yield from kind.issues(field, response["fields"][field["name"]], pointer("fields", field["name"]))

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Make up a value for each required field and for most others."""
        return {
            "fields": {
                field["name"]: kind.mock(field, rng)
                for field, kind in _fields(params)
                if field.get("required", False) or rng.random() < 0.75
            }
        }

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the values in the form in which those of their kind are compared."""
        values = response["fields"]
        return {
            "fields": {
                field["name"]: kind.form(values[field["name"]])
                for field, kind in _fields(params)
                if field["name"] in values
            }
        }

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return the mean agreement over all fields; where only one side has a value there is none."""
        return weighing.mean([_likeness(field["name"], kind, a, b) for field, kind in _fields(params)])

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return the value that the answers agree on best, field by field.

        A field that more than half leave out is left out. The confidence is
        the mean agreement of the answers with the verdict.
        """
        values: dict[str, Any] = {}
        for field, kind in _fields(params):
            name = field["name"]
            given = [(each.response["fields"].get(name), each.weight) for each in answers]
            found = [(value, weight) for value, weight in given if value is not None]
            missing = [weight for value, weight in given if value is None]
            if found and not weighing.is_majority(missing, [weight for _, weight in given]):
                values[name] = kind.combine(field, found)
        response = {"fields": values}
        alike = [(self.agreement(params, response, answer.response), answer.weight) for answer in answers]
        return Verdict(response=response, confidence=weighing.average(alike))

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.collection_params()


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [DataCollection()]


def _fields(params: JsonObject) -> list[tuple[JsonObject, Kind]]:
    return [(field, KINDS[field["type"]]) for field in params["fields"]]


def _property(field: JsonObject) -> JsonObject:
    title = field.get("title", field["name"])
    return {"title": title, "description": field.get("description", title), **KINDS[field["type"]].schema(field)}


def _likeness(name: str, kind: Kind, a: Json, b: Json) -> float:
    if name in a["fields"] and name in b["fields"]:
        return kind.likeness(a["fields"][name], b["fields"][name])
    return 1.0 if name not in a["fields"] and name not in b["fields"] else 0.0


# --- issues ------------------------------------------------------------------------------------------


def _name_issues(fields: Sequence[JsonObject]) -> Iterator[Issue]:
    for issue in choices.issues([field["name"] for field in fields], "fields"):
        yield Issue(f"{issue.pointer}/name", issue.message, issue.code)


def _field_issues(field: JsonObject, *steps: str | int) -> Iterator[Issue]:
    """Yield which limits of a field are missing, out of place or impossible."""
    kind = field["type"]
    for limit, kinds in _LIMITS.items():
        if limit in field and kind not in kinds:
            text = f"{limit} goes with the type {' and '.join(kinds)}, not with {kind}."
            yield Issue(pointer(*steps, limit), text, "not_allowed")
    if kind == "choice":
        if "choices" not in field:
            yield Issue(pointer(*steps, "choices"), "A field of the type choice has choices.", "required")
        yield from choices.issues(field.get("choices", ()), *steps, "choices")
    low, high = field.get("minimum"), field.get("maximum")
    if kind in _LIMITS["minimum"] and low is not None and high is not None:
        if low > high:
            yield Issue(pointer(*steps, "maximum"), f"At least the minimum, {low}; this is {high}.", "too_small")
        elif kind == "integer" and math.floor(high) < low:
            text = f"There is no whole number from {low} to {high}."
            yield Issue(pointer(*steps, "maximum"), text, "too_small")


_LIMITS = {
    "choices": ("choice",),
    "minimum": ("number", "integer"),
    "maximum": ("number", "integer"),
    "max_length": ("text",),
}
