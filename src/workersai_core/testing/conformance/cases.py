"""One drawn example for a law: what was drawn, and the calls of the type with it."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

from workersai_core.jsontext import shorten
from workersai_core.task_type import Answer, Json, JsonObject, TaskType
from workersai_core.testing.conformance.law import Broken
from workersai_core.testing.conformance.subject import Subject, call
from workersai_core.testing.extra import st
from workersai_core.testing.strategies import junk

__all__ = ["Case"]

_WEIGHTS = st.sampled_from([1.0, 1.0, 0.5, 2.0, 0.1, 3.7])
_TIE = (("first", 0.1), ("first", 0.2), ("first", 0.3), ("second", 0.6))
"""A tie whose sums differ in the last digit, depending on the order they are summed in."""
_POOL_SIZES = st.sampled_from([1, 2, 3, 3])
_SEEDS = st.integers(0, 2**32)
_SHOWN = 600
_MOST_DRAWN = 6


class Case:
    """One drawn example.

    Args:
        subject: The task type under test.
        data: Where values are drawn from.
    """

    def __init__(self, subject: Subject, data: st.DataObject) -> None:
        self.subject = subject
        self.changed: set[str] = set()
        """The methods that changed what they were given."""
        self._data = data
        self._drawn: dict[str, Any] = {}

    @property
    def task_type(self) -> TaskType:
        """The type under test."""
        return self.subject.task_type

    # --- drawing -----------------------------------------------------------------------------------

    def draw(self, name: str, strategy: st.SearchStrategy[Any]) -> Any:
        """Draw a value and remember it under a name for the report."""
        value = self._data.draw(strategy)
        self._drawn[name] = copy.deepcopy(value)
        return value

    def any_params(self) -> Json:
        """Draw params that the schema accepts; the type may refuse them."""
        return self.draw("params", self.subject.params_strategy)

    def params(self) -> Json:
        """Draw params that the service would accept.

        Where the type refuses what was drawn, they are those of an example.
        """
        params = self.any_params()
        if self.subject.params_issues(params):
            params = self.draw("params", self.subject.example_params)
        return params

    def seed(self) -> int:
        """Draw a seed."""
        seed: int = self.draw("seed", _SEEDS)
        return seed

    def any_response(self, params: JsonObject) -> Json:
        """Draw what somebody might send as a response: junk, nearly right or right."""
        kinds = [junk(), self.subject.wide_responses, self.subject.responses(params)]
        return self.draw("response", st.one_of([kind for kind in kinds if kind is not None]))

    def response(self, params: JsonObject, name: str = "response") -> Json:
        """Draw a response that the service would accept; the mock's where the drawn one is refused."""
        strategy = self.subject.responses(params)
        if strategy is not None:
            response = self.draw(name, strategy)
            if not self.subject.response_issues(params, response):
                return response
        response = self.subject.mock(params, self._data.draw(_SEEDS))
        self._drawn[name] = copy.deepcopy(response)
        self.require(not self.subject.response_issues(params, response), "the mock is refused, now that it is needed")
        return response

    def answers(self, params: JsonObject) -> list[Answer]:
        """Draw the accepted answers of one to six workers, some of them alike; ties are frequent."""
        pool = [self.response(params, f"response {n}") for n in range(self._data.draw(_POOL_SIZES))]
        for n in range(len(pool)):
            del self._drawn[f"response {n}"]
        if len(pool) > 1 and self._data.draw(st.booleans()):
            sides = {"first": pool[0], "second": pool[1]}
            return self.answers_of([(sides[side], weight) for side, weight in _TIE])
        more = self._data.draw(st.lists(st.sampled_from(pool), max_size=_MOST_DRAWN - len(pool)))
        return self.answers_of([(response, self._data.draw(_WEIGHTS)) for response in (*pool, *more)])

    def answers_of(self, weighted: Sequence[tuple[Json, float]]) -> list[Answer]:
        """Return answers with these responses and weights, each of another worker."""
        answers = [
            Answer(response=copy.deepcopy(response), worker_id=f"worker-{n}", weight=weight)
            for n, (response, weight) in enumerate(weighted, start=1)
        ]
        shown = [{"response": each.response, "weight": each.weight} for each in answers]
        self._drawn["answers"] = shown if len(shown) <= _MOST_DRAWN else [shown[0], f"… {len(shown)} in all"]
        return answers

    def order(self, answers: Sequence[Answer]) -> list[Answer]:
        """Draw another order of answers."""
        shuffled: list[Answer] = self._data.draw(st.permutations(answers))
        return shuffled

    def in_order(self, answers: Sequence[Answer]) -> Sequence[Answer]:
        """Remember the order of answers for the report, and return them."""
        self._drawn["other order"] = [each.worker_id for each in answers]
        return answers

    # --- calling -----------------------------------------------------------------------------------

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the type with copies, and note when it changes them.

        Raises:
            Broken: it raised.
        """
        given = tuple(each if isinstance(each, random.Random) else copy.deepcopy(each) for each in arguments)
        values = [each for each in given if not isinstance(each, random.Random)]
        before = repr(values)
        result = call(getattr(self.task_type, method), *given)
        if repr(values) != before:
            self.changed.add(method)
        return result

    def require(self, holds: bool, what_happened: str) -> None:
        """Break the law unless something holds."""
        if not holds:
            raise Broken(what_happened)

    # --- telling -----------------------------------------------------------------------------------

    def example(self) -> str:
        """Return what was drawn, one line each."""
        return "\n".join(f"  {name} = {_shown(value)}" for name, value in self._drawn.items())


def _shown(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False, default=repr), _SHOWN)
