"""What `webvtt` and `srt` have in common: cues from transcripts, and a zip with a document for each task.

A document has the segments of one `audio_transcription` in the order of their
start. A transcript without segments is one cue as long as the recording. Tasks
of other types, and those without a result, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from workersai_core.api import JsonObject
from workersai_plugins.archives import archive
from workersai_plugins.exporting import ExportedTask, is_completed

__all__ = ["TASK_TYPE", "Cue", "clock", "documents"]

TASK_TYPE = "audio_transcription"


class Cue(NamedTuple):
    """Something said, with its times in milliseconds."""

    start: int
    end: int
    speaker: str
    text: str
    """One or more lines, none of them blank."""


def documents(
    tasks: Iterable[ExportedTask], extension: str, document: Callable[[ExportedTask, Sequence[Cue]], str]
) -> Iterator[bytes]:
    """Yield a zip with a document for each transcribed task, named by its `external_id`."""
    done = (task for task in tasks if is_completed(task, TASK_TYPE))
    return archive((f"{task.external_id}.{extension}", document(task, _cues(task.response))) for task in done)


def clock(milliseconds: int, point: str) -> str:
    """Return a time as ``hours:minutes:seconds``, then `point` and the milliseconds."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"


def _cues(response: JsonObject) -> list[Cue]:
    whole = {"start": 0, "end": response["duration"], "text": response["transcript"]}
    cues = []
    for segment in response.get("segments") or [whole]:
        text = "\n".join(line.strip() for line in segment["text"].splitlines() if line.strip())
        start, end = round(segment["start"] * 1000), round(segment["end"] * 1000)
        if text:
            # Both formats want an end after the start, also of what is shorter than they can say.
            cues.append(Cue(start, max(end, start + 1), " ".join(segment.get("speaker", "").split()), text))
    return sorted(cues, key=lambda cue: (cue.start, cue.end))
