"""The description itself: operations, shapes and task types put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Any

from workersai_core import Engine, WorkersAIError
from workersai_core.api import TaskType
from workersai_server import problems
from workersai_server.media import FORM, JSON, NDJSON
from workersai_server.openapi.operations import OPERATIONS, Operation, Parameter
from workersai_server.openapi.shapes import shapes
from workersai_server.openapi.types import components_of, reference

__all__ = ["describe", "error_codes", "error_kinds"]

Document = dict[str, Any]

_INFO = (
    "Create labeling tasks; people answer them; the checked answer is sent to your callback address, signed. "
    "Keys that start with test_ make mock requests, which answer themselves."
)
_Schemes = list[dict[str, list[str]]]
_REQUESTER: _Schemes = [{"bearer": []}, {"basic": []}, {"header": []}, {"query": []}]
_WORKER: _Schemes = [{"worker": []}, {"workerHeader": []}]
_SECURITY: dict[str, _Schemes] = {
    "requester": _REQUESTER,
    "worker": _WORKER,
    "anyone": [*_REQUESTER, *_WORKER],
    "public": [],
}
_SCHEMES: Document = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer KEY"},
    "basic": {"type": "http", "scheme": "basic", "description": "The key as the user, no password."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "api_key"},
    "worker": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer TOKEN"},
    "workerHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_ID: Document = {"type": "string", "format": "uuid"}
_EVERYWHERE = {
    400: "The request cannot be read: invalid_json, invalid_body, invalid_parameter, unknown_parameter.",
    406: "not_acceptable",
    414: "uri_too_long",
    503: "unavailable",
}
_WITH_KEY = {401: "unauthenticated", 403: "forbidden", 429: "rate_limited"}
_WITH_BODY = {413: "payload_too_large", 415: "unsupported_media_type"}


def describe(engine: Engine, *, prefix: str = "", language: str = "en") -> Document:
    """Return the OpenAPI 3.1 document.

    Args:
        engine: Whose task types.
        prefix: Where the API is, for example ``https://labels.example``.
        language: ``en`` or ``ko``, for the summaries.
    """
    types = list(engine.types)
    components = shapes(types, error_codes())
    for each in types:
        components |= components_of(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "WorkersAI", "version": version("workersai"), "description": _INFO},
        "servers": [{"url": prefix or "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in OPERATIONS)],
        "paths": _paths(types, language),
        "webhooks": {"taskFinished": {"post": _webhook()}},
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }


def error_codes() -> list[str]:
    """Return every code that an answer may carry."""
    return sorted({kind.code for kind in error_kinds()})


def error_kinds() -> Iterator[type[WorkersAIError]]:
    """Yield our own kinds of errors; a plugin may have further ones, which only it can describe."""
    yield from (kind for kind in _tree(WorkersAIError) if kind.__module__.startswith("workersai_"))


def _tree(kind: type[WorkersAIError]) -> Iterator[type[WorkersAIError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def _paths(types: Iterable[TaskType], language: str) -> Document:
    paths: Document = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, list(types), language)
    return paths


def _operation(operation: Operation, types: list[TaskType], language: str) -> Document:
    described: Document = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary_ko if language == "ko" else operation.summary,
        "security": _SECURITY[operation.who],
        "parameters": [_parameter(each) for each in (*_path_parameters(operation), *operation.parameters)],
        "responses": {**_answers(operation), **_errors(operation)},
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None:
        described["requestBody"] = _body(operation, types)
    return described


def _path_parameters(operation: Operation) -> list[Parameter]:
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    return [
        Parameter(
            name=name,
            place="path",
            description="A name or alias." if name == "name" else "An id.",
            schema={"type": "string"} if name == "name" else _ID,
        )
        for name in names
    ]


def _parameter(each: Parameter) -> Document:
    described = {"name": each.name, "in": each.place, "description": each.description, "schema": dict(each.schema)}
    return {**described, "required": True} if each.place == "path" else described


def _body(operation: Operation, types: list[TaskType]) -> Document:
    content = {kind: _content(operation, kind, types) for kind in operation.body_types}
    return {"required": operation.body_required, "content": content}


def _content(operation: Operation, kind: str, types: list[TaskType]) -> Document:
    if kind == FORM:
        return {"schema": _form(types) if operation.id == "createTask" else operation.body}
    if kind == NDJSON:
        return {"schema": {"type": "string", "description": "One JSON document a line."}}
    content: Document = {"schema": operation.body}
    if operation.id == "createTask":
        content["examples"] = {name: {"value": value} for name, value in _create_examples(types)}
    return content


def _form(types: list[TaskType]) -> Document:
    """Return the schema of the form that creates a task, in which every value is text."""
    brackets = (
        "An object as JSON in one field. Or with bracketed names, as HTML forms write them: "
        "params[categories][]=big&params[categories][]=small"
    )
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": {
            "task_type": {"enum": [name for each in types for name in (each.name, *each.aliases)]},
            "instruction": text,
            "params": {"type": "string", "contentMediaType": JSON, "description": brackets},
            "callback_url": text,
            "metadata": {"type": "string", "contentMediaType": JSON, "description": brackets},
            "overlap": {"type": "string", "pattern": "^([1-9]|1[0-9]|20)$"},
            "priority": {"type": "string", "pattern": "^([1-9]?[0-9]|100)$"},
            "deadline_at": {"type": "string", "format": "date-time"},
            "unique_id": text,
        },
        "required": ["params"],
        "additionalProperties": False,
    }


def _create_examples(types: list[TaskType]) -> Iterator[tuple[str, Document]]:
    for each in types:
        params, _ = each.examples[0]
        yield each.name, {"task_type": each.name, "params": params, "callback_url": "https://example.com/callback"}


def _answers(operation: Operation) -> Document:
    answers: Document = {}
    for status, name in operation.answers.items():
        answer: Document = {"description": "As asked." if status < 300 else "As it is."}
        if name is not None:
            answer["content"] = {kind: {"schema": _answer_schema(name, kind)} for kind in operation.answer_types}
            if operation.links and status < 300:
                answer["links"] = {
                    link: {"operationId": target, "parameters": {parameter: found}}
                    for link, (target, parameter, found) in operation.links.items()
                }
        answers[str(status)] = answer
    return answers


def _answer_schema(name: str, kind: str) -> Document:
    if kind == NDJSON:
        return {"type": "string", "description": f"One {name.strip('[]')} a line, as JSON."}
    if name.startswith("["):
        return {"type": "array", "items": reference(name.strip("[]"))}
    return reference(name)


def _errors(operation: Operation) -> Document:
    texts: dict[int, str] = dict(_EVERYWHERE)
    if operation.who != "public":
        texts |= _WITH_KEY
    if operation.body is not None:
        texts |= _WITH_BODY
    for status, codes in operation.errors.items():
        texts[status] = f"{texts[status]} {', '.join(codes)}" if status in texts else ", ".join(codes)
    content = {problems.MEDIA_TYPE: {"schema": reference("Problem")}}
    return {
        str(status): {"description": text, "content": content}
        for status, text in sorted(texts.items())
        if status not in operation.answers
    }


def _webhook() -> Document:
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {
        "summary": "A task reached its final state",
        "description": "Signed as Standard Webhooks says. Answer 2XX within 15 seconds; else it is sent again.",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in headers
        ],
        "requestBody": {"required": True, "content": {JSON: {"schema": reference("Callback")}}},
        "responses": {"2XX": {"description": "Received."}},
    }
