r"""Which regular expressions a schema may use.

The server's engine takes linear time whatever the expression. A published
schema is also run elsewhere, by browsers and by clients in any language, with
engines that backtrack. There a repetition that can share out the same text in
many ways, such as ``(a+)+`` or ``(a|a)+``, takes time exponential in the length
of a text that does not match. So it is refused where the schema is written.

What a repetition of a group needs is a mark in each round that nothing else in
the round can be taken for, as the dot in ``([a-z]+\.)+``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

import attrs

__all__ = ["pattern_problem"]

_TOKEN = re.compile(
    r"""
    (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
  | (?P<open>\((?:\?(?:[:=!]|<[=!]|P?<[^>]*>))?)
  | (?P<close>\))
  | (?P<bar>\|)
  | (?P<repeat>[*+?]|\{\d+(?:,\d*)?\})\??
  | (?P<item>\\[pPu]\{[^}]*\}|\\.|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_MANY = 10
"""From this many rounds on, a bounded repetition counts like an unbounded one."""
_SAMPLES = [chr(code) for code in range(0x20, 0x7F)] + ["\t", "\n", "é", "가"]


@attrs.define
class _Item:
    """A character, a set or a group, and how often it may come."""

    text: str
    group: _Group | None = None
    least: int = 1
    most: int | None = 1
    """None is without limit."""

    @property
    def varies(self) -> bool:
        """Whether it can take more or less of a text."""
        return self.least != self.most or (self.group is not None and self.group.varies)


@attrs.define
class _Group:
    """A group: its alternatives, each a sequence of items."""

    branches: list[list[_Item]] = attrs.field(factory=lambda: [[]])

    @property
    def varies(self) -> bool:
        """Whether it can take more or less of a text."""
        lengths = {len(branch) for branch in self.branches}
        return len(lengths) > 1 or any(item.varies for branch in self.branches for item in branch)

    def __str__(self) -> str:
        return "|".join("".join(item.text for item in branch) for branch in self.branches)


def pattern_problem(pattern: str) -> str | None:
    """Return why a pattern is refused, or None; whether it is one at all is the fast engine's affair."""
    return next(_problems_in(_read(pattern)), None)


def _read(pattern: str) -> _Group:
    open_groups = [_Group()]
    for token in _TOKEN.finditer(pattern):
        kind, text = token.lastgroup, token[0]
        items = open_groups[-1].branches[-1]
        if kind == "open":
            open_groups.append(_Group())
        elif kind == "close" and len(open_groups) > 1:
            group = open_groups.pop()
            open_groups[-1].branches[-1].append(_Item(f"({group})", group))
        elif kind == "bar":
            open_groups[-1].branches.append([])
        elif kind == "repeat" and items:
            items[-1].least, items[-1].most = _bounds(token["repeat"])
            items[-1].text += text
        else:
            items.append(_Item(text))
    return open_groups[0]


def _bounds(quantifier: str) -> tuple[int, int | None]:
    if quantifier in _SIGNS:
        return _SIGNS[quantifier]
    least, comma, most = quantifier[1:-1].partition(",")
    if not comma:
        return int(least), int(least)
    return int(least), int(most) if most else None


_SIGNS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


def _problems_in(group: _Group, repeated: str | None = None) -> Iterator[str]:
    """Yield what is wrong with the groups in a group.

    Args:
        group: Where to look.
        repeated: The repetition it stands in, if any.
    """
    if repeated is not None and any(_look_alike(one, other) for one, other in combinations(group.branches, 2)):
        yield f"{repeated} repeats alternatives that look alike, {_SLOW}; leave one out"
    for item in (item for branch in group.branches for item in branch):
        if item.group is not None:
            endless = item.most is None or item.most >= _MANY
            if endless and not all(_has_mark(branch) for branch in item.group.branches):
                yield f"{item.text} repeats a repetition, {_SLOW}; end each round with a character of its own"
            yield from _problems_in(item.group, item.text if endless else repeated)


_SLOW = "which takes forever in engines that backtrack"


def _has_mark(branch: list[_Item]) -> bool:
    """Return whether each round through a branch takes a fixed length, or has something to know it by."""
    loose = [item for item in branch if item.varies]
    marks = [item for item in branch if not item.varies and item.group is None]
    return not loose or any(_stands_out(mark, loose) for mark in marks)


def _look_alike(one: list[_Item], other: list[_Item]) -> bool:
    """Return whether the same text may be read as either, so that each round could choose."""
    shorter, longer = sorted(([item.text for item in one], [item.text for item in other]), key=len)
    if longer[: len(shorter)] == shorter:
        return True
    return len(longer) == 1 and not _are_disjoint(one[0].text, other[0].text)


def _stands_out(mark: _Item, others: list[_Item]) -> bool:
    return all(other.group is None and _are_disjoint(mark.text, other.text) for other in others)


def _are_disjoint(one: str, other: str) -> bool:
    """Return whether no single character fits both; what Python cannot read fits everything."""
    try:
        first, second = re.compile(_once(one)), re.compile(_once(other))
    except re.error:
        return False
    return not any(first.fullmatch(char) and second.fullmatch(char) for char in _SAMPLES)


def _once(text: str) -> str:
    """Return an item without its quantifier."""
    token = _TOKEN.match(text)
    return token[0] if token is not None else text
