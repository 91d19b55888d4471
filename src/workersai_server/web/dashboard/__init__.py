"""The account dashboard: what a requester would otherwise ask support.

`overview` shows how things go, `tasks` what was asked and answered,
`deliveries` the callbacks, `keys` the keys and secrets.
"""

from __future__ import annotations

import falcon

from workersai_server.credentials import ApiRequest
from workersai_server.web.dashboard import deliveries, keys, overview, tasks
from workersai_server.web.visits import Site

__all__ = ["add_routes"]


def add_routes(app: falcon.App[ApiRequest, falcon.Response], site: Site) -> None:
    """Add every page of the dashboard."""
    for module in (overview, tasks, deliveries, keys):
        module.add_routes(app, site)
