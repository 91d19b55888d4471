"""What the demo asks people to label, and what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

__all__ = ["CATEGORIZATION", "SAMPLES", "TRANSCRIPTION", "Sample"]


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
