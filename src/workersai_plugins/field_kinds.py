"""The kinds of fields that `data_collection` knows, one class each."""

from __future__ import annotations

import datetime
import json
import math
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

from rapidfuzz.distance import Indel

from workersai_core.api import Issue, JsonObject
from workersai_plugins import attachments, choices, weighing

__all__ = ["KINDS", "Kind"]

Given = Sequence[tuple[Any, float]]
"""Values and their weights."""


class Kind(ABC):
    """A kind of field. By default equal forms are equal values, and most votes win."""

    plain: ClassVar[JsonObject]
    """The JSON Schema of a value without limits."""

    def schema(self, field: JsonObject) -> JsonObject:
        """Return the JSON Schema of a field's value."""
        return self.plain

    def issues(self, field: JsonObject, value: Any, where: str) -> Iterator[Issue]:
        """Yield what the schema cannot say about a value."""
        yield from ()

    @abstractmethod
    def mock(self, field: JsonObject, rng: random.Random) -> Any:
        """Return a made-up value."""

    def form(self, value: Any) -> Any:
        """Return the form in which values are compared."""
        return value

    def likeness(self, a: Any, b: Any) -> float:
        """Return how much two values are alike, 0 to 1."""
        return 1.0 if self.form(a) == self.form(b) else 0.0

    def combine(self, field: JsonObject, given: Given) -> Any:
        """Return the value that stands for those given, which are not empty."""
        best, _ = weighing.plurality((_text(self.form(value)), weight) for value, weight in given)
        spelled = [(_text(value), weight) for value, weight in given if _text(self.form(value)) == best]
        return json.loads(weighing.plurality(spelled)[0])


class Text(Kind):
    """Any text; values are alike by their letters, without regard to case and white space."""

    plain: ClassVar[JsonObject] = {"type": "string", "minLength": 1, "maxLength": 2000}

    def schema(self, field: JsonObject) -> JsonObject:
        """Return the schema with the field's greatest length."""
        return {**self.plain, "maxLength": field.get("max_length", self.plain["maxLength"])}

    def issues(self, field: JsonObject, value: Any, where: str) -> Iterator[Issue]:
        """Yield a blank text."""
        if not value.strip():
            yield Issue(where, "This is only white space; leave it out when there is nothing.", "blank")

    def mock(self, field: JsonObject, rng: random.Random) -> Any:
        """Return a sample."""
        return f"sample {rng.randint(1, 99)}"[: field.get("max_length", 2000)]

    def form(self, value: Any) -> Any:
        """Return the text in NFC, case folded, with single spaces."""
        return choices.nfc(" ".join(choices.nfc(value).casefold().split()))

    def likeness(self, a: Any, b: Any) -> float:
        """Return twice the common letters in order by all letters."""
        return Indel.normalized_similarity(self.form(a), self.form(b))

    def combine(self, field: JsonObject, given: Given) -> Any:
        """Return the text that is most like all of them, as it was written."""
        ranked = sorted(given, key=lambda each: (-each[1], each[0]))
        return ranked[weighing.typical(ranked, self.likeness)[0]][0]


class Number(Kind):
    """A number; the weighted median stands for several."""

    plain: ClassVar[JsonObject] = {"type": "number"}

    def schema(self, field: JsonObject) -> JsonObject:
        """Return the schema with the field's limits."""
        return {**self.plain, **{limit: field[limit] for limit in ("minimum", "maximum") if limit in field}}

    def mock(self, field: JsonObject, rng: random.Random) -> Any:
        """Return a number within the limits."""
        low, high = _range(field)
        return min(max(round(rng.uniform(low, high), 2), low), high)

    def combine(self, field: JsonObject, given: Given) -> Any:
        """Return the lower weighted median."""
        return weighing.median(given)


class Integer(Number):
    """A whole number."""

    plain: ClassVar[JsonObject] = {"type": "integer"}

    def mock(self, field: JsonObject, rng: random.Random) -> Any:
        """Return a whole number within the limits."""
        low, high = _range(field)
        return rng.randint(math.ceil(low), math.floor(high))


class Boolean(Kind):
    """Yes or no."""

    plain: ClassVar[JsonObject] = {"type": "boolean"}

    def mock(self, field: JsonObject, rng: random.Random) -> Any:
        """Return either."""
        return rng.random() < 0.5


class Date(Kind):
    """A day of the calendar (RFC 3339, full-date)."""

    plain: ClassVar[JsonObject] = {"type": "string", "format": "date"}

    def mock(self, field: JsonObject, rng: random.Random) -> Any:
        """Return a day of the years 2000 to 2029."""
        return (datetime.date(2000, 1, 1) + datetime.timedelta(days=rng.randrange(30 * 365))).isoformat()


class Email(Kind):
    """An email address; case does not count."""

    plain: ClassVar[JsonObject] = {"type": "string", "format": "email", "maxLength": 254}

    def mock(self, field: JsonObject, rng: random.Random) -> Any:
        """Return an address at a reserved host, so that no mail reaches anybody."""
        return f"sample{rng.randint(1, 99)}@example.com"

    def form(self, value: Any) -> Any:
        """Return the address case folded."""
        return value.casefold()


class Url(Kind):
    """An http or https URL; the case of scheme and host does not count."""

    plain: ClassVar[JsonObject] = {"type": "string", "minLength": 1, "maxLength": attachments.MAX_URL}

    def issues(self, field: JsonObject, value: Any, where: str) -> Iterator[Issue]:
        """Yield what no browser would load."""
        yield from attachments.url_issues(value, where)

    def mock(self, field: JsonObject, rng: random.Random) -> Any:
        """Return a URL of a reserved host."""
        return f"https://example.com/{rng.randint(1, 99)}"

    def form(self, value: Any) -> Any:
        """Return the URL with scheme and host in lower case; without a path it has the path ``/``."""
        parts = urlsplit(choices.nfc(value))
        return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path or "/", parts.query, parts.fragment))


class Choice(Kind):
    """One of the field's choices, compared in NFC."""

    plain: ClassVar[JsonObject] = {"type": "string"}

    def schema(self, field: JsonObject) -> JsonObject:
        """Return the schema with the choices."""
        return choices.schema(field["choices"])

    def issues(self, field: JsonObject, value: Any, where: str) -> Iterator[Issue]:
        """Yield what is none of the choices in any spelling."""
        if choices.nfc(value) not in choices.spellings(field["choices"]):
            yield choices.not_in_list(where, value, field["choices"])

    def mock(self, field: JsonObject, rng: random.Random) -> Any:
        """Choose by chance."""
        return rng.choice(field["choices"])

    def form(self, value: Any) -> Any:
        """Return the choice in NFC."""
        return choices.nfc(value)

    def combine(self, field: JsonObject, given: Given) -> Any:
        """Return the choice that most made, as the requester spelled it."""
        return choices.spellings(field["choices"])[self.form(super().combine(field, given))]


KINDS: Mapping[str, Kind] = {
    "text": Text(),
    "number": Number(),
    "integer": Integer(),
    "boolean": Boolean(),
    "date": Date(),
    "email": Email(),
    "url": Url(),
    "choice": Choice(),
}
"""By the name of the field's type."""


def _range(field: JsonObject) -> tuple[float, float]:
    """Return limits between which a mock may lie: the field's own, or within a hundred of them."""
    low, high = field.get("minimum"), field.get("maximum")
    if low is None:
        return (0, 100) if high is None else (high - 100, high)
    return low, low + 100 if high is None else high


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
