"""The format `nemo`: transcripts as a manifest of NVIDIA NeMo, JSON Lines for training speech recognition.

NeMo, "Datasets" of speech recognition: `audio_filepath`, `duration` in seconds
and `text`; `lang` where the task says it. NeMo passes over `workersai`, which
holds the rest: segments, alignment and the task. A transcript with an `error`
is left out, for a model should not learn from half of what was said.

In an import a line of another tool is a task for its whole recording; `offset`
is passed over, and the response then left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from workersai_core.api import Issue, JsonObject, hookimpl
from workersai_plugins.exporting import (
    OURS,
    ExportedTask,
    Found,
    compact,
    guarded,
    is_completed,
    objects_of,
    original,
    restored,
)

__all__ = ["Nemo", "register_exporters"]

_TASK_TYPE = "audio_transcription"
_LINE = ("transcript", "duration")


class Nemo:
    """Writes and reads transcripts as a manifest of NeMo."""

    media_type = "application/x-ndjson"
    file_extension = "jsonl"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Yield the lines."""
        for task in tasks:
            if is_completed(task, _TASK_TYPE) and "error" not in (response := task.response):
                params = task.params
                rest = {name: value for name, value in response.items() if name not in _LINE}
                line = {
                    "audio_filepath": params["attachment"],
                    "duration": response["duration"],
                    "text": response["transcript"],
                    **({"lang": params["language"]} if "language" in params else {}),
                    OURS: {**original(task), "response": rest},
                }
                yield compact(line) + b"\n"

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """Yield the tasks with the numbers of their lines.

        Raises:
            Rejected: the file is not UTF-8.
        """
        for number, line in objects_of(file):
            yield number, line if isinstance(line, Issue) else guarded(_task, line)


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"nemo": Nemo()}


def _task(line: JsonObject) -> JsonObject:
    given = restored(line, _TASK_TYPE)
    if given is None:
        language = {"language": line["lang"]} if "lang" in line else {}
        given = {"task_type": _TASK_TYPE, "params": {"attachment": line["audio_filepath"], **language}}
    if "text" not in line or "duration" not in line or "offset" in line:
        return {name: value for name, value in given.items() if name != "response"}
    said = {"transcript": line["text"], "duration": line["duration"]}
    return {**given, "response": {**said, **given.get("response", {})}}
