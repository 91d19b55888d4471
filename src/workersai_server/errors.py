"""Every error the server adds to the engine's tree.

    WorkersAIError
    ├── BadRequest                          400, cannot be read as asked
    │   ├── InvalidJson                     the body is not strict JSON
    │   ├── InvalidBody                     the body is not what the route takes
    │   ├── InvalidParameter                a query parameter or header is wrong
    │   │   └── UnknownParameter            there is no such query parameter
    │   ├── InvalidCursor                   the cursor is not ours, or for another list
    │   ├── AmbiguousCredentials            the key came in more than one place
    │   └── InvalidIdempotencyKey           the header breaks its rules
    ├── Unauthenticated                     401
    ├── FreeRequestsExhausted (also Rejected) 402, the quota's veto
    ├── Forbidden                           403
    │   └── CsrfFailed                      the form's token is missing or old
    ├── RouteNotFound (also NotFound)       404, no such route
    ├── MethodNotAllowed                    405
    ├── NotAcceptable                       406
    ├── PayloadTooLarge                     413
    ├── UriTooLong                          414
    ├── UnsupportedMediaType                415
    ├── RateLimited                         429
    └── InvalidSetting                      a setting is wrong (start-up)

`extra` holds the values that the Korean texts name; see `messages`.
"""

from __future__ import annotations

from workersai_core.errors import NotFound, Rejected, WorkersAIError

__all__ = [
    "AmbiguousCredentials",
    "BadRequest",
    "CsrfFailed",
    "Forbidden",
    "FreeRequestsExhausted",
    "InvalidBody",
    "InvalidCursor",
    "InvalidIdempotencyKey",
    "InvalidJson",
    "InvalidParameter",
    "InvalidSetting",
    "MethodNotAllowed",
    "NotAcceptable",
    "PayloadTooLarge",
    "RateLimited",
    "RouteNotFound",
    "Unauthenticated",
    "UnknownParameter",
    "UnsupportedMediaType",
    "UriTooLong",
]


class BadRequest(WorkersAIError):
    """The request cannot be read as asked."""

    code = "invalid_parameter"
    status_hint = 400


class InvalidJson(BadRequest):
    """The body is not strict JSON."""

    code = "invalid_json"


class InvalidBody(BadRequest):
    """The body is not what this route takes."""

    code = "invalid_body"


class InvalidParameter(BadRequest):
    """A parameter or header of the request is wrong."""

    code = "invalid_parameter"


class UnknownParameter(InvalidParameter):
    """There is no such query parameter here."""

    code = "unknown_parameter"


class InvalidCursor(BadRequest):
    """This cursor does not belong to this list; start again without it."""

    code = "invalid_cursor"


class AmbiguousCredentials(BadRequest):
    """The key was given in more than one place; give it in exactly one."""

    code = "ambiguous_credentials"


class InvalidIdempotencyKey(BadRequest):
    """Idempotency-Key takes 1 to 255 visible ASCII characters, once."""

    code = "invalid_idempotency_key"


class Unauthenticated(WorkersAIError):
    """A valid key is required; see the dashboard for yours."""

    code = "unauthenticated"
    status_hint = 401


class FreeRequestsExhausted(Rejected):
    """The free requests are used up; add credit or ask the operator to lift the limit."""

    code = "free_requests_exhausted"
    status_hint = 402


class Forbidden(WorkersAIError):
    """This key may not do that."""

    code = "forbidden"
    status_hint = 403


class CsrfFailed(Forbidden):
    """The form is too old; load the page again and resend it."""

    code = "csrf_failed"


class RouteNotFound(NotFound):
    """There is nothing at this address; see /docs for the routes."""


class MethodNotAllowed(WorkersAIError):
    """This address does not take this method; the Allow header lists those it takes.

    `extra["allowed"]` holds their names.
    """

    code = "method_not_allowed"
    status_hint = 405


class NotAcceptable(WorkersAIError):
    """The answer is application/json, which the Accept header refuses."""

    code = "not_acceptable"
    status_hint = 406


class PayloadTooLarge(WorkersAIError):
    """The body is too large."""

    code = "payload_too_large"
    status_hint = 413


class UriTooLong(WorkersAIError):
    """The address is longer than 8 KB."""

    code = "uri_too_long"
    status_hint = 414


class UnsupportedMediaType(WorkersAIError):
    """Send application/json in UTF-8."""

    code = "unsupported_media_type"
    status_hint = 415


class RateLimited(WorkersAIError):
    """Too many requests with this key; retry after the time in Retry-After.

    `extra["retry_after_s"]` holds that time in whole seconds.
    """

    code = "rate_limited"
    status_hint = 429


class InvalidSetting(WorkersAIError):
    """A setting cannot be used as it is."""

    code = "setting_invalid"
