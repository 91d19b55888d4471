"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from workersai_server.cli.output import USAGE, Failure, Output

__all__ = ["json_option", "with_client"]

Command = TypeVar("Command", bound=Callable[..., Any])


def _set_json(ctx: click.Context, _: click.Parameter, chosen: bool) -> None:
    ctx.ensure_object(Output).json = chosen


json_option = click.option(
    "--json", is_flag=True, expose_value=False, callback=_set_json, help="Give one JSON document on standard output."
)
"""Adds ``--json``, which the command finds in its `Output`."""


def with_client(command: Command) -> Command:
    """Add ``--url`` and ``--api-key`` to a command and pass it a `Client` as the keyword ``client``."""

    @click.option(
        "--url", envvar="WORKERSAI_URL", default="http://127.0.0.1:8000", show_default=True, help="The service."
    )
    @click.option("--api-key", envvar="WORKERSAI_API_KEY", help="live_… or test_…; better given as WORKERSAI_API_KEY.")
    @functools.wraps(command)
    def with_options(*args: Any, url: str, api_key: str | None, **kwargs: Any) -> Any:
        # PERF: `requests` takes 100 ms to import, which --help need not wait for.
        from workersai_client import Client

        if not api_key:
            raise Failure(
                "There is no API key.",
                remedy="Pass --api-key or set WORKERSAI_API_KEY; `workersai accounts create EMAIL` makes one.",
                exit_code=USAGE,
                code="unauthenticated",
            )
        with Client(url, api_key) as client:
            return command(*args, client=client, **kwargs)

    return with_options  # type: ignore[return-value]  # the same command with two options more
