"""What tests of bundled task types ask: checks as the engine makes them, and verdicts of plain responses."""

from __future__ import annotations

from datetime import UTC, datetime

from workersai_core.api import Answer
from workersai_core.plugins.type_rules import registered
from workersai_core.registry import TaskTypes

__all__ = ["Checked"]


class Checked:
    """A task type as the engine asks it: first its schemas, then its own checks."""

    def __init__(self, task_type):
        self.task_type = task_type
        self._types = TaskTypes([registered(task_type, "the plugin under test")], {})

    def params(self, params):
        """Return the (pointer, code) of everything that is wrong with params."""
        return _short(self._types.check_params(self.task_type, params))

    def response(self, params, response):
        """Return the (pointer, code) of everything that is wrong with a response."""
        return _short(self._types.check_response(self.task_type, params, response))

    def schema(self, params):
        """Return the response schema for params."""
        return self._types.response_schema_for(self.task_type, params)

    def verdict(self, params, *responses, weights=None):
        """Return the verdict of responses, whose weights are 1 unless given; it was checked."""
        weights = [1.0] * len(responses) if weights is None else weights
        answers = [
            Answer(response=response, worker_id=f"worker-{n}", weight=weight, submitted_at=datetime.now(UTC))
            for n, (response, weight) in enumerate(zip(responses, weights, strict=True))
        ]
        return self._types.aggregate(self.task_type, params, answers)


def _short(issues):
    assert all(issue.message.endswith((".", "?")) for issue in issues)
    return [(issue.pointer, issue.code) for issue in issues]
