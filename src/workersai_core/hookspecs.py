"""The hook catalogue: everything a plugin may contribute to, refuse, decide or hear of.

The names say the kind. `register_*` collects once, when plugins are loaded or
the server starts. `before_*` may refuse by raising `Rejected`, or change what
is passed on, inside the transaction. `pick_*` and `resolve_*` decide; the
first plugin that returns something is heard. A name in the past tense is told
of something committed and cannot change it any more.

A plugin takes the arguments it needs, by these names and in any order, and
leaves out the rest. Within one `PLUGIN_API` arguments are only ever added.
Plugins of the host program are asked first, then plugin files, then installed
ones; ``@hookimpl(tryfirst=True)`` and ``trylast`` change that.

Hooks inside a transaction must be quick: the database waits for them. One that
takes longer than 50 ms is warned about in the log. Where a plugin may fail
without failing the command, what it wrote is undone to a savepoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pluggy import HookimplMarker, HookspecMarker

if TYPE_CHECKING:
    from workersai_core.engine import Engine
    from workersai_core.model import Context, Event, Task, TaskDraft, Worker
    from workersai_core.task_type import Answer, Json, JsonObject, TaskType, Verdict

__all__ = ["PLUGIN_API", "PROJECT", "hookimpl"]

PLUGIN_API = 1
"""The version of the contract between the engine and its plugins."""

PROJECT = "workersai"
"""The name of the entry point group and of pluggy's project."""

hookimpl = HookimplMarker(PROJECT)
"""Marks a function or method as an implementation of the hook of its name."""

_hookspec = HookspecMarker(PROJECT)


# --- collected at the start ------------------------------------------------------------------------


@_hookspec
def register_task_types() -> Iterable[TaskType]:  # type: ignore[empty-body]
    """Return the task types of this plugin.

    Returns:
        Instances of `TaskType`, not classes.

    Runs when the engine opens. If it raises, or one of the types breaks a
    rule, the whole plugin is listed as failed and none of it is used.
    """


@_hookspec
def register_settings() -> Mapping[str, Any]:  # type: ignore[empty-body]
    """Return the default of each setting of this plugin.

    Returns:
        Defaults by name; what the operator sets goes before them. All plugins'
        settings together are ``ctx.settings``, so start a name with your own.

    Runs when the engine opens. If it raises, returns no mapping with text keys
    or names a setting of another plugin, the whole plugin is listed as failed.
    """


@_hookspec
def register_routes(engine: Engine) -> Mapping[str, object]:  # type: ignore[empty-body]
    """Return further HTTP routes, served under ``/x/PLUGIN``.

    Args:
        engine: The engine of the server.

    Returns:
        Falcon resources by path, for example ``{"/report": Report(engine)}``.

    Runs when the server makes its application. If it raises, the plugin is
    listed as failed and none of its routes is served.
    """


@_hookspec
def register_commands(cli: Any) -> None:
    """Add commands to the command line.

    Args:
        cli: The click group to add commands to.

    Runs when the command line starts. If it raises, the plugin is listed as
    failed.
    """


@_hookspec
def register_exporters() -> Mapping[str, object]:  # type: ignore[empty-body]
    """Return further formats for exporting tasks, and for importing them.

    Returns:
        By the name of its format, something with a `media_type` and a method
        `write(tasks)` that takes an iterable of tasks and yields bytes; a
        `file_extension` where that is not the name of the format. A format
        that can be imported too has a method `read(file)`, which takes a
        seekable file of bytes and yields pairs: where it stands, as a number
        or a name, and a task as the API shows it, or an `Issue` that says why
        there is none. What only the service says of a task, such as its
        response, is not taken. Of a file that is none of this format it
        raises `Rejected`, and so does either method when something it needs
        is not installed.

    Runs when the server makes its application and when somebody imports. If it raises, the plugin is listed as
    failed and none of its formats is offered.
    """


# --- asked inside the transaction ------------------------------------------------------------------


@_hookspec
def before_task_create(ctx: Context, draft: TaskDraft) -> None:
    """Refuse a new task, or count it.

    Args:
        ctx: The transaction that will store the task.
        draft: The task; everything about it has been checked.

    Runs in the creating transaction; what a plugin writes is stored with the
    task or not at all. Every plugin is asked, also after one refused, so that
    the caller learns all reasons.

    If it raises `Rejected` (or a subclass with a code and status of its own)
    nothing is stored and the caller gets the issues of all refusals. After
    anything else nothing is stored and the caller gets `PluginFailed`.
    """


@_hookspec
def before_assign(ctx: Context, task: Task, worker: Worker) -> None:
    """Keep a task from a worker.

    Args:
        ctx: The transaction of the claim.
        task: A task that the worker could be given.
        worker: Who claims.

    Runs in the claiming transaction, for some of the most urgent tasks, each
    plugin in a savepoint. If it raises `Rejected` the task is passed over for
    this worker; after anything else too, and the failure is counted.
    """


@_hookspec(firstresult=True)
def pick_assignment(ctx: Context, worker: Worker, candidates: Sequence[Task]) -> Task | None:
    """Choose which task a worker gets.

    Args:
        ctx: The transaction of the claim.
        worker: Who claims.
        candidates: Some tasks that the worker may be given, the most urgent first.

    Returns:
        One of `candidates`; None leaves the choice to the next plugin and in
        the end to the engine, which gives the first.

    Runs in the claiming transaction, in a savepoint. If it raises, or returns
    something else, the next plugin is asked, and the failure is counted.
    """


@_hookspec
def before_response_accept(ctx: Context, task: Task, response: Json) -> None:
    """Refuse an answer.

    Args:
        ctx: The transaction of the submission; its actor is the worker.
        task: What was answered.
        response: The answer; valid under the type's rules.

    Runs in the submitting transaction; every plugin is asked. If it raises `Rejected` the answer is not stored, the
    worker gets the issues of all refusals and keeps the assignment. After
    anything else too, with `PluginFailed`.
    """


@_hookspec(firstresult=True)
def resolve_task(ctx: Context, task: Task, responses: Sequence[Answer]) -> Verdict | None:
    """Decide the result of a task from its answers.

    Args:
        ctx: The transaction of the submission.
        task: A task that has as many answers as it wanted.
        responses: All its accepted answers.

    Returns:
        The verdict, with a response that is valid for the task; None leaves
        the decision to the next plugin and in the end to the task type.

    Runs in the submitting transaction. If it raises, or its verdict is not
    valid, everything is rolled back: the task stays open, the worker keeps the
    assignment and gets `PluginFailed`, and the failure is logged as an error.
    """


@_hookspec
def before_callback_enqueue(ctx: Context, task: Task, payload: JsonObject) -> JsonObject | None:
    """Change what a callback says.

    Args:
        ctx: The transaction that ends the task.
        task: The task as it ended.
        payload: The body so far, a copy of your own; add to it rather than take from it.

    Returns:
        The body to send, a JSON object; None keeps it as it is.

    Runs in the completing transaction, in a savepoint, one plugin after the
    other; the bytes are frozen afterwards and every attempt sends the same. If
    it raises, or returns no JSON object, the body of the plugin before it is
    used, and the failure is counted.
    """


# --- told after the commit -------------------------------------------------------------------------
#
# Observers run in the thread that committed, at most once. If one raises, the others are told all
# the same and the failure is counted; after five in a row the plugin is paused for a minute.
# `Engine.events` reads the same events durably, at least once.


@_hookspec
def task_created(event: Event) -> None:
    """Hear that a task was stored.

    Args:
        event: About the task.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def task_assigned(event: Event) -> None:
    """Hear that a worker was given a task.

    Args:
        event: Its actor is the worker; `data` has ``assignment_id`` and ``slot``.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def assignment_expired(event: Event) -> None:
    """Hear that a lease ran out without an answer.

    Args:
        event: `data` has ``assignment_id`` and ``worker_id``.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def assignment_skipped(event: Event) -> None:
    """Hear that a worker declined a task.

    Args:
        event: Its actor is the worker; `data` has ``assignment_id``, ``worker_id`` and, when given, ``reason``.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def assignment_released(event: Event) -> None:
    """Hear that a worker gave a task back.

    Args:
        event: Its actor is the worker; `data` has ``assignment_id`` and ``worker_id``.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def response_submitted(event: Event) -> None:
    """Hear that an answer was accepted.

    Args:
        event: Its actor is the worker; `data` has ``assignment_id`` and ``slot``.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def response_rejected(event: Event) -> None:
    """Hear that a plugin refused an answer.

    Args:
        event: Its actor is the worker; `data` has ``assignment_id`` and the ``codes`` of the issues.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def task_completed(event: Event) -> None:
    """Hear that a task got its result.

    Args:
        event: `data` has ``confidence`` when the type could tell.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def task_canceled(event: Event) -> None:
    """Hear that a task was taken back.

    Args:
        event: Its actor says by whom.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def task_expired(event: Event) -> None:
    """Hear that a task's deadline passed before it had its answers.

    Args:
        event: About the task.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def task_failed(event: Event) -> None:
    """Hear that a task ended without a result because it cannot be answered.

    Args:
        event: `data` has ``error``, a sentence that starts with a code.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def callback_attempted(event: Event) -> None:
    """Hear that a callback was tried, with or without success.

    Args:
        event: `data` says what was sent, which attempt it was and what came of it.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def callback_delivered(event: Event) -> None:
    """Hear that a callback was accepted by its receiver.

    Args:
        event: `data` says which callback.

    Runs after the commit; what it raises is isolated.
    """


@_hookspec
def callback_exhausted(event: Event) -> None:
    """Hear that a callback was given up.

    Args:
        event: `data` says which callback.

    Runs after the commit; what it raises is isolated.
    """


# --- the engine itself -----------------------------------------------------------------------------


@_hookspec
def engine_ready(engine: Engine) -> None:
    """Hear that the engine is open.

    Args:
        engine: The engine; every command may be used.

    Runs when the engine has opened, before its threads start; what it raises is isolated.
    """


@_hookspec
def engine_closing(engine: Engine) -> None:
    """Hear that the engine closes.

    Args:
        engine: The engine; its threads have ended, and its database is still open.

    Runs when the engine closes; what it raises is isolated.
    """
