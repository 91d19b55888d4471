"""A type whose module works half a second when it is imported."""

import time

from support.broken_types import Tick

_end = time.process_time() + 0.3
while time.process_time() < _end:
    pass


class Slow(Tick):
    pass
