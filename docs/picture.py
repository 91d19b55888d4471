"""Take the picture of the worker console that the README shows: ``python docs/picture.py``.

It starts the demo's server on a new database and looks at one item with
Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from workersai_client import Client
from workersai_server.cli.demo.catcher import Catcher
from workersai_server.cli.demo.people import People, invite
from workersai_server.cli.demo.server import DemoServer

PICTURE = Path(__file__).parent / "images" / "console.png"
SIZE = {"width": 900, "height": 900}
MOST_BYTES = 200_000
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Take it and say where it is."""
    executable = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        sys.exit("There is no Chromium; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "labels.db"
        people = invite(database, name="picture", unlimited=True)
        with (
            DemoServer(database, port=0, settings={}) as server,
            Catcher(people.webhook_secret, lambda received: None) as catcher,
        ):
            _create(server.url, people, catcher)
            _take(server.url, people, executable)
    size = PICTURE.stat().st_size
    if size > MOST_BYTES:
        sys.exit(f"{PICTURE} has {size} bytes; at most {MOST_BYTES} are wanted")
    print(f"{PICTURE} written, {size} bytes")


def _create(url: str, people: People, catcher: Catcher) -> None:
    with Client(url, people.live_key) as client:
        client.tasks.create(
            instruction="How many dogs are in the picture? 그림에 개가 몇 마리 있나요?",
            params={
                "attachment_type": "image",
                "attachment": f"{catcher.origin}/dogs.svg",
                "categories": ["one dog", "several dogs", "no dog"],
            },
        )


def _take(url: str, people: People, executable: str) -> None:
    PICTURE.parent.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(locale="en-US", color_scheme="light", viewport=SIZE, device_scale_factor=1.5)
        page.goto(f"{url}/work/sign-in")
        page.fill("#token", people.worker_token)
        page.click("main button")
        page.wait_for_url("**/work")
        page.wait_for_load_state("networkidle")
        # Until the time that is left has been shown.
        page.wait_for_selector(".wai-lease:not(:empty)")
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
