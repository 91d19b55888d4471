"""Receivers of callbacks in a process of their own: ``python -m benchmarks.receiver HEALTHY HANGING``.

Healthy ones answer at once; hanging ones accept and never answer. The process
says its ports on standard error, notes when each request came, and answers
``GET /arrivals`` with the notes as JSON Lines.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

__all__: list[str] = []

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_arrivals: list[tuple[float, bytes]] = []


class _Healthy(asyncio.Protocol):
    """Answers at once, and keeps when what came."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._read = b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            if self._read.startswith(b"GET"):
                self._tell()
                self._read = self._read[end + 4 :]
                continue
            head = self._read[:end].lower()
            start = head.index(b"content-length: ") + 16
            length = int(head[start:].split(b"\r\n", 1)[0])
            if len(self._read) < end + 4 + length:
                return
            _arrivals.append((time.time(), self._read[end + 4 : end + 4 + length]))
            self._read = self._read[end + 4 + length :]
            self._transport.write(_OK)  # type: ignore[attr-defined]

    def _tell(self) -> None:
        lines = [json.dumps([at, body.decode()]) for at, body in _arrivals]
        _arrivals.clear()
        content = "\n".join(lines).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        self._transport.write(head + content)  # type: ignore[attr-defined]


class _Hanging(asyncio.Protocol):
    """Reads and says nothing."""


async def _main(healthy: int, hanging: int) -> None:
    loop = asyncio.get_running_loop()
    ports = []
    for kind, count in ((_Healthy, healthy), (_Hanging, hanging)):
        for _ in range(count):
            server = await loop.create_server(kind, "127.0.0.1", 0, backlog=1024)
            ports.append(server.sockets[0].getsockname()[1])
    print("ready http://127.0.0.1:" + ",".join(map(str, ports)), file=sys.stderr, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
