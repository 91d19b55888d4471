from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from workersai_core import Violation
from workersai_server.cli import cli
from workersai_server.service import Service
from workersai_server.settings import Settings

Run = Callable[..., Result]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "labels.db"


@pytest.fixture
def run(database: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on this test's own database."""
    monkeypatch.chdir(database.parent)
    monkeypatch.setenv("WORKERSAI_DB", f"sqlite:///{database}")

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(cli, arguments, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def given(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def opened(database: Path) -> Service:
    return Service.open(Settings(db=f"sqlite:///{database}"), start=False)


def test_an_account_is_made_with_keys_that_work(run: Run, database: Path) -> None:
    made = given(run("accounts", "create", "a@example.com", "--unlimited", "--json"))
    assert list(made) == ["account_id", "email", "live_key", "test_key", "webhook_secret"]
    service = opened(database)
    try:
        requester = service.accounts.authenticate(made["live_key"])
        assert (requester.account_id, requester.mode, requester.unlimited) == (made["account_id"], "live", True)
        assert service.accounts.authenticate(made["test_key"]).mode == "test"
        assert service.engine.webhook_secrets(made["account_id"])[0].secret == made["webhook_secret"]
    finally:
        service.close()


def test_people_see_the_keys_of_a_new_account_once(run: Run) -> None:
    shown = run("accounts", "create", "a@example.com").stdout
    assert "live_" in shown
    assert "test_" in shown
    assert "whsec_" in shown
    assert "live_" not in run("accounts", "list").stdout


def test_a_password_comes_from_standard_input(run: Run, database: Path) -> None:
    run("accounts", "create", "a@example.com", "--password-stdin", stdin="correct horse battery\n")
    service = opened(database)
    try:
        assert service.accounts.sign_in("a@example.com", "correct horse battery").email == "a@example.com"
    finally:
        service.close()


def test_an_email_that_has_an_account_is_a_conflict(run: Run) -> None:
    run("accounts", "create", "a@example.com")
    result = run("accounts", "create", "A@example.com", "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["error"]["code"] == "conflict"


def test_an_email_that_is_none_is_a_usage_error(run: Run) -> None:
    assert run("accounts", "create", "nobody").exit_code == 2


def test_credit_is_added_and_taken_back(run: Run) -> None:
    run("accounts", "create", "a@example.com")
    assert given(run("accounts", "credit", "a@example.com", "12.50", "--json"))["credit"] == "12.50"
    assert given(run("accounts", "credit", "a@example.com", "--json", "--", "-2.5"))["credit"] == "10.00"
    assert run("accounts", "credit", "a@example.com", "much").exit_code == 2
    assert run("accounts", "credit", "b@example.com", "1").exit_code == 3


def test_the_limit_is_lifted_and_set_again(run: Run) -> None:
    run("accounts", "create", "a@example.com")
    assert given(run("accounts", "unlimited", "a@example.com", "--json"))["unlimited"] is True
    assert given(run("accounts", "unlimited", "a@example.com", "--off", "--json"))["unlimited"] is False
    assert [row["unlimited"] for row in given(run("accounts", "list", "--json"))] == [False]


def test_keys_are_made_rolled_and_revoked(run: Run, database: Path) -> None:
    made = given(run("accounts", "create", "a@example.com", "--json"))
    extra = given(run("keys", "create", "a@example.com", "--mode", "live", "--json"))
    rolled = given(run("keys", "roll", extra["key_id"], "--overlap-s", "60", "--json"))
    revoked = given(run("keys", "revoke", rolled["key_id"], "--json"))
    assert revoked["revoked_at"].endswith("Z")
    listed = given(run("keys", "list", "a@example.com", "--json"))
    assert [row["mode"] for row in listed] == ["live", "test", "live", "live"]
    assert "key" not in listed[0]
    assert {row["account_id"] for row in listed} == {made["account_id"]}
    assert extra["key"][-4:] == listed[2]["last4"]
    assert run("keys", "revoke", "nothing").exit_code == 3
    assert run("keys", "list", "a@example.com").stdout.count("live") == 3


def test_workers_are_made_and_blocked(run: Run, database: Path) -> None:
    made = given(run("workers", "create", "Mina", "--skill", "audiotranscription", "--json"))
    assert list(made) == ["worker_id", "name", "token"]
    service = opened(database)
    try:
        assert service.accounts.authenticate_worker(made["token"]).skills == {"audio_transcription"}
    finally:
        service.close()
    assert given(run("workers", "block", made["worker_id"], "--json"))["blocked_at"].endswith("Z")
    listed = given(run("workers", "list", "--json"))
    assert [(row["name"], row["skills"]) for row in listed] == [("Mina", ["audio_transcription"])]
    assert run("workers", "block", "nobody").exit_code == 3
    assert run("workers", "create", "Mina", "--skill", "juggling").exit_code == 2


def test_a_database_that_is_not_there_is_not_made_by_looking(run: Run, database: Path) -> None:
    for command in (
        ["accounts", "list"],
        ["workers", "list"],
        ["keys", "list", "a@example.com"],
        ["check"],
        ["doctor"],
        ["db", "check"],
        ["db", "backup", "copy.db"],
    ):
        result = run(*command)
        assert result.exit_code == (1 if command == ["doctor"] else 3), command
        assert "There is no database at" in result.stderr + result.stdout
    assert not database.exists()


def test_check_finds_nothing_wrong_with_a_new_database(run: Run) -> None:
    run("db", "upgrade")
    assert given(run("check", "--json")) == {"ok": True, "violations": []}
    assert run("check").stdout == "Every invariant holds.\n"


def test_check_names_what_is_broken_and_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("db", "upgrade")
    broken = Violation(invariant="I3", detail="A completed task without a response.", ids=["t1"])
    monkeypatch.setattr(Service, "check", lambda self: [broken])
    result = run("check", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "ok": False,
        "violations": [{"invariant": "I3", "detail": "A completed task without a response.", "ids": ["t1"]}],
    }
    assert run("check").stdout == "I3: A completed task without a response. (t1)\n"


def test_check_counts_accounts_too(run: Run, database: Path) -> None:
    run("accounts", "create", "a@example.com")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE wai_account SET creations = 7")
    connection.close()
    result = run("check", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["violations"][0]["invariant"] == "I12"


def test_upgrade_makes_the_tables_and_check_sees_them(run: Run) -> None:
    upgraded = given(run("db", "upgrade", "--json"))
    assert (upgraded["ok"], sorted(upgraded["revisions"])) == (True, ["core", "server"])
    assert given(run("db", "check", "--json")) == {"ok": True}


def test_tables_of_another_version_are_refused_until_upgraded(run: Run, database: Path) -> None:
    database.touch()
    result = run("db", "check")
    assert result.exit_code == 1
    assert "workersai db upgrade" in result.stderr.splitlines()[-1]


def test_a_backup_is_a_whole_database(run: Run, database: Path) -> None:
    made = given(run("accounts", "create", "a@example.com", "--json"))
    copy = database.with_name("copy of the day.db")
    assert given(run("db", "backup", str(copy), "--json")) == {
        "ok": True,
        "file": str(copy),
        "bytes": copy.stat().st_size,
    }
    assert copy.stat().st_mode & 0o077 == 0
    service = opened(copy)
    try:
        assert service.accounts.authenticate(made["live_key"]).account_id == made["account_id"]
    finally:
        service.close()
    assert [path.name for path in copy.parent.glob("*.unfinished")] == []


def test_a_backup_never_replaces_a_file(run: Run, database: Path) -> None:
    run("db", "upgrade")
    copy = database.with_name("copy.db")
    copy.write_text("precious")
    assert run("db", "backup", str(copy)).exit_code == 4
    assert copy.read_text() == "precious"


def test_a_backup_into_no_folder_fails_with_a_remedy(run: Run, database: Path) -> None:
    run("db", "upgrade")
    result = run("db", "backup", str(database.parent / "none" / "copy.db"))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Next: Choose a folder")


def test_the_plugins_are_listed_with_what_they_bring(run: Run) -> None:
    listed = {row["name"]: row for row in given(run("plugin", "list", "--json"))}
    assert listed["categorization"]["state"] == "ok"
    assert listed["categorization"]["task_types"] == ["categorization"]
    assert set(listed["categorization"]) == {
        "name",
        "distribution",
        "version",
        "state",
        "task_types",
        "hooks",
        "error",
    }
    assert "audio_transcription" in run("plugin", "list").stdout


def test_a_plugin_that_fails_is_listed_with_its_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import no_such_module\n")
    listed = given(run("plugin", "list", "--plugin", str(tmp_path / "broken.py"), "--json"))
    (broken,) = [row for row in listed if row["state"] == "failed"]
    assert "no_such_module" in broken["error"]


def test_doctor_finds_a_healthy_service_healthy(run: Run) -> None:
    run("db", "upgrade")
    report = given(run("doctor", "--json"))
    assert report["ok"] is True
    assert {"versions", "settings", "database", "server", "callbacks"} <= {check["name"] for check in report["checks"]}


def test_doctor_names_a_broken_plugin_and_fails(run: Run, tmp_path: Path) -> None:
    run("db", "upgrade")
    (tmp_path / "broken.py").write_text("import no_such_module\n")
    result = run("doctor", "--plugin", str(tmp_path / "broken.py"))
    assert result.exit_code == 1
    assert "FAIL  plugin broken" in result.stdout
    assert "Next: Correct the plugin" in result.stdout


def test_doctor_names_a_wrong_setting_and_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKERSAI_LEASE_S", "soon")
    result = run("doctor")
    assert result.exit_code == 1
    assert "FAIL  settings" in result.stdout
    assert "WORKERSAI_LEASE_S" in result.stdout
