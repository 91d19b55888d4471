"""JSON Schema 2020-12 for task types: linted, compiled, explained.

`compile_schema` refuses a schema that breaks a rule; the compiled schema tells
whether a value is valid and, in our own words, why not.
"""

from __future__ import annotations

from workersai_core.schemas.compiled import CompiledSchema, compile_narrowed, compile_schema
from workersai_core.schemas.lint import FORMATS, problems
from workersai_core.schemas.sample import mock_response, sample

__all__ = [
    "FORMATS",
    "CompiledSchema",
    "compile_narrowed",
    "compile_schema",
    "mock_response",
    "problems",
    "sample",
]
