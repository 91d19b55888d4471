"""What all tests share: how Hypothesis works.

``HYPOTHESIS_PROFILE=ci`` draws the same examples every time, ``dev`` (the
default) others on each run, and ``long`` many more.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadline and no complaint about slowness: tests share their cores with servers and browsers.
_EVERYWHERE = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", derandomize=True, **_EVERYWHERE)
settings.register_profile("dev", **_EVERYWHERE)
settings.register_profile("long", max_examples=1000, **_EVERYWHERE)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))
