"""The engine's Python interface: opening, commands, values."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import attrs

import workersai_core
from generators.markdown import NOTICE, attribute_docs, docstring, signature, summary, table
from workersai_core import Engine

__all__ = ["page", "public_methods"]


def page() -> str:
    """Return the page."""
    parts = [
        NOTICE,
        "# The engine\n",
        "What `workersai_core` exports. Commands are the same on an `Engine`, where each is one transaction,",
        "and on the open transaction that `Engine.transaction` and `Engine.run` give, where each is a savepoint.\n",
    ]
    for method in public_methods():
        parts += [
            f"## {method.__name__}\n",
            f"```text\n{signature(method, without=('self', 'cls'))}\n```\n",
            docstring(method),
        ]
    parts += ["## Values\n", *_values()]
    return "\n".join(parts)


def public_methods() -> Iterator[object]:
    """Give the methods of the engine in the order of their source: opening first, then the commands."""
    for kind in (Engine, Engine.__mro__[1]):
        for name, member in vars(kind).items():
            function = member.__func__ if isinstance(member, classmethod) else member
            if not name.startswith("_") and inspect.isfunction(function):
                yield getattr(Engine, name) if isinstance(member, classmethod) else function


def _values() -> Iterator[str]:
    for name in workersai_core.__all__:
        kind = getattr(workersai_core, name)
        if inspect.isclass(kind) and attrs.has(kind):
            texts = attribute_docs(kind)
            rows = [
                (f"`{field.name}`", f"`{field.type}`", texts.get(field.name, ""))
                for field in attrs.fields(kind)
                if not field.name.startswith("_")
            ]
            yield f"### {name}\n"
            yield f"{summary(kind)}\n"
            yield table(("Field", "Type", "Meaning"), rows)
