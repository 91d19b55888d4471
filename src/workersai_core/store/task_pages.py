"""Reading tasks page by page, newest first, by what the requester filters for.

Each filter that the API offers, and type with status, has an index in the
order of the page, so a page costs the same however many tasks there are. With
filters by metadata the rows of `task_metadata` lead: they are in the page's
order too, and metadata usually says most about a task.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import attrs
from sqlalchemy import ColumnElement, FromClause, Select, and_, bindparam, exists, func, or_, select

from workersai_core.clock import to_us
from workersai_core.model import Mode, Task, TaskFilter
from workersai_core.store import task_rows
from workersai_core.store.session import Session, Statement
from workersai_core.store.tables import task_metadata, tasks

__all__ = ["count", "newest_page"]


@attrs.frozen
class _Shape:
    """What a filter asks for, without the values: filters of one shape share a statement."""

    by_type: bool
    by_status: bool
    after: bool
    before: bool
    metadata_keys: int

    @classmethod
    def of(cls, chosen: TaskFilter) -> _Shape:
        return cls(
            chosen.task_type is not None,
            chosen.status is not None,
            chosen.created_after is not None,
            chosen.created_before is not None,
            len(chosen.metadata),
        )


@attrs.frozen
class _Source:
    """Where the tasks of a page come from, and the columns of its order."""

    rows: FromClause
    at: ColumnElement[Any]
    task_id: ColumnElement[Any]
    conditions: tuple[ColumnElement[bool], ...]


_POSITION = Statement(
    select(tasks.c.created_at).where(
        tasks.c.id == bindparam("id"), tasks.c.account == bindparam("account"), tasks.c.mode == bindparam("mode")
    )
)


def newest_page(
    session: Session,
    account: str,
    mode: Mode,
    chosen: TaskFilter,
    limit: int,
    *,
    after: str | None = None,
    before: str | None = None,
) -> list[Task] | None:
    """Return up to `limit` tasks, newest first, older than `after` or newer than `before`.

    Returns None when the task named by `after` or `before` is not there.
    """
    parameters: dict[str, Any] = {"account": account, "mode": mode, "n": limit, **_values(chosen)}
    anchor = after or before
    if anchor is not None:
        position = session.one(_POSITION, {"id": anchor, "account": account, "mode": mode})
        if position is None:
            return None
        parameters |= {"anchor_at": position[0], "anchor_id": anchor}
    direction = "after" if after else "before" if before else None
    found = [task_rows.from_row(row) for row in session.all(_page(_Shape.of(chosen), direction), parameters)]
    return found[::-1] if direction == "before" else found


def count(session: Session, account: str, mode: Mode, chosen: TaskFilter) -> int:
    """Return how many tasks the filter holds; it walks all of them."""
    row = session.one(_count(_Shape.of(chosen)), {"account": account, "mode": mode, **_values(chosen)})
    return 0 if row is None else int(row[0])


def _values(chosen: TaskFilter) -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    if chosen.task_type is not None:
        values["task_type"] = chosen.task_type
    if chosen.status is not None:
        values["status"] = chosen.status.value
    if chosen.created_after is not None:
        values["created_after"] = to_us(chosen.created_after)
    if chosen.created_before is not None:
        values["created_before"] = to_us(chosen.created_before)
    for i, (name, value) in enumerate(sorted(chosen.metadata.items())):
        values |= {f"key_{i}": name, f"value_{i}": value}
    return values


@lru_cache(maxsize=512)
def _page(shape: _Shape, direction: str | None) -> Statement:
    source = _source(shape.metadata_keys)
    conditions = _conditions(shape, source)
    at, task_id = source.at, source.task_id
    anchor_at: Any = bindparam("anchor_at")
    anchor_id: Any = bindparam("anchor_id")
    if direction == "after":
        conditions.append(or_(at < anchor_at, and_(at == anchor_at, task_id < anchor_id)))
        conditions.append(at <= anchor_at)
    elif direction == "before":
        conditions.append(or_(at > anchor_at, and_(at == anchor_at, task_id > anchor_id)))
        conditions.append(at >= anchor_at)
    order = (at.asc(), task_id.asc()) if direction == "before" else (at.desc(), task_id.desc())
    page: Select[Any] = select(*task_rows.COLUMNS).select_from(source.rows).where(*conditions)
    return Statement(page.order_by(*order).limit(bindparam("n")))


@lru_cache(maxsize=128)
def _count(shape: _Shape) -> Statement:
    source = _source(shape.metadata_keys)
    return Statement(select(func.count()).select_from(source.rows).where(*_conditions(shape, source)))


def _source(metadata_keys: int) -> _Source:
    if metadata_keys == 0:
        mine = (tasks.c.account == bindparam("account"), tasks.c.mode == bindparam("mode"))
        return _Source(tasks, tasks.c.created_at, tasks.c.id, mine)
    lead = task_metadata.alias("metadata_0")
    others = (
        exists(
            select(entry.c.task_id).where(
                *_is_entry(entry, i), entry.c.created_at == lead.c.created_at, entry.c.task_id == lead.c.task_id
            )
        )
        for i in range(1, metadata_keys)
        for entry in (task_metadata.alias(f"metadata_{i}"),)
    )
    rows = lead.join(tasks, tasks.c.id == lead.c.task_id)
    return _Source(rows, lead.c.created_at, lead.c.task_id, (*_is_entry(lead, 0), *others))


def _is_entry(entry: FromClause, i: int) -> tuple[ColumnElement[bool], ...]:
    """Return that a row of `task_metadata` is this account's and says what the filter's entry number `i` does."""
    return (
        entry.c.account == bindparam("account"),
        entry.c.mode == bindparam("mode"),
        entry.c.key == bindparam(f"key_{i}"),
        entry.c.value == bindparam(f"value_{i}"),
    )


def _conditions(shape: _Shape, source: _Source) -> list[ColumnElement[bool]]:
    conditions = list(source.conditions)
    if shape.by_type:
        conditions.append(tasks.c.task_type == bindparam("task_type"))
    if shape.by_status:
        conditions.append(tasks.c.status == bindparam("status"))
    if shape.after:
        conditions.append(source.at > bindparam("created_after"))
    if shape.before:
        conditions.append(source.at < bindparam("created_before"))
    return conditions
