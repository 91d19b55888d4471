"""Rows of a file as the bodies that create tasks, each with a `unique_id`.

A row without one gets one made of what it holds, and of how many equal rows
stand before it. So the same import again creates nothing twice, also after
other rows of the file were corrected.

Formats with a file for each task take a zip; of a folder one is made.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from urllib.parse import quote, urljoin

import attrs

from workersai_server.cli.output import USAGE, Failure
from workersai_server.formats import JSON_LINES, Format, Row

__all__ = ["format_of", "identified", "located", "opened", "size_of"]

_TELLS_NOTHING = (".zip", ".xml", ".txt")
_MEDIA = ("image/", "audio/", "video/")


def format_of(path: Path, formats: Mapping[str, Format]) -> str:
    """Return the format that the name of a file tells; JSON Lines when it tells none.

    Raises:
        Failure: it is a folder or a kind of file that several formats use.
    """
    suffix = path.suffix.lower()
    if path.is_dir() or suffix in _TELLS_NOTHING:
        raise Failure(
            f"The name of {path} does not tell its format.",
            remedy=f"Name it: --format with one of {', '.join(sorted(formats))}.",
            exit_code=USAGE,
            code="unknown_format",
        )
    return suffix[1:] if suffix[1:] in formats else JSON_LINES


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, or a folder as the zip of it; of pictures and recordings only the names go into that."""
    if not path.is_dir():
        with path.open("rb") as file:
            yield file
        return
    with TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in sorted(path.rglob("*")):
                if each.is_file():
                    kind = mimetypes.guess_type(each.name)[0] or ""
                    content = b"" if kind.startswith(_MEDIA) else each.read_bytes()
                    archive.writestr(each.relative_to(path).as_posix(), content)
        file.seek(0)
        yield file


def size_of(file: BinaryIO) -> int:
    """Return how many bytes an opened file has."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def located(rows: Iterable[Row], base: str | None) -> Iterator[Row]:
    """Give rows whose attachment is the name of a file the address of it.

    Args:
        rows: From `rows_of`.
        base: The address of the folder the files are in; None leaves names as they are.
    """
    folder = None if base is None else base.rstrip("/") + "/"
    for row in rows:
        params = {} if row.task is None else row.task.get("params")
        name = params.get("attachment") if isinstance(params, Mapping) else None
        if folder is None or row.task is None or not isinstance(name, str) or "://" in name:
            yield row
            continue
        there = {**row.task["params"], "attachment": urljoin(folder, quote(name))}
        yield attrs.evolve(row, task={**row.task, "params": there})


def identified(rows: Iterable[Row]) -> Iterator[Row]:
    """Give rows whose tasks each have a `unique_id`."""
    seen: Counter[bytes] = Counter()
    for row in rows:
        yield row if row.task is None else attrs.evolve(row, task=_identified(row.task, seen))


def _identified(task: Mapping[str, Any], seen: Counter[bytes]) -> Mapping[str, Any]:
    if task.get("unique_id") is not None:
        return task
    digest = hashlib.sha256(json.dumps(task, sort_keys=True).encode()).digest()[:16]
    seen[digest] += 1
    return {**task, "unique_id": f"import-{digest.hex()}-{seen[digest]}"}
