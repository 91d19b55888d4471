"""The export format `srt`: a zip with a SubRip file for each transcribed recording.

SubRip knows neither speakers nor escapes: a speaker stands before the text
with a colon, and an arrow within the text loses a dash, so that it is not read
as the times of a cue. Nor has it comments, in which it could say what was
recorded, so it is not imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from workersai_core.api import hookimpl
from workersai_plugins.exporting import ExportedTask
from workersai_plugins.subtitles import Cue, clock, documents

__all__ = ["Srt", "register_exporters"]


class Srt:
    """Writes transcripts as SubRip."""

    media_type = "application/zip"
    file_extension = "zip"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Yield the zip."""
        return documents(tasks, "srt", _document)


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"srt": Srt()}


def _document(_: ExportedTask, cues: Sequence[Cue]) -> str:
    return "\n".join(f"{number}\n{_times(cue)}\n{_said(cue)}\n" for number, cue in enumerate(cues, start=1))


def _times(cue: Cue) -> str:
    return f"{clock(cue.start, ',')} --> {clock(cue.end, ',')}"


def _said(cue: Cue) -> str:
    text = f"{cue.speaker}: {cue.text}" if cue.speaker else cue.text
    return text.replace("-->", "->")
