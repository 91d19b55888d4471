"""What holds for every request: an id, an address that is short, an answer that is acceptable, a count, a log line."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import time

import falcon

from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidParameter, MethodNotAllowed, RouteNotFound
from workersai_server.masking import masked
from workersai_server.media import JSON, require_acceptable, require_short_url
from workersai_server.metrics import Metrics

__all__ = ["REQUEST_ID", "Perimeter"]

REQUEST_ID = "X-Request-Id"
_GIVEN_ID = re.compile(r"[A-Za-z0-9.-]{8,64}")
_JSON_ONLY = (JSON,)
# Of these the framework says by itself which a route takes.
_METHODS = frozenset(falcon.COMBINED_METHODS)
_OURS = "GET, HEAD, POST, OPTIONS"
_log = logging.getLogger("workersai.access")


class Perimeter:
    """The middleware of the application.

    Args:
        metrics: Where requests are counted.
        access_log: Whether each request is logged.
    """

    def __init__(self, metrics: Metrics, *, access_log: bool) -> None:
        self._metrics = metrics
        self._access_log = access_log
        # PERF: a random start and a counter are as unique as a random number for each request, and cheaper.
        self._start = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def process_request(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Give the request its id; refuse strange methods, several hosts, and addresses that are wrong in form."""
        req.request_id = _given_id(req) or f"{self._start}-{next(self._numbers):x}"
        resp.set_header(REQUEST_ID, req.request_id)
        resp.set_header("X-Content-Type-Options", "nosniff")
        require_short_url(req)
        if req.method not in _METHODS:
            raise MethodNotAllowed(f"This address takes {_OURS}.", allowed=_OURS)
        # RFC 9112, section 3.2. WSGI servers join a header that came twice with a comma, which no host name has.
        if "," in req.env.get("HTTP_HOST", ""):
            raise InvalidParameter("The request names several hosts; send one Host header.")
        if req.path.endswith("/") and req.path != "/":
            raise RouteNotFound

    def process_resource(self, req: ApiRequest, resp: falcon.Response, resource: object, params: object) -> None:
        """Refuse a request that does not want what the resource answers.

        A resource that answers something else than JSON says so in its
        `media_types`; an empty tuple means that it decides by itself.
        """
        accept = req.env.get("HTTP_ACCEPT")
        if accept and accept != "*/*":
            require_acceptable(req, getattr(resource, "media_types", _JSON_ONLY))

    def process_response(self, req: ApiRequest, resp: falcon.Response, resource: object, succeeded: bool) -> None:
        """Count the request, and log it where that is asked for."""
        seconds = time.perf_counter() - req.started_at
        status = falcon.code_to_http_status(resp.status)
        self._metrics.count(req.method, req.uri_template, status, seconds)
        if self._access_log:
            _log.info(
                "%s %s %s",
                req.method,
                masked(req.path),
                status[:3],
                extra={
                    "request_id": req.request_id,
                    "method": req.method,
                    "route": req.uri_template,
                    "status": int(status[:3]),
                    "duration_ms": round(seconds * 1000, 2),
                    "caller": req.caller,
                },
            )


def _given_id(req: ApiRequest) -> str | None:
    """Return the id that a proxy gave the request, if it is harmless in headers and logs."""
    given = req.env.get("HTTP_X_REQUEST_ID")
    return given if given and _GIVEN_ID.fullmatch(given) else None
