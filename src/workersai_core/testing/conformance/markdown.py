"""The laws as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from workersai_core.testing.conformance import drawn_laws, static_laws
from workersai_core.testing.conformance.law import Law
from workersai_core.testing.conformance.running import EXAMPLES, laws

__all__ = ["laws_markdown"]

_HEAD = f"""# Conformance laws

What holds for every task type. `workersai plugin check` and `conformance.add_tests` check each of them;
[Test a plugin](../how-to/test-a-plugin.md) shows how. The drawn laws are checked on {EXAMPLES} examples each, the same
ones in every run.
"""
_OWN = (
    (
        "The schemas",
        "All other laws build on these: while one of them is broken, the others are not checked.",
        static_laws.SCHEMA_LAWS,
    ),
    ("The type", "The drawn laws build on these.", static_laws.TYPE_LAWS),
    ("Hints and habits", "", static_laws.HINT_LAWS),
    (
        "Drawn laws",
        "Params and responses are drawn from the two schemas, or from the type's own `params_strategy()` and"
        " `response_strategy(params)`; what the type's checks refuse is replaced by params of an example or by a mock.",
        drawn_laws.LAWS,
    ),
)


def laws_markdown() -> str:
    """Return the page: every law with its documentation and what to do when it does not hold."""
    known = {law.name for _, _, group in _OWN for law in group}
    further = [law for law in laws() if law.name not in known]
    sections = [*_OWN, *([("Further laws", "Added by installed packages.", further)] if further else [])]
    return "\n".join([_HEAD, *(_section(*section) for section in sections)])


def _section(title: str, introduction: str, group: Iterable[Law]) -> str:
    head = f"## {title}\n" + (f"\n{introduction}\n" if introduction else "")
    return "\n".join([head, *(_entry(law) for law in group)])


def _entry(law: Law) -> str:
    return f"### {law.name}\n\n{law.documentation.replace('``', '`')}\n\n**When it does not hold:** {law.remedy}\n"
