"""The format `spacy`: named entities as JSON Lines with character offsets and tokens.

The lines are those of Prodigy, which spaCy's recipes and converters take:
`text`, `tokens` and `spans`, with `token_start` and `token_end` (the last
token, not the one after it) for spans of whole tokens. Nothing is lost: spans
may overlap. `cut` reports the numbers of the spans that begin or end within a
token; `Doc.char_span` returns nothing for these. Tokens are those of `conll`.

An import takes lines with `spans`, or with `entities` as spaCy's training data
has them, ``[[start, end, label], …]``. Other tools pass over `workersai`; of
lines without it the labels are those of the whole file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from workersai_core.api import Issue, JsonObject, hookimpl
from workersai_plugins.conll_format import tokens_of
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

__all__ = ["Spacy", "register_exporters"]

_TASK_TYPE = "named_entity_recognition"


class Spacy:
    """Writes and reads named entities with their offsets."""

    media_type = "application/x-ndjson"
    file_extension = "jsonl"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Yield the lines."""
        for task in tasks:
            if is_completed(task, _TASK_TYPE):
                yield compact({**_line(task.params["text"], task.response["spans"]), OURS: original(task)}) + b"\n"

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """Yield the tasks with the numbers of their lines.

        Raises:
            Rejected: the file is not UTF-8.
        """
        labels: set[str] = set()
        for _, line in objects_of(file):
            found = line if isinstance(line, Issue) else guarded(_labels, line)
            if not isinstance(found, Issue):
                labels.update(found["labels"])
        file.seek(0)
        for number, line in objects_of(file):
            yield number, line if isinstance(line, Issue) else guarded(_task, line, sorted(labels))


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"spacy": Spacy()}


def _line(text: str, spans: Sequence[JsonObject]) -> JsonObject:
    tokens = tokens_of(text)
    starts = {start: n for n, (start, _) in enumerate(tokens)}
    ends = {end: n for n, (_, end) in enumerate(tokens)}
    written: list[JsonObject] = []
    cut = []
    for number, span in enumerate(spans):
        start, end = int(span["start"]), int(span["end"])
        whole: JsonObject = {}
        if start in starts and end in ends:
            whole = {"token_start": starts[start], "token_end": ends[end]}
        else:
            cut.append(number)
        written.append({"start": start, "end": end, "label": span["label"], **whole})
    listed = [
        {"text": text[start:end], "start": start, "end": end, "id": n, "ws": text[end : end + 1] == " "}
        for n, (start, end) in enumerate(tokens)
    ]
    return {"text": text, "tokens": listed, "spans": written, "cut": cut}


def _triples(line: JsonObject) -> list[tuple[int, int, str]]:
    spans = line.get("spans")
    if spans is None:
        return [(int(start), int(end), str(label)) for start, end, label in line.get("entities", ())]
    return [(int(span["start"]), int(span["end"]), str(span["label"])) for span in spans]


def _labels(line: JsonObject) -> JsonObject:
    return {"labels": [label for _, _, label in _triples(line)]}


def _task(line: JsonObject, labels: Sequence[str]) -> JsonObject:
    text = line["text"]
    params: dict[str, Any] = {"text": text, "labels": list(labels) or ["entity"], "overlap": "any"}
    given = restored(line, _TASK_TYPE) or {"task_type": _TASK_TYPE, "params": params}
    spans = [
        {"start": start, "end": end, "label": label, "text": text[start:end]} for start, end, label in _triples(line)
    ]
    if any(not 0 <= span["start"] < span["end"] <= len(text) for span in spans):
        raise ValueError("a span is not within the text")
    return {**given, "response": {"spans": spans}}
