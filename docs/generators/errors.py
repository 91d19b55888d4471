"""Every error code, with its status and its meaning."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import workersai_core
import workersai_server
from generators.markdown import NOTICE, summary, table
from workersai_core import WorkersAIError

__all__ = ["every_error", "page"]

_NO_ERRORS = ("cli", "migrations", "testing")
"""Parts of the packages that raise errors of others only, and take long to import."""


def page() -> str:
    """Return the page."""
    classes = sorted(every_error(), key=lambda each: (each.status_hint, each.code, each.__name__))
    answers = [each for each in classes if "(start-up)" not in _place(each)]
    starting = [each for each in classes if each not in answers]
    return "\n".join(
        [
            NOTICE,
            "# Errors\n",
            "Every answer with a 4xx or 5xx status is a problem document (RFC 9457, `application/problem+json`) with",
            "`type`, `title`, `status`, `detail`, `code`, `request_id`, and, where single values are wrong, `errors`:",
            "an array of `pointer` (where, such as `#/params/categories/1`), `code` and `detail`.",
            "A program switches on `code`; it never changes. `detail` is for people, in Korean or English.",
            "A 500 says nothing but the request id.\n",
            "## Codes of the API\n",
            table(("Code", "Status", "Python class", "Meaning"), map(_row, answers)),
            "## Codes at start-up\n",
            "They never reach a requester: a command prints them and ends.\n",
            table(
                ("Code", "Status", "Python class", "Meaning"),
                ((*_row(each)[:1], "—", *_row(each)[2:]) for each in starting),
            ),
        ]
    )


def every_error() -> Iterator[type[WorkersAIError]]:
    """Give every public class of the tree, wherever it is defined."""
    for package in (workersai_core, workersai_server):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not any(part in module.name.split(".") for part in _NO_ERRORS):
                importlib.import_module(module.name)
    todo = [WorkersAIError]
    while todo:
        found = todo.pop()
        if not found.__name__.startswith("_"):
            yield found
        todo += [each for each in found.__subclasses__() if each.__module__.partition(".")[0].startswith("workersai_")]


def _place(kind: type[WorkersAIError]) -> str:
    return "(start-up)" if kind.code in ("plugin_invalid", "schema_invalid", "setting_invalid") else ""


def _row(kind: type[WorkersAIError]) -> tuple[str, str, str, str]:
    assert inspect.getdoc(kind), kind
    return f"`{kind.code}`", str(kind.status_hint), f"`{kind.__module__}.{kind.__name__}`", summary(kind)
