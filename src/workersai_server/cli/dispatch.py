"""`workersai dispatch`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workersai_server.cli.opening import database_option, plugin_option, settings_of
from workersai_server.cli.output import USAGE, Failure, Output, pass_output

if TYPE_CHECKING:
    from workersai_server.settings import Settings

__all__ = ["dispatch"]


class _Place(click.ParamType[tuple[str, int]]):
    """``HOST:PORT``, an IPv6 address in brackets."""

    name = "HOST:PORT"

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Return host and port."""
        if isinstance(value, tuple):
            return value
        host, _, port = value.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
            self.fail(f"{value!r} is not HOST:PORT; write for example 127.0.0.1:8001.", param, ctx)
        return host.removeprefix("[").removesuffix("]"), int(port)


@click.command()
@database_option
@plugin_option
@click.option("--strict-plugins", is_flag=True, default=None, help="Do not start when a plugin cannot be loaded.")
@click.option(
    "--allow-callback-network",
    "allow_callback_networks",
    multiple=True,
    metavar="CIDR",
    help="A private network that callbacks may reach; may be given several times.",
)
@click.option("--callback-schedule", help="Seconds before each delivery attempt, comma-separated.")
@click.option("--callback-deadline-s", help="How long one delivery attempt may take.")
@click.option("--plugins", help="Which installed plugins to load: all, none or names.")
@click.option("--health", type=_Place(), help="Where to answer /healthz, /readyz and /metrics; nowhere by default.")
@pass_output
def dispatch(
    output: Output,
    *,
    db: str | None,
    plugin_files: tuple[Path, ...],
    strict_plugins: bool | None,
    allow_callback_networks: tuple[str, ...],
    callback_schedule: str | None,
    callback_deadline_s: str | None,
    plugins: str | None,
    health: tuple[str, int] | None,
) -> None:
    """Deliver callbacks and do what waits for a time, beside any number of `serve` and `dispatch`, on PostgreSQL.

    SIGTERM lets running deliveries finish.
    """
    # PERF: imported here, so that --help does not wait for the engine.
    from workersai_server import dispatching
    from workersai_server.logs import log_to_stderr

    log_to_stderr()
    flags = {
        "db": db,
        "plugin_files": plugin_files,
        "strict_plugins": strict_plugins,
        "allow_callback_networks": allow_callback_networks,
        "callback_schedule": callback_schedule,
        "callback_deadline_s": callback_deadline_s,
        "plugins": plugins,
    }
    settings = settings_of(output, flags)
    _require_postgresql(settings)
    dispatching.run(settings, health=health, on_ready=lambda: output.note("ready dispatch"))


def _require_postgresql(settings: Settings) -> None:
    from workersai_core.store.opening import database_url

    if database_url(settings.db).get_backend_name() != "postgresql":
        raise Failure(
            "On SQLite `workersai serve` delivers by itself; a process beside it needs PostgreSQL.",
            remedy="Run `workersai serve` alone, or name a PostgreSQL database with --db.",
            exit_code=USAGE,
            code="needs_postgresql",
        )
