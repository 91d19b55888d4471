"""The task type `comparison`: look at several things side by side and choose."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import attachments, choices, weighing
from workersai_plugins.pointers import pointer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Comparison", "register_task_types"]

_LETTERS = "ABCDEF"
_HOTKEYS = list("1234567890abcdefghijklmnopqrstuvwxyz")


class Comparison(TaskType):
    """Choose between attachments, or say in the requester's words how they compare.

    Without ``choices`` the attachments are called A, B and so on in their
    order. Choices are compared in Unicode NFC.
    """

    name = "comparison"
    summary = "Compare texts, images or other attachments and choose."
    params_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["attachments"],
        "properties": {
            "attachments": {
                "type": "array",
                "description": "What is to be compared; they are called A, B and so on.",
                "x-description-ko": "비교할 첨부. 차례대로 A, B 등으로 부릅니다.",
                "minItems": 2,
                "maxItems": len(_LETTERS),
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["type"],
                    "properties": {
                        "type": {
                            "type": "string",
                            "description": "What it is; a text has text, everything else has url.",
                            "x-description-ko": "첨부의 종류. 글이면 text를, 나머지는 url을 적습니다.",
                            "enum": list(attachments.KINDS),
                        },
                        "url": {
                            "title": "Attachment",
                            "x-title-ko": "볼 것",
                            "type": "string",
                            "description": "Its http or https URL.",
                            "x-description-ko": "첨부의 http 또는 https URL",
                            "minLength": 1,
                            "maxLength": attachments.MAX_URL,
                        },
                        "text": {
                            "title": "Text",
                            "x-title-ko": "글",
                            "type": "string",
                            "description": "The text itself.",
                            "x-description-ko": "글 자체",
                            "minLength": 1,
                            "maxLength": attachments.MAX_TEXT,
                        },
                    },
                },
            },
            "choices": {
                "type": "array",
                "description": "What to choose from, no two the same in Unicode NFC; by default A, B and so on.",
                "x-description-ko": "선택지. 유니코드 NFC 기준으로 모두 달라야 합니다. 기본값은 A, B 등입니다.",
                "minItems": 2,
                "maxItems": 50,
                "uniqueItems": True,
                "items": {
                    "type": "string",
                    "description": "One choice.",
                    "x-description-ko": "선택지 하나",
                    "minLength": 1,
                    "maxLength": 200,
                },
            },
        },
    }
    response_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["choice"],
        "properties": {
            "choice": {
                "title": "Choice",
                "x-title-ko": "선택",
                "description": "One of the choices.",
                "x-description-ko": "하나를 고르세요.",
                "type": "string",
            }
        },
    }
    examples = (
        (
            {
                "attachments": [
                    {"type": "image", "url": "https://example.com/dogs/1.jpg"},
                    {"type": "image", "url": "https://example.com/dogs/2.jpg"},
                ]
            },
            {"choice": "B"},
        ),
        (
            {
                "attachments": [
                    {"type": "text", "text": "비가 오니 우산을 챙기세요."},
                    {"type": "text", "text": "우산을 챙기세요, 비가 오니까요."},
                ],
                "choices": ["첫째가 자연스럽다", "둘째가 자연스럽다", "비슷하다"],
            },
            {"choice": "첫째가 자연스럽다"},
        ),
    )
    ui: ClassVar[JsonObject] = {
        "show": [f"/attachments/{n}/{name}" for n in range(len(_LETTERS)) for name in ("url", "text")],
        "widgets": {"/choice": "choices"},
        "hotkeys": {"/choice": _HOTKEYS},
    }

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the schema with this task's choices."""
        choice = {**self.response_schema["properties"]["choice"], **choices.schema(_choices(params))}
        return {**self.response_schema, "properties": {"choice": choice}}

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield attachments that have not what goes with their type, and repeated choices."""
        for position, attachment in enumerate(params["attachments"]):
            yield from _attachment_issues(position, attachment)
        yield from choices.issues(params.get("choices", ()), "choices")

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield a choice that is none of the task's in any spelling."""
        yield from choices.chosen_issues(response["choice"], _choices(params), "choice")

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Choose by chance."""
        return {"choice": rng.choice(_choices(params))}

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the choice in NFC."""
        return {"choice": choices.nfc(response["choice"])}

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return the choice that most made, as the requester spelled it; a tie goes to the smallest in NFC."""
        best, share = weighing.plurality((choices.nfc(answer.response["choice"]), answer.weight) for answer in answers)
        return Verdict(response={"choice": choices.spellings(_choices(params))[best]}, confidence=share)

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.comparison_params()

    def response_strategy(self, params: JsonObject) -> SearchStrategy[Any]:
        """Return responses for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.chosen("choice", _choices(params))


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [Comparison()]


def _choices(params: JsonObject) -> Sequence[str]:
    offered: Sequence[str] = params.get("choices", list(_LETTERS[: len(params["attachments"])]))
    return offered


def _attachment_issues(position: int, attachment: JsonObject) -> Iterator[Issue]:
    kind = attachment["type"]
    wanted, other = ("text", "url") if kind == "text" else ("url", "text")
    if other in attachment:
        text = f"An attachment of type {kind} has {wanted} and no {other}."
        yield Issue(pointer("attachments", position, other), text, "not_allowed")
    where = pointer("attachments", position, wanted)
    if wanted in attachment:
        yield from attachments.attachment_issues(kind, attachment[wanted], where)
    else:
        yield Issue(where, f"An attachment of type {kind} has {wanted}.", "required")
