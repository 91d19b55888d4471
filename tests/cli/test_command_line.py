from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from workersai_server.cli import cli

LIGHT = """
import sys
from workersai_server.cli import cli
try:
    cli(sys.argv[1:], prog_name="workersai")
except SystemExit as end:
    assert not end.code, end.code
heavy = {"sqlalchemy", "requests", "falcon", "granian", "jsonschema", "rich", "workersai_core"}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_the_version_is_the_installed_one() -> None:
    assert run("--version").stdout == f"workersai {version('workersai')}\n"


@pytest.mark.parametrize(
    "arguments", [("--version",), ("--help",), ("tasks", "create", "--help"), ("completion", "zsh")]
)
def test_light_commands_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT, *arguments], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


def test_every_command_can_be_imported_and_explains_itself() -> None:
    listed = run("--help").stdout
    for name in cli.list_commands(None):  # type: ignore[arg-type]
        assert f"  {name} " in listed
        result = run(name, "--help")
        assert result.exit_code == 0, name
        assert "Usage: " in result.stdout


def test_an_unknown_command_is_a_usage_error() -> None:
    assert run("serv").exit_code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_this_program(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"_WORKERSAI_COMPLETE={shell}_complete" in result.stdout


def test_a_table_of_the_settings_file_gives_options(tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text('[completion]\nshell = "fish"\n')
    assert "fish_complete" in run("--config", str(config), "completion").stdout


def test_a_settings_file_that_is_not_toml_is_a_usage_error(tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text("[serve\n")
    result = run("--config", str(config), "completion", "bash")
    assert result.exit_code == 2
    assert f"Next: Correct {config}." in result.stderr


def test_a_mistake_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr("workersai_server.cli.completion.get_completion_class", broken)
    assert isinstance(run("completion", "bash").exception, ZeroDivisionError)
