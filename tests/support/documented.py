"""The service that the documentation talks to, and the names its pages use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from support.catcher import always, catching
from support.live_server import running_server
from support.ready_database import Ready, prepare
from support.snippets import ROOT, Reader, reader_environment
from support.waiting import until
from workersai_client import Client
from workersai_server.service import migrate
from workersai_server.settings import Settings

__all__ = ["Documented", "documented"]

EXAMPLES = ROOT / "examples"
_SETTINGS = {
    "allow_callback_networks": "127.0.0.0/8",
    "callback_schedule": "0,0.1,0.1,0.1",
    "plugin_files": ",".join(
        str(EXAMPLES / each) for each in ("first_task_type/price_tag.py", "export_format/fasttext_format.py")
    ),
}


@attrs.frozen(kw_only=True)
class Documented:
    """A running service with an account, a worker and a receiver of callbacks."""

    url: str
    ready: Ready
    receiver_url: str

    def reader(self, folder: Path) -> Reader:
        """Return somebody who reads a page in an empty folder."""
        client = Client(self.url, self.ready.test_key)

        def deliveries(external_id: str, *, state: str) -> list[dict[str, Any]]:
            """Wait until all deliveries of a task are in a state, and return them."""

            def all_there() -> list[Any]:
                found = client.callbacks.list(external_id)
                return found if found and all(state == each["state"] for each in found) else []

            return until(all_there)

        migrate(Settings(db=f"sqlite:///{folder / 'labels.db'}"))
        reader = Reader(
            folder=folder,
            words={
                "http://127.0.0.1:8000": self.url,
                "https://shop.example.net/labels": self.receiver_url,
                "YOUR_TEST_KEY": self.ready.test_key,
                "YOUR_LIVE_KEY": self.ready.live_key,
                "YOUR_WORKER_TOKEN": self.ready.tokens[0],
                "YOUR_WEBHOOK_SECRET": self.ready.webhook_secret,
            },
            environment=reader_environment(),
        )
        reader.names |= {"wait": client.tasks.wait, "deliveries": deliveries, "examples": EXAMPLES}
        return reader


@contextmanager
def documented(folder: Path) -> Iterator[Documented]:
    """Run the service of the documentation."""
    ready = prepare(folder, workers=1)
    with (
        catching(ready.webhook_secret, always) as (_, urls),
        running_server(ready.database, **_SETTINGS) as server,
    ):
        yield Documented(url=server.url, ready=ready, receiver_url=urls[0])
