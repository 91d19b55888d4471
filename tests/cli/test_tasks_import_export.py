"""`workersai tasks import` and `export` against a real server."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from support.live_server import running_server
from support.ready_database import prepare
from support.receivers import Receiver
from workersai_client import APIConnectionError, Client
from workersai_server.cli import cli

PARAMS = {"attachment_type": "text", "attachment": "좋아요", "categories": ["a", "b"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    ready = prepare(tmp_path_factory.mktemp("import"))
    with running_server(ready.database, rate_limit="unlimited") as running:
        yield running.url, ready


@pytest.fixture
def run(server, tmp_path, monkeypatch):
    """Runs a command on the service in an empty folder."""
    url, ready = server
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, key: str = ready.live_key) -> Result:
        return CliRunner().invoke(cli, ["tasks", *arguments], env={"WORKERSAI_URL": url, "WORKERSAI_API_KEY": key})

    return run


def batch(name: str, **more) -> dict:
    """Return a body that can be found again."""
    return {"params": PARAMS, "metadata": {"batch": name}, **more}


def write_lines(path: str, *rows: object) -> None:
    Path(path).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def exported(run, name: str) -> list[dict]:
    result = run("export", "--metadata", f"batch={name}")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def summary(result: Result) -> dict:
    return json.loads(result.stdout)


def test_an_import_run_again_creates_nothing_twice(run):
    write_lines("tasks.jsonl", batch("twice"), batch("twice"), batch("twice", unique_id="order-7"))
    first, again = run("import", "tasks.jsonl", "--json"), run("import", "tasks.jsonl", "--json")
    assert (0, {"created": 3, "existing": 0, "failed": 0, "errors_file": None}) == (first.exit_code, summary(first))
    assert (0, {"created": 0, "existing": 3, "failed": 0, "errors_file": None}) == (again.exit_code, summary(again))
    assert 3 == len(exported(run, "twice"))
    assert "" == first.stderr


def test_bad_rows_are_written_down_and_the_rest_is_created(run):
    good = json.dumps(batch("bad")).encode()
    Path("tasks.jsonl").write_bytes(
        b"\n".join([good, b"{", b"", b"[]", b'{"params": {}, "x": 1}', b'{"a":1,"a":2}', b"\xff"])
    )
    result = run("import", "tasks.jsonl", "--json")
    assert 1 == result.exit_code
    assert {"created": 1, "existing": 0, "failed": 5, "errors_file": "tasks.jsonl.errors.jsonl"} == summary(result)
    errors = [json.loads(line) for line in Path("tasks.jsonl.errors.jsonl").read_text().splitlines()]
    assert [
        (2, "invalid_json"),
        (4, "invalid_row"),
        (5, "validation_failed"),
        (6, "invalid_json"),
        (7, "invalid_json"),
    ] == [(error["line"], error["error"]["code"]) for error in errors]
    assert result.stderr.splitlines()[-1].startswith("Next: ")


def test_rows_that_were_good_are_not_created_again_when_others_were_corrected(run):
    write_lines("tasks.jsonl", batch("corrected"), batch("corrected", overlap=0))
    assert 1 == run("import", "tasks.jsonl").exit_code
    write_lines("tasks.jsonl", batch("corrected", overlap=2), batch("corrected"))
    result = run("import", "tasks.jsonl", "--json")
    assert {"created": 1, "existing": 1, "failed": 0, "errors_file": None} == summary(result)
    assert not Path("tasks.jsonl.errors.jsonl").exists()


def test_more_rows_than_one_request_takes_are_imported(run):
    write_lines("many.jsonl", *(batch("many", instruction=str(n)) for n in range(1203)))
    assert "1203 tasks are created; 0 were there already; 0 rows failed.\n" == run("import", "many.jsonl").stdout
    assert {str(n) for n in range(1203)} == {task["instruction"] for task in exported(run, "many")}


def test_csv_is_imported(run):
    with Path("tasks.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["instruction", "params", "metadata", "priority", "tags", "task_type"])
        writer.writerow(["두 줄\n'x", json.dumps(PARAMS), '{"batch": "csv"}', "7", '["a"]', ""])
        writer.writerow(["'=1+1", json.dumps(PARAMS), '{"batch": "csv"}', "", "", "categorization"])
        writer.writerow(["", "{", "", "", "", ""])
        writer.writerow(["short"])
    result = run("import", "tasks.csv", "--json")
    assert {"created": 2, "existing": 0, "failed": 2, "errors_file": "tasks.csv.errors.jsonl"} == summary(result)
    errors = [json.loads(line) for line in Path("tasks.csv.errors.jsonl").read_text().splitlines()]
    assert [5, 6] == [error["line"] for error in errors]
    assert [("=1+1", 50, []), ("두 줄\n'x", 7, ["a"])] == [
        (task["instruction"], task["priority"], task["tags"]) for task in exported(run, "csv")
    ]


@pytest.mark.parametrize("header", ["", "params,colour", "params,params"])
def test_a_wrong_header_is_refused_before_anything_is_created(run, header):
    Path("tasks.csv").write_text(f"{header}\n{{}},x\n")
    result = run("import", "tasks.csv")
    assert 2 == result.exit_code
    assert "Correct the first line of the file." in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Next: ")


def test_what_comes_after_broken_csv_is_reported_as_one_row(run):
    Path("tasks.csv").write_bytes(b'instruction\n"open\nx\n')
    result = run("import", "tasks.csv", "--json")
    assert {"created": 0, "existing": 0, "failed": 1, "errors_file": "tasks.csv.errors.jsonl"} == summary(result)


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_an_export_is_imported_into_another_account_and_mode(run, server, format):
    ready = server[1]
    name = f"moved {format}"
    write_lines("tasks.jsonl", batch(name, instruction="-1\r\n", tags=["큰", "="], deadline_at="2099-01-01T00:00:00Z"))
    assert 0 == run("import", "tasks.jsonl").exit_code
    assert 0 == run("export", "--metadata", f"batch={name}", "--format", format, "--output", f"x.{format}").exit_code
    assert 0 == run("import", f"x.{format}", key=ready.test_key).exit_code
    with Client(server[0], ready.test_key) as client:
        [moved] = client.tasks.list(metadata={"batch": name})
    [original] = exported(run, name)
    fields = ("task_type", "instruction", "params", "metadata", "tags", "priority", "overlap", "deadline_at")
    assert [original[field] for field in fields] == [moved[field] for field in fields]


def test_export_writes_a_file_once(run):
    write_lines("tasks.jsonl", batch("file"))
    run("import", "tasks.jsonl")
    arguments = ("export", "--metadata", "batch=file", "--output", "out.jsonl", "--json")
    result = run(*arguments)
    content = Path("out.jsonl").read_bytes()
    assert {"ok": True, "file": "out.jsonl", "bytes": len(content)} == summary(result)
    assert [json.loads(content)] == exported(run, "file")
    assert 4 == run(*arguments).exit_code


def test_an_export_that_was_cut_off_is_resumed(run):
    write_lines("tasks.jsonl", *(batch("resumed", instruction=str(n)) for n in range(5)))
    run("import", "tasks.jsonl")
    whole = run("export", "--metadata", "batch=resumed").stdout_bytes
    lines = whole.splitlines(keepends=True)
    Path("out.jsonl.part").write_bytes(b"".join(lines[:2]) + lines[2][:9])
    assert 0 == run("export", "--metadata", "batch=resumed", "--output", "out.jsonl", "--resume").exit_code
    assert whole == Path("out.jsonl").read_bytes()
    assert not Path("out.jsonl.part").exists()


def test_only_what_can_be_resumed_is(run):
    assert 2 == run("export", "--resume").exit_code
    assert 2 == run("export", "--resume", "--format", "csv", "--output", "x").exit_code
    Path("x.part").write_text("hello\n")
    assert 2 == run("export", "--resume", "--output", "x").exit_code


def test_an_unknown_format_is_a_usage_error_that_names_the_others(run):
    result = run("export", "--format", "xls")
    assert 2 == result.exit_code
    assert "csv" in result.stderr
    assert "jsonl" in result.stderr


def cut_off(*pieces: bytes):
    """Answer an export with these pieces, and break off before the end."""
    return answering(*pieces, end=b"")


def whole(*pieces: bytes):
    return answering(*pieces, end=b"0\r\n\r\n")


def answering(*pieces: bytes, end: bytes):
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)

    def behave(call):
        call.receiver.requests.append(call.sock.recv(65536))
        call.send(head + body + end)

    return behave


T1, T2, T3 = (b'{"external_id":"t%d"}\n' % n for n in (1, 2, 3))


def asked(receiver: Receiver) -> list[bytes]:
    return [request.split(b" ", 2)[1] for request in receiver.requests]


def test_the_client_goes_on_behind_the_last_whole_task():
    with (
        Receiver(cut_off(T1, T2[:5]), cut_off(), cut_off(T2), whole(T3)) as receiver,
        Client(receiver.url(path=""), "test_key") as client,
    ):
        found = [task["external_id"] for task in client.tasks.export(status="completed")]
    assert ["t1", "t2", "t3"] == found
    first = b"/v1/export?status=completed"
    assert [first, first + b"&cursor=t1", first + b"&cursor=t1", first + b"&cursor=t2"] == asked(receiver)


def test_the_client_gives_up_when_nothing_more_comes():
    with Receiver(cut_off(T1[:3])) as receiver, Client(receiver.url(path=""), "test_key") as client:
        with pytest.raises(APIConnectionError, match="broke off"):
            next(client.tasks.export())
        assert 3 == len(receiver.requests)


def test_another_format_is_never_patched_together():
    with Receiver(cut_off(b"a,b\n")) as receiver, Client(receiver.url(path=""), "test_key") as client:
        with pytest.raises(APIConnectionError, match="broke off"):
            list(client.tasks.export_pieces("csv", after="t0"))
        assert [b"/v1/export?format=csv&cursor=t0"] == asked(receiver)


def test_a_stream_that_ends_in_half_a_line_has_not_ended():
    with (
        Receiver(whole(T1, T2[:5]), whole(T2)) as receiver,
        Client(receiver.url(path=""), "test_key") as client,
    ):
        assert ["t1", "t2"] == [task["external_id"] for task in client.tasks.export()]
