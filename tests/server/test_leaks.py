"""Canary keys: wherever a key is put, it appears in no answer, log, metric or repr (I13)."""

from __future__ import annotations

import json
import logging

import pytest

from support.api import FORM, right
from workersai_server.credentials import ApiRequest
from workersai_server.keys import new_key, new_worker_token
from workersai_server.logs import log_to_stderr
from workersai_server.masking import masked


def everything_wrong(api, key: str):
    """Yield the answers to requests that hold a key wherever a client may put it."""
    for path in ("/v1/tasks", "/v1/tasks/x", "/v1/export", "/v1/task_types", "/v1/work/assignments", "/nope"):
        yield api.get(path, key=key)
        yield api.get(path, key=None, headers={"X-API-Key": key})
        yield api.get(path, key=None, query=f"limit=0&api_key={key}")
        yield api.get(path, key=None, query=f"apikey={key}")
        yield api.get(path, key=None, query=f"api_key={key}&api_key={key}")
        yield api.get(f"{path}/{key}")
    for path in ("/v1/tasks", "/v1/tasks:batch", "/v1/callbacks/replay", "/v1/work/claim"):
        yield api.post(path, right(priority=101), key=key)
        yield api.post(path, right(api_key=key, priority=101), key=None)
        yield api.post(path, f"api_key={key}&priority=101", headers={"Content-Type": FORM}, key=None)
        yield api.post(path, {"api_kye": key})
        yield api.post(path, {key: key})
        yield api.post(path, f'{{"api_key": "{key}"', key=None)
        yield api.post(path, right(), key=None, headers={"Authorization": f"Token {key}"})
        yield api.post(path, right(), key=None, headers={"Authorization": f"Basic {key}"})
        yield api.ask("PUT", path, key=key)


@pytest.fixture
def careless(api_with):
    return api_with(access_log=True)


@pytest.mark.parametrize("kind", ["live", "test", "worker", "unknown", "unknown worker"])
def test_a_key_is_in_no_answer_log_or_metric(careless, caplog, kind):
    key = {
        "live": careless.live,
        "test": careless.test,
        "worker": careless.worker(),
        "unknown": new_key("live"),
        "unknown worker": new_worker_token(),
    }[kind]
    with caplog.at_level(logging.DEBUG):
        answers = list(everything_wrong(careless, key))
        answers += [careless.get("/metrics"), careless.get("/readyz"), careless.get("/v1/keys")]

    assert len(caplog.records) >= len(answers)
    for text in (*(f"{answer.text}{dict(answer.headers)}" for answer in answers), caplog.text):
        assert key not in text
        assert key[-36:] not in text


def test_what_the_right_request_stores_holds_no_key(api):
    task = api.post("/v1/tasks", right(api_key=api.live), key=None, query="").json
    texts = [
        api.get(f"/v1/tasks/{task['external_id']}").text,
        api.get(f"/v1/tasks/{task['external_id']}/events").text,
        api.get("/v1/tasks", key=None, query=f"limit=1&api_key={api.live}").headers["link"],
    ]

    assert not any(api.live in text for text in texts)


def test_a_request_does_not_show_its_key(api):
    from falcon.testing import create_environ

    environ = create_environ("/v1/tasks", query_string=f"a=1&api_key={api.live}&b=2", headers={"X-API-Key": api.live})
    environ |= {"RAW_URI": f"/v1/tasks?api_key={api.live}", "REQUEST_URI": f"/v1/tasks?api_key={api.live}&a=1"}
    request = ApiRequest(environ)

    assert api.live not in repr(request)
    assert api.live not in repr(request.credentials)
    assert api.live not in str({name: value for name, value in environ.items() if isinstance(value, str)})
    assert request.query_string == "a=1&b=2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("live_0123456789abcdefghijABCDEFGHIJ01234567 x", "live_…4567 x"),
        ("a=test_tV4NttbVsN3crLCFonEj&b", "a=test_…onEj&b"),
        ("(WKR_0123456789ABCDEFGHIJABCDEFGHIJ01234567)", "(WKR_…4567)"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_…LaSw"),
        ("alive_0123456789abcdefghij", "alive_0123456789abcdefghij"),
        ("live_task and test_mode", "live_task and test_mode"),
        ("열쇠: live_0123456789abcdefghij!", "열쇠: live_…ghij!"),
    ],
)
def test_keys_are_masked_in_texts(text, expected):
    assert expected == masked(text)


@pytest.fixture
def service_logger():
    logger = logging.getLogger("workersai")
    before = logger.handlers, logger.level, logger.propagate
    yield logger
    logger.handlers, logger.level, logger.propagate = before


def test_logs_are_lines_of_json_without_keys(service_logger, capsys):
    key = new_key("live")
    log_to_stderr()
    logger = logging.getLogger("workersai.http")
    logger.warning("somebody sent %s", key, extra={"request_id": "r1", "note": f"again {key}"})
    try:
        raise ValueError(f"about {key}")
    except ValueError:
        logger.exception("failed")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())

    assert list(first)[:4] == ["timestamp", "level", "logger", "event"]
    assert (first["level"], first["logger"]) == ("warning", "workersai.http")
    assert first["event"] == f"somebody sent live_…{key[-4:]}"
    assert (first["request_id"], first["note"]) == ("r1", f"again live_…{key[-4:]}")
    assert "ValueError: about live_…" in second["exception"]
    assert key not in str(second)
