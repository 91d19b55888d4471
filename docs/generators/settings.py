"""Every setting: its places, its default and what may be written."""

from __future__ import annotations

from typing import Any

import attrs

from generators.cli import flags_of
from generators.markdown import NOTICE, attribute_docs, table
from workersai_server.amounts import from_micros
from workersai_server.settings import RateLimit, Settings

__all__ = ["page"]

_PERIODS = {1: "second", 60: "minute", 3600: "hour"}
_AMOUNTS = ("default_price",)


def page() -> str:
    """Return the page."""
    texts = attribute_docs(Settings)
    rows = [
        (
            f"`{field.name}`",
            f"`WORKERSAI_{field.name.upper()}`",
            ", ".join(f"`{flag}`" for flag in flags_of(field.name)) or "—",
            _default(field),
            f"{texts[field.name]} {_remedy(field)}",
        )
        for field in attrs.fields(Settings)
    ]
    return "\n".join(
        [
            NOTICE,
            "# Settings\n",
            "A setting is read from the first place that has it: the flag of a command, the environment,",
            "the file `workersai.toml` in the working directory (under the setting's name), the default.",
            "A wrong value is refused at start-up, with the place it was read from and what to write instead.",
            "An empty environment variable counts as not set.\n",
            table(("Setting", "Environment", "Flags", "Default", "What it does"), rows),
            "```toml",
            "# workersai.toml",
            'db = "sqlite:///labels.db"',
            'free_requests = "unlimited"',
            'allow_callback_networks = ["10.0.0.0/8"]',
            "",
            "[prices]",
            'categorization = "0.05"',
            "```",
            "",
        ]
    )


def _default(field: attrs.Attribute[Any]) -> str:
    value = field.default.factory() if isinstance(field.default, attrs.Factory) else field.default  # type: ignore[arg-type,misc]
    if value is None or value in ((), {}):
        return "—"
    if isinstance(value, RateLimit):
        return f"`{value.requests}/{_PERIODS[value.period_s]}`"
    if isinstance(value, tuple):
        return f"`{','.join(f'{step:g}' for step in value)}`"
    if field.name in _AMOUNTS:
        return f"`{from_micros(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _remedy(field: attrs.Attribute[Any]) -> str:
    """Return what a reader says to write when it is given nonsense."""
    try:
        field.metadata["reader"](object(), None)
    except ValueError as error:
        text = str(error)
        return f"{text[0].upper()}{text[1:]}."
    raise AssertionError(f"the reader of {field.name} takes anything")
