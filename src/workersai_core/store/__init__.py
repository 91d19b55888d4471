"""The databases: tables, statements, and one store for each kind of database.

A service around the engine that keeps its own tables in the same database
uses `Schema` for their migrations and `Statement` with the `Session` of an
open transaction for its rows.
"""

from __future__ import annotations

from workersai_core.store.base import Operation, Store
from workersai_core.store.schema import Schema
from workersai_core.store.session import Row, Session, Statement

__all__ = ["Operation", "Row", "Schema", "Session", "Statement", "Store"]
