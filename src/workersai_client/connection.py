"""Requests to the service: where it is, who asks, and when to try again."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

import requests
from requests.auth import AuthBase

from workersai_client.errors import APIConnectionError, APIError, error_for

__all__ = ["Connection"]

_AGAIN = frozenset({429, 503})
_LONGEST_WAIT_S = 60.0
_FIRST_WAIT_S = 0.2

Query = Mapping[str, str] | Sequence[tuple[str, str]]


class _Bearer(AuthBase):
    """The key as a header, whatever a .netrc file says about the host."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Connection:
    """One service, spoken to with one key or token."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_s: float,
        retries: int,
        session: requests.Session | None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._auth = _Bearer(key)
        self._timeout_s = timeout_s
        self._retries = retries
        self._session = session or requests.Session()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def get(self, path: str, query: Query = ()) -> requests.Response:
        """Read; tried again when no answer comes or the service is busy.

        Raises:
            APIConnectionError: no answer came.
            APIError: the service answered with an error.
        """
        return self._call("GET", path, query=query, repeatable=True)

    def stream(self, path: str, query: Query = ()) -> requests.Response:
        """Begin to read what may be long and of any media type; the answer must be closed.

        Raises:
            APIConnectionError: no answer came; one that breaks off later raises where it is read.
            APIError: the service answered with an error.
        """
        return self._call("GET", path, query=query, headers={"Accept": "*/*"}, repeatable=True, stream=True)

    def post(
        self,
        path: str,
        body: Any = None,
        *,
        ndjson: Sequence[Any] | None = None,
        idempotency_key: str | None = None,
        repeatable: bool = False,
    ) -> requests.Response:
        """Change something.

        Args:
            path: Below the base URL, with its leading slash.
            body: A JSON value; None sends an empty object.
            ndjson: JSON values sent one per line instead of `body`.
            idempotency_key: Makes the request safe to repeat.
            repeatable: Whether it is safe to repeat by its nature.

        Raises:
            APIConnectionError: no answer came.
            APIError: the service answered with an error.
        """
        headers = {"Content-Type": "application/json" if ndjson is None else "application/x-ndjson"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
            repeatable = True
        text = dump({} if body is None else body) if ndjson is None else "\n".join(map(dump, ndjson))
        return self._call("POST", path, data=text.encode(), headers=headers, repeatable=repeatable)

    def _call(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        query: Query = (),
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        tries_left = self._retries if repeatable else 0
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                return self._once(method, path, query=query, data=data, headers=headers, stream=stream)
            except APIError as error:
                if tries_left == 0 or not _worth_repeating(error):
                    raise
                pause_s = max(error.retry_after_s or 0.0, wait_s)
            except APIConnectionError:
                if tries_left == 0:
                    raise
                pause_s = wait_s
            # Jitter, so that clients turned away together do not come back together.
            time.sleep(min(pause_s * random.uniform(1.0, 1.25), _LONGEST_WAIT_S))  # noqa: S311 - not a secret
            tries_left -= 1
            wait_s *= 2

    def _once(
        self,
        method: str,
        path: str,
        *,
        query: Query,
        data: bytes | None,
        headers: Mapping[str, str] | None,
        stream: bool,
    ) -> requests.Response:
        try:
            response = self._session.request(
                method,
                self._base_url + path,
                params=query,
                data=data,
                headers={"Accept": "application/json", **(headers or {})},
                auth=self._auth,
                timeout=self._timeout_s,
                # The key must not travel to wherever an answer points.
                allow_redirects=False,
                stream=stream,
            )
        except requests.RequestException as error:
            raise APIConnectionError(f"{self._base_url} did not answer: {error}") from error
        if 200 <= response.status_code < 300:
            return response
        raise error_for(response.status_code, _problem(response), retry_after_s=_retry_after_s(response))


def dump(value: Any) -> str:
    """Return compact JSON text; text in other scripts stays as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _worth_repeating(error: APIError) -> bool:
    return error.status in _AGAIN or error.code == "idempotency_in_progress"


def _problem(response: requests.Response) -> Mapping[str, Any]:
    try:
        problem = response.json()
    except requests.JSONDecodeError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _retry_after_s(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None
