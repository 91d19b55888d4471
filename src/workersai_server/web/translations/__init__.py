"""The words of the pages: English in the templates, Korean in ``ko/workersai.po``.

Catalogs are read as they are written, at first use; nothing is compiled.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal

import polib

__all__ = ["LANGUAGES", "Language", "gettext", "ngettext"]

Language = Literal["en", "ko"]
LANGUAGES: dict[Language, str] = {"en": "English", "ko": "한국어"}


def gettext(language: Language, message: str) -> str:
    """Return a message in a language; in English where it has no translation."""
    return message if language == "en" else _catalog(language).get(message, message)


def ngettext(language: Language, singular: str, plural: str, n: int) -> str:
    """Return the form of a message for a number; Korean has one form for all."""
    if language == "en":
        return singular if n == 1 else plural
    return _catalog(language).get(singular, singular if n == 1 else plural)


@functools.lru_cache(maxsize=len(LANGUAGES))
def _catalog(language: Language) -> dict[str, str]:
    text = resources.files(__name__).joinpath(language, "workersai.po").read_text("utf-8")
    return {entry.msgid: entry.msgstr or entry.msgstr_plural[0] for entry in polib.pofile(text)}
