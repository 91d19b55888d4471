"""Bodies in and media types both ways.

Rules (design of the API, "Input limits"): UTF-8 only, media types compared
without regard to case, no Content-Type means JSON, a size limit that is
counted while reading, and an Accept header that refuses the answer's type is
told so before any work is done.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import falcon

from workersai_server import forms, strict_json
from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidBody, NotAcceptable, PayloadTooLarge, UnsupportedMediaType, UriTooLong

__all__ = [
    "FORM",
    "JSON",
    "MAX_BODY_BYTES",
    "MAX_URL_BYTES",
    "NDJSON",
    "content_type",
    "is_form",
    "read_body",
    "read_object",
    "require_acceptable",
    "require_short_url",
]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
NDJSON = "application/x-ndjson"

MAX_BODY_BYTES = 1_048_576
MAX_URL_BYTES = 8_192
_CHUNK_BYTES = 65_536
_UTF_8 = frozenset({"utf-8", "utf8"})

_PARSERS: Mapping[str, Callable[[bytes], Any]] = {JSON: strict_json.parse, FORM: forms.parse}


def read_object(req: falcon.Request, limit: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """Return the JSON object in the request's body, sent as JSON or as a form.

    A request without body and Content-Type stands for ``{}``. The leaves of a
    form are texts: see `is_form` and `coercion.coerce`.

    Raises:
        UnsupportedMediaType: neither JSON nor a form, or not UTF-8.
        PayloadTooLarge: over `limit` bytes.
        InvalidJson: not strict JSON.
        InvalidBody: not an object, a malformed form, or a body cut short.
    """
    kind = content_type(req, (JSON, FORM))
    body = read_body(req, limit)
    if not body and not req.content_type:
        return {}
    document = _PARSERS[kind](body)
    if not isinstance(document, dict):
        raise InvalidBody("The body must be a JSON object.")
    return document


def is_form(req: falcon.Request) -> bool:
    """Return whether the body was sent as a form."""
    return content_type(req, (JSON, FORM)) == FORM


def content_type(req: falcon.Request, supported: tuple[str, ...]) -> str:
    """Return which of the `supported` media types the body has; no header means the first.

    Raises:
        UnsupportedMediaType: another type, another charset than UTF-8, or a
            compressed body.
    """
    if req.content_type == supported[0] and "HTTP_CONTENT_ENCODING" not in req.env:
        return supported[0]  # PERF: as nearly every body comes
    if req.env.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("Send the body uncompressed, without Content-Encoding.")
    if not req.content_type:
        return supported[0]
    kind, charset = _split(req.content_type)
    if kind not in supported:
        raise UnsupportedMediaType(f"Send {' or '.join(supported)}.")
    if charset not in _UTF_8:
        raise UnsupportedMediaType(f"Send {kind} in UTF-8; other charsets are not read.")
    return kind


@functools.lru_cache(maxsize=256)
def _split(header: str) -> tuple[str, str]:
    """Return the media type and the charset of a Content-Type header, both in lower case."""
    kind, *parameters = header.lower().split(";")
    named = dict(parameter.strip().partition("=")[::2] for parameter in parameters)
    return kind.strip(), named.get("charset", "utf-8").strip().strip('"')


def read_body(req: falcon.Request, limit: int = MAX_BODY_BYTES) -> bytes:
    """Return the body, of known length or chunked.

    Raises:
        PayloadTooLarge: over `limit` bytes; nothing beyond it is read.
        InvalidBody: it ended before its Content-Length.
    """
    length = req.content_length
    if length is None:
        return _read_chunked(req, limit)
    if length > limit:
        raise _too_large(limit)
    body: bytes = req.env["wsgi.input"].read(length) if length else b""
    while len(body) < length:
        more = req.env["wsgi.input"].read(length - len(body))
        if not more:
            raise InvalidBody(f"The body ended after {len(body)} of {length} bytes.")
        body += more
    return body


def _read_chunked(req: falcon.Request, limit: int) -> bytes:
    """Read to the end of the input, which only a server that marks that end allows.

    Without ``wsgi.input_terminated`` and Content-Length there is no body to
    read; trying would wait for the client for ever.
    """
    if not req.env.get("wsgi.input_terminated"):
        if req.env.get("HTTP_TRANSFER_ENCODING"):
            raise InvalidBody("Send a Content-Length; this server does not take chunked bodies.")
        return b""
    parts: list[bytes] = []
    size = 0
    while part := req.env["wsgi.input"].read(min(_CHUNK_BYTES, limit + 1 - size)):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise _too_large(limit)
    return b"".join(parts)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body may have {limit} bytes at most.", limit=limit)


def require_acceptable(req: falcon.Request, media_types: tuple[str, ...] = (JSON,)) -> None:
    """Raise unless the client's Accept header allows one of `media_types`; none of them allows everything.

    Raises:
        NotAcceptable: it does not.
    """
    accept = req.env.get("HTTP_ACCEPT", "")
    if accept and media_types and not any(_accepts(accept, each) for each in media_types):
        raise NotAcceptable(
            f"The answer is {media_types[0]}, which the Accept header refuses.", media_type=media_types[0]
        )


@functools.lru_cache(maxsize=256)
def _accepts(accept: str, media_type: str) -> bool:
    try:
        return falcon.mediatypes.quality(media_type, accept.lower()) > 0
    except ValueError:
        return False


def require_short_url(req: ApiRequest) -> None:
    """Raise unless path and query together have at most 8 KB.

    Raises:
        UriTooLong: they have more.
    """
    if req.url_bytes > MAX_URL_BYTES:
        raise UriTooLong
