"""The task type `text_response`: write a text, such as a translation, a caption or a summary.

Texts of different people are rarely the same, so they are compared by ROUGE-L
(Lin 2004): the longest common subsequence of their words, by their length.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rapidfuzz.distance import Indel

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import attachments, languages, weighing
from workersai_plugins.choices import nfc, shown
from workersai_plugins.words import forms

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["TextResponse", "register_task_types"]

_MAX_LENGTH = 20_000
_MOCKED = {"en": "This is a sample answer.", "ko": "예시로 쓴 답입니다."}


class TextResponse(TaskType):
    """Write a text about an attachment, or about what the instruction says."""

    name = "text_response"
    summary = "Write a text: translate, describe, summarize, answer."
    params_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "dependentRequired": {"attachment": ["attachment_type"], "attachment_type": ["attachment"]},
        "properties": {
            **attachments.properties("What to write about", "무엇에 대해 쓸지"),
            "language": {
                "title": "Language of the answer",
                "x-title-ko": "답의 언어",
                "type": "string",
                "description": "The language to write in, as a BCP 47 tag such as en or ko-KR.",
                "x-description-ko": "답을 쓸 언어. en이나 ko-KR 같은 BCP 47 태그로 적습니다.",
                "minLength": 2,
                "maxLength": 100,
            },
            "min_length": {
                "type": "integer",
                "description": "The least number of characters.",
                "x-description-ko": "최소 글자 수",
                "minimum": 1,
                "maximum": _MAX_LENGTH,
                "default": 1,
            },
            "max_length": {
                "type": "integer",
                "description": "The greatest number of characters.",
                "x-description-ko": "최대 글자 수",
                "minimum": 1,
                "maximum": _MAX_LENGTH,
                "default": _MAX_LENGTH,
            },
        },
    }
    response_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["text"],
        "properties": {
            "text": {
                "title": "Text",
                "x-title-ko": "글",
                "description": "What you write.",
                "x-description-ko": "여기에 글을 씁니다.",
                "type": "string",
                "minLength": 1,
                "maxLength": _MAX_LENGTH,
            }
        },
    }
    examples = (
        (
            {
                "attachment_type": "image",
                "attachment": "https://example.com/dogs/1.jpg",
                "language": "en",
                "max_length": 140,
            },
            {"text": "A small dog sleeps on a red sofa."},
        ),
        (
            {"attachment_type": "text", "attachment": "The parcel came a day early.", "language": "ko"},
            {"text": "소포가 하루 일찍 왔어요."},
        ),
    )
    ui: ClassVar[JsonObject] = {"show": ["/attachment", "/language"]}

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the schema with this task's lengths."""
        limits = {"minLength": params.get("min_length", 1), "maxLength": params.get("max_length", _MAX_LENGTH)}
        text = {**self.response_schema["properties"]["text"], **limits}
        return {**self.response_schema, "properties": {"text": text}}

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield a wrong attachment, a malformed language tag, and lengths that nothing has."""
        if "attachment" in params:
            yield from attachments.attachment_issues(params["attachment_type"], params["attachment"])
        language = params.get("language")
        if language is not None and not languages.is_well_formed(language):
            text = f"A language is a BCP 47 tag such as en, ko-KR or zh-Hant; this is {shown(language)}."
            yield Issue("/language", text, "invalid_language")
        least, most = params.get("min_length", 1), params.get("max_length", _MAX_LENGTH)
        if least > most:
            text = f"At least min_length, {least}; this is {most}."
            yield Issue("/max_length", text, "too_small")

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield a text of nothing but white space."""
        if not response["text"].strip():
            yield Issue("/text", "The text is only white space.", "blank")

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Write a sentence that says it is a sample, in Korean where the task asks for it, as long as it must be."""
        sentence = _MOCKED.get(languages.primary(params.get("language", "en")), _MOCKED["en"])
        least, most = params.get("min_length", 1), params.get("max_length", _MAX_LENGTH)
        count = max(rng.randint(1, 3), least // len(sentence) + 1)
        text = " ".join([sentence] * count)[:most]
        # What was cut off must not leave white space at the end.
        return {"text": text[:-1] + sentence[0] if text[-1] == " " else text}

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the words; a text without words is compared as it is, in NFC."""
        return {"text": _said(response)}

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return the ROUGE-L F measure of the two texts."""
        return Indel.normalized_similarity(_said(a), _said(b))

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return the text that agrees best with all others; it stays as its author wrote it.

        The confidence is the mean agreement of all answers with it. Of equal
        ones the heavier wins, then the one that is first in sort order.
        """
        ranked = sorted(answers, key=lambda answer: (-answer.weight, json.dumps(answer.response, sort_keys=True)))
        said = [(_said(answer.response), answer.weight) for answer in ranked]
        best, confidence = weighing.typical(said, Indel.normalized_similarity)
        return Verdict(response=ranked[best].response, confidence=confidence)

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.text_params()

    def response_strategy(self, params: JsonObject) -> SearchStrategy[Any]:
        """Return responses for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.text_response(params)


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [TextResponse()]


def _said(response: Json) -> list[str]:
    text = response["text"]
    return forms(text) or [nfc(text.strip())]
