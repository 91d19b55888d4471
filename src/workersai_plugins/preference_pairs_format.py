"""The export format `preference_pairs`: what people preferred, as JSON Lines for training on preferences.

Each line has `prompt`, `chosen` and `rejected`, as trainers of reward models
and of direct preference optimization read them, and the `external_id` and
`confidence` of the task. A `comparison` gives the chosen attachment against
each other one; with choices of the requester's own only those that are an
attachment's letter can be told to mean it, and others are left out. A
`ranking` gives each item against each one below it. An attachment that is no
text is its URL.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping

from workersai_core.api import JsonObject, hookimpl
from workersai_plugins.exporting import ExportedTask, is_completed

__all__ = ["PreferencePairs", "register_exporters"]

_LETTERS = "ABCDEF"
_COMPARISON = "comparison"
_RANKING = "ranking"


class PreferencePairs:
    """Writes comparisons and rankings as pairs."""

    media_type = "application/x-ndjson"
    file_extension = "jsonl"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Yield the lines."""
        for task in tasks:
            if not is_completed(task, _COMPARISON, _RANKING):
                continue
            params, response = task.params, task.response
            pairs = _compared(params, response) if task.task_type == _COMPARISON else _ranked(response)
            for chosen, rejected in pairs:
                line = {
                    "prompt": params.get("attachment", task.instruction),
                    "chosen": chosen,
                    "rejected": rejected,
                    "external_id": task.external_id,
                    "confidence": task.confidence,
                }
                yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"preference_pairs": PreferencePairs()}


def _compared(params: JsonObject, response: JsonObject) -> Iterator[tuple[str, str]]:
    shown = [each.get("text", each.get("url", "")) for each in params["attachments"]]
    letters = list(_LETTERS[: len(shown)])
    if response["choice"] in letters:
        chosen = letters.index(response["choice"])
        for place, other in enumerate(shown):
            if place != chosen:
                yield shown[chosen], other


def _ranked(response: JsonObject) -> Iterator[tuple[str, str]]:
    return itertools.combinations(response["ranking"], 2)
