"""The form element of a plugin that was installed from a wheel, in a real browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile

import pytest
from playwright.sync_api import expect

from support.shift import give, response_of
from support.snippets import ROOT

EXAMPLE = ROOT / "examples" / "form_element"
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "wall-colour"
version = "1"

[project.entry-points.workersai]
wall_colour = "wall_colour"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder into which the wheel of the example was unpacked, as pip does."""
    folder = tmp_path_factory.mktemp("wheel")
    package = shutil.copytree(EXAMPLE, folder / "project" / "wall_colour", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "wall_colour.py").rename(package / "__init__.py")
    (package.parent / "pyproject.toml").write_text(PROJECT)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "-w", str(folder), "."], cwd=package.parent, check=True)
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
    task_id = give(at_work, world, "wall_colour", {"room": "부엌"})
    expect(at_work.locator("wall-colour label")).to_contain_text("Colour of the wall: 부엌")
    at_work.get_by_role("button", name="It is white").click()
    at_work.wait_for_selector(".wai-nothing")
    assert {"colour": "#ffffff"} == response_of(world, task_id)
