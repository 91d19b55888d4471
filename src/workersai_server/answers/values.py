"""The values of drafts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from workersai_core import jsontext
from workersai_core.errors import Issue

__all__ = ["Draft"]


@attrs.frozen(kw_only=True)
class Draft:
    """What a worker has written for an assignment and the engine does not have yet."""

    assignment_id: str
    worker_id: str
    response_json: str = attrs.field(repr=False)
    saved_at: datetime
    submit_at: datetime | None
    """When it is submitted by itself; None while the worker still writes."""
    refusal: Sequence[Issue] = ()
    """Why it was refused when it was submitted."""

    @property
    def response(self) -> Any:
        """The answer so far."""
        return jsontext.loads(self.response_json)
