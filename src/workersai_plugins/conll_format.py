"""The export format `conll`: named entities as IOB2, a token and its tag on each line.

Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 Shared Task",
with the tags of IOB2: ``B-`` begins an entity, ``I-`` goes on, ``O`` is none.
Each task is one sequence, after a comment with its id and before a blank line.
A token is a run of letters, digits, marks and underscores, or one other
character. White space in a label becomes an underscore.

Not everything fits, and comments before the tokens report it: ``# cut`` a span
that begins or ends within a token, which then is tagged as a whole; ``# left
out`` a span whose tokens an earlier or longer one has, for a token has one tag.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from workersai_core.api import JsonObject, hookimpl
from workersai_plugins.exporting import ExportedTask, is_completed

__all__ = ["Conll", "register_exporters", "tokens_of"]

Token = tuple[int, int]
"""Where a token begins and ends, in code points."""


class Conll:
    """Writes named entities as IOB2."""

    media_type = "text/plain; charset=utf-8"
    file_extension = "conll"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Yield a sequence for each task."""
        for task in tasks:
            if is_completed(task, "named_entity_recognition"):
                lines = [f"# id\t{task.external_id}", *_lines(task.params["text"], task.response["spans"])]
                yield ("\n".join(lines) + "\n\n").encode()


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
        label = "_".join(span["label"].split())
        for n in covered:
            tags[n] = f"{'B' if n == covered[0] else 'I'}-{label}"
    for (start, end), tag in zip(tokens, tags, strict=True):
        yield f"{text[start:end]}\t{tag}"


def _report(what: str, span: JsonObject) -> str:
    # The text as JSON, because it may hold line breaks.
    return f"# {what}\t{span['start']}\t{span['end']}\t{json.dumps([span['label'], span['text']], ensure_ascii=False)}"
