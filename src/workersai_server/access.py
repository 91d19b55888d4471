"""Who makes a request, and whether they may: the way in of every resource."""

from __future__ import annotations

import logging
from typing import Any, Protocol

import falcon

from workersai_core import Worker
from workersai_server.accounts import Requester
from workersai_server.credentials import ApiRequest
from workersai_server.errors import Forbidden
from workersai_server.rate_limits import RateLimits
from workersai_server.settings import Settings

__all__ = ["Access", "Directory"]

_log = logging.getLogger("workersai.http")


class Directory(Protocol):
    """Who is behind a key; `Accounts` is one, and a host may bring its own."""

    def authenticate(self, key: str) -> Requester:
        """Return whom an API key stands for, or raise `Unauthenticated`."""
        ...

    def authenticate_worker(self, token: str) -> Worker:
        """Return whom a worker token stands for, or raise `Unauthenticated`."""
        ...


class Access:
    """Lets requests in.

    Args:
        directory: Who is behind a key.
        settings: The rate limit, and whether live keys need https.
    """

    def __init__(self, directory: Directory, settings: Settings) -> None:
        self._directory = directory
        self._require_https = settings.require_https
        self._limits = RateLimits(settings.rate_limit)
        self._warned: set[str] = set()

    def requester(self, req: ApiRequest, resp: falcon.Response, body: dict[str, Any] | None = None) -> Requester:
        """Return who asks.

        Args:
            req: The request.
            resp: Gets the headers of the rate limit.
            body: The request's document; an `api_key` in it is taken out.

        Raises:
            Unauthenticated, AmbiguousCredentials, InvalidBody: see `Credentials.api_key`.
            Forbidden: a live key over plain http where https is required.
            RateLimited: too many requests with this key.
        """
        requester = self._directory.authenticate(req.credentials.api_key(body))
        req.caller = requester.key_id
        if requester.mode == "live" and req.scheme == "http":
            self._plain_http(req, requester)
        self._admit(requester.key_id, resp)
        return requester

    def worker(self, req: ApiRequest, resp: falcon.Response) -> Worker:
        """Return the worker who asks.

        Raises:
            Unauthenticated, AmbiguousCredentials: see `Credentials.worker_token`.
            RateLimited: too many requests with this token.
        """
        worker = self._directory.authenticate_worker(req.credentials.worker_token())
        req.caller = worker.id
        self._admit(worker.id, resp)
        return worker

    def anyone(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Raise unless the request carries a key of either kind; see `requester` and `worker`."""
        if req.credentials.api_key().startswith("wkr_"):
            self.worker(req, resp)
        else:
            self.requester(req, resp)

    def _admit(self, caller: str, resp: falcon.Response) -> None:
        # The key may be in the address, by which a cache would find the answer again for anybody.
        resp.set_header("Cache-Control", "private, no-cache")
        self._limits.count(caller, resp)

    def _plain_http(self, req: ApiRequest, requester: Requester) -> None:
        # Behind a proxy that ends TLS the request comes over http; the proxy says what the client used.
        # A client that lies about it harms only its own key.
        if req.forwarded_scheme == "https":
            return
        if self._require_https:
            raise Forbidden("Live keys are taken over https only; repeat the request there, and roll the key.")
        if requester.key_id not in self._warned:
            self._warned.add(requester.key_id)
            _log.warning("the live key %s is used over plain http; use https", requester.key_id)
