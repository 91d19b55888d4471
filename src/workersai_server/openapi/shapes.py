"""What the JSON documents of the API look like, besides what the task types say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workersai_core.api import TaskType
from workersai_core.drafting import (
    DEFAULT_CALLBACK_URL,
    DEFAULT_TASK_TYPE,
    MAX_INSTRUCTION,
    MAX_OVERLAP,
    MAX_PRIORITY,
    MAX_TAG,
    MAX_TAGS,
    MAX_UNIQUE_ID,
)
from workersai_core.lifecycle import AssignmentState, CallbackState, TaskStatus
from workersai_server.openapi.types import params_name, reference, response_name

__all__ = ["shapes"]

Schema = dict[str, Any]

_UUID: Schema = {"type": "string", "format": "uuid"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def shapes(types: Iterable[TaskType], codes: Iterable[str]) -> dict[str, Schema]:
    """Return the components by name.

    Args:
        types: The registered task types.
        codes: Every error code.
    """
    registered = list(types)
    return {
        "TaskCreate": _create(registered),
        "Task": _task(registered),
        "Problem": _problem(codes),
        "BatchResult": _BATCH_RESULT,
        "Event": _EVENT,
        "Delivery": _DELIVERY,
        "Endpoint": _ENDPOINT,
        "TaskType": _TASK_TYPE,
        "Key": _KEY,
        "NewKey": _with(_KEY, key={**_TEXT, "description": "The whole key, shown this once."}),
        "WebhookSecret": _WEBHOOK_SECRET,
        "NewWebhookSecret": _with(_WEBHOOK_SECRET, secret={**_TEXT, "description": "The secret, shown this once."}),
        "Claim": _CLAIM,
        "Assignment": _ASSIGNMENT,
        "Submission": _SUBMISSION,
        "Queued": _object(queued=_COUNT),
        "Callback": _callback(registered),
        "AnyObject": {"type": "object"},
        "Health": _object(status={"const": "ok"}),
        "Readiness": _READINESS,
    }


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _with(shape: Schema, **more: Schema) -> Schema:
    return _object(**shape["properties"], **more)


def _or_null(schema: Schema) -> Schema:
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _described(schema: Schema, description: str, **more: Any) -> Schema:
    return {**schema, "description": description, **more}


# --- creating --------------------------------------------------------------------------------------

_CREATE: dict[str, Schema] = {
    "instruction": _described(
        {"type": "string", "maxLength": MAX_INSTRUCTION, "default": ""}, "What the worker reads; Markdown."
    ),
    "callback_url": _described(
        {"type": ["string", "null"], "format": "uri", "minLength": 1, "maxLength": 2048},
        "Where the result is sent. Without one, the account's default; without that, the literal "
        f"{DEFAULT_CALLBACK_URL}, which is never called.",
    ),
    "metadata": _described({"type": "object", "default": {}}, "Your own data, at most 10 KB; returned untouched."),
    "overlap": _described(
        {"type": "integer", "minimum": 1, "maximum": MAX_OVERLAP, "default": 1}, "How many different workers answer."
    ),
    "priority": _described(
        {"type": "integer", "minimum": 0, "maximum": MAX_PRIORITY, "default": 50}, "Higher is more urgent."
    ),
    "deadline_at": _described(
        {"type": ["string", "null"], "format": "date-time"}, "When the task expires unanswered; in the future."
    ),
    "unique_id": _described(
        {"type": ["string", "null"], "minLength": 1, "maxLength": MAX_UNIQUE_ID},
        "Your own id for the task; a second task with it is refused.",
    ),
    "tags": _described(
        {"type": "array", "maxItems": MAX_TAGS, "items": {"type": "string", "minLength": 1, "maxLength": MAX_TAG}},
        "Your own words for finding it.",
    ),
}


def _create(types: list[TaskType]) -> Schema:
    return {
        "oneOf": [_create_one(each) for each in types],
        "discriminator": {"propertyName": "task_type"},
    }


def _create_one(task_type: TaskType) -> Schema:
    names = [task_type.name, *task_type.aliases]
    is_default = task_type.name == DEFAULT_TASK_TYPE
    return {
        "type": "object",
        "title": task_type.name,
        "description": task_type.summary,
        "properties": {
            "task_type": {"enum": names, **({"default": DEFAULT_TASK_TYPE} if is_default else {})},
            "params": reference(params_name(task_type)),
            **_CREATE,
        },
        "required": ["params"] if is_default else ["task_type", "params"],
        "additionalProperties": False,
    }


# --- tasks -----------------------------------------------------------------------------------------


def _result(types: list[TaskType]) -> Schema:
    return {
        "anyOf": [{"type": "object", "maxProperties": 0}, *(reference(response_name(each)) for each in types)],
        "description": "The result, as the task type's response schema says; {} until there is one.",
    }


def _task(types: list[TaskType]) -> Schema:
    return _object(
        external_id=_described(_UUID, "The task's id."),
        task_type=_described(_TEXT, "The name of its type."),
        callback_url=_TEXT,
        instruction=_TEXT,
        params=_described({"type": "object"}, "What to label, as given."),
        response=_result(types),
        metadata={"type": "object"},
        status={"enum": [each.value for each in TaskStatus]},
        is_test={"type": "boolean"},
        overlap=_COUNT,
        priority=_COUNT,
        deadline_at=_or_null(_TIME),
        unique_id=_or_null(_TEXT),
        tags={"type": "array", "items": _TEXT},
        created_at=_TIME,
        completed_at=_described(_or_null(_TIME), "When it reached its final state."),
        task_type_version={"type": "integer", "minimum": 1},
        answers_wanted=_described(_COUNT, "overlap, or more when the type asked for another answer."),
        answers_accepted=_COUNT,
        confidence=_described(_or_null({"type": "number", "minimum": 0, "maximum": 1}), "How sure the result is."),
        error=_described(_or_null(_TEXT), "Why it could not be answered."),
        callback_state=_described(_or_null({"enum": [each.value for each in CallbackState]}), "How its callback went."),
    )


def _callback(types: list[TaskType]) -> Schema:
    return _object(
        task_type=_TEXT,
        external_id=_UUID,
        params={"type": "object"},
        response=_result(types),
        metadata={"type": "object"},
        status={"enum": ["completed", "canceled", "expired", "error"]},
        is_test={"type": "boolean"},
        completed_at=_TIME,
    )


_BATCH_RESULT: Schema = {
    "type": "object",
    "properties": {
        "line": {
            "description": "The number of the line or element; in a file with names of its own, the name.",
            "type": ["integer", "string"],
        },
        "status": {"type": "integer"},
        "external_id": _UUID,
        "error": reference("Problem"),
    },
    "required": ["line", "status"],
    "oneOf": [{"required": ["external_id"]}, {"required": ["error"]}],
    "additionalProperties": False,
}
_EVENT = _object(
    id={"type": "integer"},
    name=_described(_TEXT, "What happened, in the past tense."),
    at=_TIME,
    actor=_described(_TEXT, "requester, worker:ID or system."),
    data={"type": "object"},
)
_ATTEMPT = _object(
    n={"type": "integer", "minimum": 1},
    at=_TIME,
    status=_described({"type": ["integer", "null"]}, "The receiver's HTTP status; null when no answer came in time."),
    latency_ms=_COUNT,
    error=_or_null(_TEXT),
    answer=_described(_or_null(_TEXT), "The start of the receiver's answer."),
)
_DELIVERY = _object(
    id=_described(_UUID, "Also the webhook-id."),
    event={"enum": ["completed", "canceled", "expired", "error"]},
    url=_TEXT,
    state={"enum": [each.value for each in CallbackState]},
    next_attempt_at=_or_null(_TIME),
    attempts={"type": "array", "items": _ATTEMPT},
)
_ENDPOINT = _object(
    id=_UUID,
    origin=_described(_TEXT, "Scheme, host and port."),
    failing_since=_or_null(_TIME),
    disabled_at=_or_null(_TIME),
    reason=_or_null(_TEXT),
    pending=_described(_COUNT, "Deliveries that wait for it."),
)
_TASK_TYPE = _object(
    name=_TEXT,
    aliases={"type": "array", "items": _TEXT},
    version={"type": "integer", "minimum": 1},
    summary=_TEXT,
    params_schema=_described({"type": "object"}, "JSON Schema 2020-12 of params."),
    response_schema=_described({"type": "object"}, "JSON Schema 2020-12 of response."),
    examples={
        "type": "array",
        "items": _object(params={"type": "object"}, response={"type": "object"}),
    },
    ui={"type": "object"},
    price=_described(_TEXT, "What one live task costs, as decimal text."),
)
_KEY = _object(
    id=_UUID,
    mode={"enum": ["live", "test"]},
    prefix={"enum": ["live_", "test_"]},
    last4=_TEXT,
    scopes={"type": "array", "items": _TEXT},
    created_at=_TIME,
    last_used_at=_or_null(_TIME),
    expires_at=_or_null(_TIME),
    revoked_at=_or_null(_TIME),
)
_WEBHOOK_SECRET = _object(
    id={"type": "integer"},
    prefix={"const": "whsec_"},
    last4=_TEXT,
    created_at=_TIME,
    expires_at=_or_null(_TIME),
)

# --- the worker's side -----------------------------------------------------------------------------

_CLAIM = _object(
    assignment_id=_UUID,
    task=_object(
        external_id=_UUID,
        task_type=_TEXT,
        task_type_version={"type": "integer", "minimum": 1},
        instruction=_TEXT,
        params={"type": "object"},
    ),
    response_schema=_described({"type": "object"}, "JSON Schema of the answer to this very task."),
    claimed_at=_TIME,
    lease_expires_at=_TIME,
)
_ASSIGNMENT = _object(
    assignment_id=_UUID,
    status={"enum": [each.value for each in AssignmentState]},
    lease_expires_at=_TIME,
)
_SUBMISSION = _object(
    assignment_id=_UUID,
    status={"const": "submitted"},
    task_status={"enum": [each.value for each in TaskStatus]},
)

# --- errors and health -----------------------------------------------------------------------------


def _problem(codes: Iterable[str]) -> Schema:
    place = _object(
        pointer=_described(_TEXT, "A JSON Pointer as a URI fragment (RFC 6901, section 6), for example #/params/a."),
        code=_TEXT,
        detail=_TEXT,
    )
    return {
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": _TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": _TEXT,
            "code": {"enum": sorted(codes)},
            "request_id": _TEXT,
            "errors": {"type": "array", "maxItems": 32, "items": place},
            "external_id": _described(_or_null(_UUID), "With duplicate_task: the task that has this unique_id."),
        },
        "required": ["type", "title", "status", "detail", "code", "request_id", "errors"],
        "additionalProperties": False,
    }


_READINESS = _object(
    status={"enum": ["ok", "degraded", "unavailable"]},
    checks=_object(
        database={"enum": ["ok", "failed"]},
        migrations={"enum": ["ok", "failed"]},
        dispatcher={"enum": ["ok", "failed"]},
        outbox_lag_s={"type": ["number", "null"]},
        plugins={"type": "object", "additionalProperties": _TEXT},
    ),
)
