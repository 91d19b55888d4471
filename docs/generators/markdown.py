"""From Python's own documentation to Markdown."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["NOTICE", "attribute_docs", "cell", "docstring", "signature", "summary", "table"]

NOTICE = "<!-- Written by `make docs` from the code; do not edit. -->\n"

_LONGEST_LINE = 100
_SECTION = re.compile(r"(Args|Attributes|Returns|Yields|Raises):$")
_TITLES = {"Args": "Arguments", "Attributes": "Attributes", "Returns": "Returns", "Yields": "Yields"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; what would break a cell is escaped."""
    lines = [head, ["---"] * len(head), *([cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def cell(text: str) -> str:
    """Return text that stays within one cell of a table."""
    return re.sub(r"\s*\n\s*", " ", text.strip()).replace("|", "\\|")


def docstring(documented: Any) -> str:
    """Return a docstring of the Google style as Markdown.

    Raises:
        ValueError: there is none.
    """
    text = inspect.getdoc(documented)
    if not text:
        raise ValueError(f"{documented!r} has no docstring; write one, it goes into the reference.")
    lines: list[str] = []
    section = None
    for line in _ticks(text).splitlines():
        found = _SECTION.match(line)
        if found:
            section = found[1]
            lines += ["", f"**{_TITLES.get(section, section)}**", ""]
        elif section is None or not line.strip():
            lines.append(line)
            section = section if line.strip() else None
        else:
            lines.append(_item(line, named=section in ("Args", "Attributes", "Raises")))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def summary(documented: Any) -> str:
    """Return the first sentence of a docstring."""
    return _ticks((inspect.getdoc(documented) or "").partition("\n\n")[0].replace("\n", " "))


def signature(function: Any, *, without: Sequence[str] = ("self",)) -> str:
    """Return how a function is called, as its source has it; on several lines when it is long."""
    shown = inspect.signature(function)
    parts: list[str] = []
    for name, parameter in shown.parameters.items():
        if name in without:
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        parts.append(_parameter(parameter))
    result = shown.return_annotation
    line = f"{function.__name__}({', '.join(parts)}) -> {result}"
    if len(line) <= _LONGEST_LINE:
        return line
    return "\n".join([f"{function.__name__}(", *(f"    {part}," for part in parts), f") -> {result}"])


def _parameter(parameter: inspect.Parameter) -> str:
    prefix = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = f"{prefix}{parameter.name}: {parameter.annotation}"
    return text if parameter.default is parameter.empty else f"{text} = {parameter.default!r}"


def attribute_docs(kind: type) -> dict[str, str]:
    """Return what is said of the attributes of a class, below each or in the class's own docstring."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = _listed_attributes(kind)
    for statement, following in zip(body.body, body.body[1:], strict=False):
        name = _assigned(statement)
        if name and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            found[name] = _ticks(inspect.cleandoc(str(following.value.value)))
    return found


def _listed_attributes(kind: type) -> dict[str, str]:
    section = (inspect.getdoc(kind) or "").partition("\nAttributes:\n")[2].partition("\n\n")[0]
    entries = re.split(r"^    (?=\S)", section, flags=re.MULTILINE)[1:]
    pairs = (entry.split(":", 1) for entry in entries)
    return {name: _ticks(re.sub(r"\s+", " ", text.strip())) for name, text in pairs}


def _assigned(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


def _ticks(text: str) -> str:
    return text.replace("``", "`")


def _item(line: str, *, named: bool) -> str:
    """Return one line of a section: a list item, or the continuation of one."""
    indented = line.startswith(" " * 8)
    if indented or not named:
        return line.strip() if not indented else "  " + line.strip()
    name, colon, rest = line.strip().partition(":")
    return f"- `{name}`:{rest}" if colon and " " not in name.replace(", ", ",") else f"- {line.strip()}"
