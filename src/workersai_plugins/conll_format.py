"""The format `conll`: named entities as IOB2, a token and its tag on each line.

Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 Shared Task",
with the tags of IOB2: ``B-`` begins an entity, ``I-`` goes on, ``O`` is none.
Each task is one sequence, after a comment with its id and before a blank line.
A token is a run of letters, digits, marks and underscores, or one other
character. White space in a label becomes an underscore.

Not everything fits, and comments before the tokens report it: ``# cut`` a span
that begins or ends within a token, which then is tagged as a whole; ``# left
out`` a span whose tokens an earlier or longer one has, for a token has one tag.
White space at the ends of a span belongs to no token.

An import takes files of any number of columns, of which the first is the token
and the last its tag in IOB1, IOB2 or BIOES. The comment ``# workersai`` tells
the task; without it the text is the tokens with spaces in between, and the
labels are those of the whole file.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from workersai_core.api import JsonObject, hookimpl
from workersai_plugins.choices import nfc
from workersai_plugins.exporting import (
    OURS,
    ExportedTask,
    Found,
    compact,
    guarded,
    is_completed,
    lines_of,
    original,
    parse_json,
    restored,
)

__all__ = ["Conll", "register_exporters", "tokens_of"]

_TASK_TYPE = "named_entity_recognition"
_OUR_COMMENT = f"# {OURS}\t"
_COMMENT = "# "
_DOCUMENT = "-DOCSTART-"
_BEGINS, _GOES_ON = "BS", "IE"

Token = tuple[int, int]
"""Where a token begins and ends, in code points."""


class Conll:
    """Writes and reads named entities as IOB2."""

    media_type = "text/plain; charset=utf-8"
    file_extension = "conll"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Yield a sequence for each task."""
        for task in tasks:
            if is_completed(task, _TASK_TYPE):
                ours = compact(original(task)).decode()
                lines = [
                    f"# id\t{task.external_id}",
                    _OUR_COMMENT + ours,
                    *_lines(task.params["text"], task.response["spans"]),
                ]
                yield ("\n".join(lines) + "\n\n").encode()

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """Yield a task for each sequence, with the number of its first line.

        Raises:
            Rejected: the file is not UTF-8.
        """
        labels = sorted({label for each in _sequences(file) for _, tag in each.rows if (label := tag[2:])})
        file.seek(0)
        for each in _sequences(file):
            yield each.line, guarded(_task, each, labels)


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"conll": Conll()}


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text."""
    tokens: list[Token] = []
    inside = False
    for place, character in enumerate(text):
        in_word = character == "_" or unicodedata.category(character)[0] in "LMN"
        if in_word and inside:
            tokens[-1] = (tokens[-1][0], place + 1)
        elif not character.isspace():
            tokens.append((place, place + 1))
        inside = in_word
    return tokens


def _lines(text: str, spans: Sequence[JsonObject]) -> Iterator[str]:
    tokens = tokens_of(text)
    tags = ["O"] * len(tokens)
    for span in sorted(spans, key=lambda each: (each["start"], -each["end"], each["label"])):
        start, end = span["start"], span["end"]
        covered = [n for n, token in enumerate(tokens) if token[0] < end and start < token[1]]
        if not covered or any(tags[n] != "O" for n in covered):
            yield _report("left out", span)
            continue
        if tokens[covered[0]][0] < start or end < tokens[covered[-1]][1]:
            yield _report("cut", span)
        label = _tagged(span["label"])
        for n in covered:
            tags[n] = f"{'B' if n == covered[0] else 'I'}-{label}"
    for (start, end), tag in zip(tokens, tags, strict=True):
        yield f"{text[start:end]}\t{tag}"


def _report(what: str, span: JsonObject) -> str:
    # The text as JSON, because it may hold line breaks.
    return f"# {what}\t{span['start']}\t{span['end']}\t{json.dumps([span['label'], span['text']], ensure_ascii=False)}"


def _tagged(label: str) -> str:
    return "_".join(label.split())


# --- reading -----------------------------------------------------------------------------------------


class _Sequence(NamedTuple):
    """Tokens with their tags."""

    line: int
    ours: str
    """What the comment says that we wrote."""
    rows: Sequence[tuple[str, str]]


def _sequences(file: BinaryIO) -> Iterator[_Sequence]:
    rows: list[tuple[str, str]] = []
    first, ours = 0, ""
    for number, line in lines_of(file):
        if line.startswith(_COMMENT):
            ours = line.removeprefix(_OUR_COMMENT) if line.startswith(_OUR_COMMENT) else ours
        elif words := line.split():
            if words[0] != _DOCUMENT:
                first = first if rows else number
                rows.append((words[0], words[-1] if len(words) > 1 else ""))
        elif rows or ours:
            yield _Sequence(first or number, ours, rows)
            rows, first, ours = [], 0, ""
    if rows or ours:
        yield _Sequence(first, ours, rows)


def _task(sequence: _Sequence, labels: Sequence[str]) -> JsonObject:
    words = [word for word, _ in sequence.rows]
    given = restored({OURS: parse_json(sequence.ours)}, _TASK_TYPE) if sequence.ours else None
    if given is None:
        params: dict[str, Any] = {"text": " ".join(words), "labels": list(labels) or ["entity"]}
        given = {"task_type": _TASK_TYPE, "params": params}
    text = given["params"]["text"]
    spelled = {_tagged(nfc(label)): label for label in given["params"]["labels"]}
    spans = [
        {"start": start, "end": end, "label": spelled.get(nfc(label), label), "text": text[start:end]}
        for start, end, label in _spans(_places(text, words), [tag for _, tag in sequence.rows])
    ]
    return {**given, "response": {"spans": spans}}


def _places(text: str, words: Sequence[str]) -> Iterator[Token]:
    """Yield where the words stand in the text."""
    end = 0
    for word in words:
        start = text.find(word, end)
        if start < 0 or text[end:start].strip():
            raise ValueError(f"the text does not go on with {word[:64]}")
        end = start + len(word)
        yield start, end


def _spans(places: Iterable[Token], tags: Iterable[str]) -> list[tuple[int, int, str]]:
    spans: list[tuple[int, int, str]] = []
    going = ""
    for (start, end), tag in zip(places, tags, strict=True):
        kind, label = tag[:1], tag[2:]
        if tag == "O":
            label = ""
        elif tag[1:2] != "-" or not label or kind not in _BEGINS + _GOES_ON:
            raise ValueError(f"a tag is O or such as B-label; this is {tag[:64]!r}")
        elif kind in _GOES_ON and label == going:
            spans[-1] = (spans[-1][0], end, label)
        else:
            spans.append((start, end, label))
        going = label
    return spans
