"""The import contracts hold, and would be broken by what they forbid."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from support.snippets import ROOT

WRONG = {
    "The core knows no server": ("workersai_core/clock.py", "import falcon"),
    "A bundled task type uses": ("workersai_plugins/categorization.py", "from workersai_core import engine"),
    "The server finds task types": ("workersai_server/amounts.py", "import workersai_plugins.categorization"),
    "The client stands alone": ("workersai_client/bodies.py", "import workersai_core.errors"),
    "HTTP requests leave": ("workersai_server/amounts.py", "import requests"),
    "SQL stays in the store": ("workersai_core/drafting.py", "import sqlalchemy"),
}


@pytest.fixture
def copy(tmp_path):
    """A copy of the packages that a test may spoil."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(folder):
    code = "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command as c; c()"
    command = [sys.executable, "-c", code, "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_the_contracts_hold(copy):
    ran = lint_imports(copy)
    assert 0 == ran.returncode, ran.stdout


def test_each_contract_can_be_broken(copy):
    for file, line in WRONG.values():
        path = copy / "src" / file
        future = "from __future__ import annotations\n"
        text = path.read_text(encoding="utf-8")
        assert future in text
        path.write_text(text.replace(future, f"{future}\n{line}\n", 1), encoding="utf-8")
    ran = lint_imports(copy)
    assert 1 == ran.returncode
    said = " ".join(ran.stdout.split())
    kept = [name for name in WRONG if f"{name}" not in said.partition("Broken contracts")[2]]
    assert [] == kept
