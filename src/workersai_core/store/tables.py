"""The tables of the engine, once for both databases.

Every name starts with ``wai_`` so that the tables can live beside a host's own.
Times are whole microseconds since 1970 (`clock.to_us`). JSON bodies are text,
exactly as given; what lists filter by is extracted into columns.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

__all__ = [
    "assignments",
    "attempts",
    "deliveries",
    "endpoints",
    "events",
    "idempotency",
    "metadata",
    "secrets",
    "task_metadata",
    "tasks",
]

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"},
)

# SQLite only counts upward without reuse in an INTEGER primary key; PostgreSQL wants 64 bits.
_Sequence = BigInteger().with_variant(Integer, "sqlite")

tasks = Table(
    "wai_task",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("task_type", Text, nullable=False),
    Column("task_type_version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("callback_url", Text, nullable=False),
    Column("callback_events", Text, nullable=False),
    Column("instruction", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("response", Text, nullable=False),
    Column("overlap", Integer, nullable=False),
    Column("answers_wanted", Integer, nullable=False),
    Column("answers_accepted", Integer, nullable=False),
    # Answers still to be claimed; 0 for test tasks and in every final state.
    Column("open_slots", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("deadline_at", BigInteger, nullable=False),
    # When the engine must act by itself: the mock answer or the deadline; null in a final state.
    Column("wake_at", BigInteger),
    Column("unique_id", Text),
    Column("tags", Text, nullable=False),
    Column("confidence", Float),
    Column("error", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("completed_at", BigInteger),
)
Index("ix_wai_task_newest", tasks.c.account, tasks.c.mode, tasks.c.created_at, tasks.c.id)
Index("ix_wai_task_type", tasks.c.account, tasks.c.mode, tasks.c.task_type, tasks.c.created_at, tasks.c.id)
Index("ix_wai_task_status", tasks.c.account, tasks.c.mode, tasks.c.status, tasks.c.created_at, tasks.c.id)
Index(
    "ix_wai_task_type_status",
    tasks.c.account,
    tasks.c.mode,
    tasks.c.task_type,
    tasks.c.status,
    tasks.c.created_at,
    tasks.c.id,
)
Index(
    "uq_wai_task_unique_id",
    tasks.c.account,
    tasks.c.mode,
    tasks.c.unique_id,
    unique=True,
    sqlite_where=text("unique_id IS NOT NULL"),
    postgresql_where=text("unique_id IS NOT NULL"),
)
Index(
    "ix_wai_task_queue",
    tasks.c.task_type,
    tasks.c.priority.desc(),
    tasks.c.deadline_at,
    tasks.c.id,
    sqlite_where=text("open_slots > 0"),
    postgresql_where=text("open_slots > 0"),
)
Index(
    "ix_wai_task_wake",
    tasks.c.wake_at,
    sqlite_where=text("wake_at IS NOT NULL"),
    postgresql_where=text("wake_at IS NOT NULL"),
)

task_metadata = Table(
    "wai_task_metadata",
    metadata,
    Column("account", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("task_id", Text, nullable=False),
    PrimaryKeyConstraint("account", "mode", "key", "value", "created_at", "task_id"),
    sqlite_with_rowid=False,
)

assignments = Table(
    "wai_assignment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task_id", Text, nullable=False),
    Column("worker_id", Text, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("lease_expires_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("reason", Text),
    Column("response", Text),
)
_HOLDS_SLOT = text("state IN ('claimed', 'submitted')")
_KNOWS_TASK = text("state IN ('claimed', 'submitted', 'skipped')")
_LIVE = text("state = 'claimed'")
# Promise 3 as constraints: one slot, one holder; one worker, one answer.
Index(
    "uq_wai_assignment_slot",
    assignments.c.task_id,
    assignments.c.slot,
    unique=True,
    sqlite_where=_HOLDS_SLOT,
    postgresql_where=_HOLDS_SLOT,
)
Index(
    "uq_wai_assignment_worker",
    assignments.c.task_id,
    assignments.c.worker_id,
    unique=True,
    sqlite_where=_KNOWS_TASK,
    postgresql_where=_KNOWS_TASK,
)
Index(
    "ix_wai_assignment_live",
    assignments.c.worker_id,
    assignments.c.lease_expires_at,
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)
Index(
    "ix_wai_assignment_lease",
    assignments.c.lease_expires_at,
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)

events = Table(
    "wai_event",
    metadata,
    Column("id", _Sequence, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("task_id", Text),
    Column("account", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("data", Text, nullable=False),
    # The transaction that wrote it; null on SQLite, whose transactions follow one another. See `event_rows`.
    Column("xact", BigInteger),
    sqlite_autoincrement=True,
)
Index("ix_wai_event_task", events.c.task_id, events.c.id)
Index("ix_wai_event_xact", events.c.xact, events.c.id, info={"only": "postgresql"}).ddl_if(dialect="postgresql")

idempotency = Table(
    "wai_idempotency",
    metadata,
    Column("scope", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("scope", "key"),
)
Index("ix_wai_idempotency_created_at", idempotency.c.created_at)

endpoints = Table(
    "wai_endpoint",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("succeeded_at", BigInteger),
    Column("failing_since", BigInteger),
    # Set while the last answer was a failure or took longer than 2 s.
    Column("slow", Integer, nullable=False),
    Column("disabled_at", BigInteger),
    Column("reason", Text),
)
Index("ix_wai_endpoint_account", endpoints.c.account, endpoints.c.origin)

deliveries = Table(
    "wai_delivery",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("endpoint_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    # 1 for a replay: it waits behind new work for the same endpoint.
    Column("replay", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("attempts_total", Integer, nullable=False),
    # Test mode: how many of the first attempts are recorded as simulated failures.
    Column("simulated_failures", Integer, nullable=False),
    # When the next attempt is due. While one is on its way: when its lease ends.
    Column("due_at", BigInteger, nullable=False),
    Column("lease", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
)
_PENDING = text("state = 'pending'")
Index("uq_wai_delivery_task_event", deliveries.c.task_id, deliveries.c.event, unique=True)
Index(
    "ix_wai_delivery_due",
    deliveries.c.endpoint_id,
    deliveries.c.replay,
    deliveries.c.due_at,
    sqlite_where=_PENDING,
    postgresql_where=_PENDING,
)
Index("ix_wai_delivery_state", deliveries.c.account, deliveries.c.mode, deliveries.c.state, deliveries.c.finished_at)

attempts = Table(
    "wai_attempt",
    metadata,
    Column("delivery_id", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("status", Integer),
    Column("latency_ms", Integer, nullable=False),
    Column("error", Text),
    Column("answer", Text),
    PrimaryKeyConstraint("delivery_id", "n"),
)

secrets = Table(
    "wai_secret",
    metadata,
    Column("id", _Sequence, primary_key=True, autoincrement=True),
    Column("account", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Null while it is the account's newest secret.
    Column("expires_at", BigInteger),
    sqlite_autoincrement=True,
)
Index("ix_wai_secret_account", secrets.c.account)
# Two processes that make an account's first secret at once must end with one.
Index(
    "uq_wai_secret_newest",
    secrets.c.account,
    unique=True,
    sqlite_where=text("expires_at IS NULL"),
    postgresql_where=text("expires_at IS NULL"),
)
