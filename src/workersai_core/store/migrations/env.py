"""Run by Alembic for each upgrade; `store.schema` passes the open connection and the schema."""

from __future__ import annotations

from alembic import context

_schema = context.config.attributes["schema"]
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=_schema.metadata,
    version_table=_schema.version_table,
    transactional_ddl=True,
)
context.run_migrations()
