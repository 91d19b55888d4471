"""A recording, and a server on the loopback that lets other origins read it."""

from __future__ import annotations

import io
import math
import re
import struct
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["serving", "tone"]

_RATE = 8000


def tone(seconds: float) -> bytes:
    """Return a WAV file of a tone that becomes louder."""
    count = int(_RATE * seconds)
    samples = (int(20_000 * n / count * math.sin(n * 0.35)) for n in range(count))
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(_RATE)
        writer.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()


@contextmanager
def serving(files: dict[str, tuple[str, bytes]], *, shared: bool = True) -> Iterator[str]:
    """Serve files for the length of a `with` block, parts of them too, and give the address.

    Args:
        files: By path, the media type and the content.
        shared: Whether pages of other origins may read them.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            media_type, content = files[self.path]
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            start = int(wanted[1]) if wanted else 0
            end = int(wanted[2]) + 1 if wanted and wanted[2] else len(content)
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
            if shared:
                self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content[start:end])))
            self.end_headers()
            try:
                self.wfile.write(content[start:end])
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # a browser that has read enough hangs up

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
