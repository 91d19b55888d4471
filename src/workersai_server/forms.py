"""Form bodies: bracketed names into a document, and texts into the types a schema wants.

    params[categories][]=big&params[categories][]=small&params[allow_multiple]=true

becomes ``{"params": {"categories": ["big", "small"], "allow_multiple": "true"}}``,
as Ruby's HTTParty and HTML forms write it. ``[]`` appends to an array; in an
array of objects (``a[][x]=1&a[][y]=2&a[][x]=3``) a new object begins where a
name comes again. A form cannot say more: arrays of arrays, null and empty
objects need JSON.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from typing import Any

from workersai_core import jsontext
from workersai_core.errors import InvalidInput
from workersai_server import strict_json, urlencoded
from workersai_server.errors import InvalidBody, InvalidJson

__all__ = ["parse", "parse_embedded_json"]

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")

Path = tuple[str, ...]
"""The names between the brackets, the first one included; ``""`` appends to an array."""


def parse(body: bytes) -> dict[str, Any]:
    """Return the document of a form body; every leaf is text.

    Raises:
        InvalidBody: JSON instead of a form, not UTF-8, a malformed name, the same name twice, a name
            that is both a value and a container, or outside the limits of
            `workersai_core.jsontext`. The detail names the field.
    """
    if body.lstrip()[:1] in (b"{", b"["):  # what curl and Net::HTTP send of JSON unless told otherwise
        raise InvalidBody("The form looks like JSON; send it with Content-Type: application/json.")
    document: dict[str, Any] = {}
    try:
        fields = urlencoded.pairs(body)
    except ValueError as error:
        raise InvalidBody(str(error)) from None
    for name, text in fields:
        _put(document, _path(name), text, name)
    try:
        jsontext.check(document)
    except InvalidInput as error:
        raise InvalidBody("The form is outside the limits.", issues=error.issues) from None
    return document


def parse_embedded_json(document: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the document with those members parsed that are text but must be objects.

    A form may carry ``params`` as JSON in one field: ``params={"categories": …}``.

    Raises:
        InvalidJson: such a text is not strict JSON; the detail names the field.
    """
    parsed = {name: _embedded(name, document[name]) for name in names if isinstance(document.get(name), str)}
    return {**document, **parsed}


def _embedded(name: str, text: str) -> Any:
    if not text:
        return text
    try:
        value = strict_json.parse(text.encode())
        jsontext.check(value, depth=2)
    except (InvalidJson, InvalidInput) as error:
        issues = [issue.under(f"/{name}") for issue in error.issues]
        raise InvalidJson(f"In the field {name}: {error.detail}", issues=issues) from None
    return value


def _path(name: str) -> Path:
    match = _NAME.fullmatch(name)
    if match is None:
        raise _bad_field(name, "Write the name as in params[categories][].")
    path = (match[1], *match[2][1:-1].split("][")) if match[2] else (match[1],)
    if len(path) > jsontext.MAX_DEPTH:
        raise _bad_field(name, f"Nested deeper than {jsontext.MAX_DEPTH} levels.")
    if any(here == after == "" for here, after in itertools.pairwise(path)):
        raise _bad_field(name, "A form cannot carry arrays of arrays; send JSON.")
    return path


def _put(document: dict[str, Any], path: Path, text: str, field: str) -> None:
    """Store `text` at `path`, making the objects and arrays on the way."""
    node: Any = document
    for position, name in enumerate(path[:-1]):
        fresh: Any = [] if path[position + 1] == "" else {}
        node = _element(node, path[position + 1 :]) if name == "" else node.setdefault(name, fresh)
        if type(node) is not type(fresh):
            raise _bad_field(field, "It is both a value and a container of values.")
    last = path[-1]
    if last == "":
        node.append(text)
    elif last in node:
        raise _bad_field(field, "It was given twice.")
    else:
        node[last] = text


def _element(array: list[Any], rest: Path) -> Any:
    """Return the object at the end of `array`, or a new one if it holds `rest` already."""
    if not array or _holds(array[-1], rest):
        array.append({})
    return array[-1]


def _holds(node: Any, path: Path) -> bool:
    if "" in path:
        return False
    for name in path:
        if not isinstance(node, dict) or name not in node:
            return False
        node = node[name]
    return True


def _bad_field(field: str, remedy: str) -> InvalidBody:
    return InvalidBody(f"The form field {jsontext.shorten(field)}: {remedy}")
