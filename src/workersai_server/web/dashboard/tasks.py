"""``/dashboard/tasks``: what was asked and answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import falcon

from workersai_core import InvalidInput, Task, TaskFilter, TaskStatus, WorkersAIError
from workersai_server import documents
from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidParameter
from workersai_server.openapi import OPERATIONS
from workersai_server.times import parse_time
from workersai_server.web import forms
from workersai_server.web.api_docs.samples import samples_of
from workersai_server.web.console.items import exhibits_of
from workersai_server.web.dashboard.view import DashboardPage, View
from workersai_server.web.markdown import rendered
from workersai_server.web.visits import Site

__all__ = ["add_routes"]

_PAGE = 50
_FILTERS = ("task_type", "status", "created_after", "created_before")
_GET_TASK = next(each for each in OPERATIONS if each.id == "getTask")


def add_routes(app: falcon.App[ApiRequest, falcon.Response], site: Site) -> None:
    """Add the pages of this module."""
    app.add_route("/dashboard/tasks", Tasks(site))
    one = OneTask(site)
    app.add_route("/dashboard/tasks/{external_id}", one)
    app.add_route("/dashboard/tasks/{external_id}/cancel", one, suffix="cancel")


class Tasks(DashboardPage):
    """The list, filtered by what the address says."""

    def on_get(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Show a page of it."""
        view = self.view(req, resp)
        given = {name: value for name in _FILTERS if (value := req.get_param(name))}
        error: WorkersAIError | None = None
        try:
            chosen = _filter(given)
            page = self.site.engine.list_tasks(
                account=view.account.id,
                mode=view.mode,
                chosen=chosen,
                limit=_PAGE,
                after=req.get_param("after"),
                before=req.get_param("before"),
            )
        except (InvalidParameter, InvalidInput) as found:
            error = found
            page = self.site.engine.list_tasks(account=view.account.id, mode=view.mode, limit=_PAGE)
        view.page(
            "dashboard/tasks.html",
            status=200 if error is None else 400,
            error=None if error is None else view.visit.error_text(error),
            tasks=page.tasks,
            given=given,
            statuses=[each.value for each in TaskStatus],
            types=self.site.engine.types.names(),
            older=None if page.next is None else view.visit.url("/dashboard/tasks", **given, after=page.next),
            newer=None if page.previous is None else view.visit.url("/dashboard/tasks", **given, before=page.previous),
        )


def _filter(given: Mapping[str, str]) -> TaskFilter:
    values: dict[str, Any] = {"task_type": given.get("task_type")}
    if "status" in given:
        try:
            values["status"] = TaskStatus(given["status"])
        except ValueError:
            raise InvalidParameter(f"There is no status {given['status'][:64]}.") from None
    for name in ("created_after", "created_before"):
        if name in given:
            text = given[name] if "T" in given[name] else f"{given[name]}T00:00:00Z"
            try:
                values[name] = parse_time(text)
            except ValueError as error:
                raise InvalidParameter(f"{name}: {error}") from None
    return TaskFilter(**values)


class OneTask(DashboardPage):
    """One task with all that is known about it."""

    def on_get(self, req: ApiRequest, resp: falcon.Response, external_id: str) -> None:
        """Show it."""
        view = self.view(req, resp)
        engine, account = self.site.engine, view.account
        task = engine.get_task(external_id, account=account.id, mode=view.mode)
        samples = samples_of(_GET_TASK, req.prefix)
        place = task.external_id
        view.page(
            "dashboard/task.html",
            task=task,
            **self._looks(view, task),
            raw=json.dumps(json.loads(documents.task_json(task)), ensure_ascii=False, indent=2),
            events=engine.task_events(task.external_id, account=account.id, mode=view.mode),
            deliveries=engine.callbacks(task.external_id, account=account.id, mode=view.mode),
            samples=[
                ("curl", samples.curl.replace("TASK_ID", place)),
                ("Ruby", samples.ruby.replace("TASK_ID", place)),
                ("Python", samples.python.replace("TASK_ID", place)),
            ],
        )

    def on_post_cancel(self, req: ApiRequest, resp: falcon.Response, external_id: str) -> None:
        """Take it back."""
        view = self.view(req, resp)
        view.visit.posted()
        self.site.engine.cancel_task(external_id, account=view.account.id, mode=view.mode)
        view.visit.go(f"/dashboard/tasks/{external_id}")

    def _looks(self, view: View, task: Task) -> dict[str, Any]:
        """Return what workers see of the task, and the answer in their form, which nobody can send."""
        task_type = self.site.engine.types.get(task.task_type)
        instruction = rendered(task.instruction, keep_lines=True)
        shown: dict[str, Any] = {"exhibits": [], "form": None, "instruction": instruction}
        if task_type is None:
            return shown
        language = view.visit.language
        shown["exhibits"] = list(exhibits_of(task_type, task.params, language))
        if task.response:
            schema = self.site.engine.types.response_schema_for(task_type, task.params)
            shown["form"] = forms.build(schema, task.response, language=language, ui={})
        return shown
