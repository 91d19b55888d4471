"""The API documentation: complete, in two languages, and its samples are true."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from support.live_server import running_server
from support.site import pages, text_of
from workersai_client import Client, WorkerClient
from workersai_core import WorkersAIError
from workersai_server.openapi import OPERATIONS
from workersai_server.service import Service
from workersai_server.settings import Settings
from workersai_server.web.api_docs.reference import prose
from workersai_server.web.api_docs.samples import samples_of

PARAMS = {"attachment_type": "text", "attachment": "x", "categories": ["big", "small"]}
RECEIVER = "http://127.0.0.1:9/nobody"
ENDS_KEYS = {"revokeKey", "rollKey"}
BY_ID = {operation.id: operation for operation in OPERATIONS}


@pytest.fixture
def docs():
    world = pages()
    yield lambda language: world.browser(Accept_Language=language).get("/docs").text
    world.house.engine.close()


def test_it_has_every_operation_type_and_error_code_in_both_languages(docs):
    for language in ("en", "ko"):
        page = docs(language)
        for operation in OPERATIONS:
            assert f'id="{operation.id}"' in page
        for anchor in (
            "type-categorization",
            "type-audio_transcription",
            "error-validation_failed",
            "error-lease_lost",
        ):
            assert f'id="{anchor}"' in page
    assert "Task 만들기" in text_of(docs("ko"))
    assert "Create a task" in text_of(docs("en"))


def test_errors_of_plugins_are_not_ours_to_describe(docs):
    class Foreign(WorkersAIError):
        """A plugin's own."""

        code = "foreign_to_us"

    assert "foreign_to_us" == Foreign.code
    assert "foreign_to_us" not in docs("en")


def test_every_link_within_it_leads_somewhere(docs):
    for language in ("en", "ko"):
        page = docs(language)
        ids = set(re.findall(r'id="([^"]+)"', page))
        assert set(re.findall(r'href="#([^"]+)"', page)) <= ids


def test_the_korean_page_has_no_english_prose_left(docs):
    english, korean = (set(re.findall(r"<p>([A-Z][^<]{40,})", docs(language))) for language in ("en", "ko"))
    code_texts = re.findall(r'id="error-[^"]+" class="[^"]+">\s*<h3>.*?</h3>\s*<p>([^<]+)</p>', docs("ko"), re.S)
    assert all(re.search("[가-힣]", text) for text in code_texts)
    names = "introduction|authentication|test-mode|callbacks|lists|limits"
    prose = re.findall(rf'<section id="(?:{names})".*?</section>', docs("ko"), re.DOTALL)
    assert 6 == len(prose)
    assert all(re.search("[가-힣]", text_of(section)) for section in prose)
    assert english != korean


class House:
    """A running server where every sample has something to act on."""

    def __init__(self, url, database_keys):
        self.url = url
        self.keys = database_keys

    def fill(self, code):
        """Return a sample with real names in the places of its capitals."""
        client = Client(self.url, self.keys["live"])
        worker = WorkerClient(self.url, self.keys["worker"])
        if "TASK_ID" in code:
            code = code.replace("TASK_ID", client.tasks.create(params=PARAMS)["external_id"])
        if "ASSIGNMENT_ID" in code:
            client.tasks.create(params=PARAMS, priority=100)
            code = code.replace("ASSIGNMENT_ID", worker.claim()["assignment_id"])
        code = code.replace("DELIVERY_ID", self.keys["delivery"]).replace("ENDPOINT_ID", self.keys["endpoint"])
        if "KEY_ID" in code:
            code = code.replace("KEY_ID", self.keys["spare"]())
        return code.replace("WORKER_TOKEN", self.keys["worker"]).replace("API_KEY", self.keys["live"])


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    database = tmp_path_factory.mktemp("docs") / "labels.db"
    settings = Settings(db=f"sqlite:///{database}")
    service = Service.open(settings, start=False)
    account = service.accounts.create("anna@example.com", unlimited=True)
    worker = service.accounts.create_worker("Bora")
    spares = [service.accounts.create_key(account.account_id, "live").entry.id for _ in range(8)]
    service.close()
    options = {"callback_schedule": "0", "allow_callback_networks": "127.0.0.0/8", "max_live_assignments": "1000"}
    with running_server(database, **options) as server:
        keys = {"live": account.live_key, "worker": worker.token, "spare": lambda: spares[-1]}
        with Client(server.url, account.live_key) as client, WorkerClient(server.url, worker.token) as at_work:
            task = client.tasks.create(params=PARAMS, callback_url=RECEIVER)["external_id"]
            at_work.submit(at_work.claim()["assignment_id"], {"category": "big"})
            while (delivery := client.callbacks.list(task)[0])["state"] == "pending":
                pass
            keys["delivery"] = delivery["id"]
            keys["endpoint"] = endpoint_of(server.url, account.live_key)
        keys["spare"] = lambda: spares.pop()
        yield House(server.url, keys)


def endpoint_of(url, key):
    import requests

    return requests.get(f"{url}/v1/endpoints", headers={"Authorization": f"Bearer {key}"}, timeout=10).json()[0]["id"]


def settled(house, operation):
    """Wait until a replay of the one delivery has ended, so that the next one finds it finished."""
    if "replay" in operation:
        with Client(house.url, house.keys["live"]) as client:
            for task in client.tasks.list(status="completed"):
                for delivery in client.callbacks.list(task["external_id"]):
                    while client.callbacks.list(task["external_id"])[0]["state"] == "pending":
                        assert delivery


@pytest.mark.parametrize("name", BY_ID)
def test_the_curl_sample_works(house, name):
    code = house.fill(samples_of(BY_ID[name], house.url).curl).replace("curl ", "curl -sS -w '\\n%{http_code}' ", 1)
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert "2" == done.stdout.strip().rpartition("\n")[2][0], done.stdout
    settled(house, name)


@pytest.mark.parametrize("name", BY_ID)
def test_the_python_sample_works(house, name):
    exec(compile(house.fill(samples_of(BY_ID[name], house.url).python), name, "exec"), {})
    settled(house, name)


def test_the_ruby_samples_work(house):
    if shutil.which("ruby") is None:
        pytest.skip("there is no Ruby; run `apt-get install -y ruby ruby-httparty` for this test")
    for name, operation in BY_ID.items():
        code = house.fill(samples_of(operation, house.url).ruby)
        code += "\nabort(answer.code.to_s + answer.body.to_s) unless answer.success?"
        done = subprocess.run(["ruby", "-e", code], capture_output=True, text=True, timeout=60, check=False)
        assert (name, 0, "") == (name, done.returncode, done.stderr)
        settled(house, name)


def test_what_is_said_about_operations_is_korean_too(docs):
    text = text_of(docs("ko"))
    assert "한 페이지의 크기" in text
    assert not [each for each in prose() if each and each in text]


def test_what_is_said_about_params_and_responses_is_in_the_language_of_the_page(docs):
    english, korean = text_of(docs("en")), text_of(docs("ko"))
    for said, said_in_korean in (
        ("Whether several categories may be chosen.", "범주를 여러 개 고를 수 있는지"),
        ("From the left edge of the image, in pixels.", "이미지 왼쪽 끝에서 잰 거리(픽셀)"),
    ):
        assert (True, False) == (said in english, said_in_korean in english)
        assert (False, True) == (said in korean, said_in_korean in korean)
