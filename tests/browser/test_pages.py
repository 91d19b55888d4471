"""Every page, in both languages, light and dark, wide and narrow: accessible, quiet and within its own origin."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from support import chromium
from support.live_server import running_server
from support.pictures import png
from support.recordings import serving, tone
from workersai_client import Client, WorkerClient
from workersai_server.service import Service
from workersai_server.settings import Settings

PARAMS = {"attachment_type": "text", "attachment": "배송이 빨라요", "categories": ["칭찬", "불만", "질문"]}
FORM = {"attachment": "https://example.com/1.wav", "language": "ko"}
XSS = "\"'><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">{{7*7}}"
ALWAYS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
AXE = "options => axe.run(document, options).then(found => found.violations)"
# Frames show pages of others, which are not ours to judge.
COMMON = {"resultTypes": ["violations"], "iframes": False}
RULES = {"runOnly": {"type": "tag", "values": list(ALWAYS)}, **COMMON}
LOOKS = [("light", 1280), ("dark", 1280), ("light", 375), ("dark", 375)]
# What may differ between two looks of one page; every rule is asked at the first.
LOOK_RULES = {
    "runOnly": {
        "type": "rule",
        "values": ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"],
    },
    **COMMON,
}


# The others are rendered by the server.
WIDGETS = ", ".join(
    f".wai-item [data-widget={name}]"
    for name in ("audio_transcription", "boxes", "polygons", "keypoints", "spans", "ranking")
)


class House:
    """A running server with something on every page."""

    def __init__(self, database):
        service = Service.open(Settings(db=f"sqlite:///{database}"), start=False)
        account = service.accounts.create("anna@example.com", password="correct horse", unlimited=True, operator=True)
        self.token = service.accounts.create_worker(XSS).token
        writer = service.accounts.create_worker("Choi", ["categorization"])
        self.listener = service.accounts.create_worker("Song", ["audio_transcription"]).token
        self.workers = {each: service.accounts.create_worker(each).token for each in ("en-US", "ko-KR")}
        self.idle = service.accounts.create_worker("Idle", ["comparison"]).token
        service.close()
        self.live_key, self.test_key, self.writer = account.live_key, account.test_key, writer.token

    def fill(self, url, media):
        self.url, self.media = url, media
        with Client(url, self.live_key) as client, WorkerClient(url, self.writer) as worker:
            text = {**PARAMS, "attachment": XSS, "categories": [XSS, "b"]}
            done = client.tasks.create(params=text, instruction=XSS, callback_url="http://127.0.0.1:9/x", priority=99)
            self.done = done["external_id"]
            worker.submit(worker.claim()["assignment_id"], {"category": XSS})
            client.tasks.wait(self.done)
            waiting = client.tasks.create(params=PARAMS, metadata={"mock": 1}, instruction="**Which?**")
            client.tasks.cancel(waiting["external_id"])
            every = client.task_types()
            self.types = [each["name"] for each in every]
            for n, each in enumerate(every):
                params = with_media(each["examples"][0]["params"], media)
                client.tasks.create(
                    task_type=each["name"], params=params, instruction="**Look**", priority=80 - n, overlap=5
                )
        with WorkerClient(url, self.idle) as worker:
            worker.skip(worker.claim()["assignment_id"])
        with Client(url, self.test_key) as client:
            open_ = client.tasks.create(params=PARAMS, metadata={"mock": {"outcome": "never"}})
            self.open = open_["external_id"]

    @property
    def public(self):
        return ["/", "/sign-in", "/sign-up", "/work/sign-in", "/docs", "/work/nothing"]

    @property
    def private(self):
        dashboard = ["?mode=live", "/tasks", f"/tasks/{self.done}", "/callbacks", "/callbacks?state=delivered", "/keys"]
        operate = ["", "/workers", "/accounts", "/plugins", "/log"]
        # The mode that is asked for stays, so that test mode comes last.
        test = [f"/tasks/{self.open}?mode=test", ""]
        return [*(f"/operate{path}" for path in operate), *(f"/dashboard{path}" for path in [*dashboard, *test])]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    database = tmp_path_factory.mktemp("pages") / "labels.db"
    house = House(database)
    options = {"callback_schedule": "0", "allow_callback_networks": "127.0.0.0/8", "sign_up": "open"}
    files = {"/1.png": ("image/png", png(320, 200)), "/1.wav": ("audio/wav", tone(1)), "/": ("text/html", b"<p>A page")}
    with serving(files) as media, running_server(database, **options) as server:
        house.fill(server.url, media)
        yield house


def with_media(params, media):
    """Return params whose attachments are ours, so that there is something to see."""
    text = json.dumps(params)
    for pattern, file in ((r"\.(jpg|png)", "1.png"), (r"\.wav", "1.wav"), ("", "")):
        text = re.sub(rf'"https://example\.com[^"]*{pattern}"', f'"{media}/{file}"', text)
    return json.loads(text)


def look_at(page, path=None):
    """Return what is wrong with the page that is open, in every look."""
    wrong = []
    page.evaluate(AXE_SCRIPT)
    for n, (scheme, width) in enumerate(LOOKS):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        for each in page.evaluate(AXE, LOOK_RULES if n else RULES):
            nodes = [node["html"] for node in each["nodes"][:2]]
            wrong.append((path, scheme, width, each["id"], each["help"], nodes))
        if not page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
            wrong.append((path, scheme, width, "wider than the window"))
    page.set_viewport_size({"width": LOOKS[0][1], "height": 800})
    return wrong


def look_at_all(page, url, paths):
    wrong = []
    for path in paths:
        page.goto(url + path)
        assert "owned" not in page.title()
        wrong += look_at(page, path)
    return wrong


@contextmanager
def visitor(chrome, house, language):
    """Give a page that must stay quiet; what its address 404 says is no complaint."""
    context = chrome.new_context(locale=language)
    page = context.new_page()
    watch = chromium.Watch(page, house.url, allowed=(house.media,))
    yield page
    context.close()
    watch.forget("404")
    assert [] == watch.complaints


def sign_in_worker(page, house, token):
    page.goto(f"{house.url}/work/sign-in")
    page.fill("#token", token)
    page.click("main button")
    page.wait_for_url("**/work")


@pytest.mark.parametrize("language", ["en-US", "ko-KR"])
def test_every_page_is_accessible_and_quiet(chrome, house, language):
    with visitor(chrome, house, language) as page:
        wrong = look_at_all(page, house.url, house.public)
        page.goto(f"{house.url}/sign-in")
        page.fill("#email", "anna@example.com")
        page.fill("#password", "correct horse")
        page.click("main button")
        page.wait_for_url("**/dashboard")
        wrong += look_at_all(page, house.url, house.private)
        page.click(".wai-tools form:last-child button")
        sign_in_worker(page, house, house.idle)
        page.wait_for_selector(".wai-nothing")
        wrong += look_at(page, "nothing to do")
        page.keyboard.press("?")
        wrong += look_at(page, "the list of keys")
    assert [] == wrong


@pytest.mark.parametrize("language", ["en-US", "ko-KR"])
def test_an_item_of_every_type_is_accessible_and_quiet(chrome, house, language):
    wrong = []
    with visitor(chrome, house, language) as page:
        sign_in_worker(page, house, house.workers[language])
        for name in house.types:
            page.wait_for_selector(f".wai-item[data-type={name}]")
            if page.locator(WIDGETS).count():
                page.wait_for_selector(".wai-widget")
            wrong += look_at(page, name)
            page.keyboard.press("Alt+s")
            page.keyboard.press("Enter")
        page.wait_for_selector(".wai-nothing")
    assert [] == wrong


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


WEIGHT = """
() => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const own = all.filter((each) => each.name.startsWith(location.origin) && !each.name.endsWith("/work/next"));
  return [own.reduce((sum, each) => sum + each.encodedBodySize, 0), own.length];
}
"""


def weigh(page, house, token):
    """Return the bytes and the requests of the page of a worker, without media."""
    sign_in_worker(page, house, token)
    # The time that is left is shown when all that the page needs is there.
    page.wait_for_selector(".wai-lease:not(:empty)")
    return page.evaluate(WEIGHT)


def test_the_worker_page_is_small(chrome, house):
    with visitor(chrome, house, "en-US") as page:
        size, requests = weigh(page, house, house.writer)
        assert 20_000 < size <= 60 * 1024
        assert requests <= 12


def test_the_worker_page_is_small_with_a_player_and_a_waveform_too(chrome, house):
    with visitor(chrome, house, "ko-KR") as page:
        weigh(page, house, house.listener)
        page.wait_for_selector(".wai-wave:not([hidden])")
        size, _ = page.evaluate(WEIGHT)
        assert 60 * 1024 < size <= 150 * 1024
