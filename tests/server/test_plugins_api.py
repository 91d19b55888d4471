"""What plugins add to the server: routes and export formats."""

from __future__ import annotations

import falcon
import pytest

from support.api import problem
from workersai_core.api import Rejected, hookimpl


class Report:
    def __init__(self, engine) -> None:
        self.engine = engine

    def on_get(self, req, resp) -> None:
        resp.text = f"{len(self.engine.types)} types"
        resp.content_type = "application/json"

    def on_post(self, req, resp) -> None:
        raise falcon.HTTPNotImplemented


class Ids:
    media_type = "text/plain"

    def write(self, tasks):
        yield b"external_id\n"
        for task in tasks:
            yield f"{task.external_id}\n".encode()


class Ready:
    """Lacks what it writes with, and reads more than anybody may send."""

    media_type = "text/plain"

    def write(self, tasks):
        raise Rejected("Install it with: pip install 'shop[ready]'")

    def read(self, file):
        for number in range(200):
            yield number, {"params": {"options": ["a"]}, "task_type": "pick", "instruction": "x" * 100_000}


class Mine:
    name = "mine"

    def __init__(self, routes=None, exporters=None) -> None:
        self.routes, self.exporters = routes, exporters

    @hookimpl
    def register_routes(self, engine):
        return {"/report": Report(engine)} if self.routes is None else self.routes

    @hookimpl
    def register_exporters(self):
        return {"ids": Ids()} if self.exporters is None else self.exporters


def test_routes_are_served_under_the_name_of_their_plugin(api_with):
    api = api_with(plugins=[Mine()])
    answer = api.get("/x/mine/report", key=None)

    assert (answer.status_code, answer.text) == (200, f"{len(api.house.engine.types)} types")
    assert api.ask("HEAD", "/x/mine/report").status_code == 200
    assert answer.headers["x-request-id"]
    problem(api.get("/x/mine/nothing"), 404, "not_found")
    problem(api.post("/x/mine/report"), 500, "internal_error")
    problem(api.ask("PUT", "/x/mine/report"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "routes",
    [
        ["/report"],
        {"report": Report(None)},
        {"/report/": Report(None)},
        {"/report": object()},
        {7: Report(None)},
        {"/{a}/{a}": Report(None)},
    ],
)
def test_wrong_routes_are_said_and_left_out(api_with, routes, caplog):
    api = api_with(plugins=[Mine(routes)])

    assert "of the plugin mine" in caplog.text
    assert "not served" in caplog.text
    assert api.get("/x/mine/report").status_code == 404
    assert api.get("/v1/tasks").status_code == 200


def test_a_format_of_a_plugin_is_exported(api_with):
    api = api_with(plugins=[Mine()])
    task = api.create()["external_id"]
    answer = api.get("/v1/export", query="format=ids")

    assert (answer.status_code, answer.text) == (200, f"external_id\n{task}\n")
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["content-disposition"] == 'attachment; filename="tasks.ids"'
    assert "csv, ids, jsonl" in problem(api.get("/v1/export", query="format=xml"), 400, "invalid_parameter")["detail"]
    problem(api.get("/v1/export", query="format=ids", headers={"Accept": "application/json"}), 406, "not_acceptable")


@pytest.mark.parametrize("exporters", [["ids"], {"ids": object()}, {"jsonl": Ids()}])
def test_a_wrong_exporter_is_said_and_left_out(api_with, exporters, caplog):
    api = api_with(plugins=[Mine(exporters=exporters)])
    task = api.create()["external_id"]

    assert api.get("/v1/export").json["external_id"] == task
    problem(api.get("/v1/export", query="format=ids"), 400, "invalid_parameter")
    assert "mine" in caplog.text


def test_what_a_format_lacks_is_said_before_the_export_begins(api_with):
    api = api_with(plugins=[Mine(exporters={"ready": Ready()})])
    answer = api.get("/v1/export", query="format=ready")
    assert "Install it with: pip install 'shop[ready]'" == problem(answer, 422, "validation_failed")["detail"]
    assert "content-disposition" not in answer.headers


def test_a_file_may_not_grow_when_it_is_read(api_with):
    api = api_with(plugins=[Mine(exporters={"ready": Ready()})])
    problem(api.post("/v1/tasks:batch", "x", query="format=ready"), 413, "payload_too_large")
    assert [] == api.get("/v1/tasks").json


def test_a_format_that_only_writes_is_none_to_import_from(api_with):
    api = api_with(plugins=[Mine()])
    told = problem(api.post("/v1/tasks:batch", "x", query="format=ids"), 400, "invalid_parameter")["detail"]
    assert told.startswith("There is no format ids; choose from coco, conll, csv, jsonl,")
    assert "preference_pairs" not in told
