"""Errors as problem documents (RFC 9457), the one shape of every 4xx and 5xx answer.

    {"type": "https://labels.example/docs#error-validation_failed", "title": "Validation failed",
     "status": 422, "detail": "One value is wrong; nothing was created.", "code": "validation_failed",
     "request_id": "9f3c…", "errors": [{"pointer": "#/params/categories", "code": "required", "detail": "…"}]}

`errors` is empty when the problem has no place. A 500 says nothing but its
request id; the log has the rest.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

import falcon
import orjson

from workersai_core.errors import (
    DuplicateTask,
    IdempotencyInProgress,
    Issue,
    PluginFailed,
    StoreError,
    WorkersAIError,
)
from workersai_server.credentials import ApiRequest
from workersai_server.errors import (
    InvalidParameter,
    MethodNotAllowed,
    NotAcceptable,
    PayloadTooLarge,
    RateLimited,
    RouteNotFound,
    Unauthenticated,
    UnsupportedMediaType,
    UriTooLong,
)
from workersai_server.masking import masked
from workersai_server.messages import Language, detail_of, issue_text, language_of, title_of

__all__ = ["MEDIA_TYPE", "ServerFault", "add_handlers", "answer", "document", "language"]

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 32
_POINTER_SAFE = "/~!$&'()*+,;=:@?-._"  # RFC 3986, section 3.5
_RETRY_S = 1
_log = logging.getLogger("workersai.http")


class ServerFault(WorkersAIError):
    """Something failed on our side; tell the operator this request's id."""


def add_handlers(app: falcon.App[ApiRequest, falcon.Response]) -> None:
    """Let the application answer every error with a problem document."""
    app.add_error_handler(Exception, _unexpected)
    app.add_error_handler(falcon.HTTPError, _from_falcon)
    app.add_error_handler(WorkersAIError, _expected)


def language(req: falcon.Request) -> Language:
    """Return the language to answer a request in."""
    return language_of(req.env.get("HTTP_ACCEPT_LANGUAGE", ""))


def document(error: WorkersAIError, req: ApiRequest) -> dict[str, Any]:
    """Return the problem document of an error for whoever made a request."""
    shown = _shown(error)
    words = language(req)
    problem: dict[str, Any] = {
        "type": f"{req.prefix}/docs#error-{shown.code}",
        "title": title_of(shown.code, words),
        "status": shown.status_hint,
        "detail": masked(detail_of(shown, words)),
        "code": shown.code,
        "request_id": req.request_id,
        "errors": [_place(issue, words) for issue in shown.issues[:MAX_ERRORS]],
    }
    if isinstance(shown, DuplicateTask):
        problem["external_id"] = shown.extra.get("external_id")
    return problem


def answer(error: WorkersAIError, req: ApiRequest, resp: falcon.Response) -> None:
    """Make a response the answer of an error."""
    _log_fault(error, req)
    resp.status = falcon.code_to_http_status(error.status_hint)
    resp.content_type = MEDIA_TYPE
    resp.data = orjson.dumps(document(error, req), default=str)
    resp.text = None
    resp.stream = None
    resp.set_header("Content-Language", language(req))
    resp.append_header("Vary", "Accept-Language")
    for name, value in _headers(error):
        resp.set_header(name, value)


def _shown(error: WorkersAIError) -> WorkersAIError:
    """Return what a client may know of an error: of a fault on our side, not its circumstances."""
    if error.status_hint < 500 or isinstance(error, PluginFailed):
        return error
    if isinstance(error, StoreError):
        return type(error)()
    return ServerFault()


def _place(issue: Issue, words: Language) -> dict[str, str]:
    # SECURITY: a name or a value may be a key that was put into the wrong place.
    return {
        "pointer": "#" + quote(masked(issue.pointer), safe=_POINTER_SAFE),
        "code": issue.code,
        "detail": masked(issue_text(issue, words)),
    }


def _headers(error: WorkersAIError) -> list[tuple[str, str]]:
    if isinstance(error, Unauthenticated):
        return [("WWW-Authenticate", "Bearer")]
    if isinstance(error, MethodNotAllowed):
        return [("Allow", error.extra.get("allowed", ""))]
    if isinstance(error, RateLimited):
        return [("Retry-After", str(error.extra.get("retry_after_s", _RETRY_S)))]
    if isinstance(error, IdempotencyInProgress | StoreError):
        return [("Retry-After", str(_RETRY_S))]
    return []


def _log_fault(error: WorkersAIError, req: ApiRequest) -> None:
    if error.status_hint >= 500:
        _log.error(
            "%s %s failed: %s",
            req.method,
            masked(req.path),
            masked(str(error)),
            exc_info=error.__cause__ or error,
            extra={"request_id": req.request_id},
        )


def _expected(req: ApiRequest, resp: falcon.Response, error: WorkersAIError, params: dict[str, Any]) -> None:
    answer(error, req, resp)


def _unexpected(req: ApiRequest, resp: falcon.Response, error: Exception, params: dict[str, Any]) -> None:
    fault = ServerFault(f"{type(error).__name__}: {error}")
    fault.__cause__ = error
    answer(fault, req, resp)


def _from_falcon(req: ApiRequest, resp: falcon.Response, error: falcon.HTTPError, params: dict[str, Any]) -> None:
    """Answer what the framework itself refuses in our own words."""
    ours = _ours(error)
    if isinstance(ours, ServerFault):
        ours.__cause__ = error
    answer(ours, req, resp)


def _ours(error: falcon.HTTPError) -> WorkersAIError:
    if isinstance(error, falcon.HTTPRouteNotFound):
        return RouteNotFound()
    if isinstance(error, falcon.HTTPMethodNotAllowed):
        allowed = dict(error.headers or {}).get("Allow", "")
        return MethodNotAllowed(f"This address takes {allowed}.", allowed=allowed)
    kind = _BY_STATUS.get(error.status_code)
    if kind is not None:
        return kind()
    if 400 <= error.status_code < 500:
        return InvalidParameter(f"The request cannot be read: {error.title}.")
    return ServerFault(str(error))


_BY_STATUS: dict[int, type[WorkersAIError]] = {
    404: RouteNotFound,
    406: NotAcceptable,
    413: PayloadTooLarge,
    414: UriTooLong,
    415: UnsupportedMediaType,
}
