"""The WSGI application.

    app = create_app(Engine.open("sqlite:///labels.db", schemas=[SERVER]), settings)

Any WSGI server runs it, and any WSGI application may mount it; absolute
addresses are made from the request alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import falcon

from workersai_core import Engine
from workersai_server import problems
from workersai_server.access import Access
from workersai_server.accounts import Accounts
from workersai_server.credentials import ApiRequest
from workersai_server.cursors import Cursors
from workersai_server.idempotency import REPLAYED
from workersai_server.metrics import Metrics
from workersai_server.perimeter import REQUEST_ID, Perimeter
from workersai_server.plugin_routes import add_plugin_routes
from workersai_server.quota import Quota
from workersai_server.resources.batch import PATH as BATCH_PATH
from workersai_server.resources.batch import Batch
from workersai_server.resources.callbacks import Callbacks
from workersai_server.resources.endpoints import Endpoints
from workersai_server.resources.export import Export
from workersai_server.resources.health import Health, Readiness
from workersai_server.resources.keys import Keys
from workersai_server.resources.metrics import MetricsPage
from workersai_server.resources.openapi import OpenApi
from workersai_server.resources.task_types import TaskTypes
from workersai_server.resources.tasks import FREE_REQUESTS, OneTask, Tasks
from workersai_server.resources.tasks import PATH as TASKS_PATH
from workersai_server.resources.webhook_secrets import WebhookSecrets
from workersai_server.resources.work import Work
from workersai_server.secret_key import secret_key_of
from workersai_server.settings import Settings

__all__ = ["create_app", "create_operator_app"]

App = falcon.App[ApiRequest, falcon.Response]

_EXPOSED = (
    "ETag",
    FREE_REQUESTS,
    REPLAYED,
    "Link",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    REQUEST_ID,
    "X-Total-Count",
)
"""The headers that pages of other origins may read."""


def create_app(
    engine: Engine,
    settings: Settings,
    accounts: Accounts | None = None,
    *,
    metrics: Metrics | None = None,
    around: Sequence[Any] = (),
) -> App:
    """Return the application over an engine.

    Args:
        engine: Opened with the `SERVER` schema, and with `Quota` among its
            plugins where live tasks are to be counted.
        settings: How it behaves.
        accounts: Who may use it; made from the engine by default.
        metrics: Where requests are counted; its own by default.
        around: Further middleware, which sees each request first and each answer last.

    Raises:
        InvalidSetting: the database needs a secret key in the settings.
        StoreUnavailable: the secret key beside the database cannot be read or written.
    """
    directory = accounts or Accounts(engine, settings)
    metrics = metrics or Metrics(engine)
    perimeter = Perimeter(metrics, access_log=settings.access_log)
    app: App = falcon.App(request_type=ApiRequest, middleware=[*around, perimeter])
    if settings.cors_origins:
        app.add_middleware(falcon.CORSMiddleware(allow_origins=settings.cors_origins, expose_headers=_EXPOSED))
    problems.add_handlers(app)
    _add_operator_routes(app, engine, metrics, settings)
    _add_api_routes(app, engine, directory, settings)
    add_plugin_routes(engine, lambda path, resource: _route(app, path, resource))
    return app


def create_operator_app(engine: Engine, settings: Settings) -> App:
    """Return an application with only the routes of an operator, for a process that serves nobody else."""
    metrics = Metrics(engine)
    app: App = falcon.App(request_type=ApiRequest, middleware=[Perimeter(metrics, access_log=settings.access_log)])
    problems.add_handlers(app)
    _add_operator_routes(app, engine, metrics, settings)
    return app


def _add_operator_routes(app: App, engine: Engine, metrics: Metrics, settings: Settings) -> None:
    _route(app, "/healthz", Health())
    _route(app, "/readyz", Readiness(engine))
    _route(app, "/metrics", MetricsPage(metrics, settings))


def _add_api_routes(app: App, engine: Engine, accounts: Accounts, settings: Settings) -> None:
    access = Access(accounts, settings)
    quota = Quota(settings)
    task = OneTask(engine, access)
    types = TaskTypes(engine, access, settings)
    callbacks = Callbacks(engine, access)
    endpoints = Endpoints(engine, access)
    secrets = WebhookSecrets(engine, access)
    keys = Keys(accounts, access)
    _route(app, TASKS_PATH, Tasks(engine, access, quota, Cursors(secret_key_of(settings))))
    _route(app, BATCH_PATH, Batch(engine, access, quota))
    _route(app, "/v1/tasks/{external_id}", task)
    _route(app, "/v1/tasks/{external_id}/cancel", task, "cancel")
    _route(app, "/v1/tasks/{external_id}/events", task, "events")
    _route(app, "/v1/tasks/{external_id}/callbacks", task, "callbacks")
    _route(app, "/v1/callbacks/replay", callbacks, "many")
    _route(app, "/v1/callbacks/{delivery_id}/replay", callbacks, "one")
    _route(app, "/v1/task_types", types)
    _route(app, "/v1/task_types/{name}", types, "one")
    _route(app, "/v1/keys", keys)
    _route(app, "/v1/keys/{key_id}/roll", keys, "roll")
    _route(app, "/v1/keys/{key_id}/revoke", keys, "revoke")
    _route(app, "/v1/endpoints", endpoints)
    _route(app, "/v1/endpoints/{endpoint_id}/enable", endpoints, "enable")
    _route(app, "/v1/webhook_secrets", secrets)
    _route(app, "/v1/webhook_secrets/roll", secrets, "roll")
    _route(app, "/v1/export", Export(engine, access))
    _route(app, "/v1/openapi.json", OpenApi(engine))
    _add_work_routes(app, Work(engine, access))


def _add_work_routes(app: App, work: Work) -> None:
    _route(app, "/v1/work/claim", work, "claim")
    _route(app, "/v1/work/assignments", work, "assignments")
    for verb in ("submit", "renew", "skip", "release"):
        _route(app, f"/v1/work/{{assignment_id}}/{verb}", work, verb)


def _route(app: App, path: str, resource: object, suffix: str | None = None) -> None:
    """Add a route; HEAD is answered wherever GET is, which the framework does not do by itself."""
    ending = f"_{suffix}" if suffix else ""
    on_get = getattr(resource, f"on_get{ending}", None)
    if on_get is not None:
        setattr(resource, f"on_head{ending}", on_get)
    app.add_route(path, resource, suffix=suffix)
