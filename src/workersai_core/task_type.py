"""What a task type is: two JSON Schemas and a few pure functions.

A plugin author subclasses `TaskType`, sets the class attributes, overrides
what the type needs and registers one instance. Every method is pure: no I/O,
no clock, inputs never mutated, randomness only from the `rng` that is passed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import attrs

from workersai_core import plurality
from workersai_core.errors import Issue

__all__ = ["Answer", "Json", "JsonObject", "TaskType", "Verdict"]

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict of them."""

JsonObject = Mapping[str, Any]
"""A JSON object."""


@attrs.frozen(kw_only=True)
class Answer:
    """One accepted response of one worker.

    Attributes:
        response: What the worker answered; valid under the type's schema.
        worker_id: Who answered.
        weight: How much this answer counts, > 0; 1.0 unless a plugin says more.
        submitted_at: When it was accepted, aware UTC.
    """

    response: Json
    worker_id: str
    weight: float = 1.0
    submitted_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Verdict:
    """The result of a task: one response that stands for all answers.

    Attributes:
        response: Valid under the type's schema for the task's params.
        confidence: 0.0 to 1.0; None when the type cannot tell.
    """

    response: Json
    confidence: float | None = None


class TaskType:
    """A kind of labeling work. Subclass it, set the attributes, register an instance."""

    name: ClassVar[str]
    """Lower-case slug, ``^[a-z][a-z0-9_]{1,40}$``; never changes once published."""
    aliases: ClassVar[Sequence[str]] = ()
    """Other names accepted at creation; tasks always carry `name`."""
    version: ClassVar[int] = 1
    """Raise it when old params or responses stop validating; stored on each task."""
    summary: ClassVar[str] = ""
    """One sentence for documentation and menus."""
    params_schema: ClassVar[Json]
    """JSON Schema 2020-12 of ``params``: a closed object, every property described."""
    response_schema: ClassVar[Json]
    """JSON Schema 2020-12 of ``response``; it must not accept ``{}``."""
    examples: ClassVar[Sequence[tuple[Json, Json]]] = ()
    """At least one pair (params, response) that validates."""
    ui: ClassVar[JsonObject] = {}
    """Hints for the worker form: ``show``, ``widgets``, ``hotkeys``, ``element``."""

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the response schema narrowed to one task, for example to its categories."""
        return self.response_schema

    def check_params(self, params: JsonObject) -> Iterable[Issue]:
        """Yield what the schema cannot say about `params`; pointers like ``/categories/1``."""
        return ()

    def check_response(self, params: JsonObject, response: Json) -> Iterable[Issue]:
        """Yield what the narrowed schema cannot say about `response`."""
        return ()

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Return a valid response for test mode, the same for the same `rng` seed.

        The default takes the response of an example where one is valid for
        `params`, and else makes one up from the schema for these params.

        Raises:
            SchemaError: no example fits, and the schema is more than the
                default can make up (a pattern, for example); override this.
        """
        # PERF: a plugin's module must not pay for the schema engines by defining a type.
        from workersai_core.schemas import mock_response

        return mock_response(self, params, rng)

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the canonical form in which two answers are compared."""
        return response

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return how far two responses agree, 0.0 to 1.0; symmetric, 1.0 on itself."""
        same = plurality.key(self.normalize(params, a)) == plurality.key(self.normalize(params, b))
        return 1.0 if same else 0.0

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict | None:
        """Return the verdict of all answers, or None to ask one more worker.

        The default is a weighted plurality over `normalize`d responses. Ties
        go to the earliest normalized form in sort order, so the result does
        not depend on who answered first.
        """
        votes = [(self.normalize(params, a.response), a.response, a.weight) for a in answers]
        response, confidence = plurality.winner(votes)
        return Verdict(response=response, confidence=confidence)

    def upgrade_params(self, params: JsonObject, from_version: int) -> Json:
        """Return params of an older `version` in the shape of the present one."""
        return params

    def params_strategy(self) -> Any:
        """Return a Hypothesis strategy for `params`, for the conformance laws; None builds it from the schema.

        Needed only where the schema is more than the builder knows.
        """
        return None

    def response_strategy(self, params: JsonObject) -> Any:
        """Return a Hypothesis strategy for responses to `params`; None builds it from the schema."""
        return None
