"""The ES modules of plugins, as the server gives them out."""

from __future__ import annotations

import hashlib
import html
import json
import logging
import re

import pytest

from support.site import pages
from workersai_core.api import hookimpl
from workersai_core.plugins.unchecked import task_types_of
from workersai_server.web.plugin_assets import PluginAssets

SOURCE = b"export {}; // a dot \xc2\xb7"
PLUGIN = """
from workersai_core.api import TaskType, hookimpl

class Dot(TaskType):
    name = "dot"
    summary = "Make a dot."
    params_schema = {"type": "object", "additionalProperties": False, "properties": {
        "text": {"type": "string", "description": "A text."}}}
    response_schema = {"type": "object", "additionalProperties": False, "required": ["dot"],
        "properties": {"dot": {"type": "boolean", "description": "Whether it is made."}}}
    examples = [({}, {"dot": True})]
    ui = {"element": {"name": "a-dot", "module": "MODULE"}}

@hookimpl
def register_task_types():
    return [Dot()]
"""


@pytest.fixture
def dot(tmp_path):
    """Return a function that writes the plugin and returns its type."""

    def write(module="dot.js"):
        (tmp_path / "dot.js").write_bytes(SOURCE)
        (tmp_path / "secret.js").write_bytes(b"secret")
        file = tmp_path / "dots.py"
        file.write_text(PLUGIN.replace("MODULE", module))
        (found,) = task_types_of(str(file))
        return found

    return write


class Brings:
    """A plugin that registers one type."""

    def __init__(self, task_type):
        self.task_type = task_type

    @hookimpl
    def register_task_types(self):
        return [self.task_type]


@pytest.fixture
def world(dot):
    world = pages(plugins=[Brings(dot())], free_requests="unlimited")
    yield world
    world.house.engine.close()


def path(source=SOURCE):
    return f"/static/plugins/{hashlib.sha256(source).hexdigest()[:16]}/dot.js"


def test_a_module_is_served_for_ever_under_its_hash(world):
    answer = world.browser().client.simulate_get(path())
    assert SOURCE == answer.content
    assert "text/javascript; charset=utf-8" == answer.headers["Content-Type"]
    assert "public, max-age=31536000, immutable" == answer.headers["Cache-Control"]
    assert "nosniff" == answer.headers["X-Content-Type-Options"]


@pytest.mark.parametrize(
    "address",
    [
        path().replace("dot.js", "secret.js"),
        path().replace("dot.js", "dots.py"),
        path().replace("dot.js", "../dot.js"),
        path().replace("dot.js", "%2e%2e%2fdot.js"),
        path().replace("dot.js", "..%5cdot.js"),
        path(b"other"),
        "/static/plugins/",
        f"/static/plugins/{path().split('/')[3]}/",
    ],
)
def test_nothing_else_is_there(world, address):
    assert 404 == world.browser().client.simulate_get(address).status_code


def test_the_files_of_the_server_are_where_they_were(world):
    assert 200 == world.browser().client.simulate_get("/static/any/js/item.js").status_code


def test_an_item_says_where_its_element_is_and_what_it_is_given(world):
    world.house.engine.create_task(account="acme", task_type="dot", params={"text": "<&\"'>"}, instruction="**Now**")
    browser = world.browser()
    browser.get("/work/sign-in")
    browser.post("/work/sign-in", {"token": world.house.accounts.create_worker("Bora").token})
    page = browser.get("/work").text
    data = {name: html.unescape(value) for name, value in re.findall(r' data-([a-z-]+)="([^"]*)"', page)}
    given = {"task_type": "dot", "instruction": "**Now**", "params": {"text": "<&\"'>"}, "language": "en"}
    assert ("a-dot", path()) == (data["element"], data["module"])
    assert given == json.loads(data["task"])


def test_an_element_that_is_not_shipped_leaves_the_form_and_is_logged(dot, caplog):
    with caplog.at_level(logging.ERROR, "workersai.plugins"):
        assets = PluginAssets([dot("missing.js")])
    assert assets.element("dot") is None
    assert "the form of dot is shown without its element" in caplog.text
    assert "missing.js cannot be read" in caplog.text
