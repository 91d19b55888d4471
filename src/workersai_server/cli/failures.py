"""From an error of the engine or the client to a sentence, one thing to do next and an exit code."""

from __future__ import annotations

from collections.abc import Callable

from workersai_server.cli.output import CONFLICT, FAILED, NOT_FOUND, USAGE, Failure

__all__ = ["failure_from"]

_BY_STATUS = {400: USAGE, 404: NOT_FOUND, 409: CONFLICT, 422: USAGE}
_NEXT = {
    "already_submitted": "Nothing needs doing; the first answer counts.",
    "duplicate_task": "Use the existing task, or another unique_id.",
    "free_requests_exhausted": "Let the operator run `workersai accounts credit EMAIL AMOUNT`.",
    "forbidden": "Use a key with the right scope.",
    "not_found": "Look at the list for what exists; a test key does not see live tasks, nor the reverse.",
    "plugin_invalid": "Correct the plugin, or leave it out.",
    "rate_limited": "Wait a moment and run the command again.",
    "schema_invalid": "Correct the task type's schema.",
    "unauthenticated": "Pass a valid key with --api-key or WORKERSAI_API_KEY.",
    "unavailable": "Run `workersai doctor` to see what is wrong.",
    "unknown_task_type": "Run `workersai plugin list` to see the task types.",
    "wrong_state": "Look at the task with `workersai tasks get ID`.",
}
_BY_CODE = {
    FAILED: "Run `workersai doctor`, and tell the operator the request id if there is one.",
    USAGE: "Correct the value and run the command again.",
    NOT_FOUND: _NEXT["not_found"],
    CONFLICT: "Look at its present state, then decide.",
}


_SETTING = "setting_invalid"


def failure_from(error: Exception) -> Failure | None:
    """Return what to tell a person about an error; None when it is a mistake of this program."""
    describe = _DESCRIBERS.get(type(error).__module__.partition(".")[0])
    return describe(error) if describe else None


def _of_core(error: Exception) -> Failure | None:
    # PERF: an error of the core exists, so the core is imported already.
    from workersai_core import MigrationRequired, StoreLocked, WorkersAIError

    if not isinstance(error, WorkersAIError):
        return None
    exit_code = _exit_code(error.status_hint)
    if isinstance(error, StoreLocked):
        exit_code = CONFLICT
    elif error.code == _SETTING:
        exit_code = USAGE
    remedy = _remedy(error.code, exit_code)
    if isinstance(error, MigrationRequired):
        remedy = "Make a backup, then run `workersai db upgrade`."
    elif isinstance(error, StoreLocked):
        remedy = "Stop the other `workersai serve`, or choose another --db."
    places = (f"{issue.pointer}: {issue.message}" for issue in error.issues if issue.message != error.detail)
    return Failure("\n  ".join([error.detail, *places]), remedy=remedy, exit_code=exit_code, code=error.code)


def _of_client(error: Exception) -> Failure | None:
    from workersai_client import APIConnectionError, APIError, ClientError

    if isinstance(error, APIConnectionError):
        remedy = "Start the service with `workersai serve`, or pass its address with --url."
        return Failure(str(error), remedy=remedy, code="no_answer")
    if isinstance(error, APIError):
        exit_code = _exit_code(error.status)
        return Failure(str(error), remedy=_remedy(error.code, exit_code), exit_code=exit_code, code=error.code)
    return Failure(str(error), remedy=_BY_CODE[FAILED]) if isinstance(error, ClientError) else None


_DESCRIBERS: dict[str, Callable[[Exception], Failure | None]] = {
    "workersai_core": _of_core,
    "workersai_server": _of_core,
    "workersai_client": _of_client,
}


def _exit_code(status: int) -> int:
    return _BY_STATUS.get(status, FAILED)


def _remedy(code: str, exit_code: int) -> str:
    return _NEXT.get(code) or _BY_CODE[exit_code]
