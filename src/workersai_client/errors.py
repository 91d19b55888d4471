"""Every error the client raises, as one tree.

ClientError
├── APIConnectionError        no answer came; whether the request had an effect is unknown
├── APIError                  the service answered with an error
│   ├── BadRequest            400 and other 4xx: the request cannot be read or has no such form
│   ├── Unauthenticated       401: the key is missing, unknown or revoked
│   ├── PaymentRequired       402: the free requests are used up
│   ├── Forbidden             403
│   ├── NotFound              404: also of the other mode or the other account
│   ├── Conflict              409: wrong state, lost lease, duplicate
│   ├── ValidationFailed      422: `errors` names each place
│   ├── RateLimited           429: `retry_after_s` says when
│   └── ServerError           5xx
├── WaitTimeout               the task did not finish in time
└── CallbackVerificationError the request did not come from the service, or is too old

`APIError` carries the service's own words; catch its subclasses to react to one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "APIConnectionError",
    "APIError",
    "BadRequest",
    "CallbackVerificationError",
    "ClientError",
    "Conflict",
    "Forbidden",
    "NotFound",
    "PaymentRequired",
    "RateLimited",
    "ServerError",
    "Unauthenticated",
    "ValidationFailed",
    "WaitTimeout",
    "error_for",
]


class ClientError(Exception):
    """Something went wrong while talking to WorkersAI."""


class APIConnectionError(ClientError):
    """No answer came from the service."""


class WaitTimeout(ClientError):
    """The task did not reach a final state in time."""


class CallbackVerificationError(ClientError):
    """This callback is not signed by the service, or is too old or too new."""


class APIError(ClientError):
    """The service answered with an error.

    Attributes:
        status: The HTTP status.
        code: The service's stable slug, for example ``validation_failed``;
            ``http_error`` when the answer is not one of the service's own.
        detail: One sentence for a person.
        request_id: What to tell the operator; None when the answer has none.
        errors: Each wrong place: ``{"pointer", "code", "detail"}``.
        retry_after_s: How long the service asks to wait; None when it does not say.
    """

    def __init__(
        self,
        *,
        status: int,
        code: str,
        detail: str,
        request_id: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s
        super().__init__(self._text())

    def _text(self) -> str:
        places = "".join(f"\n  {place.get('pointer', '#')}: {place.get('detail', '')}" for place in self.errors)
        request = f", request {self.request_id}" if self.request_id else ""
        return f"{self.detail} ({self.status} {self.code}{request}){places}"


class BadRequest(APIError):
    """The request cannot be read or has no such form."""


class Unauthenticated(APIError):
    """The key or token is missing, unknown or revoked."""


class PaymentRequired(APIError):
    """The free requests are used up."""


class Forbidden(APIError):
    """This key may not do that."""


class NotFound(APIError):
    """There is nothing here with that id."""


class Conflict(APIError):
    """This cannot be done in the present state."""


class ValidationFailed(APIError):
    """The request is readable, but some values are wrong; `errors` names the places."""


class RateLimited(APIError):
    """Too many requests; `retry_after_s` says when to come back."""


class ServerError(APIError):
    """The service failed; the same request may succeed later."""


_BY_STATUS: Mapping[int, type[APIError]] = {
    401: Unauthenticated,
    402: PaymentRequired,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: ValidationFailed,
    429: RateLimited,
}


def error_for(status: int, problem: Mapping[str, Any], *, retry_after_s: float | None = None) -> APIError:
    """Return the error for an answer.

    Args:
        status: The HTTP status, not a 2XX.
        problem: The answer's problem document (RFC 9457); missing keys are allowed.
        retry_after_s: The answer's ``Retry-After``.
    """
    kind = _BY_STATUS.get(status) or (ServerError if status >= 500 else BadRequest if status >= 400 else APIError)
    return kind(
        status=status,
        code=str(problem.get("code") or "http_error"),
        detail=str(problem.get("detail") or problem.get("title") or f"The service answered {status}."),
        request_id=problem.get("request_id"),
        errors=problem.get("errors") or (),
        retry_after_s=retry_after_s,
    )
