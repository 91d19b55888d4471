"""Where a key may stand in a request, and taking it out before anything logs.

A request carries its key in exactly one place: the query parameter `api_key`,
``Authorization: Bearer KEY``, ``Authorization: Basic base64(KEY:)``,
``X-API-Key``, or the top-level body field `api_key`. Two places are refused
even when they agree: a client that sends a key twice has a bug that would
show only after one of the two was rolled.
"""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any

import attrs
import falcon

from workersai_server import urlencoded
from workersai_server.errors import AmbiguousCredentials, InvalidBody, Unauthenticated

__all__ = ["ApiRequest", "Credentials", "take"]

_PARAMETER = "api_key"
_RAW_TARGETS = ("RAW_URI", "REQUEST_URI")
"""Where some servers keep the request line's address, query included."""
_WITHOUT_KEY = "A valid key is required: give it as Authorization: Bearer KEY, X-API-Key or api_key."
_IN_HEADER_ONLY = "A valid worker token is required: give it as Authorization: Bearer TOKEN or X-API-Key."


@attrs.frozen
class Credentials:
    """The keys that a request presented, by place; never shown in full."""

    found: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=lambda found: str([place for place, _ in found]))
    """Pairs (place, key); the places are query, bearer, basic, x-api-key, body."""

    def api_key(self, body: dict[str, Any] | None = None) -> str:
        """Return the one key presented; its form is not checked.

        Args:
            body: The request's document, if it has one; its `api_key` counts
                as a place and is removed from it.

        Raises:
            InvalidBody: the body's `api_key` is not text.
            AmbiguousCredentials: more than one place has a key.
            Unauthenticated: none has.
        """
        return _only(self.found + _from_body(body), _WITHOUT_KEY)

    def worker_token(self) -> str:
        """Return the one token presented in a header.

        Raises:
            AmbiguousCredentials: more than one place has a token.
            Unauthenticated: none has, or it came in the query.
        """
        token = _only(self.found, _IN_HEADER_ONLY)
        if self.found[0][0] not in ("bearer", "x-api-key"):
            raise Unauthenticated(_IN_HEADER_ONLY)
        return token


def _only(found: tuple[tuple[str, str], ...], remedy: str) -> str:
    if len(found) > 1:
        places = ", ".join(sorted(place for place, _ in found))
        raise AmbiguousCredentials(f"The key was given {len(found)} times ({places}); give it once.", places=places)
    if not found:
        raise Unauthenticated(remedy)
    return found[0][1]


def _from_body(body: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    if not body or _PARAMETER not in body:
        return ()
    key = body.pop(_PARAMETER)
    if not isinstance(key, str):
        raise InvalidBody("The field api_key must be text.")
    return (("body", key),)


def take(env: dict[str, Any]) -> Credentials:
    """Return the keys in a WSGI environ and remove them from it.

    Afterwards neither the query, nor the headers, nor the raw address that
    some servers add hold a key. It never raises: what is wrong with the keys
    is said when one is asked for.
    """
    found: list[tuple[str, str]] = []
    query = env.get("QUERY_STRING", "")
    if query:
        env["QUERY_STRING"], keys = _split_query(query)
        found.extend(("query", key) for key in keys)
        for name in _RAW_TARGETS:
            if name in env:
                env[name] = _without_key(env[name])
    authorization = env.pop("HTTP_AUTHORIZATION", "")
    if authorization:
        found.extend(_from_authorization(authorization))
    header = env.pop("HTTP_X_API_KEY", "")
    if header:
        found.extend(("x-api-key", key.strip()) for key in header.split(","))
    return Credentials(tuple(found))


def _split_query(query: str) -> tuple[str, list[str]]:
    """Return the query without its `api_key` parameters, and their values."""
    if "api" not in query and "%" not in query:  # PERF: the name can hide only behind a percent sign
        return query, []
    kept: list[str] = []
    keys: list[str] = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if _decoded(name) == _PARAMETER:
            keys.append(_decoded(value))
        else:
            kept.append(part)
    return "&".join(kept), keys


def _decoded(part: str) -> str:
    """Return a decoded name or value; as it came when it is not UTF-8, for no key is that."""
    try:
        return urlencoded.decode(part.encode("latin-1"))
    except ValueError:
        return part


def _without_key(address: str) -> str:
    path, mark, query = address.partition("?")
    return path + mark + _split_query(query)[0]


def _from_authorization(header: str) -> list[tuple[str, str]]:
    # A comma joins headers that came twice; neither scheme below contains one.
    return [pair for part in header.split(",") if (pair := _from_scheme(part.strip()))]


def _from_scheme(header: str) -> tuple[str, str] | None:
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return "bearer", value
    if scheme.lower() == "basic":
        return "basic", _user_of(value)
    return None


def _user_of(encoded: str) -> str:
    """Return the user of Basic credentials (RFC 7617); ``""`` when unreadable or with a password."""
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return "" if password else user


class ApiRequest(falcon.Request):
    """A request whose key was taken out of it before anything else sees it.

    Use it as the `request_type` of the app: it is made before any middleware
    runs, so that neither log, nor error, nor ``Link`` header can show the key.
    """

    credentials: Credentials
    """The keys it presented."""

    url_bytes: int
    """How long path and query were as they came."""

    request_id: str = ""
    """Names the request in answers and logs; given by the perimeter."""

    started_at: float
    """When it came, by `time.perf_counter`."""

    caller: str | None = None
    """Whose it is, for logs: the id of a key or worker, never the key."""

    def __init__(self, env: dict[str, Any], options: falcon.RequestOptions | None = None) -> None:
        self.started_at = time.perf_counter()
        self.url_bytes = len(env.get("PATH_INFO", "")) + len(env.get("QUERY_STRING", ""))
        self.credentials = take(env)
        super().__init__(env, options)
