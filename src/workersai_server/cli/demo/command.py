"""`workersai demo` itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workersai_server.cli.options import json_option
from workersai_server.cli.output import FAILED, Failure, Output, pass_output

if TYPE_CHECKING:
    from workersai_server.cli.demo.catcher import Catcher, Received
    from workersai_server.cli.demo.people import People

__all__ = ["demo"]

_FOLDER = Path(".workersai-demo")
_PORT = 8000
_SETTINGS = {
    "WORKERSAI_SIGN_UP": "open",
    # The receiver is on this machine, which a service must not call unless its operator says so.
    "WORKERSAI_ALLOW_CALLBACK_NETWORKS": "127.0.0.0/8",
    "WORKERSAI_CALLBACK_SCHEDULE": "0,0.5,2,10,60",
}


@click.command()
@click.option("--script", is_flag=True, help="Do everything without a person, check it, and end.")
@click.option("--port", type=click.IntRange(0, 65535), help="Of the server; 8000, or with --script a free one.")
@click.option("--reset", is_flag=True, help="Forget what earlier demos left in ./.workersai-demo.")
@json_option
@pass_output
def demo(output: Output, *, script: bool, port: int | None, reset: bool) -> None:
    """See the whole service work on this machine: nothing to install, nothing to configure.

    Without --script the server runs until Ctrl-C, and you are the requester and the worker.
    """
    if reset:
        shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(mode=0o700, exist_ok=True)
    if script:
        _run_script(output, port or 0)
    else:
        _run_until_interrupted(output, _PORT if port is None else port)


def _run_script(output: Output, port: int) -> None:
    # PERF: imported here, so that --help does not wait for it.
    from workersai_client import Client, WorkerClient
    from workersai_server.cli.demo.catcher import Catcher
    from workersai_server.cli.demo.people import invite
    from workersai_server.cli.demo.script import Script
    from workersai_server.cli.demo.server import DemoServer
    from workersai_server.cli.failures import failure_from

    def heard(received: Received) -> None:
        facts = {"step": "callback", "external_id": received.external_id, "verified": received.verified}
        signature = "signature verified" if received.verified else "FORGED"
        output.step(
            {**facts, "webhook_id": received.webhook_id, "answered": received.answered},
            f"callback   {received.external_id}, {signature}, answered {received.answered}",
        )

    try:
        with ExitStack() as stack:
            database = stack.enter_context(_fresh(_FOLDER.resolve() / "script"))
            people = invite(database, name="script", unlimited=False)
            server = stack.enter_context(DemoServer(database, port=port, settings=_SETTINGS))
            catcher = stack.enter_context(Catcher(people.webhook_secret, heard))
            output.step({"step": "ready", "url": server.url}, f"ready      {server.url}")
            Script(
                live=stack.enter_context(Client(server.url, people.live_key)),
                test=stack.enter_context(Client(server.url, people.test_key)),
                worker=stack.enter_context(WorkerClient(server.url, people.worker_token)),
                catcher=catcher,
                say=output.step,
            ).run()
    except Exception as error:
        failure = error if isinstance(error, Failure) else failure_from(error)
        if failure is None:
            raise
        output.step({"ok": False, "error": failure.message}, "The demo failed.")
        raise Failure(failure.message, remedy=failure.remedy, exit_code=FAILED, code=failure.code) from error


@contextmanager
def _fresh(folder: Path) -> Iterator[Path]:
    """Give a database file that no earlier run has touched, and that runs beside others."""
    own = folder / str(os.getpid())
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    try:
        yield own / "labels.db"
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _run_until_interrupted(output: Output, port: int) -> None:
    from workersai_server.cli.demo.catcher import Catcher
    from workersai_server.cli.demo.server import DemoServer
    from workersai_server.waiting import PatientEvent

    def heard(received: Received) -> None:
        body = json.dumps(received.body, ensure_ascii=False)
        signature = "verified" if received.verified else "FORGED"
        output.note(f"callback, signature {signature}: {body}")

    database = _FOLDER.resolve() / "labels.db"
    stopped = PatientEvent()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    people = _known_people(database)
    # Tasks of an earlier run show media and are called back at the port of that time.
    port_file = database.with_name("receiver-port")
    known_port = int(port_file.read_text(encoding="ascii")) if port_file.exists() else 0
    with (
        DemoServer(database, port=port, settings=_SETTINGS) as server,
        Catcher(people.webhook_secret, heard, known_port) as catcher,
    ):
        port_file.write_text(str(catcher.port), encoding="ascii")
        _create_samples(server.url, people.live_key, catcher)
        facts = _facts(server.url, catcher.url, people)
        output.document(facts, _welcome(facts))
        stopped.wait()
        output.note("Stopping; what was made stays in ./.workersai-demo (--reset forgets it).")


def _known_people(database: Path) -> People:
    """Return the demo's account and worker, made on first use; keys are shown once, so they are kept beside it."""
    from workersai_server.cli.demo.people import People, invite

    kept = database.with_name("people.json")
    if kept.exists() and database.exists():
        return People(**json.loads(kept.read_text(encoding="utf-8")))
    people = invite(database, name="demo", unlimited=True)
    with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(people.as_dict(), file)
    return people


def _create_samples(url: str, live_key: str, catcher: Catcher) -> None:
    """Give the worker something of every kind to do."""
    from workersai_client import Client
    from workersai_server.cli.demo.samples import to_try

    with Client(url, live_key) as client:
        if next(client.tasks.list(status="pending", page_size=1), None) is not None:
            return  # what an earlier run left is enough to do
        examples = {each["name"]: each["examples"][0]["params"] for each in client.task_types()}
        for number, (task_type, params) in enumerate(to_try(catcher.origin, examples)):
            client.tasks.create(
                task_type=task_type,
                instruction=f"A sample of `{task_type}`: answer as you like. 연습용입니다.",
                params=params,
                callback_url=catcher.url,
                priority=90 - number,
            )


def _facts(url: str, callback_url: str, people: People) -> dict[str, Any]:
    return {
        "url": url,
        "callback_url": callback_url,
        "test_key": people.test_key,
        "live_key": people.live_key,
        "worker_token": people.worker_token,
        "webhook_secret": people.webhook_secret,
        "console": f"{url}/work",
        "dashboard": f"{url}/dashboard",
        "email": people.email,
        "password": people.password,
    }


def _welcome(facts: dict[str, Any]) -> str:
    from workersai_server.cli.demo.samples import CATEGORIZATION

    body = json.dumps(
        {"params": CATEGORIZATION.params, "callback_url": facts["callback_url"]}, ensure_ascii=False
    ).replace("'", "'\\''")
    return f"""\
The service runs at {facts["url"]}, with a task of every kind waiting for a worker. Ctrl-C stops it.

  worker console  {facts["console"]}
                  token     {facts["worker_token"]}
  dashboard       {facts["dashboard"]}
                  email     {facts["email"]}
                  password  {facts["password"]}
  documentation   {facts["url"]}/docs
  test key        {facts["test_key"]}   (answers itself)
  live key        {facts["live_key"]}   (a worker answers)

As a requester, create a task; its signed callback is printed here:
  curl {facts["url"]}/v1/tasks -H 'Authorization: Bearer {facts["test_key"]}' -H 'Content-Type: application/json' \\
    -d '{body}'
"""
