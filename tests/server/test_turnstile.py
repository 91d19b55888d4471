"""Only a few requests run at once; who waits for something else makes room."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.waiting import until
from workersai_server.turnstile import Turnstile

PATIENCE_S = 2
LONG_S = 20
"""Longer than any test waits: a place that is never given back is a failure, and not only slow."""


class Scene:
    """An application whose requests stay inside until they may go on, and those that are inside."""

    def __init__(self, turnstile, stay=lambda environ: None):
        self.inside = []
        self.most = 0
        self.go_on = threading.Event()
        self._stay = stay
        self._application = turnstile.around(self._answer)
        self._lock = threading.Lock()

    def _answer(self, environ, start_response):
        with self._lock:
            self.inside.append(environ["n"])
            self.most = max(self.most, len(self.inside))
        self._stay(environ)
        self.go_on.wait(LONG_S)
        self.inside.remove(environ["n"])
        return [b"ok"]

    def ask(self, n, body=b""):
        return b"".join(self._application({"n": n, "wsgi.input": io.BytesIO(body)}, lambda *_: None))


@pytest.fixture
def pool():
    with ThreadPoolExecutor(20) as pool:
        yield pool


def test_no_more_requests_run_at_once_than_there_are_places(pool):
    scene = Scene(Turnstile(places=2, patience_s=LONG_S))
    asking = [pool.submit(scene.ask, n) for n in range(10)]
    until(lambda: len(scene.inside) == 2)
    scene.go_on.set()
    assert [b"ok"] * 10 == [each.result(PATIENCE_S) for each in asking]
    assert 2 == scene.most


def test_nobody_waits_long_for_a_place(pool):
    scene = Scene(Turnstile(places=1, patience_s=0.05))
    asking = [pool.submit(scene.ask, n) for n in range(3)]
    until(lambda: len(scene.inside) == 3)
    scene.go_on.set()
    assert [b"ok"] * 3 == [each.result(PATIENCE_S) for each in asking]
    until(lambda: scene.ask(4) == b"ok")
    assert 3 == scene.most  # and whoever had no place gave none back


def test_a_request_that_fails_gives_its_place_back(pool):
    turnstile = Turnstile(places=1, patience_s=LONG_S)
    failing = turnstile.around(lambda environ, start_response: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            pool.submit(failing, {"wsgi.input": io.BytesIO()}, None).result(PATIENCE_S)


class Store:
    """A store whose operations stay in it until they may go on."""

    clock = None
    path = "here"

    def __init__(self, dialect):
        self.dialect = dialect
        self.go_on = threading.Event()
        self.heard = []

    def write(self, operation):
        self.go_on.wait(LONG_S)
        return operation(None)

    read = write

    def announce(self):
        self.heard.append("announced")

    def listen(self, heard):
        self.heard.append(heard)

    def close(self):
        self.heard.append("closed")


@pytest.mark.parametrize(("dialect", "verb"), [("sqlite", "write"), ("postgresql", "write"), ("postgresql", "read")])
def test_who_waits_for_the_database_makes_room(pool, dialect, verb):
    turnstile, store = Turnstile(places=1, patience_s=LONG_S), Store(dialect)
    patient = turnstile.beside(store)
    scene = Scene(turnstile, lambda environ: environ["n"] == 1 and getattr(patient, verb)(lambda session: "done"))
    scene.go_on.set()
    waiting = pool.submit(scene.ask, 1)
    until(lambda: scene.inside == [1])
    assert b"ok" == pool.submit(scene.ask, 2).result(PATIENCE_S)
    store.go_on.set()
    assert b"ok" == waiting.result(PATIENCE_S)


def test_a_read_of_sqlite_keeps_its_place(pool):
    turnstile, store = Turnstile(places=1, patience_s=LONG_S), Store("sqlite")
    patient = turnstile.beside(store)
    scene = Scene(turnstile, lambda environ: environ["n"] == 1 and patient.read(lambda session: "done"))
    scene.go_on.set()
    asking = [pool.submit(scene.ask, 1)]
    until(lambda: scene.inside == [1])
    asking.append(pool.submit(scene.ask, 2))
    assert [1] == scene.inside
    store.go_on.set()
    assert [b"ok"] * 2 == [each.result(PATIENCE_S) for each in asking]
    assert 1 == scene.most


def test_a_store_beside_it_is_the_store():
    store = Store("sqlite")
    patient = Turnstile().beside(store)
    patient.announce()
    patient.listen(test_a_store_beside_it_is_the_store)
    patient.close()
    assert ["announced", test_a_store_beside_it_is_the_store, "closed"] == store.heard
    assert ("here", "sqlite") == (patient.path, patient.dialect)
    store.go_on.set()
    assert "done" == patient.write(lambda session: "done")  # also where nobody has a place


class Slow(io.BytesIO):
    """A body that comes when it may."""

    def __init__(self, body):
        super().__init__(body)
        self.go_on = threading.Event()

    def read(self, size=-1):
        self.go_on.wait(LONG_S)
        return super().read(size)


def test_who_waits_for_a_body_makes_room(pool):
    turnstile, slow, got = Turnstile(places=1, patience_s=LONG_S), Slow(b"abc"), []
    application = turnstile.around(lambda environ, start_response: got.append(environ["wsgi.input"].read(2)) or [b"ok"])
    waiting = pool.submit(application, {"wsgi.input": slow}, None)
    other = pool.submit(application, {"wsgi.input": io.BytesIO(b"xyz")}, None)
    assert [b"ok"] == other.result(PATIENCE_S)
    slow.go_on.set()
    assert [b"ok"] == waiting.result(PATIENCE_S)
    assert [b"xy", b"ab"] == got


@pytest.mark.parametrize(
    ("read", "found"),
    [
        (lambda body: body.read(), b"a\nb"),
        (lambda body: body.readline(), b"a\n"),
        (lambda body: body.readlines(), [b"a\n", b"b"]),
        (list, [b"a\n", b"b"]),
    ],
    ids=["read", "readline", "readlines", "iter"],
)
def test_a_body_is_read_as_wsgi_says(read, found):
    application = Turnstile().around(lambda environ, start_response: [read(environ["wsgi.input"])])
    assert [found] == application({"wsgi.input": io.BytesIO(b"a\nb")}, None)
