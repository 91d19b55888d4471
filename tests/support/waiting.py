"""Waiting for what another thread or process does, with an end."""

from __future__ import annotations

import time

PATIENCE_S = 10.0


def until(condition, patience_s=PATIENCE_S):
    """Wait until a condition holds, and return what it said then."""
    ends_at = time.monotonic() + patience_s
    while not (found := condition()):
        if time.monotonic() > ends_at:
            raise AssertionError(f"this did not happen within {patience_s} s: {condition}")
        time.sleep(0.001)
    return found
