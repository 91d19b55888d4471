"""`workersai plugin check` and `workersai plugin docs`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from support.broken_types import BROKEN
from workersai_core.testing import conformance
from workersai_server.cli import cli
from workersai_server.cli.plugin_check import check

PLUGIN = """
from support.broken_types import BROKEN, Tick
from workersai_core.api import hookimpl

@hookimpl
def register_task_types():
    return [{}]
"""


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def write(tmp_path: Path):
    def file(types: str) -> str:
        path = tmp_path / "ticks.py"
        path.write_text(PLUGIN.format(types))
        return str(path)

    return file


# --- check -----------------------------------------------------------------------------------------


def test_a_sound_plugin_file_passes(write) -> None:
    result = run("plugin", "check", write("Tick()"), "--examples", "20", "--json")
    report = json.loads(result.stdout)
    assert (0, True) == (result.exit_code, report["ok"])
    expected = [{"type": "tick", "law": law.name, "ok": True, "detail": ""} for law in conformance.laws()]
    assert expected == report["laws"]


def test_a_broken_law_fails_with_its_report(write) -> None:
    result = run("plugin", "check", write("BROKEN['mock_is_valid']"), "--json")
    report = json.loads(result.stdout)
    assert (1, False) == (result.exit_code, report["ok"])
    (broken,) = [row for row in report["laws"] if row["law"] == "mock_is_valid"]
    assert conformance.check(BROKEN["mock_is_valid"], only=["mock_is_valid"])[0].detail == broken["detail"]


def test_people_read_a_line_per_law_and_a_summary(write) -> None:
    result = run("plugin", "check", write("BROKEN['empty_response_is_refused']"))
    lines = result.stdout.splitlines()
    assert 1 == result.exit_code
    assert "ok    tick: objects_are_closed" in lines
    assert "FAIL  tick: empty_response_is_refused" in lines
    assert "        What happened: response_schema accepts {}" in lines
    assert "-     tick: mock_is_valid" in lines
    assert lines[-1].startswith("2 broken, ")


def test_an_installed_plugin_is_checked_by_its_name() -> None:
    result = run("plugin", "check", "categorization", "--examples", "5")
    assert (0, "Every law holds: ") == (result.exit_code, result.stdout.splitlines()[-1][:17])


def test_a_file_that_cannot_be_imported_fails(tmp_path: Path) -> None:
    (tmp_path / "gone.py").write_text("import no_such_module\n")
    result = run("plugin", "check", str(tmp_path / "gone.py"), "--json")
    assert 1 == result.exit_code
    assert "no_such_module" in json.loads(result.stdout)["error"]["detail"]


@pytest.mark.parametrize("command", ["check", "docs"])
@pytest.mark.parametrize("target", ["nothing.py", "nothing_of_this_name"])
def test_what_is_not_there_is_not_found(command: str, target: str) -> None:
    result = run("plugin", command, target, "--json")
    assert (3, "not_found") == (result.exit_code, json.loads(result.stdout)["error"]["code"])


def test_without_hypothesis_the_way_to_get_it_is_told() -> None:
    program = (
        "import sys; sys.modules['hypothesis'] = None; sys.argv[1:] = ['plugin', 'check', 'categorization']\n"
        "from workersai_server.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (1, "Next: Run `pip install 'workersai[testing]'`.") == (done.returncode, done.stderr.splitlines()[-1])


def test_the_default_number_of_examples_is_the_kits() -> None:
    (option,) = [option for option in check.params if option.name == "examples"]
    assert conformance.EXAMPLES == option.default


# --- docs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["audio_transcription", "audiotranscription"])
def test_the_documentation_is_found_by_name_and_by_alias(target: str) -> None:
    result = run("plugin", "docs", target)
    assert 0 == result.exit_code
    assert result.stdout.startswith("# audio_transcription\n")
    assert "Also called `audiotranscription`." in result.stdout
    assert "| `segments[].speaker` | string | no | " in result.stdout


def test_the_documentation_of_a_file_comes_without_hypothesis(write) -> None:
    program = (
        "import sys; sys.modules['pytest'] = sys.modules['hypothesis'] = None; sys.path.append('tests')\n"
        f"sys.argv[1:] = ['plugin', 'docs', {write('Tick()')!r}, '--json']\n"
        "from workersai_server.cli import main; main()"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=root)
    (page,) = json.loads(done.stdout)["types"]
    assert "tick" == page["type"]
    rows = [line for line in page["markdown"].splitlines() if line.startswith("| `")]
    assert [
        "| `options` | array of string | yes | What to tick. (at least 1 items; at most 6 items; each once) |",
        "| `most` | integer | yes | How many may be ticked. (≥ 1; ≤ 6) |",
        "| `ticked` | array of string | yes | The options ticked. (each once) |",
        "| `unsure` | boolean | no | Whether the worker is unsure. |",
    ] == rows


def test_the_documentation_of_a_type_that_breaks_a_rule_is_refused(write) -> None:
    result = run("plugin", "docs", write("BROKEN['objects_are_closed']"))
    assert 1 == result.exit_code
    assert "Objects are closed" in result.stderr


def test_references_alternatives_and_several_types_are_documented(tmp_path: Path) -> None:
    (tmp_path / "trees.py").write_text(
        """
from workersai_core.api import TaskType, hookimpl

class Tree(TaskType):
    name = "tree"
    summary = "Draw a tree."
    params_schema = {"type": "object", "additionalProperties": False}
    response_schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["tree"],
        "properties": {
            "tree": {"$ref": "#/$defs/node", "description": "The root."},
            "kind": {"description": "What | it is.", "oneOf": [{"const": "oak"}, {"type": "null"}]},
        },
        "$defs": {
            "node": {
                "type": "object",
                "additionalProperties": False,
                "description": "A node.",
                "properties": {
                    "children": {"type": "array", "description": "Below.", "items": {"$ref": "#/$defs/node"}},
                },
            }
        },
    }
    examples = (({}, {"tree": {}}),)

@hookimpl
def register_task_types():
    return [Tree()]
"""
    )
    lines = run("plugin", "docs", str(tmp_path / "trees.py")).stdout.splitlines()
    assert "| `tree` | object | yes | The root. |" in lines
    assert "| `tree.children` | array of object | no | Below. |" in lines
    assert "| `tree.children[].children` | array of object | no | Below. |" in lines
    assert '| `kind` | `"oak"` or null | no | What \\| it is. |' in lines
