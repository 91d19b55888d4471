"""Accounts, credit, API keys, workers, sessions and drafts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "wai_account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_folded", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("unlimited", sa.Integer(), nullable=False),
        sa.Column("operator", sa.Integer(), nullable=False),
        sa.Column("callback_url", sa.Text(), nullable=True),
        sa.Column("callback_events", sa.Text(), nullable=False),
        sa.Column("creations", sa.BigInteger(), nullable=False),
        sa.Column("credit_micros", sa.BigInteger(), nullable=False),
        sa.Column("spent_micros", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wai_account")),
    )
    op.create_index("uq_wai_account_email", "wai_account", ["email_folded"], unique=True)
    op.create_table(
        "wai_creation_tally",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "shard", name=op.f("pk_wai_creation_tally")),
    )
    op.create_table(
        "wai_credit",
        sa.Column("id", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wai_credit")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_wai_credit_account", "wai_credit", ["account_id"])
    op.create_table(
        "wai_api_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wai_api_key")),
    )
    op.create_index("uq_wai_api_key_hash", "wai_api_key", ["hash"], unique=True)
    op.create_index("ix_wai_api_key_account", "wai_api_key", ["account_id", "id"])
    op.create_table(
        "wai_worker",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("skills", sa.Text(), nullable=False),
        sa.Column("preferences", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wai_worker")),
    )
    op.create_index("uq_wai_worker_token", "wai_worker", ["token_hash"], unique=True)
    op.create_table(
        "wai_session",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_wai_session")),
    )
    op.create_index("ix_wai_session_subject", "wai_session", ["subject_id"])
    op.create_index("ix_wai_session_expires_at", "wai_session", ["expires_at"])
    op.create_table(
        "wai_draft",
        sa.Column("assignment_id", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("submit_at", sa.BigInteger(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("assignment_id", name=op.f("pk_wai_draft")),
    )
    op.create_index("ix_wai_draft_worker", "wai_draft", ["worker_id"])
    held = sa.text("submit_at IS NOT NULL")
    op.create_index("ix_wai_draft_submit_at", "wai_draft", ["submit_at"], sqlite_where=held, postgresql_where=held)


def downgrade() -> None:
    """Drop the tables, and with them every account and key."""
    for name in (
        "wai_draft",
        "wai_session",
        "wai_worker",
        "wai_api_key",
        "wai_credit",
        "wai_creation_tally",
        "wai_account",
    ):
        op.drop_table(name)
