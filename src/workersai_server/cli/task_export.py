"""`workersai tasks export`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workersai_server.cli.options import json_option, with_client
from workersai_server.cli.output import CONFLICT, USAGE, Failure, Output, pass_output
from workersai_server.cli.progress import bytes_done
from workersai_server.cli.task_filters import filter_options

if TYPE_CHECKING:
    from workersai_client import Client

__all__ = ["export"]

_LINES = "jsonl"


@click.command()
@click.option(
    "--format", default=_LINES, show_default=True, help="jsonl, csv or another that a plugin of the service brings."
)
@click.option(
    "--output",
    "file",
    type=click.Path(path_type=Path),
    help="The file to write, or the folder to unpack to; else standard output.",
)
@click.option("--unpack", is_flag=True, help="Make a folder of what is in the zip, for formats that are one.")
@click.option("--resume", is_flag=True, help="Go on with an export to the same file that was cut off; jsonl only.")
@filter_options
@json_option
@pass_output
@with_client
def export(
    output: Output,
    client: Client,
    format: str,
    file: Path | None,
    unpack: bool,
    resume: bool,
    metadata: tuple[tuple[str, str], ...],
    **filters: str | None,
) -> None:
    """Write all tasks that match, newest first.

    With --output the tasks are written to FILE.part, which becomes FILE when
    it is complete.
    """
    if resume and (file is None or format != _LINES):
        raise click.UsageError("--resume goes with --output and the format jsonl.")
    if unpack and file is None:
        raise click.UsageError("--unpack goes with --output, which names the folder.")
    if file is None:
        for piece in client.tasks.export_pieces(format, metadata=dict(metadata), **filters):
            click.echo(piece, nl=False)
        return
    if file.exists():
        raise Failure(
            f"{file} exists.", remedy="Choose another name, or move it away.", exit_code=CONFLICT, code="conflict"
        )
    part = file.with_name(f"{file.name}.part")
    after = _keep_whole_lines(part) if resume else None
    pieces = client.tasks.export_pieces(format, metadata=dict(metadata), after=after, **filters)
    with part.open("ab" if resume else "wb") as opened, bytes_done(f"Writing {file.name}", None) as show:
        for piece in pieces:
            opened.write(piece)
            show(opened.tell())
        size = opened.tell()
    if unpack:
        _unpack(part, file)
    else:
        part.replace(file)
    output.document({"ok": True, "file": str(file), "bytes": size}, f"{file} holds the tasks, {size} bytes.")


def _unpack(part: Path, folder: Path) -> None:
    """Make a folder of a zip, and remove the zip.

    Raises:
        Failure: it is no zip.
    """
    try:
        with zipfile.ZipFile(part) as archive:
            archive.extractall(folder)  # which keeps every name within the folder
    except zipfile.BadZipFile:
        part.unlink()
        raise Failure(
            "The export is no zip.", remedy="Leave out --unpack, or choose a format that is one.", exit_code=USAGE
        ) from None
    part.unlink()


def _keep_whole_lines(part: Path) -> str | None:
    """Cut a half line off the end of a file and return the id of its last task; None when there is none.

    Raises:
        Failure: the file is no export.
    """
    if not part.exists():
        return None
    last, end = b"", 0
    with part.open("rb+") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            last, end = line, end + len(line)
        file.truncate(end)
    if not last:
        return None
    try:
        task: dict[str, Any] = json.loads(last)
        return str(task["external_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(
            f"{part} is no export in JSON Lines.", remedy="Remove it, or leave out --resume.", exit_code=USAGE
        ) from error
