"""The export format `webvtt`: a zip with a WebVTT file for each transcribed recording.

W3C, "WebVTT: The Web Video Text Tracks Format". The speaker is a voice span.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from workersai_core.api import hookimpl
from workersai_plugins.exporting import ExportedTask
from workersai_plugins.subtitles import Cue, clock, documents

__all__ = ["WebVtt", "register_exporters"]

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class WebVtt:
    """Writes transcripts as WebVTT."""

    media_type = "application/zip"
    file_extension = "zip"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Yield the zip."""
        return documents(tasks, "vtt", _document)


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"webvtt": WebVtt()}


def _document(cues: Sequence[Cue]) -> str:
    return "WEBVTT\n" + "".join(f"\n{_times(cue)}\n{_said(cue)}\n" for cue in cues)


def _times(cue: Cue) -> str:
    return f"{clock(cue.start, '.')} --> {clock(cue.end, '.')}"


def _said(cue: Cue) -> str:
    # Escaped, the text holds no arrow, which would begin another cue.
    text = cue.text.translate(_ESCAPES)
    return f"<v {cue.speaker.translate(_ESCAPES)}>{text}</v>" if cue.speaker else text
