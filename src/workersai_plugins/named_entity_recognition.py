"""The task type `named_entity_recognition`: mark and label spans of a text.

Offsets count Unicode code points, as Python does, from 0; a span ends before
its ``end``. Its ``text`` must be what stands there, so that a client that
counts in other units (UTF-16, bytes) finds out at once.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import attachments, choices, weighing
from workersai_plugins.choices import shown
from workersai_plugins.pointers import pointer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["NamedEntityRecognition", "register_task_types"]

_MAX_SPANS = 2000
_OFFSET = {"type": "integer", "minimum": 0, "maximum": attachments.MAX_TEXT}


class Span(NamedTuple):
    """A labeled span; the label is in NFC."""

    start: int
    end: int
    label: str


class NamedEntityRecognition(TaskType):
    """Mark spans of a text and label them. Spans are the same when their ends and their labels are."""

    name = "named_entity_recognition"
    aliases = ("ner",)
    summary = "Mark and label names and other spans of a text."
    params_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["text", "labels"],
        "properties": {
            "text": {
                "title": "Text",
                "x-title-ko": "글",
                "type": "string",
                "description": "The text to mark spans in.",
                "x-description-ko": "구간을 표시할 글",
                "minLength": 1,
                "maxLength": attachments.MAX_TEXT,
            },
            "labels": {
                "title": "Labels",
                "x-title-ko": "이름표",
                "type": "array",
                "description": "What a span may be; no two may be the same in Unicode NFC.",
                "x-description-ko": "구간에 붙일 수 있는 이름표. 유니코드 NFC 기준으로 모두 달라야 합니다.",
                "minItems": 1,
                "maxItems": 100,
                "uniqueItems": True,
                "items": {
                    "type": "string",
                    "description": "One label.",
                    "x-description-ko": "이름표 하나",
                    "minLength": 1,
                    "maxLength": 100,
                },
            },
            "overlap": {
                "type": "string",
                "description": (
                    "Whether spans may share characters: none; nested, one within the other; any, in every way."
                ),
                "x-description-ko": (
                    "구간이 겹칠 수 있는지. none: 겹치지 않음, "
                    "nested: 한쪽이 다른 쪽 안에 있을 때만, any: 어떻게든 겹칠 수 있음"
                ),
                "enum": ["none", "nested", "any"],
                "default": "none",
            },
        },
    }
    response_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["spans"],
        "properties": {
            "spans": {
                "title": "Spans",
                "x-title-ko": "구간",
                "description": "The spans found, in any order; none when there is nothing to label.",
                "x-description-ko": "찾은 구간. 없으면 비워 둡니다.",
                "type": "array",
                "maxItems": _MAX_SPANS,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["start", "end", "label", "text"],
                    "properties": {
                        "start": {
                            "title": "Start",
                            "x-title-ko": "시작",
                            "description": "How many Unicode code points stand before it.",
                            "x-description-ko": "구간 앞에 있는 유니코드 코드 포인트의 수",
                            **_OFFSET,
                        },
                        "end": {
                            "title": "End",
                            "x-title-ko": "끝",
                            "description": "The start plus its length in code points.",
                            "x-description-ko": "시작에 구간의 길이(코드 포인트 수)를 더한 값",
                            **_OFFSET,
                        },
                        "label": {
                            "title": "Label",
                            "x-title-ko": "이름표",
                            "description": "One of the labels.",
                            "x-description-ko": "이름표 중 하나",
                            "type": "string",
                        },
                        "text": {
                            "title": "Text",
                            "x-title-ko": "내용",
                            "description": "What stands there, character by character.",
                            "x-description-ko": "구간에 있는 글을 글자 그대로 옮깁니다.",
                            "type": "string",
                            "minLength": 1,
                            "maxLength": attachments.MAX_TEXT,
                        },
                    },
                },
            }
        },
    }
    examples = (
        (
            {"text": "Ada Lovelace was born in London.", "labels": ["person", "place"]},
            {
                "spans": [
                    {"start": 0, "end": 12, "label": "person", "text": "Ada Lovelace"},
                    {"start": 25, "end": 31, "label": "place", "text": "London"},
                ]
            },
        ),
        (
            {"text": "서울대학교는 관악구에 있다.", "labels": ["기관", "장소"], "overlap": "nested"},
            {
                "spans": [
                    {"start": 0, "end": 5, "label": "기관", "text": "서울대학교"},
                    {"start": 0, "end": 2, "label": "장소", "text": "서울"},
                    {"start": 7, "end": 10, "label": "장소", "text": "관악구"},
                ]
            },
        ),
    )
    ui: ClassVar[JsonObject] = {"show": ["/text", "/labels"], "widgets": {"/spans": "spans"}}

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the schema with this task's labels and the length of its text."""
        spans = self.response_schema["properties"]["spans"]
        item = spans["items"]
        properties = {
            **item["properties"],
            "start": {**item["properties"]["start"], "maximum": len(params["text"]) - 1},
            "end": {**item["properties"]["end"], "minimum": 1, "maximum": len(params["text"])},
            "label": {**item["properties"]["label"], **choices.schema(params["labels"])},
        }
        item = {**item, "properties": properties}
        return {**self.response_schema, "properties": {"spans": {**spans, "items": item}}}

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield a blank text and repeated labels."""
        if not params["text"].strip():
            yield Issue("/text", "The text is only white space.", "blank")
        yield from choices.issues(params["labels"], "labels")

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield spans that are empty, quote something else, come twice or overlap where they may not."""
        wrong = False
        for n, span in enumerate(response["spans"]):
            for issue in _span_issues(params, span, "spans", n):
                wrong = True
                yield issue
        if not wrong:
            yield from _overlap_issues(_spans(response), params.get("overlap", "none"))

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Label one to three words by chance; where there are no words, the whole text."""
        found = [word.span() for word in re.finditer(r"\w+", params["text"])] or [(0, len(params["text"]))]
        picked = sorted(rng.sample(found, min(len(found), rng.randint(1, 3))))
        return {"spans": [_answered(params, Span(*each, rng.choice(params["labels"]))) for each in picked]}

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the spans in order, labels in NFC."""
        return [list(span) for span in sorted(_spans(response))]

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return the F measure: twice the common spans by all spans of both."""
        first, second = set(_spans(a)), set(_spans(b))
        return 2 * len(first & second) / (len(first) + len(second)) if first or second else 1.0

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return the spans that more than half of the weight marked.

        They keep the task's rule of overlap by themselves: for any two of them
        there is somebody who marked both. The confidence is the mean share of
        those who agree with the verdict about a span, over all that anybody
        marked.
        """
        everybody = [answer.weight for answer in answers]
        votes: dict[Span, list[float]] = {}
        for answer in answers:
            for span in _spans(answer.response):
                votes.setdefault(span, []).append(answer.weight)
        winners = {span for span, weights in votes.items() if weighing.is_majority(weights, everybody)}
        shares = [(span in winners, weighing.share(weights, everybody)) for span, weights in votes.items()]
        agreed = [share if won else 1 - share for won, share in shares]
        # There may be more than one answer may have: two of three workers can agree on each.
        kept = sorted(winners, key=lambda span: (-math.fsum(votes[span]), span))[:_MAX_SPANS]
        response = {"spans": [_answered(params, span) for span in sorted(kept)]}
        return Verdict(response=response, confidence=weighing.mean(agreed) if agreed else 1.0)

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import text_strategies

        return text_strategies.entity_params()

    def response_strategy(self, params: JsonObject) -> SearchStrategy[Any]:
        """Return responses for the conformance laws."""
        from workersai_plugins import text_strategies

        return text_strategies.entity_response(params)


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [NamedEntityRecognition()]


def _spans(response: Json) -> list[Span]:
    # 2.0 is an integer too, and nothing to cut a text with.
    return [Span(int(each["start"]), int(each["end"]), choices.nfc(each["label"])) for each in response["spans"]]


def _answered(params: JsonObject, span: Span) -> Mapping[str, Any]:
    """Return a span as it is answered, its label as the requester spells it."""
    label = choices.spellings(params["labels"])[choices.nfc(span.label)]
    return {"start": span.start, "end": span.end, "label": label, "text": params["text"][span.start : span.end]}


# --- issues ------------------------------------------------------------------------------------------


def _span_issues(params: JsonObject, span: JsonObject, *steps: str | int) -> Iterator[Issue]:
    start, end = int(span["start"]), int(span["end"])
    if end <= start:
        yield Issue(pointer(*steps, "end"), f"The end comes after the start, {start}; this is {end}.", "too_small")
    elif span["text"] != (there := params["text"][start:end]):
        text = f"At {start} to {end}, counted in Unicode code points, stands {shown(there)}, not {shown(span['text'])}."
        yield Issue(pointer(*steps, "text"), text, "differs")
    yield from choices.chosen_issues(span["label"], params["labels"], *steps, "label")


def _overlap_issues(spans: Sequence[Span], policy: str) -> Iterator[Issue]:
    """Yield which spans come twice, and which share characters with one before them in a way that is not allowed."""
    seen: dict[Span, int] = {}
    for n, span in enumerate(spans):
        first = seen.setdefault(span, n)
        if first != n:
            yield Issue(pointer("spans", n), f"This span is the same as the one at {first}.", "duplicate_item")
    if policy == "any":
        return
    inside: list[tuple[int, int]] = []
    """The (end, position) of the spans around the present place, the outermost first."""
    order = sorted(seen, key=lambda span: (span.start, -span.end, span.label))
    for span in order:
        inside = [each for each in inside if each[0] > span.start]
        conflict = _conflict(span, inside, policy)
        if conflict is not None:
            text = f"Spans may not overlap here; this one shares characters with the one at {conflict}."
            if policy == "nested":
                text = f"A span may lie within another, not across its end; this one crosses the one at {conflict}."
            yield Issue(pointer("spans", seen[span]), text, "overlap")
        inside.append((span.end, seen[span]))


def _conflict(span: Span, inside: Sequence[tuple[int, int]], policy: str) -> int | None:
    for end, position in inside:
        if policy == "none" or span.end > end:
            return position
    return None
