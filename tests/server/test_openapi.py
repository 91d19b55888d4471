"""The OpenAPI document: valid, complete, and true of the application."""

from __future__ import annotations

import falcon.inspect
import pytest
from falcon.testing import TestClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from support.accounts import house
from support.task_types import TestTypes
from workersai_core.api import TaskType, hookimpl
from workersai_server.app import create_app
from workersai_server.openapi import OPERATIONS, describe
from workersai_server.settings import Settings


class Nested(TaskType):
    """A type whose schemas refer to their own parts."""

    name = "nested"
    aliases = ("nest",)
    summary = "Nest."
    params_schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {"tree": {"$ref": "#/$defs/node", "description": "A tree."}},
        "$defs": {
            "node": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "children": {"type": "array", "description": "Below.", "items": {"$ref": "#/$defs/node"}}
                },
            }
        },
    }
    response_schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["ok"],
        "properties": {"ok": {"type": "boolean", "description": "Whether."}},
    }
    examples = (({"tree": {"children": []}}, {"ok": True}),)


class NestedPlugin:
    @hookimpl
    def register_task_types(self):
        return [Nested()]


@pytest.fixture
def home():
    home = house(plugins=[TestTypes(), NestedPlugin()])
    yield home
    home.engine.close()


@pytest.fixture
def app(home):
    return create_app(home.engine, Settings(db="sqlite://"), home.accounts)


def test_an_independent_validator_accepts_it(home):
    document = describe(home.engine, prefix="https://labels.example")
    assert [] == [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]


def test_it_describes_every_route_and_no_other(app):
    described = {(operation.path, operation.method.upper()) for operation in OPERATIONS}
    routes = {
        (route.path, method.method)
        for route in falcon.inspect.inspect_routes(app)
        for method in route.methods
        if method.method in ("GET", "POST") and not method.internal
    }
    assert routes - {("/metrics", "GET")} == described


def test_operations_have_names_of_their_own():
    names = [operation.id for operation in OPERATIONS]
    assert sorted(set(names)) == sorted(names)


def test_every_registered_type_can_be_created_by_its_name_or_alias(home):
    create = describe(home.engine)["components"]["schemas"]["TaskCreate"]
    assert "task_type" == create["discriminator"]["propertyName"]
    named = [variant["properties"]["task_type"]["enum"] for variant in create["oneOf"]]
    assert [[each.name, *each.aliases] for each in home.engine.types] == named


def test_references_inside_a_types_schemas_lead_to_components_of_their_own(home):
    schemas = describe(home.engine)["components"]["schemas"]
    assert {"$ref": "#/components/schemas/NestedParams.node"} == {
        name: value for name, value in schemas["NestedParams"]["properties"]["tree"].items() if name == "$ref"
    }
    items = schemas["NestedParams.node"]["properties"]["children"]["items"]
    assert {"$ref": "#/components/schemas/NestedParams.node"} == items
    assert not {"$schema", "$defs"} & schemas["NestedParams"].keys()


def test_it_is_served_to_anyone_in_the_readers_language(app):
    client = TestClient(app)
    english = client.simulate_get("/v1/openapi.json")
    korean = client.simulate_get("/v1/openapi.json", headers={"Accept-Language": "ko"})
    summaries = [each.json["paths"]["/v1/tasks"]["post"]["summary"] for each in (english, korean)]
    assert ["Create a task", "Task 만들기"] == summaries
    assert "http://falconframework.org" == english.json["servers"][0]["url"]
