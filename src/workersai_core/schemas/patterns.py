"""Which regular expressions a schema may use.

The server's engine takes linear time whatever the expression. A published
schema is also run elsewhere, by browsers and by clients in any language, with
engines that backtrack: there a repetition inside a repetition, such as
``(a+)+``, takes time exponential in the length of a text that does not match.
So it is refused where the schema is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["pattern_problem"]

_TOKEN = re.compile(
    r"""
    (?P<escape>\\.)
  | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
  | (?P<open>\((?:\?(?:[:=!]|<[=!]|P?<[^>]*>))?)
  | (?P<close>\))
  | (?P<bar>\|)
  | (?P<repeat>[*+]|\{\d+,\}|\{\d+(?:,\d+)?\}|\?)\??
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_MANY = 100
"""From this many times on, a bounded repetition counts like an unbounded one."""


def pattern_problem(pattern: str) -> str | None:
    """Return why a pattern is refused, or None; its syntax is the fast engine's affair."""
    for inner, outer in _nested(pattern):
        return (
            f"the repetition {inner} stands inside the repetition {outer}, which takes forever in engines that"
            " backtrack; bound one of them, for example {1,20}"
        )
    return None


def _nested(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield each long repetition within a long repetition."""
    within: list[str | None] = [None]
    """By open group: a long repetition in it."""
    last: str | None = None
    """A long repetition in the item that a quantifier would apply to."""
    for token in _TOKEN.finditer(pattern):
        kind, text = token.lastgroup, token[0]
        if kind == "open":
            within.append(None)
            last = None
        elif kind == "close" and len(within) > 1:
            last = within.pop()
            within[-1] = within[-1] or last
        elif kind == "repeat" and _is_long(text):
            if last is not None:
                yield last, text
            within[-1] = within[-1] or text
        elif kind != "repeat":
            last = None


def _is_long(quantifier: str) -> bool:
    if quantifier[0] in "*+":
        return True
    bounds = re.findall(r"\d+", quantifier)
    return quantifier.endswith((",}", ",}?")) or bool(bounds) and int(bounds[-1]) >= _MANY
