from __future__ import annotations

import itertools

import pytest

from workersai_core.errors import WrongState
from workersai_core.lifecycle import (
    ASSIGNMENT_MOVES,
    CALLBACK_MOVES,
    TASK_MOVES,
    AssignmentState,
    CallbackState,
    TaskStatus,
    is_terminal,
    require_move,
)

TABLES = [(TaskStatus, TASK_MOVES), (AssignmentState, ASSIGNMENT_MOVES), (CallbackState, CALLBACK_MOVES)]


@pytest.mark.parametrize(("states", "table"), TABLES)
def test_each_table_covers_every_state_and_leads_only_to_states_of_its_own(states, table):
    assert set(states) == set(table)
    assert set().union(*table.values()) <= set(states)


@pytest.mark.parametrize(("states", "table"), TABLES)
def test_a_move_is_allowed_exactly_when_the_table_has_it(states, table):
    for now, then in itertools.product(states, states):
        if then in table[now]:
            require_move(now, then)
        else:
            with pytest.raises(WrongState, match=rf"{now.value}.*{then.value}"):
                require_move(now, then)


@pytest.mark.parametrize(("states", "table"), TABLES)
def test_every_state_can_be_reached_from_the_first(states, table):
    first = next(iter(states))
    reached, todo = {first}, [first]
    while todo:
        new = table[todo.pop()] - reached
        reached |= new
        todo += new
    skipped_from_the_start = {CallbackState.SKIPPED} & set(states)
    assert set(states) == reached | skipped_from_the_start


def test_the_final_states_are_those_without_a_move():
    assert {"completed", "canceled", "expired", "error"} == {s for s in TaskStatus if is_terminal(s)}
    assert {"submitted", "released", "skipped", "expired"} == {s for s in AssignmentState if is_terminal(s)}
    assert {"skipped"} == {s for s in CallbackState if is_terminal(s)}
