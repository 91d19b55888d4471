"""What a law is, and how one is written.

    @drawn_law(remedy="Sort before you choose.")
    def mock_is_repeatable(case: Case) -> None:
        '''The same seed gives the same mock. …'''
        …
        case.require(a == b, "two calls gave …")

The docstring is the law's documentation: its first sentence says what holds.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from workersai_core.task_type import TaskType
    from workersai_core.testing.conformance.cases import Case

__all__ = ["Broken", "Law", "LawResult", "drawn_law", "static_law"]


class Broken(AssertionError):
    """A law does not hold; the text says what happened."""


@attrs.frozen(kw_only=True)
class Law:
    """One thing that holds for every task type.

    Attributes:
        name: A stable slug.
        check: Raises `Broken` when the law does not hold. It takes a `Case`
            when the law is drawn, else the task type.
        drawn: Whether it is checked on many drawn examples.
        remedy: What an author does about it.
    """

    name: str
    check: Callable[[Any], None]
    drawn: bool
    remedy: str

    @property
    def statement(self) -> str:
        """The law in one sentence."""
        return self.documentation.partition("\n\n")[0].replace("\n", " ")

    @property
    def documentation(self) -> str:
        """The whole docstring."""
        return inspect.getdoc(self.check) or ""


@attrs.frozen(kw_only=True)
class LawResult:
    """What came of one law for one task type.

    Attributes:
        type: The name of the task type.
        law: The name of the law.
        ok: Whether it holds.
        detail: When it does not: what happened, the smallest example and what to do.
        blocked: Whether it could not be checked because a law that goes before does not hold.
    """

    type: str
    law: str
    ok: bool
    detail: str = ""
    blocked: bool = False


def static_law(*, remedy: str) -> Callable[[Callable[[TaskType], None]], Law]:
    """Make a law of a function that looks at the task type once."""
    return lambda check: Law(name=check.__name__, check=check, drawn=False, remedy=remedy)


def drawn_law(*, remedy: str) -> Callable[[Callable[[Case], None]], Law]:
    """Make a law of a function that looks at one drawn `Case`."""
    return lambda check: Law(name=check.__name__, check=check, drawn=True, remedy=remedy)
