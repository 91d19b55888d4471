"""The hooks of one engine, each with a method that says what it takes and returns.

pluggy keeps the implementations and their order; they are called here, one by
one, because each kind of hook treats a plugin that fails in its own way; see
`hookspecs` for what is promised.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from workersai_core import jsontext
from workersai_core.breaker import Breaker
from workersai_core.errors import Issue, PluginFailed, Rejected, StoreError
from workersai_core.registry import TaskTypes, failure_of
from workersai_core.schemas.explain import MAX_ISSUES
from workersai_core.task_type import Answer, Json, JsonObject, Verdict

if TYPE_CHECKING:
    from workersai_core.engine import Engine
    from workersai_core.model import Context, Event, Task, TaskDraft, Worker

__all__ = ["Contribution", "Hooks", "Implementation"]

_SLOW_S = 0.05
_log = logging.getLogger("workersai.plugins")


@attrs.frozen
class Implementation:
    """One plugin's function for one hook.

    Attributes:
        hook: Its name.
        plugin: Whose it is.
        function: What is called.
        arguments: Which of the hook's arguments it takes.
    """

    hook: str
    plugin: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]

    def __call__(self, **given: Any) -> Any:
        """Call it with those of the given arguments that it takes."""
        return self.function(**{name: given[name] for name in self.arguments})


@attrs.frozen
class Contribution:
    """What one plugin returned from a `register_*` hook."""

    plugin: str
    value: Any


class Hooks:
    """The hooks of one engine.

    Args:
        implementations: All of them; those of one hook in the order they are asked.
        types: The task types, for checking verdicts.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        implementations: Iterable[Implementation],
        types: TaskTypes,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._of: dict[str, tuple[Implementation, ...]] = {}
        for each in implementations:
            self._of[each.hook] = (*self._of.get(each.hook, ()), each)
        plugins = {each.plugin for found in self._of.values() for each in found}
        self._types = types
        self._breakers = {plugin: Breaker(monotonic) for plugin in plugins}
        self._failures: Counter[tuple[str, str]] = Counter()
        self._broken: dict[str, str] = {}
        self._counting = threading.Lock()

    # --- looking ---------------------------------------------------------------------------------

    def has(self, name: str) -> bool:
        """Return whether any plugin implements a hook."""
        return name in self._of

    def is_paused(self, plugin: str) -> bool:
        """Return whether the observers of a plugin are left alone for a while."""
        breaker = self._breakers.get(plugin)
        return breaker is not None and breaker.paused

    def broken(self, plugin: str) -> str | None:
        """Return what went wrong when a plugin was asked for its contributions, or None."""
        return self._broken.get(plugin)

    def failures(self) -> Mapping[tuple[str, str], int]:
        """Return how often each plugin failed where it is only counted, by plugin and hook."""
        with self._counting:
            return dict(self._failures)

    # --- contributions -----------------------------------------------------------------------------

    def register_routes(self, engine: Engine) -> list[Contribution]:
        """Return the routes of each plugin."""
        return self._collect("register_routes", engine=engine)

    def register_commands(self, cli: Any) -> None:
        """Let each plugin add its commands."""
        self._collect("register_commands", cli=cli)

    def register_exporters(self) -> list[Contribution]:
        """Return the exporters of each plugin."""
        return self._collect("register_exporters")

    def _collect(self, hook: str, **given: Any) -> list[Contribution]:
        found = []
        for each in self._of.get(hook, ()):
            try:
                found.append(Contribution(each.plugin, each(**given)))
            except (Exception, SystemExit) as error:
                self._broken[each.plugin] = f"{hook}: {type(error).__name__}: {error}"
                self._count(each, error)
        return found

    # --- vetoes --------------------------------------------------------------------------------------

    def before_task_create(self, ctx: Context, draft: TaskDraft) -> None:
        """Ask every plugin whether a task may be created.

        Raises:
            Rejected: at least one refused; its class is the first refusal's that is not plain.
            PluginFailed: one raised something else.
        """
        self._ask_all("before_task_create", ctx, draft=draft)

    def before_response_accept(self, ctx: Context, task: Task, response: Json) -> None:
        """Ask every plugin whether an answer may be accepted.

        Raises:
            Rejected: at least one refused; its class is the first refusal's that is not plain.
            PluginFailed: one raised something else.
        """
        self._ask_all("before_response_accept", ctx, task=task, response=response)

    def before_assign(self, ctx: Context, task: Task, worker: Worker) -> bool:
        """Return whether a worker may be given a task; a plugin that fails keeps it back too."""
        for each in self._of.get("before_assign", ()):
            try:
                _in_savepoint(each, ctx, task=task, worker=worker)
            except Rejected:
                return False
            except _RaisedError as raised:
                self._count(each, raised.what)
                return False
        return True

    def _ask_all(self, hook: str, ctx: Context, **given: Any) -> None:
        refusals = []
        asked = self._of.get(hook, ())
        for n, each in enumerate(asked, start=1):
            try:
                # PERF: after the last one nobody is asked, and its failure is the command's, which undoes everything.
                (_in_savepoint if n < len(asked) else _plainly)(each, ctx, **given)
            except Rejected as refusal:
                refusals.append(refusal)
            except _RaisedError as raised:
                raise self._failed(each, raised.what) from raised.what
        if refusals:
            raise _joined(refusals)

    # --- decisions -----------------------------------------------------------------------------------

    def pick_assignment(self, ctx: Context, worker: Worker, candidates: Sequence[Task]) -> Task | None:
        """Return the task that a plugin picks for a worker, or None when none does."""
        by_id = {task.external_id: task for task in candidates}
        for each in self._of.get("pick_assignment", ()):
            try:
                picked = _in_savepoint(each, ctx, worker=worker, candidates=tuple(candidates))
            except (Rejected, _RaisedError) as error:
                self._count(each, getattr(error, "what", error))
                continue
            if picked is None:
                continue
            chosen = by_id.get(str(getattr(picked, "external_id", "")))
            if chosen is not None:
                return chosen
            self._count(each, ValueError("what it picked is none of the candidates"))
        return None

    def resolve_task(self, ctx: Context, task: Task, answers: Sequence[Answer]) -> Verdict | None:
        """Return a plugin's verdict, or None when none decides.

        Raises:
            PluginFailed: a plugin failed, or its verdict is not valid for the task.
        """
        for each in self._of.get("resolve_task", ()):
            try:
                verdict = _timed(each, ctx=ctx, task=task, responses=tuple(answers))
            except StoreError:
                raise
            except (Exception, SystemExit) as error:
                raise self._failed(each, error) from error
            if verdict is not None:
                return self._checked(each, task, verdict)
        return None

    def _checked(self, each: Implementation, task: Task, verdict: Verdict) -> Verdict:
        """Return a plugin's verdict, which must be one and valid for the task."""
        task_type, params = self._types.of(task)
        problem = self._types.verdict_problem(task_type, params, verdict)
        if problem is not None:
            raise self._failed(each, ValueError(problem))
        return verdict

    def before_callback_enqueue(self, ctx: Context, task: Task, payload: JsonObject) -> JsonObject:
        """Return the callback's body as the plugins want it, one after the other."""
        for each in self._of.get("before_callback_enqueue", ()):
            own = jsontext.loads(jsontext.dumps(payload))
            try:
                changed = _in_savepoint(each, ctx, task=task, payload=own)
                payload = payload if changed is None else _json_object(changed)
            except (Rejected, _RaisedError, TypeError) as error:
                self._count(each, getattr(error, "what", error))
        return payload

    # --- observers -------------------------------------------------------------------------------------

    def notify(self, events: Iterable[Event]) -> None:
        """Tell the observers of each event; nothing they raise comes back."""
        for event in events:
            if event.name in self._of:
                frozen = attrs.evolve(event, data=MappingProxyType(dict(event.data)))
                self._tell(event.name, event=frozen)

    def engine_ready(self, engine: Engine) -> None:
        """Tell every plugin that the engine is open."""
        self._tell("engine_ready", engine=engine)

    def engine_closing(self, engine: Engine) -> None:
        """Tell every plugin that the engine closes."""
        self._tell("engine_closing", engine=engine)

    def _tell(self, hook: str, **given: Any) -> None:
        for each in self._of.get(hook, ()):
            breaker = self._breakers[each.plugin]
            if not breaker.allows():
                continue
            try:
                each(**given)
            except (Exception, SystemExit) as error:
                self._count(each, error)
                if breaker.note_failure():
                    _log.error(
                        "the observers of the plugin %s are paused: it failed five times in a row",
                        each.plugin,
                        extra={"plugin": each.plugin},
                    )
            else:
                breaker.note_success()

    # --- failures --------------------------------------------------------------------------------------

    def _count(self, each: Implementation, error: BaseException) -> None:
        with self._counting:
            self._failures[each.plugin, each.hook] += 1
        about = {"plugin": each.plugin, "hook": each.hook}
        _log.error("the plugin %s failed in %s", each.plugin, each.hook, exc_info=error, extra=about)

    def _failed(self, each: Implementation, error: BaseException) -> PluginFailed:
        with self._counting:
            self._failures[each.plugin, each.hook] += 1
        return failure_of(each.plugin, each.hook, error)


class _RaisedError(Exception):
    """Carries what a plugin raised out of its savepoint, apart from what the savepoint itself may raise."""

    def __init__(self, what: BaseException) -> None:
        super().__init__(what)
        self.what = what


def _in_savepoint(each: Implementation, ctx: Context, **given: Any) -> Any:
    """Call a plugin, and undo what it wrote when it raises.

    Raises:
        Rejected: it refused.
        StoreError: it asked the engine for something, and the database failed.
        _RaisedError: it raised anything else. An error of the database that is
            not wrapped means that the savepoint is lost, and must not be swallowed.
    """
    with ctx.session.savepoint():
        return _plainly(each, ctx, **given)


def _plainly(each: Implementation, ctx: Context, **given: Any) -> Any:
    """Call a plugin that need not be undone by itself, because its failure undoes everything.

    Raises:
        Rejected, StoreError, _RaisedError: see `_in_savepoint`.
    """
    try:
        return _timed(each, ctx=ctx, **given)
    except (Rejected, StoreError):
        raise
    except (Exception, SystemExit) as error:
        raise _RaisedError(error) from error
    finally:
        ctx.session.require_open()


def _timed(each: Implementation, **given: Any) -> Any:
    """Call a plugin, and warn when it holds up the transaction."""
    started = time.perf_counter()
    try:
        return each(**given)
    finally:
        took_s = time.perf_counter() - started
        if took_s > _SLOW_S:
            _log.warning(
                "the plugin %s took %d ms in %s, inside a transaction; others wait meanwhile",
                each.plugin,
                round(took_s * 1000),
                each.hook,
                extra={"plugin": each.plugin, "hook": each.hook},
            )


def _joined(refusals: Sequence[Rejected]) -> Rejected:
    """Return the refusal that stands for all: the first that is more than plain, with everybody's issues."""
    chosen = next((each for each in refusals if type(each) is not Rejected), refusals[0])
    if len(refusals) > 1:
        issues = [issue for each in refusals for issue in each.issues or [Issue("", each.detail, each.code)]]
        chosen.issues = tuple(issues[:MAX_ISSUES])
    return chosen


def _json_object(payload: object) -> JsonObject:
    """Return a payload.

    Raises:
        TypeError: it is no JSON object.
    """
    if not isinstance(payload, dict):
        raise TypeError(f"a payload is a JSON object, not {type(payload).__name__}")
    jsontext.dumps(payload)
    return payload
