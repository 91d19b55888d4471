"""What each route takes and answers; one entry for each method of a route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs

from workersai_core.commands.listing import MAX_PAGE
from workersai_core.lifecycle import TaskStatus
from workersai_server.media import FORM, JSON, NDJSON

__all__ = ["OPERATIONS", "Operation", "Parameter"]

Who = Literal["requester", "worker", "anyone", "public"]
Tag = Literal["Tasks", "Task types", "Callbacks", "Keys", "Work", "Operation"]


@attrs.frozen(kw_only=True)
class Parameter:
    """A query parameter or header."""

    name: str
    description: str
    schema: Mapping[str, Any] = attrs.field(factory=lambda: {"type": "string"})
    place: Literal["query", "header", "path"] = "query"


@attrs.frozen(kw_only=True)
class Operation:
    """One method of one route.

    Attributes:
        id: Stable name, for generated clients.
        who: Whose key it takes.
        body: The schema of the JSON body; None when there is none.
        body_types: As which media types the body may come.
        answers: By status, the component that is answered; ``[Name]`` is an array, None an empty body.
        errors: The codes of the errors that are particular to it, by status.
        links: By name of the link, the operation and how its path parameter is found in this answer.
    """

    id: str
    method: Literal["get", "post"]
    path: str
    tag: Tag
    summary: str
    summary_ko: str
    who: Who = "requester"
    description: str = ""
    parameters: Sequence[Parameter] = ()
    body: Mapping[str, Any] | None = None
    body_required: bool = False
    body_types: Sequence[str] = (JSON,)
    answers: Mapping[int, str | None] = attrs.field(factory=dict)
    answer_types: Sequence[str] = (JSON,)
    errors: Mapping[int, Sequence[str]] = attrs.field(factory=dict)
    links: Mapping[str, tuple[str, str, str]] = attrs.field(factory=dict)


_IDEMPOTENCY = Parameter(
    name="Idempotency-Key",
    place="header",
    description="Makes the request safe to repeat: the same key and body give the first answer again, for two days.",
    schema={"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
)
_FILTERS = (
    Parameter(name="task_type", description="Only of this type."),
    Parameter(
        name="status",
        description="Only in this status.",
        schema={"enum": [each.value for each in TaskStatus]},
    ),
    Parameter(
        name="created_after",
        description="Only created after this time, exclusive.",
        schema={"type": "string", "format": "date-time"},
    ),
    Parameter(
        name="created_before",
        description="Only created before this time, exclusive.",
        schema={"type": "string", "format": "date-time"},
    ),
)
_OVERLAP_S: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "overlap_s": {
            "type": "integer",
            "minimum": 0,
            "maximum": 604_800,
            "description": "How many seconds the old one goes on working.",
        }
    },
    "additionalProperties": False,
}
_LEASE_S: Mapping[str, Any] = {
    "type": "integer",
    "minimum": 30,
    "maximum": 3600,
    "description": "How many seconds to hold it.",
}
_NOTHING: Mapping[str, Any] = {"type": "object", "additionalProperties": False}
_TO_TASK = ("external_id", "$response.body#/external_id")
_TO_ASSIGNMENT = ("assignment_id", "$response.body#/assignment_id")

_TASKS = (
    Operation(
        id="createTask",
        method="post",
        path="/v1/tasks",
        tag="Tasks",
        summary="Create a task",
        summary_ko="Task 만들기",
        description="Counts as one request of the free ones under a live key.",
        parameters=(_IDEMPOTENCY,),
        body={"$ref": "#/components/schemas/TaskCreate"},
        body_required=True,
        body_types=(JSON, FORM),
        answers={201: "Task"},
        errors={
            402: ("free_requests_exhausted",),
            409: ("duplicate_task", "idempotency_in_progress"),
            422: (
                "validation_failed",
                "unknown_task_type",
                "task_type_unavailable",
                "unsafe_url",
                "idempotency_key_reused",
            ),
        },
        links={
            "task": ("getTask", *_TO_TASK),
            "cancel": ("cancelTask", *_TO_TASK),
            "events": ("listTaskEvents", *_TO_TASK),
            "callbacks": ("listTaskCallbacks", *_TO_TASK),
        },
    ),
    Operation(
        id="listTasks",
        method="get",
        path="/v1/tasks",
        tag="Tasks",
        summary="List tasks",
        summary_ko="Task 목록",
        description=(
            "A bare array, newest first. The Link header leads to the next and previous page. "
            "metadata[KEY]=VALUE filters by your own data."
        ),
        parameters=(
            Parameter(
                name="limit",
                description="The size of a page.",
                schema={"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 100},
            ),
            Parameter(
                name="cursor",
                description="Where the page starts, from a Link header; with the same filters.",
                schema={"type": "string", "minLength": 1},
            ),
            Parameter(
                name="count",
                description="exact adds X-Total-Count, which takes time on large lists.",
                schema={"enum": ["exact"]},
            ),
            *_FILTERS,
        ),
        answers={200: "[Task]"},
        errors={400: ("invalid_cursor",)},
    ),
    Operation(
        id="getTask",
        method="get",
        path="/v1/tasks/{external_id}",
        tag="Tasks",
        summary="Read a task",
        summary_ko="특정 Task 조회",
        parameters=(Parameter(name="If-None-Match", place="header", description="An ETag; 304 while it is current."),),
        answers={200: "Task", 304: None},
        errors={404: ("not_found",)},
    ),
    Operation(
        id="cancelTask",
        method="post",
        path="/v1/tasks/{external_id}/cancel",
        tag="Tasks",
        summary="Cancel a task",
        summary_ko="Task 취소",
        description="Canceling a canceled task is fine.",
        body=_NOTHING,
        body_types=(JSON, FORM),
        answers={200: "Task"},
        errors={404: ("not_found",), 409: ("wrong_state",), 422: ("validation_failed",)},
    ),
    Operation(
        id="createTasks",
        method="post",
        path="/v1/tasks:batch",
        tag="Tasks",
        summary="Create many tasks",
        summary_ko="여러 Task 한번에 만들기",
        description="One task a line, or a JSON array; at most 10 000. A wrong line fails alone.",
        parameters=(
            Parameter(
                name="format",
                description="What the body is instead: a file in a format that can be imported, such as csv.",
            ),
            _IDEMPOTENCY,
        ),
        body={
            "type": "array",
            "maxItems": 10_000,
            "items": {
                "description": "A task to create. Anything else is a wrong line, which fails alone.",
                "anyOf": [{"$ref": "#/components/schemas/TaskCreate"}, {}],
            },
        },
        body_required=True,
        body_types=(JSON, NDJSON),
        answers={200: "[BatchResult]"},
        answer_types=(JSON, NDJSON),
        errors={409: ("idempotency_in_progress",), 422: ("idempotency_key_reused",)},
    ),
    Operation(
        id="listTaskEvents",
        method="get",
        path="/v1/tasks/{external_id}/events",
        tag="Tasks",
        summary="What happened to a task",
        summary_ko="Task 이력",
        answers={200: "[Event]"},
        errors={404: ("not_found",)},
    ),
    Operation(
        id="exportTasks",
        method="get",
        path="/v1/export",
        tag="Tasks",
        summary="Export all tasks",
        summary_ko="모든 Task 내보내기",
        description="Streamed, newest first. After a break, cursor is the external_id of the last task you have.",
        parameters=(
            Parameter(name="format", description="jsonl, or a format that a plugin brings."),
            Parameter(
                name="cursor",
                description="The external_id of the last task that arrived whole.",
                schema={"type": "string", "format": "uuid"},
            ),
            *_FILTERS,
        ),
        answers={200: "Task"},
        answer_types=(NDJSON,),
        errors={400: ("invalid_cursor",)},
    ),
)
_TASK_TYPES = (
    Operation(
        id="listTaskTypes",
        method="get",
        path="/v1/task_types",
        tag="Task types",
        summary="List task types",
        summary_ko="Task 종류 목록",
        who="anyone",
        answers={200: "[TaskType]"},
    ),
    Operation(
        id="getTaskType",
        method="get",
        path="/v1/task_types/{name}",
        tag="Task types",
        summary="Read a task type",
        summary_ko="Task 종류 조회",
        who="anyone",
        answers={200: "TaskType"},
        errors={404: ("not_found",)},
    ),
)
_CALLBACKS = (
    Operation(
        id="listTaskCallbacks",
        method="get",
        path="/v1/tasks/{external_id}/callbacks",
        tag="Callbacks",
        summary="The deliveries of a task",
        summary_ko="Task 의 callback 전송 기록",
        answers={200: "[Delivery]"},
        errors={404: ("not_found",)},
    ),
    Operation(
        id="replayCallback",
        method="post",
        path="/v1/callbacks/{delivery_id}/replay",
        tag="Callbacks",
        summary="Send a callback again",
        summary_ko="callback 다시 보내기",
        body=_NOTHING,
        body_types=(JSON, FORM),
        answers={202: "Queued"},
        errors={404: ("not_found",), 409: ("wrong_state",), 422: ("validation_failed",)},
    ),
    Operation(
        id="replayCallbacks",
        method="post",
        path="/v1/callbacks/replay",
        tag="Callbacks",
        summary="Send all callbacks of a state again",
        summary_ko="실패한 callback 모두 다시 보내기",
        body={
            "type": "object",
            "properties": {
                "since": {"type": "string", "format": "date-time", "description": "From this time on."},
                "state": {"enum": ["delivered", "exhausted"], "default": "exhausted"},
            },
            "required": ["since"],
            "additionalProperties": False,
        },
        body_required=True,
        body_types=(JSON, FORM),
        answers={202: "Queued"},
        errors={422: ("validation_failed",)},
    ),
    Operation(
        id="listEndpoints",
        method="get",
        path="/v1/endpoints",
        tag="Callbacks",
        summary="List callback endpoints and their health",
        summary_ko="callback 수신지 목록",
        answers={200: "[Endpoint]"},
    ),
    Operation(
        id="enableEndpoint",
        method="post",
        path="/v1/endpoints/{endpoint_id}/enable",
        tag="Callbacks",
        summary="Call a disabled endpoint again",
        summary_ko="중지된 callback 수신지 다시 켜기",
        body=_NOTHING,
        body_types=(JSON, FORM),
        answers={200: "Endpoint"},
        errors={404: ("not_found",), 422: ("validation_failed",)},
    ),
)
_KEYS = (
    Operation(
        id="listKeys",
        method="get",
        path="/v1/keys",
        tag="Keys",
        summary="List API keys",
        summary_ko="API key 목록",
        answers={200: "[Key]"},
    ),
    Operation(
        id="rollKey",
        method="post",
        path="/v1/keys/{key_id}/roll",
        tag="Keys",
        summary="Roll an API key",
        summary_ko="API key 교체",
        description="The new key is shown this once; the old one goes on for overlap_s seconds.",
        body=_OVERLAP_S,
        body_types=(JSON, FORM),
        answers={200: "NewKey"},
        errors={
            403: ("forbidden",),
            404: ("not_found",),
            409: ("wrong_state",),
            422: ("validation_failed",),
        },
    ),
    Operation(
        id="revokeKey",
        method="post",
        path="/v1/keys/{key_id}/revoke",
        tag="Keys",
        summary="Revoke an API key",
        summary_ko="API key 폐기",
        body=_NOTHING,
        body_types=(JSON, FORM),
        answers={200: "Key"},
        errors={403: ("forbidden",), 404: ("not_found",), 422: ("validation_failed",)},
    ),
    Operation(
        id="listWebhookSecrets",
        method="get",
        path="/v1/webhook_secrets",
        tag="Keys",
        summary="List webhook secrets",
        summary_ko="webhook secret 목록",
        answers={200: "[WebhookSecret]"},
    ),
    Operation(
        id="rollWebhookSecret",
        method="post",
        path="/v1/webhook_secrets/roll",
        tag="Keys",
        summary="Roll the webhook secret",
        summary_ko="webhook secret 교체",
        description="Meanwhile callbacks carry a signature of each valid secret. Needs a live key.",
        body=_OVERLAP_S,
        body_types=(JSON, FORM),
        answers={200: "NewWebhookSecret"},
        errors={403: ("forbidden",), 422: ("validation_failed",)},
    ),
)
_WORK = (
    Operation(
        id="claim",
        method="post",
        path="/v1/work/claim",
        tag="Work",
        summary="Take a task",
        summary_ko="할 일 받기",
        who="worker",
        description="204 when there is nothing to do.",
        parameters=(_IDEMPOTENCY,),
        body={
            "type": "object",
            "properties": {"task_types": {"type": "array", "items": {"type": "string"}}, "lease_s": _LEASE_S},
            "additionalProperties": False,
        },
        body_types=(JSON, FORM),
        answers={200: "Claim", 204: None},
        errors={
            409: ("too_many_assignments", "idempotency_in_progress"),
            422: ("validation_failed", "unknown_task_type", "task_type_unavailable", "idempotency_key_reused"),
        },
        links={
            "submit": ("submit", *_TO_ASSIGNMENT),
            "renew": ("renew", *_TO_ASSIGNMENT),
            "skip": ("skip", *_TO_ASSIGNMENT),
            "release": ("release", *_TO_ASSIGNMENT),
        },
    ),
    Operation(
        id="listAssignments",
        method="get",
        path="/v1/work/assignments",
        tag="Work",
        summary="What you hold",
        summary_ko="받아 둔 일 목록",
        who="worker",
        answers={200: "[Claim]"},
    ),
    Operation(
        id="submit",
        method="post",
        path="/v1/work/{assignment_id}/submit",
        tag="Work",
        summary="Answer",
        summary_ko="답 제출",
        who="worker",
        description="The same answer again is a success again.",
        body={
            "type": "object",
            "properties": {"response": {"description": "As response_schema of the claim says."}},
            "required": ["response"],
            "additionalProperties": False,
        },
        body_required=True,
        answers={200: "Submission"},
        errors={
            404: ("not_found",),
            409: ("lease_lost", "already_submitted"),
            422: ("validation_failed", "task_type_unavailable"),
        },
    ),
    Operation(
        id="renew",
        method="post",
        path="/v1/work/{assignment_id}/renew",
        tag="Work",
        summary="Hold it for longer",
        summary_ko="시간 연장",
        who="worker",
        body={"type": "object", "properties": {"lease_s": _LEASE_S}, "additionalProperties": False},
        body_types=(JSON, FORM),
        answers={200: "Assignment"},
        errors={404: ("not_found",), 409: ("lease_lost",), 422: ("validation_failed",)},
    ),
    Operation(
        id="skip",
        method="post",
        path="/v1/work/{assignment_id}/skip",
        tag="Work",
        summary="Decline for good",
        summary_ko="건너뛰기",
        who="worker",
        body={
            "type": "object",
            "properties": {"reason": {"type": "string", "maxLength": 1000}},
            "additionalProperties": False,
        },
        body_types=(JSON, FORM),
        answers={200: "Assignment"},
        errors={404: ("not_found",), 409: ("lease_lost",), 422: ("validation_failed",)},
    ),
    Operation(
        id="release",
        method="post",
        path="/v1/work/{assignment_id}/release",
        tag="Work",
        summary="Give back",
        summary_ko="돌려주기",
        who="worker",
        body=_NOTHING,
        body_types=(JSON, FORM),
        answers={200: "Assignment"},
        errors={404: ("not_found",), 409: ("lease_lost",), 422: ("validation_failed",)},
    ),
)
_OPERATION = (
    Operation(
        id="openapi",
        method="get",
        path="/v1/openapi.json",
        tag="Operation",
        summary="This description",
        summary_ko="이 문서의 OpenAPI 설명",
        who="public",
        answers={200: "AnyObject"},
    ),
    Operation(
        id="health",
        method="get",
        path="/healthz",
        tag="Operation",
        summary="Does the process answer?",
        summary_ko="프로세스 응답 확인",
        who="public",
        answers={200: "Health"},
    ),
    Operation(
        id="readiness",
        method="get",
        path="/readyz",
        tag="Operation",
        summary="Can it do its work?",
        summary_ko="준비 상태 확인",
        who="public",
        answers={200: "Readiness", 503: "Readiness"},
    ),
)

OPERATIONS: Sequence[Operation] = (*_TASKS, *_TASK_TYPES, *_CALLBACKS, *_KEYS, *_WORK, *_OPERATION)
