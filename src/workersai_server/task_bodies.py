"""From the body that creates a task to its draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workersai_core import Engine, InvalidInput, TaskDraft
from workersai_core.drafting import DEFAULT_TASK_TYPE
from workersai_core.errors import Issue
from workersai_server.accounts import Requester
from workersai_server.bodies import time_field, unknown_fields
from workersai_server.coercion import coerce
from workersai_server.forms import parse_embedded_json
from workersai_server.naming import task_type_named

__all__ = ["FIELDS", "draft", "typed_form"]

Document = dict[str, Any]

FIELDS = (
    "task_type",
    "instruction",
    "params",
    "callback_url",
    "metadata",
    "overlap",
    "priority",
    "deadline_at",
    "unique_id",
    "tags",
)
_OBJECTS = ("params", "metadata")
_NUMBERS_AND_TAGS: Mapping[str, Any] = {
    "properties": {
        "overlap": {"type": "integer"},
        "priority": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
    }
}


def draft(engine: Engine, requester: Requester, document: Document) -> TaskDraft:
    """Return the checked draft of a create body.

    Args:
        engine: Where it will be stored.
        requester: Who creates it; its defaults count where the body is silent.
        document: The body, without its `api_key`.

    Raises:
        InvalidInput: `issues` names every wrong or unknown field.
        InvalidBody: a time has no zone.
        UnknownTaskType, TaskTypeUnavailable, UnsafeURL: see `Engine.draft_task`.
    """
    unknown = [] if document.keys() <= _KNOWN else unknown_fields(document, FIELDS)
    fields = {name: value for name, value in document.items() if name in _KNOWN} if unknown else document
    try:
        checked = _checked(engine, requester, fields)
    except InvalidInput as error:
        if unknown:
            raise _wrong([*unknown, *error.issues]) from None
        raise
    if unknown:
        raise _wrong(unknown)
    return checked


_KNOWN = frozenset(FIELDS)


def _checked(engine: Engine, requester: Requester, document: Document) -> TaskDraft:
    fields = dict(document)
    if not isinstance(fields.get("task_type", ""), str):
        raise _wrong([Issue("/task_type", "task_type is text.", "wrong_type")])
    if fields.get("callback_url") is None:
        fields["callback_url"] = requester.callback_url
    if fields.get("deadline_at") is not None:
        fields["deadline_at"] = time_field("deadline_at", fields["deadline_at"])
    return engine.draft_task(
        account=requester.account_id, mode=requester.mode, callback_events=requester.callback_events, **fields
    )


def _wrong(issues: list[Issue]) -> InvalidInput:
    count = "One value is" if len(issues) == 1 else f"{len(issues)} values are"
    return InvalidInput(f"{count} wrong; nothing was created.", issues=issues)


def typed_form(engine: Engine, document: Document, *, test_mode: bool) -> Document:
    """Return the document of a form with its texts converted into what the fields want.

    ``params`` and ``metadata`` come with bracketed names, whose leaves are
    texts, or as one text of JSON, whose values have their types already.
    Metadata is the requester's own and stays text, but for the controls of
    the mock under a test key.

    Raises:
        InvalidJson: a text of JSON cannot be read.
    """
    bracketed = {name for name in _OBJECTS if isinstance(document.get(name), dict)}
    typed = coerce(parse_embedded_json(document, _OBJECTS), _NUMBERS_AND_TAGS)
    task_type = task_type_named(engine, typed.get("task_type", DEFAULT_TASK_TYPE))
    if task_type is None:
        return dict(typed)
    if "params" in bracketed:
        typed["params"] = coerce(typed["params"], task_type.params_schema)
    if "metadata" in bracketed and test_mode:
        mock = {"properties": {"delay_s": {"type": "number"}, "response": task_type.response_schema}}
        typed["metadata"] = coerce(typed["metadata"], {"properties": {"mock": mock}})
    return dict(typed)
