"""The service on a store that drops what is written: ``python -m benchmarks.discarding serve …``."""

from __future__ import annotations

from typing import Any

from benchmarks.stores import DiscardingStore
from workersai_core import Engine
from workersai_core.store import opening
from workersai_server.cli import main


def _discard_from_now_on() -> None:
    """Let engines open their database as ever, and drop what is written after that."""
    opening.SqliteStore = DiscardingStore  # type: ignore[misc]
    opened = Engine.open.__func__  # type: ignore[attr-defined]

    def open_and_discard(cls: type[Engine], *arguments: Any, **more: Any) -> Engine:
        engine: Engine = opened(cls, *arguments, **more)
        assert isinstance(engine.store, DiscardingStore)
        engine.store.discarding = True
        return engine

    Engine.open = classmethod(open_and_discard)  # type: ignore[assignment]


if __name__ == "__main__":
    _discard_from_now_on()
    main()
