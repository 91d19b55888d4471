"""The API against its own description, by schemathesis: every operation, every check, stateful links."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.live_server import running_server
from workersai_server.service import Service
from workersai_server.settings import Settings

CONFIG = """
# What a schema cannot say: limits of JSON, cursors that belong to a list, rules between fields (422), states (409).
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "400", "402", "404", "409", "422"]

[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422"]

[[operations]]
include-tag = "Work"
headers = {{ Authorization = "Bearer {token}" }}
"""
ENDS_KEYS = ["revokeKey", "rollKey"]
"""A run that ends the key it uses finds nothing any more."""


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    database = folder / "labels.db"
    service = Service.open(Settings(db=f"sqlite:///{database}"), start=False)
    account = service.accounts.create("anna@example.com", unlimited=True)
    worker = service.accounts.create_worker("Bora")
    service.close()
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG.format(token=worker.token))
    settings = {"rate_limit": "unlimited", "callback_schedule": "0", "max_live_assignments": "1000"}
    with running_server(database, **settings) as server:
        command = [Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run"]
        excluded = [word for name in ENDS_KEYS for word in ("--exclude-operation-id", name)]
        chosen = ["--generation-deterministic", "--generation-with-security-parameters", "false", "--no-color"]
        key = ["-H", f"Authorization: Bearer {account.live_key}"]
        done = subprocess.run(
            [*command, f"{server.url}/v1/openapi.json", *key, *excluded, *chosen, "--continue-on-failure", *options],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=3600,
            check=False,
        )
        assert [] == [line for line in server.said if "Traceback" in line]
        return done


def test_the_api_keeps_what_its_description_promises(tmp_path):
    done = run(tmp_path, "--max-examples", "2", "--no-shrink")
    assert 0 == done.returncode, done.stdout.partition(" FAILURES ")[2][:6000]
    assert "Stateful" in done.stdout


@pytest.mark.stress
def test_the_api_keeps_what_its_description_promises_at_length(tmp_path):
    done = run(tmp_path, "--max-examples", "60")
    assert 0 == done.returncode, done.stdout.partition(" FAILURES ")[2][:6000]
