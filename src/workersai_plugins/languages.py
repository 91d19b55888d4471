"""Language tags as RFC 5646 (BCP 47) writes them, such as ``en``, ``ko-KR`` or ``zh-Hant``."""

from __future__ import annotations

import re

__all__ = ["is_well_formed", "primary"]

# RFC 5646 section 2.1. Extended and grandfathered tags that the general form does not cover stand at the end.
_TAG = re.compile(
    r"""
    (?: [a-z]{2,3} (?:-[a-z]{3}){0,3} | [a-z]{4,8} )     # language, extended language
    (?: -[a-z]{4} )?                                     # script
    (?: -(?:[a-z]{2}|[0-9]{3}) )?                        # region
    (?: -(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}) )*           # variants
    (?: -[0-9a-wy-z](?:-[a-z0-9]{2,8})+ )*               # extensions
    (?: -x(?:-[a-z0-9]{1,8})+ )?                         # private use
    | x(?:-[a-z0-9]{1,8})+
    | en-gb-oed | sgn-be-fr | sgn-be-nl | sgn-ch-de
    | i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def is_well_formed(tag: str) -> bool:
    """Return whether a tag follows the grammar; whether the language exists is another question."""
    return _TAG.fullmatch(tag) is not None


def primary(tag: str) -> str:
    """Return the language of a tag without script, region and the rest, in lower case."""
    return tag.split("-")[0].lower()
