"""What the bundled task types say about their params and responses is said in Korean too."""

from __future__ import annotations

import re
from collections.abc import Mapping

from workersai_core.plugins import Plugins

TYPES = [each for each in Plugins.load((), strict=True).types if type(each).__module__.startswith("workersai_plugins.")]


def described(schema):
    """Yield every part of a schema that has a description; a property of that name is none."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("description"), str):
            yield schema
        for part in schema.values():
            yield from described(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            yield from described(part)


def parts():
    """Yield the name of every type with each part of its schemas that has a description."""
    for each in TYPES:
        for schema in (each.params_schema, each.response_schema):
            yield from ((each.name, part) for part in described(schema))


def test_every_description_has_its_korean_one():
    assert {each.name for each in TYPES} == {name for name, _ in parts()}
    missing = [(name, part["description"]) for name, part in parts() if not part.get("x-description-ko")]
    assert [] == missing


def test_the_korean_one_is_korean_and_has_the_same_figures():
    for _, part in parts():
        english, korean = part["description"], part["x-description-ko"]
        assert re.search("[가-힣]", korean), english
        assert set(re.findall(r"\d+", english)) == set(re.findall(r"\d+", korean)), english


def test_the_schema_of_one_task_keeps_the_korean_ones():
    for each in TYPES:
        korean = {part["description"]: part["x-description-ko"] for part in described(each.response_schema)}
        for params, _ in each.examples:
            for part in described(each.response_schema_for(params)):
                if part["description"] in korean:
                    assert korean[part["description"]] == part.get("x-description-ko"), (each.name, part)
