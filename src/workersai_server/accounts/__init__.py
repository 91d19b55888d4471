"""Accounts, API keys and workers: who may use this server, and as whom.

To the engine an account and a worker are opaque ids; this package gives them
out and keeps its tables (`SERVER`) in the engine's database.
"""

from __future__ import annotations

from workersai_server.accounts.service import Accounts
from workersai_server.accounts.tables import SERVER
from workersai_server.accounts.values import (
    Account,
    ApiKey,
    NewAccount,
    NewKey,
    NewWorker,
    Requester,
    WorkerEntry,
)

__all__ = [
    "SERVER",
    "Account",
    "Accounts",
    "ApiKey",
    "NewAccount",
    "NewKey",
    "NewWorker",
    "Requester",
    "WorkerEntry",
]
