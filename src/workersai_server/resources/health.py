"""``/healthz`` and ``/readyz``: for whatever watches over this process."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import falcon
from sqlalchemy import text

from workersai_core import Engine, OpenTransaction
from workersai_core.store import Schema, Statement
from workersai_core.store.schema import CORE
from workersai_server import documents, queries
from workersai_server.accounts import SERVER
from workersai_server.credentials import ApiRequest

__all__ = ["Health", "Readiness"]

_OK, _FAILED = "ok", "failed"
_IN_MEMORY = ":memory:"
_SCHEMAS: Sequence[Schema] = (CORE, SERVER)
_REVISIONS = [
    (schema.head, Statement(text(f"SELECT version_num FROM {schema.version_table}")))  # noqa: S608 - our own names
    for schema in _SCHEMAS
]
_log = logging.getLogger("workersai.http")


class Health:
    """Whether the process answers at all; it asks nobody."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Say that it does."""
        queries.no_parameters(req)
        resp.data = b'{"status":"ok"}'


class Readiness:
    """Whether the process can do its work.

    Args:
        engine: Whose health.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Tell each check; 503 when the database, its migrations or the dispatcher fail."""
        queries.no_parameters(req)
        health = self._engine.health()
        checks: dict[str, Any] = {
            "database": _word(health.database),
            "migrations": _word(health.database and self._migrated()),
            "dispatcher": _word(health.dispatcher),
        }
        status = _OK
        if _FAILED in checks.values():
            status = "unavailable"
            resp.status = falcon.HTTP_503
            resp.set_header("Retry-After", "1")
        elif any(state not in (_OK, "disabled") for state in health.plugins.values()):
            status = "degraded"
        checks["outbox_lag_s"] = health.outbox_lag_s
        checks["plugins"] = dict(health.plugins)
        resp.data = documents.to_json({"status": status, "checks": checks})

    def _migrated(self) -> bool:
        # A database in memory is made by this very process, and has no revisions.
        if getattr(self._engine.store, "path", None) == _IN_MEMORY:
            return True
        try:
            return self._engine.read(_is_current)
        except Exception:  # what a missing table raises is the driver's own
            _log.exception("the revisions of the tables cannot be read")
            return False


def _is_current(tx: OpenTransaction) -> bool:
    return all(tx.session.one(statement) == (head,) for head, statement in _REVISIONS)


def _word(good: bool) -> str:
    return _OK if good else _FAILED
