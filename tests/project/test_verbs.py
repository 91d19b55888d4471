"""The Makefile and what CI runs."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib

import pytest

from support.snippets import ROOT, program

VERBS = ("demo", "test", "check", "stress", "bench", "fmt", "docs", "lock", "clean")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_there_and_explained(verb):
    assert re.search(rf"^{verb}:", MAKEFILE, re.MULTILINE)
    assert f"make {verb} " in make("help").stdout


def test_an_old_python_is_refused_with_the_remedy(tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    ran = make("demo", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
    assert 2 == ran.returncode
    assert f"WorkersAI needs Python 3.11 or newer, and {old} is not." in ran.stderr
    assert not (tmp_path / "venv").exists()


def test_without_its_venv_module_the_remedy_is_named(tmp_path):
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = -c ]\n', encoding="utf-8")
    python.chmod(0o755)
    ran = make("demo", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}")
    assert 2 == ran.returncode
    assert "apt-get install python3-venv" in ran.stderr


@pytest.mark.parametrize("script", [".ci/run", "scripts/test", "scripts/prepare-tests"])
def test_a_script_can_be_run(script):
    file = ROOT / script
    assert os.access(file, os.X_OK)
    subprocess.run([str(program("bash")), "-n", str(file)], check=True)


def test_ci_runs_the_tests_before_the_checks_and_stops_at_a_failure():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert "set -euo pipefail" in lines
    [tests] = [line for line in lines if line.startswith("make test")]
    assert tests.partition(" || ")[0] == "make test"
    assert lines.index(tests) < lines.index("make check")


def test_what_is_missing_is_named_with_the_command_to_run(tmp_path):
    for name in ("bash", "id", "mktemp"):
        (tmp_path / name).symlink_to(str(program(name)))
    # Nobody but root may install; whoever runs this test, `id` says somebody else.
    (tmp_path / "id").unlink()
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n", encoding="utf-8")
    (tmp_path / "id").chmod(0o755)
    ran = subprocess.run(
        [str(program("bash")), str(ROOT / "scripts" / "prepare-tests")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Missing: chromium ruby ruby-httparty" in ran.stderr
    assert "apt-get update && apt-get install --yes --no-install-recommends chromium ruby ruby-httparty" in ran.stderr


def test_every_tool_is_configured_in_one_place():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert {"codespell", "coverage", "deptry", "hatch", "importlinter", "mypy", "pytest", "ruff", "towncrier"} <= set(
        tools
    )
    assert 100 == tools["coverage"]["report"]["fail_under"]
    assert tools["coverage"]["run"]["branch"]
