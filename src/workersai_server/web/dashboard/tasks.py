"""``/dashboard/tasks``: what was asked and answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import falcon

from workersai_core import InvalidInput, Task, TaskFilter, TaskStatus, WorkersAIError
from workersai_core.errors import Issue
from workersai_core.lifecycle import is_terminal
from workersai_server import documents
from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidParameter
from workersai_server.openapi import OPERATIONS
from workersai_server.times import parse_time
from workersai_server.web import forms
from workersai_server.web.api_docs.samples import samples_of
from workersai_server.web.console.items import element_task, exhibits_of, inside_response
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
    app.add_route("/dashboard/tasks/{external_id}/complete", one, suffix="complete")


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
        self._show(view, self.site.engine.get_task(external_id, account=view.account.id, mode=view.mode))

    def on_post_cancel(self, req: ApiRequest, resp: falcon.Response, external_id: str) -> None:
        """Take it back."""
        view = self.view(req, resp)
        view.visit.posted()
        self.site.engine.cancel_task(external_id, account=view.account.id, mode=view.mode)
        view.visit.go(f"/dashboard/tasks/{external_id}")

    def on_post_complete(self, req: ApiRequest, resp: falcon.Response, external_id: str) -> None:
        """Give a test task its result: what the form says, or what the mock would."""
        view = self.view(req, resp)
        posted = view.visit.posted()
        engine, account = self.site.engine, view.account.id
        task = engine.get_task(external_id, account=account, mode="test")
        value = None
        if "mock" not in posted:
            decoded = forms.decode(self._schema(task), posted)
            if decoded.issues or decoded.edited:
                self._show(view, task, decoded.shown, decoded.issues, status=200 if decoded.edited else 422)
                return
            value = decoded.value
        try:
            engine.complete_test_task(external_id, account=account, response=value)
        except InvalidInput as error:
            issues = inside_response(error.issues) or [Issue("", error.detail, error.code)]
            self._show(view, task, value, issues, status=error.status_hint)
            return
        view.visit.go(f"/dashboard/tasks/{task.external_id}")

    def _show(
        self,
        view: View,
        task: Task,
        value: Any = forms.ABSENT,
        issues: Sequence[Issue] = (),
        *,
        status: int = 200,
    ) -> None:
        """Show a task; `value` is what was filled in to complete it, and `issues` what is wrong with that."""
        engine, account = self.site.engine, view.account
        samples, key = samples_of(_GET_TASK, view.visit.req.prefix), self._key(account.id, task)
        view.page(
            "dashboard/task.html",
            status=status,
            task=task,
            **self._looks(view, task, value, issues),
            raw=json.dumps(json.loads(documents.task_json(task)), ensure_ascii=False, indent=2),
            events=engine.task_events(task.external_id, account=account.id, mode=task.mode),
            deliveries=engine.callbacks(task.external_id, account=account.id, mode=task.mode),
            samples=[
                (language, code.replace("TASK_ID", task.external_id).replace("API_KEY", key))
                for language, code in (("curl", samples.curl), ("Ruby", samples.ruby), ("Python", samples.python))
            ],
        )

    def _key(self, account_id: str, task: Task) -> str:
        """Return what may be shown of the newest key by which the API shows this task."""
        keys = [key for key in self.site.accounts.list_keys(account_id) if key.mode == task.mode]
        usable = [f"{key.prefix}…{key.last4}" for key in keys if key.revoked_at is None]
        return usable[-1] if usable else "API_KEY"

    def _looks(self, view: View, task: Task, value: Any, issues: Sequence[Issue]) -> dict[str, Any]:
        """Return what workers see of the task, and its answer or the form to give it one."""
        shown: dict[str, Any] = {"exhibits": [], "result": None, "element": None, "form": None}
        shown["instruction"] = rendered(task.instruction, keep_lines=True)
        task_type = self.site.engine.types.get(task.task_type)
        if task_type is None:
            return shown
        language = view.visit.language
        shown["exhibits"] = list(exhibits_of(task_type, task.params, language))
        if task.response:
            shown["result"] = forms.build(self._schema(task), task.response, language=language)
            shown["element"] = self.site.plugin_assets.element(task_type.name)
            shown["element_task"] = element_task(task, language)
        elif task.is_test and not is_terminal(task.status):
            shown["form"] = forms.build(self._schema(task), value, issues, language=language)
        return shown

    def _schema(self, task: Task) -> Any:
        """Return the schema of the answers to a task, in the present version of its type."""
        task_type, params = self.site.engine.types.of(task)
        return self.site.engine.types.response_schema_for(task_type, params)
