"""What the house style says about sizes and public names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from support.snippets import ROOT

MODULES = sorted((ROOT / "src").rglob("*.py"))
LONGEST_MODULE = 700
LONGEST_FUNCTION = 40


def functions(module: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node


def body_lines(function: ast.FunctionDef) -> int:
    """Return the lines of a function's statements, without its signature and docstring."""
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    return 0 if not statements else (function.end_lineno or 0) - statements[0].lineno + 1


def test_no_module_is_too_long():
    lengths = {
        str(module.relative_to(ROOT)): len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES
    }
    assert {} == {name: length for name, length in lengths.items() if length > LONGEST_MODULE}


def test_no_function_is_too_long():
    lengths = {
        f"{module.relative_to(ROOT)}:{function.lineno} {function.name}": body_lines(function)
        for module in MODULES
        for function in functions(module)
        if "migrations" not in module.parts  # a revision lists tables; it has nothing to divide
    }
    assert {} == {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}


def test_every_module_with_public_names_says_which():
    silent = []
    for module in MODULES:
        tree = ast.parse(module.read_text(encoding="utf-8"))
        public = [
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        ]
        says = any(isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__" for node in tree.body)
        revision = "migrations" in module.parts  # Alembic calls these by name
        if public and not says and not revision:
            silent.append(str(module.relative_to(ROOT)))
    assert [] == silent
