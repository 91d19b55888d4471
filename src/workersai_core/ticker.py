"""The thread that runs the engine's clockwork beside a server."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from workersai_core.errors import WorkersAIError

__all__ = ["Ticker"]

_log = logging.getLogger("workersai.ticker")
_JOIN_S = 30.0


class Ticker:
    """Calls `tick` when woken and every `poll_s` seconds, whatever happens.

    Args:
        tick: Does what is due and returns how much that was.
        poll_s: The longest pause between two looks, in seconds.
    """

    def __init__(self, tick: Callable[[], int], poll_s: float = 0.5) -> None:
        self._tick = tick
        self._poll_s = poll_s
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="workersai-ticker", daemon=True)
        self.last_error: str | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def stop(self) -> None:
        """Finish the present look and end the thread, if it was started."""
        self._stopping = True
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while not self._stopping:
            self._woken.wait(self._poll_s)
            self._woken.clear()
            try:
                self._tick()
                self.last_error = None
            except WorkersAIError as error:  # the database is away; the next look may find it back
                self._complain(error)
            except Exception as error:
                _log.exception("the clockwork failed; it goes on")
                self._complain(error)

    def _complain(self, error: Exception) -> None:
        if self.last_error is None:
            _log.warning("the clockwork could not do what is due: %s", error)
        self.last_error = str(error)
