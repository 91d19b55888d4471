"""The tables of accounts, API keys, workers and what these have in their browsers, once for both databases.

Like the engine's, their names start with ``wai_`` and their times are whole
microseconds since 1970. Amounts are whole millionths.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, text

from workersai_core.store import Schema

__all__ = ["SERVER", "accounts", "api_keys", "credits", "drafts", "metadata", "sessions", "tallies", "workers"]

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"},
)

# SQLite only counts upward without reuse in an INTEGER primary key; PostgreSQL wants 64 bits.
_Sequence = BigInteger().with_variant(Integer, "sqlite")

accounts = Table(
    "wai_account",
    metadata,
    Column("id", Text, primary_key=True),
    # As its owner wrote it; `email_folded` is what must be unique.
    Column("email", Text, nullable=False),
    Column("email_folded", Text, nullable=False),
    Column("password_hash", Text),
    Column("unlimited", Integer, nullable=False),
    # Whether its owner may see the operator pages.
    Column("operator", Integer, nullable=False),
    Column("callback_url", Text),
    Column("callback_events", Text, nullable=False),
    # Every accepted live creation, whoever paid for it, less those in `tallies`; the first ones are the free ones.
    Column("creations", BigInteger, nullable=False),
    Column("credit_micros", BigInteger, nullable=False),
    Column("spent_micros", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index("uq_wai_account_email", accounts.c.email_folded, unique=True)

# PostgreSQL: creations that nothing limits, which are not in `creations`. There is a row for each of some connections,
# since many transactions at once would wait for each other at the account's row, each until the other is on disk.
tallies = Table(
    "wai_creation_tally",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
)

credits = Table(
    "wai_credit",
    metadata,
    Column("id", _Sequence, primary_key=True, autoincrement=True),
    Column("account_id", Text, nullable=False),
    Column("amount_micros", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_wai_credit_account", credits.c.account_id)

api_keys = Table(
    "wai_api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("last4", Text, nullable=False),
    # Separated by spaces; empty means all.
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)
Index("uq_wai_api_key_hash", api_keys.c.hash, unique=True)
Index("ix_wai_api_key_account", api_keys.c.account_id, api_keys.c.id)

workers = Table(
    "wai_worker",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    # Task type names separated by spaces; empty means every type.
    Column("skills", Text, nullable=False),
    # What the worker has chosen about the pages, as a JSON object.
    Column("preferences", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("last4", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
)
Index("uq_wai_worker_token", workers.c.token_hash, unique=True)

sessions = Table(
    "wai_session",
    metadata,
    Column("hash", Text, primary_key=True),
    # requester or worker; `subject_id` is an account's or a worker's id.
    Column("role", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
Index("ix_wai_session_subject", sessions.c.subject_id)
Index("ix_wai_session_expires_at", sessions.c.expires_at)

drafts = Table(
    "wai_draft",
    metadata,
    Column("assignment_id", Text, primary_key=True),
    Column("worker_id", Text, nullable=False),
    Column("response", Text, nullable=False),
    Column("saved_at", BigInteger, nullable=False),
    # When it is submitted by itself; null while the worker still writes.
    Column("submit_at", BigInteger),
    # Why it was refused when it was submitted, as JSON; null when it was not.
    Column("refusal", Text),
)
Index("ix_wai_draft_worker", drafts.c.worker_id)
Index(
    "ix_wai_draft_submit_at",
    drafts.c.submit_at,
    sqlite_where=text("submit_at IS NOT NULL"),
    postgresql_where=text("submit_at IS NOT NULL"),
)

SERVER = Schema(name="server", metadata=metadata, package="workersai_server.migrations", head="0001")
