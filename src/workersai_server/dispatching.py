"""A process that delivers callbacks and does what waits for a time, and serves nobody."""

from __future__ import annotations

import signal
from collections.abc import Callable

from workersai_server import serving
from workersai_server.app import create_operator_app
from workersai_server.service import Service
from workersai_server.settings import Settings
from workersai_server.waiting import PatientEvent

__all__ = ["run"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run(settings: Settings, *, health: tuple[str, int] | None, on_ready: Callable[[], None]) -> None:
    """Work until SIGTERM, SIGINT or SIGHUP, and return when the deliveries on their way have ended.

    Must be called on the main thread.

    Args:
        settings: How to behave; the database is PostgreSQL.
        health: Host and port where the operator's routes answer; None for nowhere.
        on_ready: Called once, when the work has begun and the routes answer.

    Raises:
        InvalidInput, MigrationRequired, PluginConfigurationError, StoreUnavailable: see `Engine.open`.
    """
    place = None if health is None else serving.free_address(*health)
    service = Service.open(settings)
    try:
        if place is None:
            _wait_for_a_signal(on_ready)
        else:
            app = create_operator_app(service.engine, settings)
            serving.serve(app, host=place[0], port=place[1], on_ready=on_ready)
    finally:
        service.close()


def _wait_for_a_signal(on_ready: Callable[[], None]) -> None:
    stopped = PatientEvent()
    handlers = {each: signal.signal(each, lambda *_: stopped.set()) for each in _SIGNALS}
    try:
        on_ready()
        stopped.wait()
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
