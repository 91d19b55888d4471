"""The same application without sockets and without a disk: what our own code costs."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

from benchmarks import echo
from benchmarks.bench import Bench, ratios
from benchmarks.datasets import PARAMS
from benchmarks.stores import DiscardingStore
from workersai_core import Engine
from workersai_core.api import hookimpl
from workersai_core.store.schema import CORE, create_directly
from workersai_server.accounts import SERVER, Accounts
from workersai_server.app import create_app
from workersai_server.quota import Quota
from workersai_server.settings import RateLimit, Settings

__all__ = ["GOALS", "measure"]

GOALS = ("P15 share", "P15 transcript", "P17", "P18")
_OBSERVERS = 5
_SEGMENTS = 60
_TRANSCRIPT_PARAMS = {"attachment": "https://files.test/call.mp3", "language": "ko"}


class _Observer:
    """A plugin that hears of every creation and does nothing about it."""

    @hookimpl
    def task_created(self, event: Any) -> None:
        """Hear."""


def measure(bench: Bench) -> None:
    """Measure calls of the applications, one right after the other."""
    echo_call = _caller(echo.application(), "/echo", "x")
    plain, key = _application(bench, "plain")
    watched, watched_key = _application(bench, "watched", *(_Observer() for _ in range(_OBSERVERS)))
    post, watched_post = _caller(plain, "/v1/tasks", key), _caller(watched, "/v1/tasks", watched_key)
    calls = 1000 if bench.quick else 5000
    repeats = range(3 * bench.repeats)
    took = [[_time_us(call, calls) for call in (echo_call, post, watched_post)] for _ in repeats]
    echoes, posts, watched_posts = ([each[i] for each in took] for i in range(3))
    told = f"{sorted(posts)[len(posts) // 2]:.0f} us, echo {sorted(echoes)[len(echoes) // 2]:.0f} us"
    bench.report.add("P17", ratios(posts, echoes), note=told)
    bench.report.add("P18", ratios(watched_posts, posts))
    _measure_validation(bench, calls)


def _application(bench: Bench, name: str, *plugins: object) -> tuple[Any, str]:
    """Return the service's application on a store that drops what is written, and a key."""
    settings = Settings(secret_key="x" * 32, rate_limit=RateLimit(requests=1_000_000_000, period_s=1))
    store = DiscardingStore(str(bench.folder / f"{name}.db"))
    store.write(lambda session: create_directly(session, (CORE, SERVER)))
    engine = Engine.open(store, plugins=[Quota(settings), *plugins])
    accounts = Accounts(engine, settings)
    key = accounts.create("requester@example.com", unlimited=True).live_key
    accounts.authenticate(key)
    store.discarding = True
    return create_app(engine, settings, accounts), key


def _caller(app: Any, path: str, key: str) -> Callable[[], None]:
    """Return a function that makes one request as a server would."""
    body = json.dumps({"params": PARAMS}, ensure_ascii=False).encode()
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_AUTHORIZATION": f"Bearer {key}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        statuses.append(status)

    def call() -> None:
        statuses.clear()
        answer = app({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
        content = b"".join(answer)
        if statuses[0][0] != "2":
            raise RuntimeError(f"{path} answered {statuses[0]}: {content!r}")

    return call


def _measure_validation(bench: Bench, calls: int) -> None:
    settings = Settings()
    with Engine.open("sqlite://", plugins=[Quota(settings)], schemas=[SERVER]) as engine:
        types = engine.types
        small, transcript = types.require("categorization"), types.require("audio_transcription")
        app, key = _application(bench, "validating")
        post = _caller(app, "/v1/tasks", key)
        answer = _transcript()
        if types.check_response(transcript, _TRANSCRIPT_PARAMS, answer):
            raise RuntimeError("the transcript is not valid")
        repeats = range(3 * bench.repeats)
        checks = [_time_us(lambda: types.check_params(small, PARAMS), calls) for _ in repeats]
        posts = [_time_us(post, calls) for _ in repeats]
        long = [_time_us(lambda: types.check_response(transcript, _TRANSCRIPT_PARAMS, answer), calls) for _ in repeats]
    told = f"{sorted(checks)[len(checks) // 2]:.1f} us of a POST that drops what it is given"
    bench.report.add("P15 share", [100 * share for share in ratios(checks, posts)], note=told)
    bench.report.add("P15 transcript", long)


def _transcript() -> dict[str, Any]:
    segments = [
        {"start": 1.0 * n, "end": n + 0.9, "speaker": f"speaker {n % 2}", "text": "안녕하세요, 무엇을 도와드릴까요?"}
        for n in range(_SEGMENTS)
    ]
    text = " ".join(segment["text"] for segment in segments)
    return {"transcript": text, "duration": float(_SEGMENTS), "segments": segments}


def _time_us(call: Callable[[], Any], calls: int) -> float:
    """Return the processor time of one call, in microseconds."""
    began = time.thread_time()
    for _ in range(calls):
        call()
    return 1e6 * (time.thread_time() - began) / calls
