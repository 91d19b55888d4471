"""Every hook with its exact signature, and what happens when it raises."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from types import FunctionType

from generators.markdown import NOTICE, docstring, signature
from workersai_core import hookspecs

__all__ = ["hooks", "page"]

_HEADING = re.compile(r"^# --- (.+?) -+$")
_MARK = f"{hookspecs.PROJECT}_spec"


def page() -> str:
    """Return the page."""
    headings = _headings()
    parts = [NOTICE, "# Hooks\n", f"Version of the contract: `PLUGIN_API = {hookspecs.PLUGIN_API}`.\n"]
    parts += [docstring(hookspecs).partition("\n\n")[2]]
    for hook in hooks():
        line = inspect.getsourcelines(hook)[1]
        while headings and headings[0][0] < line:
            _, title, text = headings.pop(0)
            parts += [f"## {title[0].upper()}{title[1:]}\n", *([f"{text}\n"] if text else [])]
        first = "\nThe first plugin that returns something is heard.\n" if getattr(hook, _MARK)["firstresult"] else ""
        parts += [f"### {hook.__name__}\n", f"```text\n{signature(hook)}\n```\n", docstring(hook) + first]
    return "\n".join(parts)


def hooks() -> Iterator[FunctionType]:
    """Give the hooks in the order of the catalogue."""
    for member in vars(hookspecs).values():
        if isinstance(member, FunctionType) and hasattr(member, _MARK):
            yield member


def _headings() -> list[tuple[int, str, str]]:
    """Return the catalogue's sections: line, title and the comment below it."""
    lines = inspect.getsource(hookspecs).splitlines()
    found = []
    for n, line in enumerate(lines, start=1):
        heading = _HEADING.match(line)
        if heading:
            comment = []
            for below in lines[n:]:
                if not below.startswith("#"):
                    break
                comment.append(below.lstrip("# "))
            found.append((n, heading[1], " ".join(comment).strip()))
    return found
