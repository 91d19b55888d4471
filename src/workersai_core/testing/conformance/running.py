"""Runs laws: one by one under pytest, or all of them for a report."""

from __future__ import annotations

from collections.abc import Collection, Iterator, MutableMapping, Sequence
from importlib import metadata
from typing import Any

from workersai_core.task_type import TaskType
from workersai_core.testing.conformance import drawn_laws, static_laws
from workersai_core.testing.conformance.cases import Case
from workersai_core.testing.conformance.law import Broken, Law, LawResult
from workersai_core.testing.conformance.subject import Subject
from workersai_core.testing.extra import hypothesis, pytest, st

__all__ = ["ENTRY_POINT_GROUP", "EXAMPLES", "add_tests", "check", "iter_check", "laws"]

ENTRY_POINT_GROUP = "workersai.laws"
"""Packages add laws with an entry point of this group that names a sequence of `Law`."""
EXAMPLES = 50
"""How many examples each drawn law is checked on."""


def laws() -> list[Law]:
    """Return every law: the kit's own, then those of installed packages."""
    own = [*static_laws.SCHEMA_LAWS, *static_laws.TYPE_LAWS, *static_laws.HINT_LAWS, *drawn_laws.LAWS]
    points = sorted(metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name)
    return [*own, *(law for point in points for law in point.load())]


def check(task_type: TaskType, *, only: Collection[str] | None = None, examples: int = EXAMPLES) -> list[LawResult]:
    """Check every law for a task type and return what came of each.

    Args:
        task_type: An instance.
        only: The names of the laws to check, and with them those they build on; None means all.
        examples: How many examples each drawn law is checked on.

    Raises:
        TypeError: it is no instance of `TaskType`.
        LookupError: there is no law of one of these names.
    """
    return list(iter_check(task_type, only=only, examples=examples))


def iter_check(
    task_type: TaskType, *, only: Collection[str] | None = None, examples: int = EXAMPLES
) -> Iterator[LawResult]:
    """Like `check`, but yield what came of each law as soon as it is known."""
    checker = _Checker(task_type, examples)
    known = {law.name: law for law in laws()}
    unknown = sorted(set(only or ()) - known.keys())
    if unknown:
        raise LookupError(f"there is no law {unknown[0]}; there are {', '.join(known)}")
    return (checker.result(law) for name, law in known.items() if only is None or name in only)


def add_tests(namespace: MutableMapping[str, Any], *task_types: TaskType, examples: int = EXAMPLES) -> None:
    """Define one pytest test per law and type, named ``test_TYPE_LAW``.

        conformance.add_tests(globals(), MyType())

    Args:
        namespace: Where the tests go: the ``globals()`` of the test file.
        *task_types: Instances.
        examples: How many examples each drawn law is checked on.

    Raises:
        TypeError: one is no instance of `TaskType`, or there is none.
    """
    if not task_types:
        raise TypeError("add_tests takes at least one task type: add_tests(globals(), MyType())")
    for task_type in task_types:
        checker = _Checker(task_type, examples)
        for law in laws():
            test = _test_of(checker, law)
            namespace[test.__name__] = test


def _test_of(checker: _Checker, law: Law) -> Any:
    def test() -> None:
        __tracebackhide__ = True
        result = checker.result(law)
        if result.blocked:
            pytest.skip(result.detail)
        if not result.ok:
            pytest.fail(f"{result.law} does not hold for {result.type}.\n\n{result.detail}", pytrace=False)

    test.__name__ = test.__qualname__ = f"test_{checker.name}_{law.name}"
    test.__doc__ = law.documentation
    return test


class _Checker:
    """Checks laws for one type; those that others build on once."""

    def __init__(self, task_type: TaskType, examples: int) -> None:
        if not isinstance(task_type, TaskType):
            hint = f"; write {task_type.__name__}()" if isinstance(task_type, type) else ""
            raise TypeError(f"{task_type!r} is no instance of TaskType{hint}")
        self.task_type = task_type
        self.name = str(getattr(task_type, "name", type(task_type).__name__))
        self._examples = examples
        self._known: dict[str, LawResult] = {}
        self._subject: Subject | None = None

    def result(self, law: Law) -> LawResult:
        """Return what comes of a law."""
        if law.name not in self._known:
            self._known[law.name] = self._blocked(law) or self._checked(law)
        return self._known[law.name]

    def _blocked(self, law: Law) -> LawResult | None:
        for earlier in _before(law):
            if not self.result(earlier).ok:
                detail = f"Not checked, because {earlier.name} does not hold."
                return LawResult(type=self.name, law=law.name, ok=False, detail=detail, blocked=True)
        return None

    def _checked(self, law: Law) -> LawResult:
        try:
            if law.drawn:
                self._subject = self._subject or Subject(self.task_type)
                _check_drawn(law, self._subject, self._examples)
            else:
                law.check(self.task_type)
        except Broken as error:
            return LawResult(type=self.name, law=law.name, ok=False, detail=_report(law, error))
        return LawResult(type=self.name, law=law.name, ok=True)


def _before(law: Law) -> Sequence[Law]:
    """Return the laws that must hold for a law to make sense."""
    if law in static_laws.SCHEMA_LAWS:
        return ()
    if law in static_laws.TYPE_LAWS:
        return static_laws.SCHEMA_LAWS
    static = (*static_laws.SCHEMA_LAWS, *static_laws.TYPE_LAWS)
    if law in static_laws.HINT_LAWS:
        return static
    foundation = drawn_laws.FOUNDATION
    return (*static, *(foundation[: foundation.index(law)] if law in foundation else foundation))


def _check_drawn(law: Law, subject: Subject, examples: int) -> None:
    """Check a law on drawn examples.

    Raises:
        Broken: it does not hold for one; the smallest that was found is noted on the error.
    """

    @hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.shrink],
    )
    @hypothesis.given(st.data())
    def holds(data: st.DataObject) -> None:
        case = Case(subject, data)
        try:
            law.check(case)
        except Broken as error:
            raise _with_example(error, case) from error.__cause__

    try:
        holds()
    except hypothesis.errors.Flaky as error:
        found = getattr(error, "exceptions", (error,))[0]
        raise Broken(f"the type does not behave the same on the same input: {found}") from error
    except hypothesis.errors.Unsatisfiable as error:
        raise Broken("nothing could be drawn from params_strategy() or response_strategy(params)") from error


def _with_example(error: Broken, case: Case) -> Broken:
    return Broken(f"{error}\nThe smallest example found:\n{case.example()}")


def _report(law: Law, error: Broken) -> str:
    return f"The law: {law.statement}\nWhat happened: {error}\nWhat to do: {law.remedy}".replace("``", "`")
