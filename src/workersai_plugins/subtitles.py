"""What `webvtt` and `srt` have in common: cues from transcripts, and a zip with a document for each task.

A document has the segments of one `audio_transcription` in the order of their
start. A transcript without segments is one cue as long as the recording. Tasks
of other types, and those without a result, are left out.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from workersai_core.api import JsonObject
from workersai_plugins.exporting import ExportedTask, is_completed

__all__ = ["Cue", "archive", "clock"]

_TASK_TYPE = "audio_transcription"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file, so that the same export has the same bytes."""


class Cue(NamedTuple):
    """Something said, with its times in milliseconds."""

    start: int
    end: int
    speaker: str
    text: str
    """One or more lines, none of them blank."""


class _Pieces(io.RawIOBase):
    """A file that is only written to; what was written is taken out again."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # nothing but bytes comes here
        """Keep some bytes."""
        self._written.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        piece = b"".join(self._written)
        self._written.clear()
        return piece


def archive(tasks: Iterable[ExportedTask], extension: str, document: Callable[[Sequence[Cue]], str]) -> Iterator[bytes]:
    """Yield a zip with a document for each transcribed task, named by its `external_id`."""
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w") as archived:
        for task in tasks:
            if is_completed(task, _TASK_TYPE):
                information = zipfile.ZipInfo(f"{task.external_id}.{extension}", _LONG_AGO)
                information.compress_type = zipfile.ZIP_DEFLATED
                archived.writestr(information, document(_cues(task.response)))
                yield pieces.take()
    yield pieces.take()


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
