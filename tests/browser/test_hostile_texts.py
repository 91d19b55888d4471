"""Texts that want to become scripts, in every field that anybody can write, seen on every page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from support import chromium, receivers
from support.live_server import running_server
from workersai_client import Client, WorkerClient
from workersai_server.service import Service
from workersai_server.settings import Settings

MARK = "document.title='owned'"
TEXTS = [
    f"<script>{MARK}</script>",
    f"\"'><img src=x onerror=\"{MARK}\">",
    f"</textarea></title></style></script><svg onload=\"{MARK}\">",
    f"' autofocus onfocus={MARK} x='",
    f"[link](javascript:{MARK}) ![x](x\" onerror=\"{MARK})",
    f"<a href=\"javascript:{MARK}\">x</a><iframe srcdoc=\"<script>parent.{MARK}</script>\"></iframe>",
    "{{ 7*7 }} {% raw %} ${7*7} %(n)s {n}",
    "<!--<script>--><math><mi//xlink:href=\"data:x,<script>\">",
    "&lt;b&gt; &#60;b&#62; \\u003cb\\u003e",
    "\u202eright to left\u2066 \u0000".replace("\u0000", "\x7f"),
]  # fmt: skip
ALL = "\n".join(TEXTS)
ANSWER = ALL.encode()
SAYS = b"HTTP/1.1 500 <b>\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)
EMAIL = "<svg/onload=document.title='owned'>@example.com"


class Den:
    """A running server in which everything that can be written is hostile."""

    def __init__(self, database):
        service = Service.open(Settings(db=f"sqlite:///{database}"), start=False)
        account = service.accounts.create("anna@example.com", password="correct horse", unlimited=True, operator=True)
        self.workers = [service.accounts.create_worker(text).token for text in TEXTS]
        service.accounts.create(EMAIL)
        service.close()
        self.live_key = account.live_key

    def fill(self, url, receiver):
        self.url = url
        with Client(url, self.live_key) as client, WorkerClient(url, self.workers[0]) as worker:
            hook = f"{receiver.url()}?q=%3Cscript%3E\"'<img>"
            common = {"instruction": ALL, "callback_url": hook, "metadata": {text: text for text in TEXTS}}
            done = client.tasks.create(
                params={"attachment_type": "text", "attachment": ALL, "categories": TEXTS},
                tags=[text[:50] for text in TEXTS],
                unique_id=TEXTS[1],
                priority=99,
                **common,
            )
            worker.submit(worker.claim()["assignment_id"], {"category": TEXTS[1]})
            told = client.tasks.create(
                task_type="text_response", params={"attachment_type": "text", "attachment": ALL}, priority=98, **common
            )
            worker.submit(worker.claim()["assignment_id"], {"text": ALL})
            for each in (done, told):
                client.tasks.wait(each["external_id"])
            self.waiting = [
                client.tasks.create(task_type=name, params=params, **common)["external_id"] for name, params in OPEN
            ]
            self.tasks = [done["external_id"], told["external_id"]]


OPEN = [
    ("categorization", {"attachment_type": "text", "attachment": ALL, "categories": TEXTS}),
    ("named_entity_recognition", {"text": ALL, "labels": [text[:60] for text in TEXTS[:5]]}),
    ("ranking", {"items": TEXTS}),
    (
        "data_collection",
        {
            "attachment_type": "text",
            "attachment": ALL,
            "fields": [{"name": text[:60], "type": "text", "description": text} for text in TEXTS[:4]],
        },
    ),
    ("comparison", {"attachments": [{"type": "text", "text": text} for text in TEXTS[:2]]}),
]


@pytest.fixture(scope="module")
def den(tmp_path_factory):
    database = tmp_path_factory.mktemp("den") / "labels.db"
    den = Den(database)
    options = {"callback_schedule": "0", "allow_callback_networks": "127.0.0.0/8", "sign_up": "open"}
    with receivers.Receiver(receivers.answers(SAYS)) as receiver, running_server(database, **options) as server:
        den.fill(server.url, receiver)
        yield den


@pytest.fixture
def visitor(chrome, den):
    context = chrome.new_context(locale="en-US")
    page = context.new_page()
    page.set_default_timeout(10_000)
    watch = chromium.Watch(page, den.url)
    yield page
    assert "owned" not in page.title()
    context.close()
    # What got into the page and was only stopped by its policy would be told here.
    watch.forget("the server responded with a status of 4")
    watch.forget("does not conform to the required format")
    assert [] == watch.complaints


def open_pages(page, den, paths):
    for path in paths:
        page.goto(den.url + path)
        assert "owned" not in page.title(), path
        assert 0 == page.locator("main img, main svg[onload], main iframe[srcdoc], main math").count(), path


def test_nothing_hostile_becomes_more_than_text_at_a_desk(visitor, den):
    visitor.goto(f"{den.url}/sign-in")
    visitor.fill("#email", "anna@example.com")
    visitor.fill("#password", "correct horse")
    visitor.click("main button")
    visitor.wait_for_url("**/dashboard")
    states = [f"/dashboard/callbacks?state={state}" for state in ("exhausted", "pending", "delivered")]
    tasks = [f"/dashboard/tasks/{task}" for task in [*den.tasks, *den.waiting]]
    operate = [f"/operate{path}" for path in ("", "/workers", "/accounts", "/plugins", "/log")]
    hostile = "%22%3E%3Cscript%3Edocument.title=%27owned%27%3C/script%3E"
    asked = [
        f"{path}={hostile}"
        for path in ("/dashboard/tasks?status", "/dashboard/tasks?task_type", "/dashboard/tasks?created_after",
                     "/dashboard/tasks?after", "/dashboard/callbacks?state", "/dashboard?mode", "/operate/log?before",
                     "/sign-in?next", "/work/sign-in?next", "/dashboard/tasks/x?y")
    ]  # fmt: skip
    nowhere = [f"/dashboard/tasks/{hostile}", f"/work/{hostile}", f"/docs/{hostile}"]
    open_pages(visitor, den, ["/dashboard", "/dashboard/tasks", *states, *tasks, *operate, *asked, *nowhere])
    visitor.goto(f"{den.url}/dashboard/tasks/{den.tasks[0]}")
    expect(visitor.locator("main")).to_contain_text("<script>document.title='owned'</script>")


def test_nothing_hostile_becomes_more_than_text_at_work(visitor, den):
    visitor.goto(f"{den.url}/work/sign-in")
    visitor.fill("#token", den.workers[1])
    visitor.click("main button")
    visitor.wait_for_url("**/work")
    for _ in OPEN:
        visitor.wait_for_selector(".wai-item")
        visitor.wait_for_timeout(150)
        open_pages(visitor, den, ["/work"])
        visitor.wait_for_selector(".wai-item")
        visitor.keyboard.press("Alt+s")
        visitor.locator(".wai-skipping input[type=text]").fill(ALL[:900])
        visitor.keyboard.press("Enter")
        visitor.wait_for_load_state("networkidle")
    expect(visitor.locator(".wai-nothing")).to_be_visible()
