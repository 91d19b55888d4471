"""Every sentence that the program may say to a client, read from its sources."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import workersai_core
import workersai_server

CORE = Path(workersai_core.__file__).parent
SERVER = Path(workersai_server.__file__).parent

SOURCES = [
    *[
        CORE / name
        for name in (
            "drafting.py",
            "jsontext.py",
            "mocks.py",
            "idempotency.py",
            "lifecycle.py",
            "registry.py",
            "hooks.py",
            "schemas/explain.py",
            "callbacks/addresses.py",
            "callbacks/outbox.py",
            "commands/create.py",
            "commands/finish.py",
            "commands/listing.py",
            "commands/mocking.py",
            "commands/work.py",
        )
    ],
    *[
        SERVER / name
        for name in (
            "access.py",
            "bodies.py",
            "credentials.py",
            "errors.py",
            "forms.py",
            "idempotency.py",
            "media.py",
            "problems.py",
            "queries.py",
            "quota.py",
            "rate_limits.py",
            "strict_json.py",
            "task_bodies.py",
            "times.py",
            "urlencoded.py",
            "accounts/api_keys.py",
            "accounts/authentication.py",
            "accounts/preferences.py",
        )
    ],
    *sorted((SERVER / "resources").glob("*.py")),
]

_SENTENCE = re.compile(r"[A-Z{].*[a-z].*", re.DOTALL)


def sentences(source: Path) -> Iterator[str]:
    """Yield the sentences of a module with ``{}`` for each value in them."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    skipped = set(_not_said(tree))
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            yield from filter(_is_sentence, _filled(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_sentence(node.value):
            yield node.value


def _is_sentence(text: str) -> bool:
    return " " in text and text.rstrip().endswith((".", "?")) and _SENTENCE.fullmatch(text) is not None


def _filled(node: ast.JoinedStr) -> Iterator[str]:
    parts = [[str(part.value)] if isinstance(part, ast.Constant) else ["{}"] for part in node.values]
    yield from ("".join(chosen) for chosen in itertools.product(*parts))


def _not_said(tree: ast.Module) -> Iterator[int]:
    """Yield the nodes that are documentation, parts of other nodes, or said to the log only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            if isinstance(node.value, ast.Constant):
                yield id(node.value)
            if isinstance(node.value, ast.Call) and ast.unparse(node.value.func).startswith("_log."):
                yield from (id(inner) for inner in ast.walk(node.value))
        if isinstance(node, ast.JoinedStr):
            yield from (id(part) for part in node.values)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
            yield from (id(inner) for inner in ast.walk(node))
