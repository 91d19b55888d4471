"""What a plugin author imports, and the hook catalogue."""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap

import pytest

from support.engines import OBSERVED
from workersai_core import api, hookspecs
from workersai_core.plugins import Plugins, vetting

HOOKS = [name for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec")]


# --- importing -------------------------------------------------------------------------------------------


def test_importing_the_plugin_api_takes_neither_the_database_nor_the_schema_engines():
    code = (
        "import sys, workersai_core.api\n"
        "heavy = {'sqlalchemy', 'requests', 'jsonschema', 'jsonschema_rs', 'cattrs', 'workersai_core.engine'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "[]\n" == done.stdout


def test_all_that_a_plugin_needs_is_exported():
    assert {
        "PLUGIN_API",
        "Answer",
        "Issue",
        "Json",
        "JsonObject",
        "Rejected",
        "TaskType",
        "Verdict",
        "hookimpl",
    } == set(api.__all__)
    assert 1 == api.PLUGIN_API
    assert all(hasattr(api, name) for name in api.__all__)


def test_a_plugin_passes_a_strict_type_check(tmp_path):
    source = """
        from collections.abc import Iterable, Sequence

        from workersai_core import Context, Event, Task, TaskDraft, Worker
        from workersai_core.api import Answer, Issue, JsonObject, Rejected, TaskType, Verdict, hookimpl


        class Mine(TaskType):
            name = "mine"
            params_schema = {"type": "object"}
            response_schema = {"type": "object"}

            def check_params(self, params: JsonObject) -> Iterable[Issue]:
                yield Issue("/a", "No.")

            def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict | None:
                return Verdict(response=answers[0].response)


        @hookimpl
        def register_task_types() -> list[TaskType]:
            return [Mine()]


        class Plugin:
            @hookimpl
            def before_task_create(self, ctx: Context, draft: TaskDraft) -> None:
                raise Rejected([Issue("/tags", "No.")])

            @hookimpl(tryfirst=True)
            def pick_assignment(self, worker: Worker, candidates: Sequence[Task]) -> Task | None:
                return candidates[0]

            @hookimpl
            def task_created(self, event: Event) -> None:
                print(event.task_id)
    """
    (tmp_path / "mine.py").write_text(textwrap.dedent(source))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--cache-dir", str(tmp_path), "mine.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "Success: no issues found in 1 source file\n") == (done.returncode, done.stdout)


# --- the catalogue ---------------------------------------------------------------------------------------


def test_the_catalogue_is_the_contract():
    assert {
        "register_task_types",
        "register_settings",
        "register_routes",
        "register_commands",
        "register_exporters",
        "before_task_create",
        "before_assign",
        "pick_assignment",
        "before_response_accept",
        "resolve_task",
        "before_callback_enqueue",
        "engine_ready",
        "engine_closing",
        *OBSERVED,
    } == set(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_what_it_takes_returns_and_when_it_runs(name):
    hook = getattr(hookspecs, name)
    text = inspect.getdoc(hook)
    for argument in inspect.signature(hook).parameters:
        assert f"\n    {argument}: " in text
    if inspect.signature(hook).return_annotation != "None":
        assert "Returns:" in text
    assert "Runs " in text
    assert "raises" in text


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("register_routes", ["engine"]),
        ("register_commands", ["cli"]),
        ("before_task_create", ["ctx", "draft"]),
        ("before_assign", ["ctx", "task", "worker"]),
        ("pick_assignment", ["ctx", "worker", "candidates"]),
        ("before_response_accept", ["ctx", "task", "response"]),
        ("resolve_task", ["ctx", "task", "responses"]),
        ("before_callback_enqueue", ["ctx", "task", "payload"]),
        *((name, ["event"]) for name in OBSERVED),
        ("engine_ready", ["engine"]),
        ("engine_closing", ["engine"]),
    ],
)
def test_arguments_of_hooks_stay_as_they_are(name, arguments):
    assert arguments == list(inspect.signature(getattr(hookspecs, name)).parameters)


def test_the_facade_has_a_method_for_every_hook_that_is_called_after_loading():
    hooks = Plugins.load((), entry_points="none").hooks
    called = set(HOOKS) - set(OBSERVED) - {"register_task_types", "register_settings"}

    assert [] == [name for name in sorted(called) if not callable(getattr(hooks, name, None))]


def test_the_plugin_manager_knows_exactly_the_catalogue():
    assert set(HOOKS) == set(vetting._known(vetting.manager()))
