"""`workersai plugin new`: the package works at once, from a wheel, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from support.live_server import start_server, workersai
from workersai_client import Client
from workersai_server.cli import cli

FILES = {
    ".github/workflows/test.yml",
    ".gitignore",
    "README.md",
    "pyproject.toml",
    "src/workersai_dog_breed.py",
    "tests/test_dog_breed.py",
}
PARAMS = {"text": "A parcel came.", "question": "Is it praise?", "answers": ["yes", "no"]}


def new(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["plugin", "new", *arguments])


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_package_is_written_under_the_name(tmp_path: Path) -> None:
    result = new("dog-breed", "--dir", str(tmp_path), "--json")
    assert 0 == result.exit_code
    package = tmp_path / "workersai-dog-breed"
    report = json.loads(result.stdout)
    assert ("dog_breed", str(package), FILES) == (report["name"], report["path"], set(report["files"]))
    files = tree(package)
    assert FILES == set(files)
    assert [] == [name for name, text in files.items() if "my_type" in text or "MyType" in text or "my-type" in text]
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert {"dog_breed": "workersai_dog_breed"} == project["entry-points"]["workersai"]
    assert "class DogBreed(TaskType):" in files["src/workersai_dog_breed.py"]
    assert "python-version: ${{ matrix.python }}" in files[".github/workflows/test.yml"]


def test_a_package_may_bring_a_form_element(tmp_path: Path) -> None:
    assert 0 == new("dog_breed", "--element", "--dir", str(tmp_path)).exit_code
    package = tmp_path / "workersai-dog-breed"
    files = tree(package)
    assert {*FILES, "src/workersai_dog_breed.js"} == set(files)
    assert [] == [name for name, text in files.items() if "my_type" in text or "MyType" in text or "my-type" in text]
    checked = CliRunner().invoke(cli, ["plugin", "check", str(package / "src" / "workersai_dog_breed.py")])
    assert 0 == checked.exit_code, checked.output


def test_people_are_told_what_to_do_next(tmp_path: Path) -> None:
    lines = new("dog_breed", "--dir", str(tmp_path)).stdout.splitlines()
    assert f"Wrote {tmp_path / 'workersai-dog-breed'}:" == lines[0]
    assert "  python -m pytest" == lines[-1]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "workersai-dog-breed").mkdir()
    result = new("dog_breed", "--dir", str(tmp_path), "--json")
    assert (4, "conflict") == (result.exit_code, json.loads(result.stdout)["error"]["code"])
    assert {} == tree(tmp_path)


@pytest.mark.parametrize("name", ["Dog", "1dog", "d", "dog breed", "x" * 42, "../dog", "개"])
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    result = new(name, "--dir", str(tmp_path))
    assert 2 == result.exit_code
    assert "Next: Choose a name such as my_type." in result.stderr
    assert {} == tree(tmp_path)


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    assert 4 == new("categorization", "--dir", str(tmp_path)).exit_code
    assert {} == tree(tmp_path)


# --- the package at work -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugin")
    assert 0 == new("dog_breed", "--dir", str(folder)).exit_code
    return folder / "workersai-dog-breed"


@pytest.fixture(scope="module")
def python(package: Path) -> str:
    """An environment of its own with the package's wheel; everything else is looked up in this one."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", "dist", "."]
    subprocess.run(wheel, cwd=package, check=True)
    environment = package.parent / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    executable = environment / "bin" / "python"
    (site,) = environment.glob("lib/python*/site-packages")
    # Everything installed here is seen there, as in an environment into which WorkersAI was installed.
    (site / "workersai.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    (built,) = (package / "dist").glob("*.whl")
    install = [*pip, "--python", str(executable), "install", "-q", "--no-deps", "--no-index", str(built)]
    subprocess.run(install, check=True)
    return str(executable)


def test_its_own_tests_pass_before_it_is_installed(package: Path) -> None:
    assert_its_tests_pass(sys.executable, package)


def test_its_own_tests_pass_where_it_is_installed(package: Path, python: str) -> None:
    assert_its_tests_pass(python, package, "-o", "pythonpath=", "-k", "decide or refused or examples")


def assert_its_tests_pass(executable: str, package: Path, *options: str) -> None:
    command = [executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False, env=environment)
    assert 0 == done.returncode, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_a_server_with_it_completes_a_task(python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", python)
    database = tmp_path / "labels.db"
    made = workersai("accounts", "create", "a@example.com", "--json", cwd=tmp_path, db=f"sqlite:///{database}")
    key = json.loads(made.stdout)["test_key"]
    server = start_server(database)
    try:
        with Client(server.url, key) as client:
            assert "Answer a question about a text." == client.task_type("dog_breed")["summary"]
            task = client.tasks.create(task_type="dog_breed", params=PARAMS)
            done = client.tasks.wait(task["external_id"])
            assert done["response"]["answer"] in PARAMS["answers"]
    finally:
        server.stop()
