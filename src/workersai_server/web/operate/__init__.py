"""The operator's pages: everything that is owed, and who works on it."""

from __future__ import annotations

from workersai_server.web.operate.pages import add_routes

__all__ = ["add_routes"]
