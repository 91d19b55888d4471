"""Formats of many files and of plugins through the command line and the API of a real server."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from support.documented import EXAMPLES
from support.live_server import running_server
from support.ready_database import prepare
from workersai_client import Client, WorkerClient
from workersai_plugins.bounding_box import BoundingBox
from workersai_server.cli import cli

FASTTEXT = EXAMPLES / "export_format" / "fasttext_format.py"
VOC = "<annotation><filename>{name}</filename><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
VOC += "<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    ready = prepare(tmp_path_factory.mktemp("formats"), workers=1)
    with running_server(ready.database, rate_limit="unlimited") as running:
        params, response = BoundingBox.examples[0]
        with Client(running.url, ready.live_key) as client, WorkerClient(running.url, ready.tokens[0]) as worker:
            client.tasks.create(task_type="bounding_box", params=params)
            worker.submit(worker.claim()["assignment_id"], response)
        yield running.url, ready


@pytest.fixture
def run(server, tmp_path, monkeypatch):
    """Runs a command on the service in an empty folder."""
    url, ready = server
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, key: str = ready.test_key) -> Result:
        return CliRunner().invoke(cli, ["tasks", *arguments], env={"WORKERSAI_URL": url, "WORKERSAI_API_KEY": key})

    return run


def tasks(server) -> list[dict]:
    with Client(server[0], server[1].test_key) as client:
        return list(client.tasks.list())


def test_a_data_set_becomes_a_folder_and_is_imported_from_it(run, server):
    live = server[1].live_key
    result = run("export", "--format", "voc", "--unpack", "--output", "pictures", key=live)
    assert (0, []) == (result.exit_code, list(Path().glob("*.part")))
    [annotation] = Path("pictures").rglob("*.xml")
    (annotation.parent / "1.jpg").write_bytes(b"not read" * 1000)
    (annotation.parent / ".hidden.xml").write_text("no annotation")
    result = run("import", "pictures", "--format", "voc", "--json")
    assert {"created": 1, "existing": 0, "failed": 0, "errors_file": None} == json.loads(result.stdout)
    assert "https://example.com/streets/1.jpg" == tasks(server)[0]["params"]["attachment"]
    assert 4 == run("export", "--format", "voc", "--unpack", "--output", "pictures", key=live).exit_code


def test_names_of_files_become_addresses(run, server):
    Path("more").mkdir()
    for name in ("a b.jpg", "고양이.jpg"):
        Path("more", f"{name}.xml").write_text(VOC.format(name=name), encoding="utf-8")
    refused = run("import", "more", "--format", "voc", "--json")
    assert (1, 2) == (refused.exit_code, json.loads(refused.stdout)["failed"])
    errors = [json.loads(line) for line in Path("more.errors.jsonl").read_text(encoding="utf-8").splitlines()]
    assert ["a b.jpg.xml", "고양이.jpg.xml"] == [each["line"] for each in errors]
    there = "https://example.com/pets"
    result = run("import", "more", "--format", "voc", "--attachments", there, "--json")
    assert {"created": 2, "existing": 0, "failed": 0, "errors_file": None} == json.loads(result.stdout)
    assert {f"{there}/a%20b.jpg", f"{there}/%EA%B3%A0%EC%96%91%EC%9D%B4.jpg"} <= {
        each["params"]["attachment"] for each in tasks(server)
    }


def test_the_api_takes_a_zip(server):
    url, ready = server
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "a.xml",
            VOC.format(name="x")
            .replace("<filename>x<", "<path>https://example.com/zip.jpg<")
            .replace("filename>", "path>"),
        )
        archive.writestr("b.xml", '<!DOCTYPE a [<!ENTITY a "b">]><annotation/>')
    answer = requests.post(
        f"{url}/v1/tasks:batch?format=voc", data=buffer.getvalue(), headers={"X-API-Key": ready.test_key}, timeout=20
    )
    assert 200 == answer.status_code, answer.text
    created, refused = answer.json()
    assert ("a.xml", 201) == (created["line"], created["status"])
    assert ("b.xml", 422) == (refused["line"], refused["status"])
    assert "document type" in refused["error"]["detail"]


def test_what_is_not_of_the_format_is_a_422_and_not_our_mistake(server):
    url, ready = server
    for format in ("voc", "yolo", "webvtt", "coco", "label_studio", "parquet"):
        answer = requests.post(
            f"{url}/v1/tasks:batch?format={format}", data=b"junk", headers={"X-API-Key": ready.test_key}, timeout=20
        )
        assert (422, "validation_failed") == (answer.status_code, answer.json()["code"]), answer.text


def test_a_format_of_a_file_is_imported(run):
    shutil.copy(FASTTEXT, "mine.py")
    Path("train.txt").write_text("__label__a one\n__label__b two\n")
    result = run("import", "train.txt", "--format", "fasttext", "--plugin", "mine.py", "--json")
    assert {"created": 2, "existing": 0, "failed": 0, "errors_file": None} == json.loads(result.stdout)


@pytest.mark.parametrize("file", ["x.zip", "x.xml", "folder"])
def test_a_name_that_does_not_tell_the_format_is_a_usage_error(run, file):
    Path(file).mkdir() if file == "folder" else Path(file).touch()
    result = run("import", file)
    assert 2 == result.exit_code
    assert "--format with one of coco, conll, csv" in result.stderr


def test_what_cannot_be_imported_is_a_usage_error_that_names_what_can(run):
    Path("x").touch()
    result = run("import", "x", "--format", "srt")
    assert 2 == result.exit_code
    assert "srt cannot be imported; choose from coco, conll" in result.stderr


def test_unpacking_what_is_no_zip_leaves_nothing_behind(run):
    assert 2 == run("export", "--unpack").exit_code
    result = run("export", "--unpack", "--output", "folder")
    assert 2 == result.exit_code
    assert "no zip" in result.stderr
    assert [] == list(Path().iterdir())


def test_what_an_extra_brings_is_not_imported_before_it_is_used():
    code = "import sys; from workersai_core.plugins import Plugins; from workersai_server.formats import formats_of\n"
    code += "formats_of(Plugins.load(()).hooks); print(sorted({'pyarrow', 'yaml', 'numpy'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout
