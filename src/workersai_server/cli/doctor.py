"""`workersai doctor`."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from workersai_server.cli.failures import failure_from
from workersai_server.cli.opening import database_option, opened, plugin_option, require_database, settings_of
from workersai_server.cli.options import json_option
from workersai_server.cli.output import FAILED, Failure, Output, pass_output

if TYPE_CHECKING:
    from workersai_server.service import Service

__all__ = ["doctor"]

_SQLITE = (3, 35)
_LONG_WAIT_S = 300.0


@attrs.frozen(kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


@click.command()
@database_option
@plugin_option
@json_option
@pass_output
@click.pass_context
def doctor(ctx: click.Context, output: Output, *, db: str | None, plugin_files: tuple[Path, ...]) -> None:
    """Find out why something does not work; nothing is changed."""
    findings = list(_findings(output, {"db": db, "plugin_files": plugin_files}))
    ok = all(finding.ok for finding in findings)
    output.document({"ok": ok, "checks": [attrs.asdict(each) for each in findings]}, "\n".join(map(_line, findings)))
    if not ok:
        ctx.exit(FAILED)


def _line(finding: Finding) -> str:
    line = f"{'ok  ' if finding.ok else 'FAIL'}  {finding.name}: {finding.detail}"
    return f"{line}\n      Next: {finding.remedy}" if finding.remedy else line


def _findings(output: Output, flags: Mapping[str, object]) -> Iterator[Finding]:
    """Look at one thing after the other; what cannot be opened ends the list."""
    yield _versions()
    looking_at = "settings"
    try:
        settings = settings_of(output, flags)
        yield Finding(name=looking_at, ok=True, detail="they can be used")
        looking_at = "database"
        path = require_database(settings)
        with opened(settings, migrate=False) as service:
            yield Finding(name=looking_at, ok=True, detail=f"{path or settings.db} is there and its tables are current")
            yield _server(path)
            yield _callbacks(service)
            yield from _plugins(service)
    except Exception as error:
        failure = error if isinstance(error, Failure) else failure_from(error)
        if failure is None:
            raise
        yield Finding(name=looking_at, ok=False, detail=failure.message, remedy=failure.remedy)


def _versions() -> Finding:
    found = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < _SQLITE:
        needed = ".".join(map(str, _SQLITE))
        return Finding(
            name="versions", ok=False, detail=found, remedy=f"Use a Python built with SQLite {needed} or newer."
        )
    return Finding(name="versions", ok=True, detail=found)


def _server(path: Path | None) -> Finding:
    # PERF: not on --help.
    from workersai_server.serve_lock import served_by

    holder = None if path is None else served_by(path)
    detail = "nobody serves this database at present" if holder is None else f"process {holder} serves this database"
    return Finding(name="server", ok=True, detail=detail)


def _callbacks(service: Service) -> Finding:
    lag_s = service.engine.health().outbox_lag_s
    if lag_s is not None and lag_s > _LONG_WAIT_S:
        return Finding(
            name="callbacks",
            ok=False,
            detail=f"the oldest due delivery has waited for {lag_s:.0f} s",
            remedy="Run `workersai serve` on this database, without --no-dispatch.",
        )
    return Finding(name="callbacks", ok=True, detail="none is late")


def _plugins(service: Service) -> Iterator[Finding]:
    for report in service.engine.plugins.reports():
        failed = report.state == "failed"
        yield Finding(
            name=f"plugin {report.name}",
            ok=not failed,
            detail=f"{report.state}: {report.error}" if failed else report.state,
            remedy="Correct the plugin, or leave it out with the setting `plugins`." if failed else "",
        )
