"""The command line, `workersai`.

Each command lives in a module of its own that is imported when it is used, so
that `workersai --version` and completion do not wait for the engine.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click

from workersai_server.cli.failures import failure_from
from workersai_server.cli.lazy import LazyGroup
from workersai_server.cli.output import USAGE, Failure, Output

__all__ = ["cli", "main"]

_HERE = "workersai_server.cli"
_COMMANDS = {
    "demo": (f"{_HERE}.demo.command:demo", "See the whole service work, on this machine."),
    "serve": (f"{_HERE}.serve:serve", "Run the service: API, callbacks, clock."),
    "dispatch": (f"{_HERE}.dispatch:dispatch", "Deliver callbacks from a process of its own."),
    "db": (f"{_HERE}.db:db", "Migrate, check or back up the database."),
    "accounts": (f"{_HERE}.accounts:accounts", "Create accounts, give credit."),
    "keys": (f"{_HERE}.keys:keys", "Create, roll and revoke API keys."),
    "workers": (f"{_HERE}.workers:workers", "Create and block workers."),
    "tasks": (f"{_HERE}.tasks:tasks", "Create, read, cancel, import and export tasks over the API."),
    "callbacks": (f"{_HERE}.callbacks:callbacks", "See and replay deliveries over the API."),
    "listen": (f"{_HERE}.listen:listen", "Receive callbacks on this machine."),
    "plugin": (f"{_HERE}.plugins:plugin", "Write, check and list plugins."),
    "check": (f"{_HERE}.check:check", "Check the invariants of the database."),
    "doctor": (f"{_HERE}.doctor:doctor", "Find out why something does not work."),
    "openapi": (f"{_HERE}.openapi:openapi", "Print the description of the API."),
    "completion": (f"{_HERE}.completion:completion", "Print a shell's completion script."),
}


class _Root(LazyGroup):
    """The command line; every known error ends as one sentence and one thing to do next."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Failure as failure:
            failure.as_json = ctx.ensure_object(Output).json
            raise
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            described = failure_from(error)
            if described is None:
                raise
            described.as_json = ctx.ensure_object(Output).json
            raise described from error


@click.group(
    cls=_Root,
    late=_COMMANDS,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "WORKERSAI",
        "max_content_width": 100,
    },
)
@click.version_option(package_name="workersai", prog_name="workersai", message="%(prog)s %(version)s")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default="workersai.toml",
    show_default=True,
    help="Settings, and in a table named after a command its options.",
)
@click.pass_context
def cli(ctx: click.Context, config: Path) -> None:
    """Human labeling: tasks in over HTTP, checked answers out by signed callback."""
    ctx.obj = Output(config=config)
    ctx.default_map = _options_in(config)


def _options_in(config: Path) -> dict[str, Any]:
    """Return the tables of the settings file: ``[serve] port = 80`` is that command's option."""
    try:
        with config.open("rb") as file:
            content = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Failure(
            f"{config} cannot be read: {error}.", remedy=f"Correct {config}.", exit_code=USAGE, code="invalid_config"
        ) from error
    return {name: table for name, table in content.items() if isinstance(table, dict)}


def main() -> None:
    """Run the command line and end the process with its exit code."""
    cli()
