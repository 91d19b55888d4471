"""What the demo asks people to label, and what they answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

__all__ = ["CATEGORIZATION", "SAMPLES", "TRANSCRIPTION", "Sample", "to_try"]


@attrs.frozen(kw_only=True)
class Sample:
    """One task and the answer that a careful person gives."""

    task_type: str
    instruction: str
    params: dict[str, Any]
    answer: dict[str, Any]


CATEGORIZATION = Sample(
    task_type="categorization",
    instruction="What does the customer want to say? 고객의 의견을 분류해 주세요.",
    params={
        "attachment_type": "text",
        "attachment": "배송이 정말 빨라요! The parcel came a day early.",
        "categories": ["praise", "complaint", "question"],
    },
    answer={"category": "praise"},
)
TRANSCRIPTION = Sample(
    task_type="audio_transcription",
    instruction="Write down what you hear.",
    params={"attachment": "https://example.com/calls/0042.wav", "language": "en", "max_duration": 10},
    answer={"transcript": "thank you for calling", "duration": 1.8},
)
SAMPLES: Sequence[Sample] = (CATEGORIZATION, TRANSCRIPTION)


def to_try(origin: str, examples: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield a task type and params for each type there is, to be done in the console.

    Args:
        origin: Where the sample media lie.
        examples: The params of each type's first example; their pictures and
            sounds are replaced by ours, so that there is something to see.
    """
    yield CATEGORIZATION.task_type, CATEGORIZATION.params
    picture = {"attachment_type": "image", "attachment": f"{origin}/dogs.svg"}
    yield "categorization", {**picture, "categories": ["one dog", "several dogs", "no dog"]}
    for name, params in examples.items():
        if name != "categorization":
            yield name, _with_our_media(params, origin)


def _with_our_media(params: Mapping[str, Any], origin: str) -> Mapping[str, Any]:
    kind = params.get("attachment_type")
    if params.get("attachment", "").startswith("http"):
        sound = kind == "audio" or "max_duration" in params or "verbatim" in params
        return {**params, "attachment": f"{origin}/tune.wav" if sound else f"{origin}/dogs.svg"}
    return params
