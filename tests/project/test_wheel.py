"""What `pip install` gets: every package with its data, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import PurePosixPath

import pytest

from support.snippets import ROOT

PACKAGES = ("workersai_client", "workersai_core", "workersai_plugins", "workersai_server")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    [file] = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        yield archive


def test_it_is_pure_python(wheel):
    assert wheel.filename.endswith("-py3-none-any.whl")


def test_every_file_of_the_packages_is_there_and_nothing_else(wheel):
    source = {
        str(PurePosixPath(file.relative_to(ROOT / "src")))
        for package in PACKAGES
        for file in (ROOT / "src" / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    packed = {name for name in wheel.namelist() if not name.split("/")[0].endswith(".dist-info")}
    assert source == packed


def test_types_migrations_pages_and_texts_are_there(wheel):
    names = wheel.namelist()
    assert [] == [package for package in PACKAGES if f"{package}/py.typed" not in names]
    assert "workersai_core/store/migrations/versions/0001_first_tables.py" in names
    assert "workersai_server/migrations/0001_accounts.py" in names
    assert any(name.startswith("workersai_server/web/templates/") for name in names)
    assert any(name.startswith("workersai_server/web/static/") for name in names)


def test_it_has_its_licence_command_and_task_types(wheel):
    [information] = [name.split("/")[0] for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    assert "MIT License" in wheel.read(f"{information}/licenses/LICENSE").decode()
    entry_points = wheel.read(f"{information}/entry_points.txt").decode()
    assert "workersai = workersai_server.cli:main" in entry_points
    assert "[workersai]\naudio_transcription = workersai_plugins.audio_transcription\n" in entry_points
    assert "categorization = workersai_plugins.categorization" in entry_points
