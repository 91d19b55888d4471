"""The task type `rating`: give what is shown a number on a scale."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, ClassVar

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import attachments, weighing
from workersai_plugins.choices import shown
from workersai_plugins.pointers import pointer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Rating", "register_task_types"]

_DEFAULTS = {"min": 1, "max": 5, "step": 1}
_MOST_VALUES = 1001
_HOTKEYS = list("1234567890abcdefghijklmno")
"""For the values in their order."""
_MOST_LISTED = len(_HOTKEYS)
"""A longer scale is not offered value by value."""
_LARGEST = 1_000_000


class Rating(TaskType):
    """Rate on a scale from ``min`` to ``max`` in steps.

    Values are compared as decimal numbers, so that steps of 0.1 are exact.
    """

    name = "rating"
    summary = "Rate a text, an image or another attachment on a scale."
    params_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["attachment_type", "attachment"],
        "properties": {
            **attachments.properties("What is to be rated", "평가할 것"),
            "min": {
                "type": "number",
                "description": "The lowest value.",
                "x-description-ko": "가장 낮은 값",
                "minimum": -_LARGEST,
                "maximum": _LARGEST,
                "default": _DEFAULTS["min"],
            },
            "max": {
                "type": "number",
                "description": "The highest value.",
                "x-description-ko": "가장 높은 값",
                "minimum": -_LARGEST,
                "maximum": _LARGEST,
                "default": _DEFAULTS["max"],
            },
            "step": {
                "type": "number",
                "description": f"From one value to the next; a scale has at most {_MOST_VALUES} values.",
                "x-description-ko": f"값 사이의 간격. 눈금의 값은 최대 {_MOST_VALUES}개입니다.",
                "exclusiveMinimum": 0,
                "maximum": 2 * _LARGEST,
                "default": _DEFAULTS["step"],
            },
            "labels": {
                "type": "object",
                "description": 'What values mean, as {value: text}, for example {"1": "bad", "5": "good"}.',
                "x-description-ko": '값의 뜻. {값: 글} 형태로 적습니다. 예: {"1": "나쁨", "5": "좋음"}.',
                "minProperties": 1,
                "maxProperties": 100,
                "propertyNames": {"minLength": 1, "maxLength": 32},
                "additionalProperties": {
                    "type": "string",
                    "description": "What the value means.",
                    "x-description-ko": "값의 뜻",
                    "minLength": 1,
                    "maxLength": 200,
                },
            },
        },
    }
    response_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["rating"],
        "properties": {
            "rating": {
                "title": "Rating",
                "x-title-ko": "평점",
                "description": "A value of the scale.",
                "x-description-ko": "눈금에서 하나를 고르세요.",
                "type": "number",
            }
        },
    }
    examples = (
        (
            {
                "attachment_type": "image",
                "attachment": "https://example.com/photos/1.jpg",
                "labels": {"1": "blurred", "5": "sharp"},
            },
            {"rating": 4},
        ),
        (
            {
                "attachment_type": "text",
                "attachment": "배송이 정말 빨라요!",
                "min": 0,
                "max": 1,
                "step": 0.25,
                "labels": {"0": "불만", "1": "만족"},
            },
            {"rating": 0.75},
        ),
    )
    ui: ClassVar[JsonObject] = {
        "show": ["/attachment"],
        "widgets": {"/rating": "scale"},
        "hotkeys": {"/rating": _HOTKEYS},
    }

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the schema with this task's values: one by one with their labels, or by their limits when many."""
        values = _values(params)
        if len(values) <= _MOST_LISTED:
            labels = _labels(params)
            limits: dict[str, Any] = {"oneOf": [{"const": each, "title": _title(each, labels)} for each in values]}
        else:
            limits = {"minimum": values[0], "maximum": values[-1]}
        rating = {**self.response_schema["properties"]["rating"], **limits}
        return {**self.response_schema, "properties": {"rating": rating}}

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield a wrong attachment, a scale that cannot be, and labels of values that it does not have."""
        yield from attachments.attachment_issues(params["attachment_type"], params["attachment"])
        problem = _scale_issue(params)
        if problem is not None:
            yield problem
        elif "labels" in params:
            yield from _label_issues(params)

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield a number that lies between two values of the scale."""
        low, _, step = _scale(params)
        if (_exact(response["rating"]) - low) % step != 0:
            text = (
                f"A value of the scale, {_plain(low)} and on in steps of {_plain(step)}; this is {response['rating']}."
            )
            yield Issue("/rating", text, "not_in_list")

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Take any value of the scale."""
        return {"rating": rng.choice(_values(params))}

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return how near two ratings are: 1.0 for the same, 0.0 for the ends of the scale."""
        low, high, _ = _scale(params)
        return float(1 - abs(_exact(a["rating"]) - _exact(b["rating"])) / (high - low))

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return the weighted median, the lower one of two; the confidence is the mean agreement with it."""
        middle = weighing.median((answer.response["rating"], answer.weight) for answer in answers)
        response = {"rating": _plain(_exact(middle))}
        near = [(self.agreement(params, response, answer.response), answer.weight) for answer in answers]
        return Verdict(response=response, confidence=weighing.average(near))

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.rating_params()

    def response_strategy(self, params: JsonObject) -> SearchStrategy[Any]:
        """Return responses for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.rating_response(_values(params))


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [Rating()]


# --- the scale ---------------------------------------------------------------------------------------


def _exact(number: float) -> Decimal:
    """Return a number as the decimal fraction that JSON wrote."""
    return Decimal(str(number))


def _plain(number: Decimal) -> float:
    """Return a decimal number for JSON, whole ones as integers."""
    return int(number) if number == number.to_integral_value() else float(number)


def _scale(params: JsonObject) -> tuple[Decimal, Decimal, Decimal]:
    """Return the lowest value, the highest value and the step."""
    low, high, step = (_exact(params.get(name, default)) for name, default in _DEFAULTS.items())
    return low, high, step


def _values(params: JsonObject) -> list[float]:
    low, high, step = _scale(params)
    return [_plain(low + n * step) for n in range(int((high - low) / step) + 1)]


def _labels(params: JsonObject) -> Mapping[Decimal, str]:
    return {Decimal(value): text for value, text in params.get("labels", {}).items()}


def _title(value: float, labels: Mapping[Decimal, str]) -> str:
    label = labels.get(_exact(value))
    return str(value) if label is None else f"{value} – {label}"


# --- issues ------------------------------------------------------------------------------------------


def _scale_issue(params: JsonObject) -> Issue | None:
    low, high, step = _scale(params)
    if high <= low:
        text = f"The highest value is above the lowest, {_plain(low)}; this is {_plain(high)}."
        return Issue("/max" if "max" in params else "/min", text, "too_small" if "max" in params else "too_large")
    if (high - low) / step > _MOST_VALUES - 1:
        where = "/step" if "step" in params else "/max" if "max" in params else "/min"
        text = f"A scale has at most {_MOST_VALUES} values; from {_plain(low)} to {_plain(high)} there are more."
        return Issue(where, text, "too_many_items")
    if (high - low) % step != 0:
        text = f"Steps of {_plain(step)} from {_plain(low)} do not reach {_plain(high)}."
        return Issue("/step" if "step" in params else "/max" if "max" in params else "/min", text, "not_a_multiple")
    return None


def _label_issues(params: JsonObject) -> Iterator[Issue]:
    values = {_exact(value) for value in _values(params)}
    seen: set[Decimal] = set()
    for name, label in params["labels"].items():
        where = pointer("labels", name)
        value = _number(name)
        if value not in values:
            yield Issue(where, f"A label belongs to a value of the scale; {shown(name)} is none.", "not_in_list")
        elif value in seen:
            yield Issue(where, f"The value {shown(name)} has a label already.", "duplicate_item")
        if not label.strip():
            yield Issue(where, "This label is only white space.", "blank")
        if value is not None:
            seen.add(value)


def _number(text: str) -> Decimal | None:
    """Return the number that a text is, or None."""
    try:
        number = Decimal(text) if text.isascii() else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None
