"""Hypothesis strategies for the params and responses of `named_entity_recognition` and `transcription`."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import strategies as st

from workersai_core.api import JsonObject
from workersai_plugins.strategies import labels, respelled

__all__ = ["entity_params", "entity_response", "transcription_params", "transcription_response"]

Strategy = st.SearchStrategy[Any]

_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\x00")
_TEXTS = st.sampled_from(
    ["Ada met Bob in Rome.", "👩‍🚀 서울에 산다", "a b a b", unicodedata.normalize("NFD", "김민지")]
)


def entity_params() -> Strategy:
    """Return params of `named_entity_recognition`."""
    return st.fixed_dictionaries(
        {"text": _TEXTS | st.text(_CHARACTERS, min_size=1, max_size=20), "labels": labels(1, 4, longest=100)},
        optional={"overlap": st.sampled_from(["none", "nested", "any"])},
    )


@st.composite
def entity_response(draw: st.DrawFn, params: JsonObject) -> Any:
    """Draw a response of `named_entity_recognition`, with spans that fit more often than not."""
    text, spans = params["text"], []
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    apart = list(zip(cuts[::2], cuts[1::2], strict=False))
    anywhere = [(low, high) for low in cuts for high in cuts if low < high]
    loose = params.get("overlap", "none") != "none" and anywhere
    picked = draw(st.lists(st.sampled_from(anywhere), max_size=3)) if loose else apart
    for start, end in picked:
        label = draw(respelled(params["labels"]))
        whole = draw(st.sampled_from([int, int, float]))
        spans.append({"start": whole(start), "end": end, "label": label, "text": text[start:end]})
    return {"spans": draw(st.permutations(spans))}


@st.composite
def transcription_params(draw: st.DrawFn) -> Any:
    """Draw params of `transcription`."""
    names = draw(labels(1, 4, longest=64))
    more = st.fixed_dictionaries({}, optional={"required": st.booleans(), "description": st.just("What stands there.")})
    params = {
        "attachment_type": draw(st.sampled_from(["image", "pdf"])),
        "attachment": draw(st.sampled_from(["https://example.com/1.pdf", "http://[::1]/사진.png"])),
        "fields": [{"name": name, **draw(more)} for name in names],
    }
    if draw(st.booleans()):
        params["language"] = draw(st.sampled_from(["en", "ko-KR", "no_tag"]))
    return params


def transcription_response(params: JsonObject) -> Strategy:
    """Return responses of `transcription`."""
    known = st.sampled_from(
        ["Total: 5", "total: 5", "Total:  5\n", "Total: 6", "합계 5", unicodedata.normalize("NFD", "합계 5")]
    )
    texts = known | st.text(_CHARACTERS, min_size=1, max_size=8)
    needed = {field["name"]: texts for field in params["fields"] if field.get("required", False)}
    others = {field["name"]: texts for field in params["fields"] if not field.get("required", False)}
    return st.fixed_dictionaries({"fields": st.fixed_dictionaries(needed, optional=others)})
