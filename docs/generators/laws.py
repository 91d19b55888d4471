"""The laws that every task type keeps."""

from __future__ import annotations

from generators.markdown import NOTICE
from workersai_core.testing.conformance import laws_markdown

__all__ = ["page"]


def page() -> str:
    """Return the page."""
    return f"{NOTICE}\n{laws_markdown()}"
