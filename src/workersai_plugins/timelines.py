"""Entries with a ``start`` and an ``end`` in seconds, along a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workersai_core.api import Issue, JsonObject
from workersai_plugins.choices import nfc, shown
from workersai_plugins.pointers import pointer

__all__ = ["TOLERANCE_S", "overlap_issues", "time_issues"]

TOLERANCE_S = 0.1
"""Players round durations and recordings are padded; a time may be so much too late."""


def time_issues(name: str, entries: Sequence[JsonObject], duration: float) -> Iterator[Issue]:
    """Yield ends before their start or after the recording's, and starts before the previous one."""
    previous = 0.0
    for position, entry in enumerate(entries):
        start, end = entry["start"], entry["end"]
        if end < start:
            text = f"The end, {end} s, is before the start, {start} s."
            yield Issue(pointer(name, position, "end"), text, "out_of_order")
        elif end > duration + TOLERANCE_S:
            text = f"At most the duration, {duration} s; this is {end}."
            yield Issue(pointer(name, position, "end"), text, "too_large")
        if start < previous:
            text = f"The entries are in the order of their starts; {start} s comes after {previous} s."
            yield Issue(pointer(name, position, "start"), text, "out_of_order")
        previous = max(previous, start)


def overlap_issues(name: str, segments: Sequence[JsonObject]) -> Iterator[Issue]:
    """Yield where somebody speaks in two segments at once."""
    until: dict[str, float] = {}
    for position, segment in enumerate(segments):
        speaker = nfc(segment.get("speaker", ""))
        if segment["start"] < until.get(speaker, 0.0):
            who = shown(speaker) if speaker else "the same speaker"
            text = f"Until {until[speaker]} s {who} is still in the segment before."
            yield Issue(pointer(name, position, "start"), text, "overlap")
        until[speaker] = max(until.get(speaker, 0.0), segment["end"])
