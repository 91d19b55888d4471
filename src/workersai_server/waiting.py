"""Waiting on the main thread without sleeping through a signal."""

from __future__ import annotations

import threading

__all__ = ["PatientEvent"]

_SIGNALS_S = 0.25
"""How long a signal may go unnoticed."""


class PatientEvent(threading.Event):
    """An event whose waiting notices signals.

    The kernel may hand a signal to any thread, and Python then runs its handler
    on the main thread, once that does something. A wait without end does nothing.
    """

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set, or as long as `timeout`."""
        if timeout is not None:
            return super().wait(timeout)
        while not super().wait(_SIGNALS_S):
            pass
        return True
