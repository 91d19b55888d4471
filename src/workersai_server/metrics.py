"""What Prometheus reads: requests as they are answered, and the engine's health when asked.

Labels are routes, methods and statuses; nothing that a client sends becomes
a label, so the number of series is bounded and no key can appear.

Of several processes that serve one port each counts in files of a common
folder, and any of them adds all up when it is asked (the multiprocess mode of
`prometheus_client`, which the folder's variable of the environment turns on).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from workersai_core import Engine
from workersai_server.supervising import COMMON_METRICS

__all__ = ["Metrics"]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The metrics of one application.

    Args:
        engine: Whose health is told.
    """

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "workersai_http_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._durations = Histogram(
            "workersai_http_request_duration_seconds",
            "From a request's arrival to its answer.",
            ["method", "route"],
            registry=self._registry,
            buckets=_BUCKETS_S,
        )
        self._shown = self._registry
        if COMMON_METRICS in os.environ:
            self._shown = CollectorRegistry()
            MultiProcessCollector(self._shown)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        self._shown.register(_Health(engine))
        # PERF: finding a labelled series costs more than counting in it.
        self._series: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}

    def count(self, method: str, route: str | None, status: str, seconds: float) -> None:
        """Count one answered request.

        Args:
            method: Its method.
            route: The template of its route; None when no route has its address.
            status: The status line, for example ``200 OK``.
            seconds: How long it took.
        """
        key = (method, route or "", status)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = self._new(*key)
        series[0].inc()
        series[1].observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self._shown)

    def _new(self, method: str, route: str, status: str) -> tuple[Counter, Histogram]:
        known = method if method in _METHODS else "other"
        where = route or "none"
        return self._requests.labels(known, where, status[:3]), self._durations.labels(known, where)


class _Health(Collector):
    """The engine's health at the moment it is asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterable[Metric]:
        """Yield the gauges."""
        health = self._engine.health()
        yield _gauge("workersai_database_up", "Whether the database answers.", health.database)
        yield _gauge("workersai_dispatcher_up", "Whether the dispatcher works.", health.dispatcher)
        yield _gauge(
            "workersai_outbox_lag_seconds",
            "How long the oldest due callback has waited; 0 when nothing is due.",
            health.outbox_lag_s or 0.0,
        )
        plugins = GaugeMetricFamily(
            "workersai_plugin_up", "Whether a plugin is loaded and working.", labels=["plugin", "state"]
        )
        for name, state in health.plugins.items():
            plugins.add_metric([name, state], float(state == "ok"))
        yield plugins

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: registering must not ask the engine."""
        yield from ()


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=float(value))
