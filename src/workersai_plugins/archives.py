"""Formats with several files: a zip that is written while it is sent, and read without unpacking it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from workersai_core.api import Rejected

__all__ = ["Entries", "Pieces", "archive"]

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file, so that the same export has the same bytes."""
_MOST_ENTRY_BYTES = 16 * 1_048_576
_MOST_RATIO = 50
"""How much longer the texts of an archive may be than it is; what is longer was made to fill memory."""
_ALWAYS_BYTES = 1_048_576


class Pieces(io.RawIOBase):
    """A file that is only written to; what was written is taken out again."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # nothing but bytes comes here
        """Keep some bytes."""
        self._written.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        piece = b"".join(self._written)
        self._written.clear()
        return piece


def archive(files: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """Yield a zip with these files, given as their name and their text."""
    pieces = Pieces()
    with zipfile.ZipFile(pieces, "w") as archived:
        for name, text in files:
            information = zipfile.ZipInfo(name, _LONG_AGO)
            information.compress_type = zipfile.ZIP_DEFLATED
            archived.writestr(information, text)
            yield pieces.take()
    yield pieces.take()


class Entries:
    """The files of a zip somebody sent. They are read, never unpacked.

    Args:
        file: The zip.

    Raises:
        Rejected: it is none.
    """

    def __init__(self, file: BinaryIO) -> None:
        size = file.seek(0, io.SEEK_END)
        self._left = _ALWAYS_BYTES + _MOST_RATIO * size
        try:
            self._archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise Rejected(f"This is no zip, and no folder: {error}.") from None

    def names(self, *endings: str) -> list[str]:
        """Return the files whose names end so, in order; those that systems add beside them are left out."""
        return sorted(
            name
            for name in self._archive.namelist()
            if name.lower().endswith(endings) and not name.startswith("__MACOSX/") and "/." not in f"/{name}"
        )

    def named(self, last: str) -> str | None:
        """Return the file that has this name in whatever folder; None when there is none."""
        return next((name for name in self.names(last.lower()) if name.rpartition("/")[2] == last), None)

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            ValueError: it cannot be read, or it is too long.
        """
        try:
            with self._archive.open(name) as opened:
                content = opened.read(min(_MOST_ENTRY_BYTES, self._left) + 1)
        except Exception as error:  # a broken archive raises whatever zipfile, zlib, bz2 or lzma raise
            raise ValueError(f"The file cannot be read: {error}.") from None
        self._left -= len(content)
        if len(content) > _MOST_ENTRY_BYTES or self._left < 0:
            raise ValueError(f"A file has {_MOST_ENTRY_BYTES} bytes at most, and a zip unpacks to {_MOST_RATIO} times.")
        return content

    def text(self, name: str) -> str:
        """Return the text of a file in UTF-8.

        Raises:
            ValueError: it cannot be read, is too long, or is not UTF-8.
        """
        try:
            return self.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"The file is not UTF-8 at byte {error.start}.") from None
