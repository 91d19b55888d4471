"""The form element that `workersai plugin new --element` writes, installed from its wheel, in a real browser."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest
from click.testing import CliRunner
from playwright.sync_api import expect

from support.shift import give, response_of, submit
from workersai_server.cli import cli

PARAMS = {"text": "소포가 아흐레 만에 왔어요.", "question": "Is it praise?", "answers": ["yes", "no"]}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder into which the wheel of the package was unpacked, as pip does."""
    folder = tmp_path_factory.mktemp("wheel")
    written = CliRunner().invoke(cli, ["plugin", "new", "dog_breed", "--element", "--dir", str(folder)])
    assert 0 == written.exit_code, written.output
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q", "--no-deps", "--no-index"]
    package = folder / "workersai-dog-breed"
    subprocess.run([*pip, "--no-build-isolation", "-w", str(folder), "."], cwd=package, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def plugin_files(installed, monkeypatch):
    """No files: the server finds the plugin among what is installed."""
    monkeypatch.setenv("PYTHONPATH", str(installed))
    return []


def test_the_element_of_an_installed_plugin_is_shown_and_its_answer_submitted(at_work, world):
    task_id = give(at_work, world, "dog_breed", PARAMS)
    yes = at_work.locator("workersai-dog-breed").get_by_role("button", name="yes")
    yes.click()
    expect(yes).to_have_attribute("aria-pressed", "true")
    submit(at_work)
    assert {"answer": "yes"} == response_of(world, task_id)
