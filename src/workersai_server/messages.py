"""The words of problem documents, in English and Korean.

Errors carry their English sentence. Its Korean comes, in this order, from the
catalog of sentences (`sentences_ko`), from the text of the error's code (`messages_ko`)
with the values in the error's `extra`, or stays the plugin's own sentence where
neither knows it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Literal

from workersai_core.errors import Issue, WorkersAIError
from workersai_server import messages_ko
from workersai_server.sentences_ko import SENTENCES

__all__ = ["Language", "detail_of", "issue_text", "language_of", "title_of"]

Language = Literal["en", "ko"]

_TITLES: Mapping[str, str] = {
    "already_submitted": "Already submitted",
    "ambiguous_credentials": "Ambiguous credentials",
    "conflict": "Conflict",
    "csrf_failed": "Form expired",
    "duplicate_task": "Duplicate task",
    "forbidden": "Forbidden",
    "free_requests_exhausted": "Free requests exhausted",
    "idempotency_in_progress": "Still in progress",
    "idempotency_key_reused": "Idempotency key reused",
    "internal_error": "Internal error",
    "invalid_body": "Invalid body",
    "invalid_cursor": "Invalid cursor",
    "invalid_idempotency_key": "Invalid idempotency key",
    "invalid_json": "Invalid JSON",
    "invalid_parameter": "Invalid parameter",
    "lease_lost": "Lease lost",
    "method_not_allowed": "Method not allowed",
    "not_acceptable": "Not acceptable",
    "not_found": "Not found",
    "payload_too_large": "Payload too large",
    "plugin_failed": "Plugin failed",
    "plugin_invalid": "Plugin invalid",
    "rate_limited": "Too many requests",
    "schema_invalid": "Schema invalid",
    "setting_invalid": "Setting invalid",
    "task_type_unavailable": "Task type unavailable",
    "too_many_assignments": "Too many assignments",
    "unauthenticated": "Unauthenticated",
    "unavailable": "Temporarily unavailable",
    "unknown_parameter": "Unknown parameter",
    "unknown_task_type": "Unknown task type",
    "unsafe_url": "Unsafe URL",
    "unsupported_media_type": "Unsupported media type",
    "uri_too_long": "Address too long",
    "validation_failed": "Validation failed",
    "wrong_state": "Wrong state",
}


@functools.lru_cache(maxsize=256)
def language_of(accept_language: str) -> Language:
    """Return which of our languages an Accept-Language header (RFC 9110, section 12.5.4) likes best.

    The first of those it likes the same; English where it names neither.
    """
    liked: dict[Language, float] = {}
    for part in accept_language.split(","):
        tag, *parameters = part.split(";")
        language = _LANGUAGES.get(tag.strip().lower().partition("-")[0])
        if language is not None:
            liked.setdefault(language, _quality(parameters))
    best: Language = "en"
    most = 0.0
    for language, quality in liked.items():
        if quality > most:
            best, most = language, quality
    return best


_LANGUAGES: Mapping[str, Language] = {"en": "en", "ko": "ko"}


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def title_of(code: str, language: Language) -> str:
    """Return the title of a kind of problem."""
    english = _TITLES.get(code) or code.replace("_", " ").capitalize()
    return english if language == "en" else messages_ko.TITLES.get(code, english)


def detail_of(error: WorkersAIError, language: Language) -> str:
    """Return the sentence that says what went wrong."""
    if language == "en":
        return error.detail
    return _translated(error.detail) or _by_code(error.code, error.extra) or error.detail


def issue_text(issue: Issue, language: Language) -> str:
    """Return the sentence that says what is wrong at one place."""
    if language == "en":
        return issue.message
    general = messages_ko.ISSUES.get(issue.code)
    return _translated(issue.message) or (f"{general} ({issue.message})" if general else issue.message)


def _by_code(code: str, extra: Mapping[str, Any]) -> str | None:
    """Return the text of a code that uses the most of the values at hand."""
    for template in messages_ko.DETAILS.get(code, ()):
        try:
            return template.format_map(extra)
        except KeyError:
            continue
    return None


def _translated(sentence: str) -> str | None:
    """Return the Korean of a sentence of ours; None when the catalog has none."""
    for pattern, korean in _catalog():
        match = pattern.fullmatch(sentence)
        if match:
            return korean.format(*(_part(value) for value in match.groups()))
    return None


def _part(value: str) -> str:
    """Return a value that stands inside a sentence; some are words or sentences themselves."""
    if value in messages_ko.WORDS:
        return messages_ko.WORDS[value]
    return _translated(value) or value if value.endswith((".", "?")) else value


@functools.cache
def _catalog() -> list[tuple[re.Pattern[str], str]]:
    return [(_pattern(english), korean) for english, korean in SENTENCES]


def _pattern(english: str) -> re.Pattern[str]:
    """Return the pattern of an English sentence in which ``{}`` stands for any value."""
    plain = (part.replace("{{", "{").replace("}}", "}") for part in english.split("{}"))
    return re.compile("(.*)".join(map(re.escape, plain)), re.DOTALL)
