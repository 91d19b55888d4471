"""The yardstick: a bare Falcon application that echoes, on the service's own serving code."""

from __future__ import annotations

import sys
from wsgiref.types import WSGIApplication

import falcon

from workersai_server.serving import free_address, serve

__all__ = ["application"]


class _Echo:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.text = "ok"

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.data = req.bounded_stream.read()
        resp.content_type = falcon.MEDIA_JSON


def application() -> WSGIApplication:
    """Return the application; ``POST /echo`` answers with its body."""
    app = falcon.App()
    app.add_route("/echo", _Echo())
    app.add_route("/healthz", _Echo())
    return app


if __name__ == "__main__":
    host, port = free_address("127.0.0.1", 0)
    serve(
        application(),
        host=host,
        port=port,
        on_ready=lambda: print(f"ready http://{host}:{port}", file=sys.stderr, flush=True),
    )
