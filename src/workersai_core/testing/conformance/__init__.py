"""The laws that every task type keeps, and how to check them.

    from workersai_core.testing import conformance

    conformance.add_tests(globals(), MyType())        # the whole test file of a plugin

`check` runs the same laws without pytest. A package adds laws of its own with
an entry point of the group ``workersai.laws`` that names a sequence of `Law`.
"""

from __future__ import annotations

from workersai_core.plugins.unchecked import task_types_of
from workersai_core.testing.conformance.cases import Case
from workersai_core.testing.conformance.law import Broken, Law, LawResult, drawn_law, static_law
from workersai_core.testing.conformance.markdown import laws_markdown
from workersai_core.testing.conformance.running import EXAMPLES, add_tests, check, iter_check, laws

__all__ = [
    "EXAMPLES",
    "Broken",
    "Case",
    "Law",
    "LawResult",
    "add_tests",
    "check",
    "drawn_law",
    "iter_check",
    "laws",
    "laws_markdown",
    "static_law",
    "task_types_of",
]
