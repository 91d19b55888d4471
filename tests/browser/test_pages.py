"""Every page, in both languages, light and dark, wide and narrow: accessible, quiet and within its own origin."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from support import chromium
from support.live_server import running_server
from workersai_client import Client, WorkerClient
from workersai_server.service import Service
from workersai_server.settings import Settings

PARAMS = {"attachment_type": "text", "attachment": "배송이 빨라요", "categories": ["칭찬", "불만", "질문"]}
FORM = {"attachment": "https://example.com/1.wav", "language": "ko"}
XSS = "\"'><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">{{7*7}}"
ALWAYS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
RULES = {"runOnly": {"type": "tag", "values": list(ALWAYS)}, "resultTypes": ["violations"]}
LOOKS = [("en-US", "light", 1280), ("en-US", "dark", 375), ("ko-KR", "light", 375), ("ko-KR", "dark", 1280)]


class House:
    """A running server with something on every page."""

    def __init__(self, database):
        service = Service.open(Settings(db=f"sqlite:///{database}"), start=False)
        account = service.accounts.create("anna@example.com", password="correct horse", unlimited=True, operator=True)
        self.token = service.accounts.create_worker(XSS).token
        writer = service.accounts.create_worker("Choi", ["categorization"])
        self.idle = service.accounts.create_worker("Idle", ["audio_transcription"]).token
        service.close()
        self.live_key, self.writer = account.live_key, writer.token

    def fill(self, url):
        self.url = url
        with Client(url, self.live_key) as client, WorkerClient(url, self.writer) as worker:
            text = {**PARAMS, "attachment": XSS, "categories": [XSS, "b"]}
            done = client.tasks.create(params=text, instruction=XSS, callback_url="http://127.0.0.1:9/x", priority=99)
            self.done = done["external_id"]
            worker.submit(worker.claim()["assignment_id"], {"category": XSS})
            client.tasks.wait(self.done)
            client.tasks.create(params=PARAMS, instruction="**Which?**")

    @property
    def public(self):
        return ["/", "/sign-in", "/sign-up", "/work/sign-in", "/docs", "/work/nothing"]

    @property
    def private(self):
        dashboard = ["", "/tasks", f"/tasks/{self.done}", "/callbacks", "/callbacks?state=delivered", "/keys"]
        operate = ["", "/workers", "/accounts", "/plugins", "/log"]
        return [f"/dashboard{path}" for path in dashboard] + [f"/operate{path}" for path in operate]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    database = tmp_path_factory.mktemp("pages") / "labels.db"
    house = House(database)
    options = {"callback_schedule": "0", "allow_callback_networks": "127.0.0.0/8", "sign_up": "open"}
    with running_server(database, **options) as server:
        house.fill(server.url)
        yield house


def look_at(page, url, paths):
    """Open each page and return what is wrong with it."""
    wrong = []
    for path in paths:
        page.goto(url + path)
        assert "owned" not in page.title()
        for each in Axe().run(page, options=RULES).response["violations"]:
            nodes = [node["html"] for node in each["nodes"][:2]]
            wrong.append((path, each["id"], each["help"], nodes))
    return wrong


@pytest.mark.parametrize(("language", "scheme", "width"), LOOKS)
def test_every_page_is_accessible_and_quiet(chrome, house, language, scheme, width):
    size = {"width": width, "height": 800}
    context = chrome.new_context(locale=language, color_scheme=scheme, viewport=size)
    page = context.new_page()
    watch = chromium.Watch(page, house.url)
    wrong = look_at(page, house.url, house.public)
    page.goto(f"{house.url}/sign-in")
    page.fill("#email", "anna@example.com")
    page.fill("#password", "correct horse")
    page.click("main button")
    page.wait_for_url("**/dashboard")
    wrong += look_at(page, house.url, house.private)
    page.click(".wai-tools form:last-child button")
    page.goto(f"{house.url}/work/sign-in")
    page.fill("#token", house.token)
    page.click("main button")
    page.wait_for_url("**/work")
    page.wait_for_selector(".wai-item, .wai-nothing")
    wrong += look_at(page, house.url, ["/work"])
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()
    assert [] == wrong
    watch.forget("404")
    assert [] == watch.complaints


def test_the_search_of_the_documentation_finds_and_counts(chrome, house):
    context = chrome.new_context(locale="en-US")
    page = context.new_page()
    page.goto(f"{house.url}/docs")
    page.fill("#search", "lease_lost")
    assert page.locator("#error-lease_lost").is_visible()
    assert page.locator("#introduction").is_hidden()
    page.fill("#search", "")
    assert page.locator("#introduction").is_visible()
    page.locator("#createTask summary", has_text="Ruby").click()
    assert page.locator("#listTasks [data-language=Ruby]").get_attribute("open") is not None
    context.close()


def test_the_worker_page_is_small(chrome, house):
    context = chrome.new_context(locale="en-US")
    page = context.new_page()
    page.goto(f"{house.url}/work/sign-in")
    page.fill("#token", house.token)
    page.click("main button")
    page.wait_for_url("**/work")
    sizes = []
    page.on("response", lambda answer: sizes.append(len(answer.body())) if answer.ok and answer.status != 204 else None)
    page.reload()
    page.wait_for_timeout(500)
    context.close()
    assert sum(sizes) <= 60 * 1024
    assert len(sizes) <= 12
