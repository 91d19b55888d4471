"""Every bundled task type goes the whole way, on a real server, on both databases.

Create, claim, a wrong answer that is refused with the places of what is
wrong, three right answers, their result, the callback with its signature,
export, and import of what was exported.
"""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from click.testing import CliRunner

from support.catcher import always, catching
from support.history import Arrival
from support.live_server import running_server
from support.postgres import postgresql_server, postgresql_url
from support.ready_database import Ready, checked, prepare
from support.waiting import until
from workersai_client import Client, ValidationFailed, WorkerClient
from workersai_core.api import Answer, TaskType
from workersai_core.plugins import Plugins
from workersai_server.cli import cli

__all__ = ["postgresql_server", "postgresql_url"]

TYPES = {each.name: each for each in Plugins.load(()).types}
SETTINGS = {"allow_callback_networks": "127.0.0.0/8", "rate_limit": "unlimited"}
SECRET = "0123456789abcdef" * 4
PATIENCE_S = 20


@attrs.frozen
class Answers:
    """What workers say to the first example of a type."""

    wrong: Any
    pointers: set[str]
    """Where the wrong one is wrong, without ``#/response``; a fragment of a URI has no space."""
    other: Any
    """A right answer that is not the example's."""
    formats: tuple[str, ...] = ()
    """What it is exported to and imported from besides ``jsonl``."""
    only_exported: tuple[str, ...] = ()


def box(**sides: Any) -> dict[str, Any]:
    return {"left": 122, "top": 300, "width": 219, "height": 141, "label": "car", **sides}


SAID = {
    "audio_transcription": Answers(
        wrong={"transcript": "hello", "segments": [{"start": 2, "end": 1, "text": ""}]},
        pointers={"/duration", "/segments/0/text"},
        other={"transcript": "Thank you for falling.", "duration": 1.8},
        formats=("csv", "webvtt", "nemo", "label_studio"),
        only_exported=("srt",),
    ),
    "bounding_box": Answers(
        wrong={"annotations": [box(left=1200), box(label="tree")]},
        pointers={"/annotations/1/label"},
        other={"annotations": [box()]},
        formats=("parquet", "coco", "voc", "yolo", "label_studio"),
    ),
    "categorization": Answers({"category": "huge", "size": 1}, {"/category", "/size"}, {"category": "small"}, ("csv",)),
    "comparison": Answers({"choice": "C"}, {"/choice"}, {"choice": "A"}, ("label_studio",), ("preference_pairs",)),
    "data_collection": Answers(
        wrong={"fields": {"seats": -1, "open_on_sunday": "yes"}},
        pointers={"/fields/phone", "/fields/seats", "/fields/open_on_sunday"},
        other={"fields": {"phone": "+82 2 1234 5678", "open_on_sunday": False}},
        formats=("parquet", "label_studio"),
    ),
    "keypoint": Answers(
        wrong={"annotations": [{"keypoints": {"nose": {"visibility": 3}}}]},
        pointers={
            "/annotations/0/keypoints/nose/visibility",
            "/annotations/0/keypoints/left%20hand",
            "/annotations/0/keypoints/right%20hand",
        },
        other={"annotations": []},
        formats=("coco",),
    ),
    "named_entity_recognition": Answers(
        wrong={"spans": [{"start": 0, "end": 12, "label": "thing"}]},
        pointers={"/spans/0/label", "/spans/0/text"},
        other={"spans": []},
        formats=("conll", "spacy", "label_studio"),
    ),
    "polygon": Answers(
        wrong={"annotations": [{"vertices": [{"x": 0, "y": 0}], "label": "roof"}, {"vertices": []}]},
        pointers={"/annotations/0/vertices", "/annotations/1/vertices", "/annotations/1/label"},
        other={"annotations": []},
        formats=("coco", "yolo", "label_studio"),
    ),
    "ranking": Answers(
        wrong={"ranking": ["The parcel came early.", "Else", "Parcel early came."]},
        pointers={"/ranking/1"},
        other={"ranking": ["The parcel has come early.", "The parcel came early.", "Parcel early came."]},
        formats=("label_studio",),
        only_exported=("preference_pairs",),
    ),
    "rating": Answers({"rating": 4.5}, {"/rating"}, {"rating": 1}, ("csv", "label_studio")),
    "text_response": Answers({"text": ""}, {"/text"}, {"text": "A dog is asleep."}, ("parquet", "label_studio")),
    "transcription": Answers(
        wrong={"fields": {"shop": "", "tax": "1"}},
        pointers={"/fields/shop", "/fields/total", "/fields/tax"},
        other={"fields": {"shop": "Café Flora", "total": "€ 12.00"}},
        formats=("csv", "label_studio"),
    ),
}


@attrs.frozen
class Service:
    """A running server, who uses it, and where its callbacks arrive."""

    url: str
    ready: Ready
    arrivals: list[Arrival]
    callback_url: str

    def tasks(self, *arguments: str, key: str) -> str:
        """Run `workersai tasks` and return what it says to scripts."""
        environment = {"WORKERSAI_URL": self.url, "WORKERSAI_API_KEY": key}
        result = CliRunner().invoke(cli, ["tasks", *arguments], env=environment)
        assert 0 == result.exit_code, result.output
        return result.stdout


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(request, tmp_path_factory):
    if request.param == "sqlite":
        ready = prepare(tmp_path_factory.mktemp("every-type"), workers=3)
    else:
        ready = prepare(request.getfixturevalue("postgresql_url"), workers=3)
    with (
        catching(ready.webhook_secret, always) as (arrivals, [url]),
        running_server(ready.database, secret_key=SECRET, **SETTINGS) as server,
    ):
        yield Service(server.url, ready, arrivals, url)
    assert [] == checked(ready)


def answered(service: Service, task_type: TaskType, said: Answers) -> list[Answer]:
    """Let three workers answer, the first of them wrongly at first."""
    right = task_type.examples[0][1]
    answers = []
    for number, (token, response) in enumerate(zip(service.ready.tokens, (right, right, said.other), strict=True)):
        with WorkerClient(service.url, token) as worker:
            claim = worker.claim(task_types=[task_type.name])
            assert task_type.examples[0][0] == claim["task"]["params"]
            if number == 0:
                with pytest.raises(ValidationFailed) as refused:
                    worker.submit(claim["assignment_id"], said.wrong)
                assert {f"#/response{each}" for each in said.pointers} == {
                    error["pointer"] for error in refused.value.errors
                }
            submitted = worker.submit(claim["assignment_id"], response)
            assert ("completed" if number == 2 else "in_progress") == submitted["task_status"]
        answers.append(Answer(response=response, worker_id=str(number)))
    return answers


def delivered(service: Service, external_id: str) -> Arrival:
    """Return the one callback of a task, once it has arrived."""

    def found() -> list[Arrival]:
        return [each for each in service.arrivals if each.body["external_id"] == external_id]

    until(found, PATIENCE_S)
    [arrival] = found()
    return arrival


@pytest.mark.parametrize("name", sorted(SAID))
def test_a_type_goes_the_whole_way(service, name, tmp_path):
    task_type, said = TYPES[name], SAID[name]
    params = task_type.examples[0][0]
    with Client(service.url, service.ready.live_key) as client:
        task = client.tasks.create(
            task_type=name, params=params, overlap=3, callback_url=service.callback_url, metadata={"batch": name}
        )
        verdict = task_type.aggregate(params, answered(service, task_type, said))
        done = client.tasks.get(task["external_id"])
    assert ("completed", verdict.response, 3) == (done["status"], done["response"], done["answers_accepted"])
    assert pytest.approx(verdict.confidence) == done["confidence"]
    arrival = delivered(service, task["external_id"])
    assert (True, verdict.response, params) == (arrival.verified, arrival.body["response"], arrival.body["params"])
    exported = ("--type", name, "--metadata", f"batch={name}")
    for format in ("jsonl", *said.formats, *said.only_exported):
        file = tmp_path / f"tasks.{format}"
        service.tasks("export", *exported, "--format", format, "--output", str(file), key=service.ready.live_key)
        assert file.stat().st_size > 0
        if format not in said.only_exported:
            imported = json.loads(
                service.tasks("import", str(file), "--format", format, "--json", key=service.ready.test_key)
            )
            assert (1, 0) == (imported["created"] + imported["existing"], imported["failed"]), format
    with Client(service.url, service.ready.test_key) as client:
        again = list(client.tasks.list(task_type=name))
    assert params in [each["params"] for each in again]
    assert {params.get("attachment", "")} == {each["params"].get("attachment", "") for each in again}


def test_there_is_no_other_type():
    assert SAID.keys() == TYPES.keys()
