"""What is owed to requesters: callbacks are stored with the change that causes them, and looked after.

The body is made and frozen in the transaction that ends the task, so that the
callback says what was true then, and exists exactly if the change does.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

import attrs

from workersai_core import jsontext
from workersai_core.callbacks import signing
from workersai_core.callbacks.addresses import is_reserved_example, origin
from workersai_core.clock import rfc3339, to_us
from workersai_core.errors import InvalidInput, Issue, NotFound, WrongState
from workersai_core.jsontext import shorten
from workersai_core.lifecycle import CallbackState
from workersai_core.mocks import MockPlan
from workersai_core.model import Delivery, Endpoint, Mode, Task, WebhookSecret
from workersai_core.store import endpoint_rows, outbox_rows, secret_rows
from workersai_core.transaction import Transaction

__all__ = [
    "MAX_OVERLAP_S",
    "enable_endpoint",
    "endpoints",
    "enqueue",
    "of_state",
    "of_task",
    "replay",
    "replay_since",
    "roll_webhook_secret",
    "state_named",
    "webhook_secrets",
]

MAX_OVERLAP_S = 7 * 86_400
_HOOK = "before_callback_enqueue"
_log = logging.getLogger("workersai.callbacks")


# --- owing ---------------------------------------------------------------------------------------


def enqueue(tx: Transaction, task: Task) -> Task:
    """Store the callback that is owed for the final state of a task.

    Args:
        tx: The transaction that ended the task.
        task: The task as it is now.

    Returns:
        The task with its callback's state; as it came when nothing is owed.
    """
    event = task.status.value
    if event not in task.callback_events:
        return task
    reserved = is_reserved_example(task.callback_url)
    state = CallbackState.SKIPPED if reserved else CallbackState.PENDING
    host = origin(task.callback_url)
    endpoint_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{task.account} {host}"))
    if not reserved:
        endpoint_rows.add(tx.session, endpoint_id, task.account, host, tx.now_us)
    outbox_rows.insert(
        tx.session,
        tx.new_id(),
        task_id=task.external_id,
        account=task.account,
        mode=task.mode,
        event=event,
        url=task.callback_url,
        endpoint_id=endpoint_id,
        body=_body(tx, task),
        state=state,
        simulated_failures=MockPlan.of(task.metadata).simulated_failures if task.is_test else 0,
        now_us=tx.now_us,
    )
    tx.work_due = tx.work_due or not reserved
    return attrs.evolve(task, callback_state=state)


def _body(tx: Transaction, task: Task) -> str:
    """Return the body's text; the stored texts go in as they are."""
    completed_at = None if task.completed_at is None else rfc3339(task.completed_at)
    body = (
        f'{{"task_type":{jsontext.dumps(task.task_type)},"external_id":{jsontext.dumps(task.external_id)}'
        f',"params":{task.params_json},"response":{task.response_json},"metadata":{task.metadata_json}'
        f',"status":{jsontext.dumps(task.status.value)},"is_test":{jsontext.dumps(task.is_test)}'
        f',"completed_at":{jsontext.dumps(completed_at)}}}'
    )
    return _chained(tx, task, body) if tx.parts.hooks.has(_HOOK) else body


def _chained(tx: Transaction, task: Task, body: str) -> str:
    """Return the body as the plugins want it; as it was when what they return is no JSON object."""
    context = tx.context("system", task.mode)
    payload: Any = tx.parts.hooks.before_callback_enqueue(context, task, jsontext.loads(body))
    try:
        if isinstance(payload, dict):
            return jsontext.dumps(payload)
    except TypeError as error:
        _log.warning("the plugins' callback payload for task %s is not used: %s", task.external_id, error)
    else:
        _log.warning("the plugins' callback payload for task %s is not used: it is no object", task.external_id)
    return body


# --- looking, and sending again --------------------------------------------------------------------


def of_task(tx: Transaction, task: Task) -> list[Delivery]:
    """Return the deliveries of a task with every attempt, oldest first."""
    return outbox_rows.of_task(tx.session, task.external_id)


def state_named(name: str) -> CallbackState:
    """Return the state of a name.

    Raises:
        InvalidInput: there is no such state.
    """
    try:
        return CallbackState(name)
    except ValueError:
        text = f"No state {shorten(name)}; known are {', '.join(CallbackState)}."
        raise InvalidInput(text, issues=[Issue("/state", text, "not_in_list")]) from None


def of_state(tx: Transaction, account: str, mode: Mode, state: CallbackState, limit: int) -> list[Delivery]:
    """Return the newest deliveries of an account in a state, without their attempts."""
    return outbox_rows.of_state(tx.session, account, mode, state, limit)


def replay(tx: Transaction, delivery_id: str, account: str, mode: Mode) -> None:
    """Send a finished callback again, behind new ones to the same endpoint, on a schedule of its own.

    Raises:
        NotFound: no such delivery.
        WrongState: it is pending already, or its address is never called.
    """
    delivery = outbox_rows.get(tx.session, delivery_id.lower(), account, mode)
    if delivery is None:
        raise NotFound("There is no callback with this id.")
    if delivery.state is CallbackState.SKIPPED:
        raise WrongState(
            "This callback goes to a reserved example address, which is never called; "
            "create the task with a callback_url of your own."
        )
    if not outbox_rows.replay(tx.session, delivery.id, tx.now_us):
        raise WrongState("This callback is pending: it will be sent without a replay, see next_attempt_at.")
    tx.work_due = True


def replay_since(tx: Transaction, account: str, mode: Mode, since: datetime, state: CallbackState) -> int:
    """Send again every callback that ended in `state` at or after `since`; return how many.

    Raises:
        InvalidInput: callbacks in this state cannot be sent again, or `since` has no zone.
    """
    if since.utcoffset() is None:
        problem = Issue("/since", "A time with its zone, for example 2030-01-31T09:00:00Z.", "wrong_type")
        raise InvalidInput("These callbacks cannot be replayed.", issues=[problem])
    if state not in (CallbackState.DELIVERED, CallbackState.EXHAUSTED):
        problem = Issue("/state", f"Only delivered or exhausted callbacks can be replayed, not {state.value} ones.")
        raise InvalidInput("These callbacks cannot be replayed.", issues=[problem])
    queued = outbox_rows.replay_since(tx.session, account, mode, state, to_us(since), tx.now_us)
    tx.work_due = tx.work_due or queued > 0
    return queued


def endpoints(tx: Transaction, account: str) -> list[Endpoint]:
    """Return the endpoints of an account and their health."""
    return endpoint_rows.of_account(tx.session, account)


def enable_endpoint(tx: Transaction, endpoint_id: str, account: str) -> Endpoint:
    """Call an endpoint again, with what was held back for it.

    Raises:
        NotFound: the account has no such endpoint.
    """
    endpoint_rows.enable(tx.session, endpoint_id.lower(), account)
    endpoint = endpoint_rows.get(tx.session, endpoint_id.lower(), account)
    if endpoint is None:
        raise NotFound("There is no callback endpoint with this id.")
    tx.work_due = True
    return endpoint


# --- secrets ---------------------------------------------------------------------------------------


def webhook_secrets(tx: Transaction, account: str) -> list[WebhookSecret]:
    """Return the valid secrets of an account, newest first; its first is made when asked for."""
    valid = secret_rows.valid(tx.session, account, tx.now_us)
    if not valid or valid[0].expires_at is not None:
        secret_rows.add(tx.session, account, signing.new_secret(), tx.now_us)
        valid = secret_rows.valid(tx.session, account, tx.now_us)
    return valid


def roll_webhook_secret(tx: Transaction, account: str, overlap_s: int) -> WebhookSecret:
    """Make a new secret; the one before it stays valid for `overlap_s` more seconds.

    Raises:
        InvalidInput: `overlap_s` is not 0 to 604 800.
    """
    if isinstance(overlap_s, bool) or not isinstance(overlap_s, int) or not 0 <= overlap_s <= MAX_OVERLAP_S:
        problem = Issue("/overlap_s", f"overlap_s is a whole number from 0 to {MAX_OVERLAP_S} (seven days).")
        raise InvalidInput("The secret was not rolled.", issues=[problem])
    secret_rows.retire(tx.session, account, to_us(tx.now + timedelta(seconds=overlap_s)))
    secret_rows.add(tx.session, account, signing.new_secret(), tx.now_us)
    return secret_rows.valid(tx.session, account, tx.now_us)[0]
