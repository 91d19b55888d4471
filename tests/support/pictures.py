"""Pictures for tests, made here."""

from __future__ import annotations

import struct
import zlib

__all__ = ["png"]


def png(width: int, height: int) -> bytes:
    """Return a picture with a darker rectangle in its middle half."""
    rows = []
    for y in range(height):
        inside = height / 4 <= y < height * 3 / 4
        row = bytes(90 if inside and width / 4 <= x < width * 3 / 4 else 200 for x in range(width))
        rows.append(b"\0" + row)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8 bits of grey
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
