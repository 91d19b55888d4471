"""The format `webvtt`: a zip with a WebVTT file for each transcribed recording.

W3C, "WebVTT: The Web Video Text Tracks Format". The speaker is a voice span.
A comment, which players pass over, holds the task and what a response has
besides its segments.

An import takes a zip or a folder. Of segments their times come back to the
millisecond, in the order of their start, and their texts without blank lines.
A file without the comment does not say what was recorded, so it is refused.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

from workersai_core.api import JsonObject, hookimpl
from workersai_plugins.archives import Entries
from workersai_plugins.exporting import OURS, ExportedTask, Found, compact, guarded, original, parse_json, restored
from workersai_plugins.subtitles import TASK_TYPE, Cue, clock, documents

__all__ = ["WebVtt", "register_exporters"]

_NOTE = f"NOTE {OURS} "
_SEGMENTS = "segments"
_CLOCK = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMES = re.compile(rf"{_CLOCK}[ \t]+-->[ \t]+{_CLOCK}(?:[ \t].*)?")
_VOICE = re.compile(r"<v(?:\.[^ \t>]*)?[ \t]+([^>]*)>")
_TAG = re.compile(r"<[^>]*>")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class WebVtt:
    """Writes and reads transcripts as WebVTT."""

    media_type = "application/zip"
    file_extension = "zip"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Yield the zip."""
        return documents(tasks, "vtt", _document)

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """Yield a task for each WebVTT file.

        Raises:
            Rejected: it is no zip.
        """
        entries = Entries(file)
        for name in entries.names(".vtt"):
            yield name, guarded(_task, entries, name)


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"webvtt": WebVtt()}


def _document(task: ExportedTask, cues: Sequence[Cue]) -> str:
    response = task.response
    # An empty list has no cues of its own, so that it stands in the comment.
    rest = {name: value for name, value in response.items() if name != _SEGMENTS or not value}
    ours = compact({**original(task), "response": rest, "segmented": bool(response.get(_SEGMENTS))}).decode()
    # What looks like an arrow would begin a cue.
    note = ours.replace(">", "\\u003e")
    return f"WEBVTT\n\n{_NOTE}{note}\n" + "".join(f"\n{_times(cue)}\n{_said(cue)}\n" for cue in cues)


def _times(cue: Cue) -> str:
    return f"{clock(cue.start, '.')} --> {clock(cue.end, '.')}"


def _said(cue: Cue) -> str:
    # Escaped, the text holds no arrow, which would begin another cue.
    text = cue.text.translate(_ESCAPES)
    return f"<v {cue.speaker.translate(_ESCAPES)}>{text}</v>" if cue.speaker else text


# --- reading -----------------------------------------------------------------------------------------


def _task(entries: Entries, name: str) -> JsonObject:
    lines = re.split(r"\r\n|\r|\n", entries.text(name))
    if not re.fullmatch(r"WEBVTT([ \t].*)?", lines[0]):
        raise ValueError("the first line of a WebVTT file is WEBVTT")
    note = next((line.removeprefix(_NOTE) for line in lines if line.startswith(_NOTE)), "{}")
    given = restored({OURS: parse_json(note)}, TASK_TYPE)
    if given is None:
        raise ValueError(f"there is no comment beginning with {_NOTE.strip()}, so what was recorded is not known")
    task = {key: value for key, value in given.items() if key != "segmented"}
    if not given["segmented"]:
        return task
    return {**task, "response": {**given["response"], _SEGMENTS: list(_segments(lines))}}


def _segments(lines: Sequence[str]) -> Iterator[JsonObject]:
    texts = iter(lines)
    for line in texts:
        times = _TIMES.fullmatch(line)
        if times is None:
            continue
        said = []
        while text := next(texts, ""):
            said.append(text)
        start, end = (_seconds(times.groups()[n : n + 4]) for n in (0, 4))
        whole = "\n".join(said)
        voice = _VOICE.match(whole)
        speaker = {} if voice is None else {"speaker": html.unescape(voice[1])}
        yield {"start": start, "end": end, **speaker, "text": html.unescape(_TAG.sub("", whole))}


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60_000 + seconds * 1000 + thousandths) / 1000
