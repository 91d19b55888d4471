"""The worker console: one item at a time, answered in the fewest strokes.

`pages` are the addresses, `items` what an item shows. Without JavaScript
every step is a form and a page; with it the script ``console.js`` fetches the
same fragments ahead of time.
"""

from __future__ import annotations

from workersai_server.web.console.pages import add_routes

__all__ = ["add_routes"]
