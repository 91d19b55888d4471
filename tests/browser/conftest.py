from __future__ import annotations

import attrs
import pytest

from support import chromium
from support.live_server import running_server
from workersai_client import Client
from workersai_server.service import Service
from workersai_server.settings import Settings


@attrs.frozen
class World:
    """A running server, a requester and a worker."""

    url: str
    requester: Client
    worker_token: str
    email: str
    password: str


@pytest.fixture(scope="session")
def chrome():
    with chromium.browser() as browser:
        yield browser


@pytest.fixture
def plugin_files():
    """The plugins of the server besides those installed; a module may have its own."""
    return []


@pytest.fixture
def settings():
    """Settings of the server besides those that all tests have; a module may have its own."""
    return {}


@pytest.fixture
def world(tmp_path, plugin_files, settings):
    database = tmp_path / "labels.db"
    service = Service.open(Settings(db=f"sqlite:///{database}"), start=False)
    account = service.accounts.create("anna@example.com", password="correct horse", unlimited=True, operator=True)
    worker = service.accounts.create_worker("Bora")
    service.close()
    options = [option for file in plugin_files for option in ("--plugin", str(file))]
    chosen = {"undo_s": "1", "allow_callback_networks": "127.0.0.0/8", "sign_up": "open", **settings}
    with (
        running_server(database, *options, **chosen) as server,
        Client(server.url, account.live_key) as client,
    ):
        yield World(server.url, client, worker.token, "anna@example.com", "correct horse")


@pytest.fixture
def page(chrome, world):
    context = chrome.new_context(locale="en-US")
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.watch = chromium.Watch(page, world.url)
    yield page
    context.close()
    assert [] == page.watch.complaints


@pytest.fixture
def at_work(page, world):
    """The page of a worker who is signed in."""
    page.goto(f"{world.url}/work/sign-in")
    page.fill("#token", world.worker_token)
    page.click("main button")
    page.wait_for_url(f"{world.url}/work")
    return page
