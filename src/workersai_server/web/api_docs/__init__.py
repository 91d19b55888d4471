"""``/docs``: the API documentation, made from the same source as the OpenAPI document.

`prose` holds what is told once, in English and Korean; `samples` the code of
each operation; `pages` puts both around the operations and task types.
"""

from __future__ import annotations

from workersai_server.web.api_docs.pages import add_routes

__all__ = ["add_routes"]
