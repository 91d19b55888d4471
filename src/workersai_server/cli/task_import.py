"""`workersai tasks import`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import attrs
import click

from workersai_server.cli.opening import plugin_option, settings_of
from workersai_server.cli.options import json_option, with_client
from workersai_server.cli.output import FAILED, Output, pass_output
from workersai_server.cli.progress import bytes_done

if TYPE_CHECKING:
    from workersai_client import Client
    from workersai_server.formats import Format, Place, Row

__all__ = ["import_"]

_ROWS_AT_ONCE = 1000
_CREATED = 201
_DUPLICATE = "duplicate_task"


@attrs.define
class _Outcome:
    """What became of the rows so far."""

    errors_path: Path
    created: int = 0
    existing: int = 0
    failed: int = 0
    _errors: TextIO | None = None

    def take(self, row: Row, result: Mapping[str, Any]) -> None:
        """Count one result of a batch."""
        if result["status"] == _CREATED:
            self.created += 1
        elif result["error"].get("code") == _DUPLICATE:
            self.existing += 1
        else:
            self.fail(row.place, result["error"])

    def fail(self, place: Place, error: Mapping[str, Any]) -> None:
        """Count a bad row and write it down."""
        self.failed += 1
        if self._errors is None:
            self._errors = self.errors_path.open("w", encoding="utf-8")
        self._errors.write(json.dumps({"line": place, "error": error}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the file of the errors."""
        if self._errors is not None:
            self._errors.close()

    def summary(self) -> dict[str, Any]:
        """Return the result for scripts."""
        return {
            "created": self.created,
            "existing": self.existing,
            "failed": self.failed,
            "errors_file": str(self.errors_path) if self.failed else None,
        }


@click.command("import")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--format", help="What FILE is: jsonl, csv or another that a plugin brings; by default its name tells.")
@click.option(
    "--attachments", metavar="URL", help="Where the files are that FILE only names, such as the images of a data set."
)
@plugin_option
@json_option
@pass_output
@with_client
@click.pass_context
def import_(
    ctx: click.Context,
    output: Output,
    client: Client,
    file: Path,
    format: str | None,
    attachments: str | None,
    plugin_files: tuple[Path, ...],
) -> None:
    """Create a task for each row of FILE, which is JSON Lines, CSV or what a plugin reads.

    FILE may be a folder where a format has a file for each task.

    The same import again creates nothing twice, so one that broke off is
    simply run again: a row is known by its unique_id or, when it has none, by
    what it holds. Bad rows go to FILE.errors.jsonl, and the exit code is 1.
    """
    # PERF: reading rows needs the core, which --help does not.
    from workersai_server.cli.task_rows import format_of, identified, located, opened
    from workersai_server.formats import rows_of

    formats = _formats(output, plugin_files)
    name = format or format_of(file, formats)
    if name not in formats:
        raise click.UsageError(f"{name} cannot be imported; choose from {', '.join(sorted(formats))}.")
    outcome = _Outcome(file.with_name(f"{file.name}.errors.jsonl"))
    outcome.errors_path.unlink(missing_ok=True)
    try:
        with (
            opened(file) as read,
            bytes_done(f"Importing {file.name}", None if file.is_dir() else file.stat().st_size) as show,
        ):
            rows = identified(located(rows_of(name, formats[name], read), attachments))
            while chunk := list(itertools.islice(rows, _ROWS_AT_ONCE)):
                _create(client, chunk, outcome)
                show(read.tell())
    finally:
        outcome.close()
    _report(output, file, outcome)
    if outcome.failed:
        ctx.exit(FAILED)


def _formats(output: Output, plugin_files: tuple[Path, ...]) -> Mapping[str, Format]:
    """Return what can be read with the plugins of these settings and files."""
    from workersai_core.plugins import Plugins
    from workersai_server.formats import formats_of, readable

    settings = settings_of(output, {"plugin_files": plugin_files})
    loaded = Plugins.load((), files=settings.plugin_files, entry_points=settings.plugins, strict=False)
    return readable(formats_of(loaded.hooks))


def _report(output: Output, file: Path, outcome: _Outcome) -> None:
    text = f"{outcome.created} tasks are created; {outcome.existing} were there already; {outcome.failed} rows failed."
    output.document(outcome.summary(), text)
    if outcome.failed:
        output.note(
            f"Error: {outcome.failed} rows of {file} were not created; {outcome.errors_path} says why.\n"
            "Next: Correct them and run the import again; what exists is not created twice."
        )


def _create(client: Client, rows: Sequence[Row], outcome: _Outcome) -> None:
    good = [(row, row.task) for row in rows if row.task is not None]
    results = client.tasks.create_batch(task for _, task in good)
    answers = {row.place: result for (row, _), result in zip(good, results, strict=True)}
    for row in rows:  # so that the errors are in the order of the file
        if row.error is not None:
            outcome.fail(row.place, row.error)
        else:
            outcome.take(row, answers[row.place])
