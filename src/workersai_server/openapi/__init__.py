"""The OpenAPI 3.1 description of this server, made from its routes and the registered task types.

    document = describe(engine)

`operations` lists what each route takes and answers, `shapes` what the JSON
documents look like; the task types bring their own schemas. A test holds the
list against the routes of the application.
"""

from __future__ import annotations

from workersai_server.openapi.document import describe
from workersai_server.openapi.operations import OPERATIONS, Operation

__all__ = ["OPERATIONS", "Operation", "describe"]
