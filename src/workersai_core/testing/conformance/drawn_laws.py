"""Laws that are checked on many drawn params, responses and answers."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import Any

from workersai_core import jsontext, plurality
from workersai_core.errors import InvalidInput, Issue
from workersai_core.jsontext import shorten
from workersai_core.task_type import Json, Verdict
from workersai_core.testing.conformance.cases import Case
from workersai_core.testing.conformance.law import Broken, Law, drawn_law
from workersai_core.testing.extra import st

__all__ = ["FOUNDATION", "LAWS"]

_MOST_ANSWERS = 20
"""The largest overlap that a task may have."""
_NEAR = 1e-9


def _shown(value: Any) -> str:
    return shorten(repr(value), 200)


def _places(issues: Sequence[Issue]) -> str:
    return "; ".join(f"{issue.pointer or '(whole document)'}: {issue.message}" for issue in issues)


def _same(a: Json, b: Json) -> bool:
    return plurality.key(a) == plurality.key(b)


# --- params ------------------------------------------------------------------------------------------


@drawn_law(remedy="Handle the params of the example, or let the params schema refuse them.")
def params_never_crash(case: Case) -> None:
    """Whatever params the schema accepts, ``check_params`` answers with issues and never raises.

    And for those it accepts, ``response_schema_for`` never raises. The values
    are the ones that clients send: empty texts, the largest numbers, ``2.0``
    for an integer, characters of every script.
    """
    params = case.any_params()
    if not case.call("check_params", params):
        case.call("response_schema_for", params)


@drawn_law(remedy="Copy what you want to change: {**params, …}, sorted(…), copy.deepcopy(…).")
def inputs_are_not_changed(case: Case) -> None:
    """No method changes what it is given: params, responses and answers are the engine's own."""
    params = case.params()
    a, b = case.response(params, "a"), case.response(params, "b")
    answers = case.answers_of([(a, 1.0), (b, 0.5), (a, 2.0)])
    case.call("check_params", params)
    case.call("response_schema_for", params)
    case.call("check_response", params, a)
    case.call("mock_response", params, random.Random(case.seed()))  # noqa: S311 - repeatable, not secret
    case.call("normalize", params, a)
    case.call("agreement", params, a, b)
    case.call("aggregate", params, answers)
    case.require(not case.changed, f"{', '.join(sorted(case.changed))} changed what it was given")


@drawn_law(remedy="Keep nothing on the instance, the class or the module, and use no clock and no chance but the rng.")
def same_input_gives_the_same(case: Case) -> None:
    """Every method is a function of its arguments: asked again, it answers the same."""
    params = case.params()
    a, b = case.response(params, "a"), case.response(params, "b")
    answers = case.answers_of([(a, 1.0), (b, 0.5), (a, 2.0)])
    for method, *arguments in (
        ("check_params", params),
        ("check_response", params, a),
        ("normalize", params, a),
        ("agreement", params, a, b),
        ("aggregate", params, answers),
    ):
        first, again = (case.call(method, *arguments) for _ in range(2))
        case.require(first == again, f"{method} gave {_shown(first)} and then {_shown(again)}")


@drawn_law(remedy="Narrow a copy of the response schema, and keep its objects closed.")
def narrowed_schema_is_valid(case: Case) -> None:
    """For all accepted params, ``response_schema_for`` returns a schema that keeps the rules of schemas.

    It refuses ``{}``, and it is the same schema each time it is asked for.
    """
    params = case.params()
    narrowed = case.subject.narrowed(params)
    case.require(not narrowed.accepts({}), "the schema for these params accepts {}")
    again = case.subject.narrowed(params)
    case.require(_same(narrowed.schema, again.schema), "response_schema_for returned another schema the second time")


# --- the mock ----------------------------------------------------------------------------------------


@drawn_law(remedy="Make the mock from the params: choose among their options, stay within their limits.")
def mock_is_valid(case: Case) -> None:
    """For all accepted params the mock is an answer that a worker could have given."""
    params = case.params()
    mock = case.subject.mock(copy.deepcopy(params), case.seed())
    issues = case.subject.response_issues(params, mock)
    case.require(not issues, f"mock_response returned {_shown(mock)}, which is refused: {_places(issues)}")


@drawn_law(remedy="Take all chance from the rng that is passed; no global random, clock, id() or hash().")
def mock_is_repeatable(case: Case) -> None:
    """The same params and the same seed give the same mock, so that a test task never changes its answer."""
    params, seed = case.params(), case.seed()
    first = case.subject.mock(copy.deepcopy(params), seed)
    case.subject.mock(copy.deepcopy(params), seed + 1)
    again = case.subject.mock(copy.deepcopy(params), seed)
    case.require(_same(first, again), f"the same seed gave {_shown(first)} and then {_shown(again)}")


# --- responses ---------------------------------------------------------------------------------------


@drawn_law(remedy="Let the schema refuse what the check cannot handle; the check sees only what the schema accepted.")
def junk_is_answered(case: Case) -> None:
    """Whatever is sent as a response, the schema and ``check_response`` answer with issues and never raise."""
    params = case.params()
    response = case.any_response(params)
    if not case.subject.narrowed(params).issues(response):
        case.call("check_response", params, response)


@drawn_law(remedy="Yield Issue(pointer, message, code) with a pointer into the document that was checked.")
def issues_point_into_the_document(case: Case) -> None:
    """Every issue has a message, a slug as its code, and a pointer to a value or to a member that is missing.

    Pointers are relative to what is checked, the params or the response, and
    start with ``/``; ``""`` is the whole document.
    """
    params = case.any_params()
    found = case.call("check_params", params)
    _check_issues(case, "check_params", params, found)
    if not found:
        response = case.any_response(params)
        if not case.subject.narrowed(params).issues(response):
            _check_issues(case, "check_response", response, case.call("check_response", params, response))


def _check_issues(case: Case, method: str, document: Json, issues: Sequence[object]) -> None:
    for issue in issues:
        if not isinstance(issue, Issue):
            raise Broken(f"{method} yielded {_shown(issue)} instead of an Issue")
        problem = _issue_problem(issue, document)
        case.require(problem is None, f"{method} yielded {issue}: {problem}")


def _issue_problem(issue: Issue, document: Json) -> str | None:
    if not isinstance(issue.message, str) or not issue.message.strip():
        return "it has no message"
    if not isinstance(issue.code, str) or not issue.code.isidentifier() or issue.code != issue.code.lower():
        return "its code is no slug like not_in_list"
    if not isinstance(issue.pointer, str) or not (issue.pointer == "" or issue.pointer.startswith("/")):
        return "its pointer does not start with /"
    return None if _leads_somewhere(document, issue.pointer) else "its pointer leads to nothing in the document"


def _leads_somewhere(document: Json, pointer: str) -> bool:
    """Return whether a pointer leads to a value, or to a missing member of an object or the end of an array."""
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
    for n, token in enumerate(tokens):
        last = n == len(tokens) - 1
        if isinstance(document, dict):
            if token not in document:
                return last
            document = document[token]
        elif isinstance(document, list) and token.isdecimal() and int(token) <= len(document):
            if int(token) == len(document):
                return last
            document = document[int(token)]
        else:
            return False
    return True


@drawn_law(remedy="Return plain JSON: dict with text keys, list, str, int, finite float, bool, None.")
def values_survive_json(case: Case) -> None:
    """What the methods return survives being written as JSON and read again, and keeps the limits of the service.

    That is the mock, the normal form, the narrowed schema and the verdict.
    """
    params = case.params()
    answers = case.answers(params)
    results = {
        "response_schema_for": case.call("response_schema_for", params),
        "mock_response": case.subject.mock(copy.deepcopy(params), 0),
        "normalize": case.call("normalize", params, answers[0].response),
    }
    verdict = case.call("aggregate", params, answers)
    if isinstance(verdict, Verdict):
        results["aggregate"] = verdict.response
    for method, value in results.items():
        _check_json(case, method, value)


def _check_json(case: Case, method: str, value: Any) -> None:
    try:
        jsontext.check(value)
    except InvalidInput as error:
        raise Broken(f"{method} returned {_shown(value)}: {error}") from error
    read = jsontext.loads(jsontext.dumps(value))
    case.require(_same(read, value), f"{method} returned {_shown(value)}, which JSON gives back as {_shown(read)}")


# --- several answers ---------------------------------------------------------------------------------


@drawn_law(remedy="Sort before you choose, and sum with math.fsum; break ties by the answers themselves.")
def aggregate_ignores_order(case: Case) -> None:
    """The verdict does not depend on who answered first: every order of the answers gives the same.

    Ties are drawn too, and answers of different weights.
    """
    params = case.params()
    answers = case.answers(params)
    one = case.call("aggregate", params, answers)
    for again in (answers[::-1], case.order(answers)):
        other = case.call("aggregate", params, case.in_order(again))
        case.require(_same_verdict(one, other), f"the two orders gave {_shown(one)} and {_shown(other)}")


def _same_verdict(a: object, b: object) -> bool:
    if not isinstance(a, Verdict) or not isinstance(b, Verdict):
        return a == b
    if a.confidence is None or b.confidence is None:
        return a.confidence is b.confidence is None and _same(a.response, b.response)
    return abs(a.confidence - b.confidence) <= _NEAR and _same(a.response, b.response)


@drawn_law(remedy="Return the common answer when all agree, at the latest with 20 answers.")
def unanimous_answers_win(case: Case) -> None:
    """When all answers are the same, the verdict is that answer, and with 20 of them there is a verdict.

    The same means equal after ``normalize``.
    """
    params = case.params()
    response = case.response(params)
    count = case.draw("how many answers", st.integers(1, 4))
    form = case.call("normalize", params, response)
    for n in (count, _MOST_ANSWERS):
        verdict = case.call("aggregate", params, case.answers_of([(response, 1.0)] * n))
        if verdict is None:
            case.require(n < _MOST_ANSWERS, f"{n} workers gave the same answer, and there is no verdict")
        elif isinstance(verdict, Verdict):  # another law is about what it is
            said = case.call("normalize", params, verdict.response)
            case.require(_same(form, said), f"{n} workers gave the same answer, and the verdict is {_shown(verdict)}")


@drawn_law(remedy="Return None or a Verdict whose response would be accepted from a worker.")
def verdict_is_valid(case: Case) -> None:
    """The verdict of any answers is None or a response that a worker could have given.

    Its confidence is None or a number from 0 to 1.
    """
    params = case.params()
    verdict = case.call("aggregate", params, case.answers(params))
    if verdict is None:
        return
    if not isinstance(verdict, Verdict):
        raise Broken(f"aggregate returned {_shown(verdict)} instead of a Verdict")
    sure = verdict.confidence
    case.require(sure is None or _is_share(sure), f"the confidence is {_shown(sure)} instead of a number from 0 to 1")
    issues = case.subject.response_issues(params, verdict.response)
    case.require(not issues, f"the verdict is {_shown(verdict.response)}, which is refused: {_places(issues)}")


# --- two answers -------------------------------------------------------------------------------------


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


@drawn_law(remedy="Return a float from 0.0, nothing in common, to 1.0, the same.")
def agreement_is_a_share(case: Case) -> None:
    """The agreement of two responses is a number from 0 to 1."""
    params = case.params()
    found = case.call("agreement", params, case.response(params, "a"), case.response(params, "b"))
    case.require(_is_share(found), f"agreement returned {_shown(found)}")


@drawn_law(remedy="Compare in a way that treats both sides alike, for example a union and not the first one's size.")
def agreement_is_symmetric(case: Case) -> None:
    """A agrees with B as far as B agrees with A."""
    params = case.params()
    a, b = case.response(params, "a"), case.response(params, "b")
    there, back = case.call("agreement", params, a, b), case.call("agreement", params, b, a)
    if _is_share(there) and _is_share(back):  # another law is about what they are
        case.require(abs(there - back) <= _NEAR, f"a with b is {there}, b with a is {back}")


@drawn_law(remedy="Return 1.0 for equal responses, empty ones included.")
def agreement_with_itself_is_full(case: Case) -> None:
    """Every response agrees with itself fully, that is 1.0."""
    params = case.params()
    response = case.response(params)
    found = case.call("agreement", params, response, response)
    if _is_share(found):
        case.require(abs(found - 1.0) <= _NEAR, f"the response agrees with itself only {found}")


FOUNDATION: Sequence[Law] = (params_never_crash, narrowed_schema_is_valid, junk_is_answered, mock_is_valid)
"""The laws that the others, and each of these its followers, build on."""

LAWS: Sequence[Law] = (
    *FOUNDATION,
    inputs_are_not_changed,
    same_input_gives_the_same,
    issues_point_into_the_document,
    mock_is_repeatable,
    values_survive_json,
    aggregate_ignores_order,
    unanimous_answers_win,
    verdict_is_valid,
    agreement_is_a_share,
    agreement_is_symmetric,
    agreement_with_itself_is_full,
)
"""In the order they are checked."""
