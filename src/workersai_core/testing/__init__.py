"""What tests of plugins and of hosts need: an engine in memory, a clock to move, callbacks to look at."""

from __future__ import annotations

from workersai_core.testing.clock import FakeClock
from workersai_core.testing.engines import complete, memory_engine
from workersai_core.testing.transport import CapturingTransport

__all__ = ["CapturingTransport", "FakeClock", "complete", "memory_engine"]
