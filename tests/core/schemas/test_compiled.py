from __future__ import annotations

import subprocess
import sys

import pytest

from workersai_core.errors import SchemaError
from workersai_core.schemas import compile_narrowed, compile_schema

CLOSED = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"a": {"type": "string", "description": "A text."}},
}


def test_equal_schemas_are_compiled_once():
    assert compile_schema(CLOSED) is compile_narrowed({**CLOSED})


def test_a_long_schema_is_not_kept():
    long = {"enum": [f"{n:0100}" for n in range(200)]}

    assert compile_narrowed(long) is not compile_narrowed(long)
    assert compile_narrowed(long).accepts(long["enum"][-1])


def test_the_schema_can_be_had_again_and_is_nobody_elses():
    compiled = compile_schema(CLOSED)
    compiled.schema["properties"].clear()

    assert CLOSED == compiled.schema


@pytest.mark.parametrize("compile_it", [compile_schema, compile_narrowed])
@pytest.mark.parametrize("schema", [{"a": {1, 2}}, {1: 2}, {"enum": [2**70]}])
def test_what_is_no_json_is_refused(compile_it, schema):
    with pytest.raises(SchemaError, match="params_schema is no JSON"):
        compile_it(schema, "params_schema")


@pytest.mark.parametrize(
    "schema",
    [
        [],
        "object",
        {"type": "strng"},
        {"$ref": "#/$defs/nowhere"},
        {"$ref": "http://127.0.0.1:1/schema"},
        {"$ref": "file:///etc/passwd"},
        {"then": {"properties": {"a": {"$ref": "http://127.0.0.1:1/schema"}}}, "if": True},
        {"pattern": "("},
        {"format": "nothing"},
    ],
)
def test_a_narrowed_schema_that_is_none_is_refused(schema):
    with pytest.raises(SchemaError, match="cannot be compiled"):
        compile_narrowed(schema)


def test_the_reference_is_imported_only_to_explain():
    code = (
        "import sys\n"
        "from workersai_core.schemas import compile_schema\n"
        f"compiled = compile_schema({CLOSED!r})\n"
        "assert compiled.issues({'a': 'x'}) == []\n"
        "assert 'jsonschema' not in sys.modules\n"
        "assert [issue.code for issue in compiled.issues({'a': 1})] == ['wrong_type']\n"
        "assert 'jsonschema' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
