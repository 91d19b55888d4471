"""What tests of plugins and of hosts need: an engine in memory, a clock to move, callbacks to look at.

The laws that every task type keeps are in `workersai_core.testing.conformance`,
the fixtures for pytest in `workersai_core.testing.pytest_plugin`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workersai_core.testing.clock import FakeClock
    from workersai_core.testing.engines import complete, memory_engine
    from workersai_core.testing.transport import CapturingTransport

__all__ = ["CapturingTransport", "FakeClock", "complete", "memory_engine"]

# PERF: pytest loads the plugin of this package in every run, which must not cost it the engine.
_LATE = {"CapturingTransport": "transport", "FakeClock": "clock", "complete": "engines", "memory_engine": "engines"}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_LATE[name]}"), name)
    return value
