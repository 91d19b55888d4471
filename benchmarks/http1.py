"""Just enough HTTP/1.1 to ask and to answer, as cheaply as Python can."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

__all__ = ["Connection", "address", "request"]

_BLANK = b"\r\n\r\n"
_LENGTH = b"content-length: "
_BODILESS = (204, 304)


def address(url: str) -> tuple[str, int]:
    """Return where to connect for a URL."""
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 80)


def request(
    method: str, path: str, body: bytes = b"", *, key: str | None = None, content_type: str = "application/json"
) -> bytes:
    """Return a whole request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    if body or method == "POST":
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + _BLANK + body


class Connection:
    """One connection that is kept open; one request at a time."""

    def __init__(self, where: tuple[str, int], timeout_s: float = 30.0) -> None:
        self.socket = socket.create_connection(where, timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = bytearray()

    def send(self, data: bytes) -> None:
        """Send a whole request."""
        self.socket.sendall(data)

    def receive(self) -> tuple[int, bytes] | None:
        """Read what has arrived; return status and body when that completes an answer.

        Raises:
            ConnectionError: the server closed the connection.
            ValueError: the answer's length is not given.
        """
        more = self.socket.recv(1 << 18)
        if not more:
            raise ConnectionError("the server closed the connection")
        self._read += more
        head_end = self._read.find(_BLANK)
        if head_end < 0:
            return None
        status, length = self._head(head_end)
        end = head_end + 4 + length
        if len(self._read) < end:
            return None
        body = bytes(self._read[head_end + 4 : end])
        del self._read[:end]
        return status, body

    def ask(self, data: bytes) -> tuple[int, bytes]:
        """Send a request and wait for its answer."""
        self.send(data)
        while True:
            answer = self.receive()
            if answer is not None:
                return answer

    def close(self) -> None:
        self.socket.close()

    def _head(self, end: int) -> tuple[int, int]:
        head = bytes(self._read[:end]).lower()
        status = int(head[9:12])
        found = head.find(_LENGTH)
        if found < 0:
            if status in _BODILESS:
                return status, 0
            raise ValueError("the answer has no Content-Length")
        start = found + len(_LENGTH)
        line_end = head.find(b"\r\n", start)
        return status, int(head[start : line_end if line_end >= 0 else None])
