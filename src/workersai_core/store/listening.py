"""Hearing at once what other processes announce through PostgreSQL.

It only saves time: whoever listens looks into the database twice a second in
any case, so an announcement may be lost with a connection.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import psycopg

__all__ = ["Listener"]

_LOOK_UP_S = 0.2
_RECONNECT_S = 0.5
_JOIN_S = 10.0
_log = logging.getLogger("workersai.store")


class Listener:
    """A thread with a connection of its own.

    Args:
        conninfo: How to connect.
        channel: What to listen to.
        heard: Called for each announcement, or once for several; must not raise.
    """

    def __init__(self, conninfo: str, channel: str, heard: Callable[[], None]) -> None:
        self._conninfo = conninfo
        self._channel = channel
        self._heard = heard
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="workersai-listener", daemon=True)

    def start(self) -> None:
        """Start to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and its connection."""
        self._stopping.set()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._conninfo, autocommit=True) as connection:
                    self._listen(connection)
            except psycopg.Error as error:
                _log.debug("announcements of other processes are not heard: %s", error)
                self._stopping.wait(_RECONNECT_S)

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(f"LISTEN {self._channel}".encode())
        self._heard()  # whatever was announced before
        while not self._stopping.is_set():
            if list(connection.notifies(timeout=_LOOK_UP_S, stop_after=1)):
                self._heard()
