"""The lifecycle: a diagram for each table, and what the states mean."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from generators.markdown import NOTICE, attribute_docs, table
from workersai_core.lifecycle import ASSIGNMENT_MOVES, CALLBACK_MOVES, TASK_MOVES, is_terminal

__all__ = ["page"]

Moves = Mapping[StrEnum, frozenset[StrEnum]]

_PARTS: tuple[tuple[str, str, Moves], ...] = (
    ("Task", "What a requester created and waits for.", TASK_MOVES),  # type: ignore[arg-type]  # a mapping is invariant
    ("Assignment", "One worker's turn at one task.", ASSIGNMENT_MOVES),  # type: ignore[arg-type]
    ("Callback", "The delivery of one event of a task to one address.", CALLBACK_MOVES),  # type: ignore[arg-type]
)


def page() -> str:
    """Return the page."""
    parts = [
        NOTICE,
        "# Lifecycle\n",
        "Drawn from the tables in `workersai_core/lifecycle.py`, which the engine asks before each move.",
        "A state without moves is final and never changes again.\n",
    ]
    for name, text, moves in _PARTS:
        parts += [f"## {name}\n", f"{text}\n", _diagram(moves), _states(moves)]
    return "\n".join(parts)


def _diagram(moves: Moves) -> str:
    first = next(iter(moves))
    lines = [f"    [*] --> {first.value}"]
    for state, following in moves.items():
        lines += [f"    {state.value} --> {then.value}" for then in moves if then in following]
    entered = {then for following in moves.values() for then in following} | {first}
    lines += [f"    [*] --> {state.value}" for state in moves if state not in entered]
    lines += [f"    {state.value} --> [*]" for state in moves if is_terminal(state)]  # type: ignore[arg-type]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```", ""])


def _states(moves: Moves) -> str:
    texts = attribute_docs(type(next(iter(moves))))
    rows = [
        (f"`{state.value}`", texts[state.name], ", ".join(f"`{s.value}`" for s in moves if s in moves[state]) or "—")
        for state in moves
    ]
    return table(("State", "Meaning", "Can become"), rows)
