"""`workersai serve`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from workersai_server.cli.opening import database_option, plugin_option, settings_of
from workersai_server.cli.output import USAGE, Failure, Output, pass_output
from workersai_server.supervising import COMMON_METRICS, Supervisor, say_ready

if TYPE_CHECKING:
    from workersai_server.settings import Settings

__all__ = ["serve"]

Command = TypeVar("Command", bound=Callable[..., Any])

_STANDARD_INPUT = 0
_DRAIN_S = 90.0
"""How long processes may take to end: requests first, then deliveries on their way."""


def _setting(name: str, text: str) -> Callable[[Command], Command]:
    """Return an option that only passes a setting on; its default stands in one place, the settings."""
    return click.option(f"--{name.replace('_', '-')}", name, help=text)


@click.command()
@database_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 chooses a free one.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes on PostgreSQL; SQLite takes 1.",
)
@plugin_option
@click.option("--strict-plugins", is_flag=True, default=None, help="Do not start when a plugin cannot be loaded.")
@click.option(
    "--allow-callback-network",
    "allow_callback_networks",
    multiple=True,
    metavar="CIDR",
    help="A private network that callbacks may reach; may be given several times.",
)
@click.option("--dispatch/--no-dispatch", default=True, show_default=True, help="Deliver callbacks from here.")
@click.option("--migrate", is_flag=True, default=None, help="Change tables that are not current, also on PostgreSQL.")
@_setting("free_requests", "Live tasks an account may create before it needs credit, or unlimited.")
@_setting("default_price", "What a further live task costs.")
@_setting("callback_schedule", "Seconds before each delivery attempt, comma-separated.")
@_setting("callback_deadline_s", "How long one delivery attempt may take.")
@_setting("lease_s", "How long a worker holds an assignment.")
@_setting("max_live_assignments", "How many assignments a worker may hold at once.")
@_setting("rate_limit", "Per key, for example 1000/second, or unlimited.")
@_setting("plugins", "Which installed plugins to load: all, none or names.")
@_setting("sign_up", "Whether anyone may make an account: closed or open.")
@_setting("cors_origins", "Origins whose pages may call the API, comma-separated.")
@click.option("--access-log", is_flag=True, default=None, help="Log each request, not only failures.")
@click.option("--require-https", is_flag=True, default=None, help="Refuse live keys that came over plain http.")
@click.option("--until-stdin-closes", is_flag=True, hidden=True, help="End with the process at the other end.")
@click.option("--member", type=int, hidden=True, help="One of several; the socket to who looks after them.")
@pass_output
def serve(
    output: Output,
    *,
    host: str,
    port: int,
    workers: int,
    dispatch: bool,
    migrate: bool | None,
    until_stdin_closes: bool,
    member: int | None,
    **flags: Any,
) -> None:
    """Run the service: the API, the delivery of callbacks and everything that waits for a time.

    SIGTERM lets running requests and deliveries finish. On SQLite the tables
    are migrated on start, and only one `serve` runs on a database; other
    commands may be used meanwhile. On PostgreSQL --workers runs several
    processes on one port, and any number of hosts may serve.
    """
    # PERF: imported here, so that --help does not wait for the engine and the server.
    from workersai_server import serving
    from workersai_server.logs import log_to_stderr
    from workersai_server.serve_lock import serving_alone
    from workersai_server.service import Service, sqlite_file

    log_to_stderr()
    if until_stdin_closes:
        serving.end_when_closed(_STANDARD_INPUT)
    settings = settings_of(output, flags)
    database = _existing_parent(sqlite_file(settings.db))
    if member is None:
        address, chosen_port = serving.free_address(host, port)
        shown_host = f"[{host}]" if ":" in host else host
        on_ready = partial(output.note, f"ready http://{shown_host}:{chosen_port}")
        if workers > 1:
            _require_postgresql(settings, workers)
            _serve_with_several(workers, address, chosen_port, on_ready)
    else:
        address, chosen_port = host, port
        serving.end_when_closed(member)
        on_ready = partial(say_ready, member)
    with serving_alone(database):
        service = Service.open(settings, dispatch=dispatch, migrate=migrate)
        try:
            serving.serve(service.app, host=address, port=chosen_port, on_ready=on_ready)
        finally:
            service.close()


def _require_postgresql(settings: Settings, workers: int) -> None:
    from workersai_core.store.opening import database_url

    if database_url(settings.db).get_backend_name() != "postgresql":
        raise Failure(
            f"{workers} processes need PostgreSQL; SQLite is served by one.",
            remedy="Leave out --workers; its one process answers many requests at once.",
            exit_code=USAGE,
            code="too_many_workers",
        )


def _serve_with_several(workers: int, address: str, port: int, on_ready: Callable[[], None]) -> NoReturn:
    """Run this very command several times, on one port, and end with it."""
    command = [sys.executable, "-m", "workersai_server.cli", *sys.argv[1:], "--host", address, "--port", str(port)]
    with tempfile.TemporaryDirectory(prefix="workersai-metrics-") as folder:
        code = Supervisor(command, {COMMON_METRICS: folder}, workers, on_ready, _DRAIN_S).run()
    sys.exit(code)


def _existing_parent(database: Path | None) -> Path | None:
    if database is not None and not database.parent.is_dir():
        raise Failure(
            f"The folder {database.parent} of the database does not exist.",
            remedy="Create it, or choose another --db.",
            exit_code=USAGE,
            code="no_folder",
        )
    return database
