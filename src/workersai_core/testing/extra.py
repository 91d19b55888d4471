"""Hypothesis and pytest, which come with the extra ``testing``; who lacks them is told so.

The other modules of the kit take them from here.
"""

from __future__ import annotations

try:
    import hypothesis
    import pytest
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    raise ImportError(
        f"The plugin author's kit needs {error.name}, which is not installed: run `pip install 'workersai[testing]'`."
    ) from error

__all__ = ["hypothesis", "pytest", "st"]
