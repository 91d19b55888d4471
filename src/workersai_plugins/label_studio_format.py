"""The format `label_studio`: tasks with their annotations as Label Studio exports and imports them in JSON.

Each type but `keypoint`, whose points Label Studio does not hold together.
What is marked in an image needs the size of the image; without it the task
goes without annotations. The member `workersai` of `meta`, which Label Studio
keeps, holds the task and what of a response has no place in results.

An import takes what Label Studio exports. Responses are what the annotations
say, the last that was not skipped. Of tasks without our `meta` the results
tell the type: rectangles, polygons, labels in a text, and choices can be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from workersai_core.api import JsonObject, hookimpl
from workersai_plugins.attachments import KINDS as ATTACHMENTS
from workersai_plugins.exporting import (
    OURS,
    ExportedTask,
    Found,
    compact,
    document_of,
    guarded,
    is_completed,
    original,
    restored,
)
from workersai_plugins.label_studio_results import KINDS, Result
from workersai_plugins.marked_images import image_params

__all__ = ["LabelStudio", "register_exporters"]

_FOREIGN = {
    "rectanglelabels": "bounding_box",
    "polygonlabels": "polygon",
    "labels": "named_entity_recognition",
    "choices": "categorization",
}


class LabelStudio:
    """Writes and reads tasks of Label Studio."""

    media_type = "application/json"
    file_extension = "json"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Yield the array."""
        yield b"["
        done = (task for task in tasks if is_completed(task, *KINDS))
        for number, task in enumerate(done, start=1):
            yield (b"" if number == 1 else b",\n") + compact(_written(number, task))
        yield b"]\n"

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """Yield the tasks with their numbers in the array, from 1.

        Raises:
            Rejected: the file is no array in JSON.
        """
        document = document_of(file, list)
        labels: dict[str, set[str]] = {}
        for each in document:
            guarded(_gather, each, labels)
        for number, each in enumerate(document, start=1):
            yield number, guarded(_task, each, labels)


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"label_studio": LabelStudio()}


# --- writing -----------------------------------------------------------------------------------------


def _written(number: int, task: ExportedTask) -> JsonObject:
    kind, params, response = KINDS[task.task_type], task.params, task.response
    results = kind.write(params, response)
    rest = {name: response[name] for name in kind.rest if name in response}
    if task.task_type == "audio_transcription" and response.get("segments") == []:
        rest["segments"] = []
    # An answer that says there is nothing has an annotation too, unless it could not be written.
    answered = bool(results) or _says_nothing(response)
    return {
        "id": number,
        "data": _data(task.task_type, params),
        "annotations": [{"id": number, "result": results, "was_cancelled": False}] if answered else [],
        "meta": {OURS: {**original(task), "response": rest}},
    }


def _says_nothing(response: JsonObject) -> bool:
    return not any(response.values())


def _data(task_type: str, params: JsonObject) -> JsonObject:
    """Return what Label Studio shows."""
    if task_type == "named_entity_recognition":
        return {"text": params["text"]}
    if task_type == "audio_transcription":
        return {"audio": params["attachment"]}
    if task_type in ("bounding_box", "polygon"):
        return {"image": params["attachment"]}
    if task_type == "comparison":
        shown = [each.get("text", each.get("url", "")) for each in params["attachments"]]
        return {chr(ord("A") + n): each for n, each in enumerate(shown)}
    if task_type == "ranking":
        return {"items": [{"id": each, "title": each} for each in params["items"]]}
    return {params["attachment_type"]: params["attachment"]} if "attachment" in params else {}


# --- reading -----------------------------------------------------------------------------------------


def _results(entry: JsonObject) -> Sequence[Result] | None:
    """Return the results of the last annotation that was not skipped."""
    done = [each for each in entry.get("annotations", ()) if not each.get("was_cancelled")]
    return done[-1]["result"] if done else None


def _gather(entry: JsonObject, labels: dict[str, set[str]]) -> JsonObject:
    """Collect the labels of the whole file by the kind of their results."""
    for each in _results(entry) or ():
        if each["type"] in _FOREIGN:
            labels.setdefault(each["type"], set()).update(each["value"][each["type"]])
    return labels


def _task(entry: JsonObject, labels: Mapping[str, set[str]]) -> JsonObject:
    results = _results(entry)
    meta = entry.get("meta")
    given = restored(meta, *KINDS) if isinstance(meta, dict) else None
    if given is None:
        given = _foreign(entry["data"], results or (), labels)
    task = {name: value for name, value in given.items() if name != "response"}
    if results is None:
        return task
    response = KINDS[given["task_type"]].read(given["params"], results)
    return {**task, "response": {**response, **given.get("response", {})}}


def _foreign(data: JsonObject, results: Sequence[Result], labels: Mapping[str, set[str]]) -> JsonObject:
    """Return the task for one of Label Studio's own.

    Raises:
        ValueError: its type cannot be told.
    """
    kind = next((each["type"] for each in results if each["type"] in _FOREIGN), None)
    name, shown = next(((name, each) for name, each in data.items() if isinstance(each, str)), ("", ""))
    if kind is None or not shown:
        raise ValueError(f"the type cannot be told; there is no result of {', '.join(_FOREIGN)}, or nothing to show")
    task_type, offered = _FOREIGN[kind], sorted(labels[kind])
    if task_type == "named_entity_recognition":
        return {"task_type": task_type, "params": {"text": shown, "labels": offered, "overlap": "any"}}
    if task_type != "categorization":
        first = next(each for each in results if each["type"] == kind)
        size = (first["original_width"], first["original_height"])
        return {"task_type": task_type, "params": image_params(shown, offered, size)}
    attached = name if name in ATTACHMENTS else "website" if "://" in shown else "text"
    params: dict[str, Any] = {"attachment_type": attached, "attachment": shown, "categories": offered}
    if any(len(each["value"]["choices"]) > 1 for each in results if each["type"] == kind):
        params["allow_multiple"] = True
    return {"task_type": task_type, "params": params}
