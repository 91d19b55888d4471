"""``/metrics``: for Prometheus, and for nobody else."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

import falcon

from workersai_server import queries
from workersai_server.credentials import ApiRequest
from workersai_server.errors import Forbidden, Unauthenticated
from workersai_server.metrics import Metrics
from workersai_server.settings import Settings

__all__ = ["MetricsPage"]

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_VIA")


class MetricsPage:
    """``/metrics``: what the processes of one command have counted together, for Prometheus.

    They are shown to whoever has the `metrics_token` of the settings, in
    ``Authorization: Bearer``; without that setting only to this machine
    itself, not through a proxy on it.

    Args:
        metrics: What is shown.
        settings: The token.
    """

    media_types = ("text/plain",)

    def __init__(self, metrics: Metrics, settings: Settings) -> None:
        self._metrics = metrics
        self._token = settings.metrics_token

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show them."""
        queries.no_parameters(req)
        if self._token is not None:
            _require_token(req, self._token)
        elif not _from_this_machine(req):
            raise Forbidden(
                "Metrics are shown to this machine only; set WORKERSAI_METRICS_TOKEN to read them from another."
            )
        resp.content_type = _TEXT
        resp.data = self._metrics.text()


def _require_token(req: ApiRequest, token: str) -> None:
    given = dict(req.credentials.found).get("bearer", "")
    if not hmac.compare_digest(given.encode(errors="replace"), token.encode()):
        raise Unauthenticated("The metrics token is required: give it as Authorization: Bearer TOKEN.")


def _from_this_machine(req: ApiRequest) -> bool:
    if any(name in req.env for name in _FORWARDED):
        return False
    try:
        return ip_address(req.remote_addr).is_loopback
    except ValueError:
        return False
