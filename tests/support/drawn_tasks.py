"""Completed tasks drawn from the schemas and strategies of the types themselves, and formats read back."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from typing import Any

import attrs
from hypothesis import strategies as st

from support.exported_tasks import open_task
from workersai_core import Task, TaskStatus, jsontext
from workersai_core.api import Issue, TaskType
from workersai_core.testing.conformance.subject import Subject

__all__ = ["TEXTS", "carried", "completed_tasks", "found", "read_back", "reading", "written"]

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
_template = functools.cache(open_task)


@functools.cache
def _subject(task_type: TaskType) -> Subject:
    return Subject(task_type)


@st.composite
def completed_tasks(draw: st.DrawFn, task_type: TaskType) -> Task:
    """Draw a task with its result, as the service would have accepted both."""
    subject = _subject(task_type)
    params = draw(subject.params_strategy)
    if subject.params_issues(params):
        params = draw(subject.example_params)
    responses = subject.responses(params)
    response = None if responses is None else draw(responses)
    if response is None or subject.response_issues(params, response):
        response = subject.mock(params, draw(st.integers(0, 99)))
    return attrs.evolve(
        _template(),
        external_id=str(draw(st.uuids())),
        task_type=task_type.name,
        params_json=jsontext.dumps(params),
        response_json=jsontext.dumps(response),
        metadata_json=jsontext.dumps(draw(st.dictionaries(TEXTS, TEXTS, max_size=2))),
        instruction=draw(TEXTS),
        tags=tuple(draw(st.lists(TEXTS, max_size=2))),
        overlap=draw(st.integers(1, 20)),
        priority=draw(st.integers(0, 100)),
        unique_id=draw(st.none() | TEXTS.filter(bool)),
        confidence=draw(st.none() | st.floats(0, 1)),
        status=TaskStatus.COMPLETED,
    )


def carried(task: Task) -> dict[str, Any]:
    """Return everything that creates a task again, and its response; what is empty is left out."""
    given = {
        "external_id": task.external_id,
        "task_type": task.task_type,
        "callback_url": task.callback_url,
        "instruction": task.instruction,
        "params": task.params,
        "metadata": task.metadata,
        "overlap": task.overlap,
        "priority": task.priority,
        "unique_id": task.unique_id,
        "tags": list(task.tags),
        "response": task.response,
    }
    return {name: value for name, value in given.items() if name == "params" or value not in (None, "", {}, [])}


def written(format: Any, *tasks: Task) -> bytes:
    return b"".join(format.write(tasks))


def reading(format: Any, content: bytes | str) -> list[tuple[int | str, Any]]:
    return list(format.read(io.BytesIO(content.encode() if isinstance(content, str) else content)))


def found(format: Any, content: bytes | str) -> list[Mapping[str, Any]]:
    """Return the tasks of a file in which nothing is wrong."""
    rows = reading(format, content)
    assert [] == [row for row in rows if isinstance(row[1], Issue)]
    return [task for _, task in rows]


def read_back(format: Any, *tasks: Task) -> list[Mapping[str, Any]]:
    return found(format, written(format, *tasks))
