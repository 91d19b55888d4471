"""Hypothesis strategies for the params and responses of the bundled task types.

The conformance laws draw from them; nothing else does, so that only tests need
Hypothesis. Most of what is drawn is accepted, some of it is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from workersai_core.api import JsonObject
from workersai_plugins import attachments

__all__ = [
    "attached",
    "audio_params",
    "audio_response",
    "categorization_params",
    "categorization_response",
    "chosen",
    "collection_params",
    "comparison_params",
    "labels",
    "ranking_params",
    "ranking_response",
    "rating_params",
    "rating_response",
    "respelled",
    "text_params",
    "text_response",
]

Strategy = st.SearchStrategy[Any]

_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\x00")
_FORMS: Strategy = st.sampled_from(["NFC", "NFD"])
_NAMES = ["big", "Big", "small", "큰 개", "작은 개", "café", "cafe\u0301", "a/b", "~0", " "]
_WORDS = st.sampled_from([*_NAMES, unicodedata.normalize("NFD", "큰 개")])
_SPOKEN = [
    "um",
    "Hello,",
    "hello",
    "world!",
    "it's",
    "IT’S",
    "air-tight",
    "음",
    "여보세요?",
    "私は",
    "3.5",
    "...",
    "— so",
]
_SAID = st.sampled_from(_SPOKEN)
_URLS = st.sampled_from(
    ["https://example.com/1.jpg", "http://10.0.0.7:8080/a?b=c#d", "HTTPS://예시.example/사진.png", "https://[::1]/x"]
)
_TEXTS = st.lists(_SAID, min_size=1, max_size=6).map(" ".join) | st.text(_CHARACTERS, min_size=1, max_size=9)
_SPEAKERS = st.sampled_from([{}, {"speaker": "A"}, {"speaker": "나"}])


# PERF: Hypothesis examines each new strategy; those that are made once are examined once.
@cache
def labels(least: int = 2, most: int = 6, longest: int = 8) -> Strategy:
    """Return lists of short texts that differ in Unicode NFC."""
    text = _WORDS | st.text(_CHARACTERS, min_size=1, max_size=longest)
    return st.lists(text, min_size=least, max_size=most, unique_by=lambda each: unicodedata.normalize("NFC", each))


@cache
def attached() -> Strategy:
    """Return an attachment and its type, as params."""
    texts = st.text(_CHARACTERS, min_size=1, max_size=20).map(lambda text: ("text", text))
    others = st.tuples(st.sampled_from([kind for kind in attachments.KINDS if kind != "text"]), _URLS)
    return (texts | others).map(lambda drawn: {"attachment_type": drawn[0], "attachment": drawn[1]})


def respelled(values: Sequence[str]) -> Strategy:
    """Return one of the values, in any of its Unicode forms."""
    return st.tuples(_FORMS, st.sampled_from(values)).map(lambda drawn: unicodedata.normalize(*drawn))


# --- categorization ----------------------------------------------------------------------------------


@cache
@st.composite
def categorization_params(draw: st.DrawFn) -> Any:
    """Draw params of `categorization`, with and without ids."""
    params = {**draw(attached()), "categories": draw(labels())}
    categories = params["categories"]
    if draw(st.booleans()):
        params["allow_multiple"] = draw(st.booleans())
    if draw(st.booleans()):
        ids = draw(labels(len(categories), len(categories)))
        params["category_ids"] = dict(zip(ids, draw(st.permutations(categories)), strict=True))
    return params


@st.composite
def categorization_response(draw: st.DrawFn, params: JsonObject) -> Any:
    """Draw a response of `categorization`, in any spelling of the categories."""
    picked = draw(st.lists(st.sampled_from(params["categories"]), min_size=1, max_size=4, unique=True))
    if not params.get("allow_multiple", False):
        picked = picked[:1]
    response = {"category": [unicodedata.normalize(draw(_FORMS), category) for category in picked]}
    if "category_ids" in params:
        ids = {unicodedata.normalize("NFC", category): name for name, category in params["category_ids"].items()}
        response["category_id"] = [ids[unicodedata.normalize("NFC", category)] for category in picked]
    return response if params.get("allow_multiple", False) else {name: each[0] for name, each in response.items()}


# --- audio_transcription -----------------------------------------------------------------------------


@cache
def audio_params() -> Strategy:
    """Return params of `audio_transcription`."""
    return st.fixed_dictionaries(
        {"attachment": _URLS},
        optional={
            "attachment_type": st.just("audio"),
            "language": st.sampled_from(["en", "ko-KR", "de", "zh-Hant-TW", "x-own", "EN", "no_tag"]),
            "verbatim": st.booleans(),
            "phrases": labels(0, 3),
            "max_duration": st.floats(0.001, 100),
        },
    )


@st.composite
def audio_response(draw: st.DrawFn, params: JsonObject) -> Any:
    """Draw a response of `audio_transcription`, with times that fit more often than not."""
    said = draw(st.lists(_SAID | st.text(_CHARACTERS, min_size=1, max_size=4), max_size=6))
    duration = draw(st.floats(0, params.get("max_duration", 100)))
    response: dict[str, Any] = {"transcript": draw(st.sampled_from([" ", "\n", ""])).join(said), "duration": duration}
    times = sorted(draw(st.lists(st.floats(0, duration), min_size=len(said) + 1, max_size=len(said) + 1)))
    spans = list(zip(said, times, times[1:], strict=False))
    if draw(st.booleans()):
        response["alignment"] = [{"word": word, "start": start, "end": end} for word, start, end in spans]
    if draw(st.booleans()):
        response["segments"] = [
            {"start": start, "end": end, "text": word, **draw(_SPEAKERS)} for word, start, end in spans
        ]
    if draw(st.integers(0, 3)) == 0:
        response["error"] = draw(st.sampled_from(["noise", "잡음", " "]))
    return response


# --- comparison --------------------------------------------------------------------------------------


@cache
def comparison_params() -> Strategy:
    """Return params of `comparison`."""
    one = attached().map(_side)
    wrong = st.sampled_from([{"type": "image", "text": "a"}, {"type": "text"}])
    return st.fixed_dictionaries(
        {"attachments": st.lists(st.one_of(one, one, one, wrong), min_size=2, max_size=4)},
        optional={"choices": labels()},
    )


def _side(drawn: JsonObject) -> JsonObject:
    kind = drawn["attachment_type"]
    return {"type": kind, "text" if kind == "text" else "url": drawn["attachment"]}


def chosen(name: str, values: Sequence[str]) -> Strategy:
    """Return responses that hold one of the values under a name, in any of its Unicode forms."""
    return respelled(values).map(lambda value: {name: value})


# --- text_response -----------------------------------------------------------------------------------


@cache
def text_params() -> Strategy:
    """Return params of `text_response`."""
    rest = st.fixed_dictionaries(
        {},
        optional={
            "language": st.sampled_from(["en", "ko", "no_tag"]),
            "min_length": st.integers(1, 40),
            "max_length": st.integers(1, 200),
        },
    )
    return st.builds(lambda about, more: {**about, **more}, st.just({}) | attached(), rest)


def text_response(params: JsonObject) -> Strategy:
    """Return responses of `text_response`."""
    return _TEXTS.map(
        lambda text: {"text": text.ljust(params.get("min_length", 1), "가")[: params.get("max_length", 200)]}
    )


# --- rating ------------------------------------------------------------------------------------------


@cache
@st.composite
def rating_params(draw: st.DrawFn) -> Any:
    """Draw params of `rating`, with decimal steps too."""
    scales: Strategy = st.sampled_from([{}, {"min": 0}, {"min": 0, "max": 1, "step": 0.1}, {"min": -2.5, "step": 0.5}])
    long = st.builds(lambda low, size: {"min": low, "max": low + size}, st.integers(-99, 99), st.integers(-1, 1001))
    params = {**draw(attached()), **draw(scales | long)}
    labels_of = st.dictionaries(st.sampled_from(["0", "1", "1.0", "5", "x", "NaN"]), st.sampled_from(["나쁨", " "]))
    if draw(st.booleans()):
        params["labels"] = draw(labels_of)
    return params


def rating_response(values: Sequence[float]) -> Strategy:
    """Return responses of `rating`, as integers and as floats."""
    return st.tuples(st.sampled_from(values), st.booleans()).map(
        lambda drawn: {"rating": float(drawn[0]) if drawn[1] else drawn[0]}
    )


# --- ranking -----------------------------------------------------------------------------------------


@cache
def ranking_params() -> Strategy:
    """Return params of `ranking`, short ones and such as are too long for the exact rule."""
    many = labels(9, 11)
    return st.builds(lambda about, items: {**about, "items": items}, st.just({}) | attached(), labels() | many)


def ranking_response(params: JsonObject) -> Strategy:
    """Return responses of `ranking`, each in one spelling of the items."""
    return st.tuples(_FORMS, st.permutations(params["items"])).map(
        lambda drawn: {"ranking": [unicodedata.normalize(drawn[0], item) for item in drawn[1]]}
    )


# --- data_collection ---------------------------------------------------------------------------------


@cache
@st.composite
def collection_params(draw: st.DrawFn) -> Any:
    """Draw params of `data_collection`; now and then a limit does not go with a field's type."""
    fields = [draw(_field(name)) for name in draw(labels(1, 4))]
    return {**draw(st.just({}) | attached()), "fields": fields}


def _field(name: str) -> Strategy:
    number = st.floats(-1000, 1000) | st.integers(-1000, 1000)
    limits = st.fixed_dictionaries({}, optional={"minimum": number, "maximum": number})
    by_kind: dict[str, Strategy] = {
        **dict.fromkeys(("boolean", "date", "email", "url"), st.just({})),
        "number": limits,
        "integer": limits,
        "text": st.just({}) | st.builds(lambda most: {"max_length": most}, st.integers(1, 99)),
        "choice": st.builds(lambda values: {"choices": values}, labels()),
    }
    return st.sampled_from(sorted(by_kind)).flatmap(
        lambda kind: st.builds(
            lambda more, common: {"name": name, "type": kind, **more, **common},
            by_kind[kind],
            st.sampled_from([{}, {}, {"required": True}, {"required": False, "title": "제목"}, {"max_length": 3}]),
        )
    )
