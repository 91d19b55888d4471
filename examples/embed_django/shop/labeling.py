"""The engine, and how it joins Django's transactions."""

from contextlib import contextmanager
from functools import cache

import sqlalchemy
from django.conf import settings
from django.db import connection

from workersai_core import Engine
from workersai_core.api import hookimpl
from workersai_server.accounts import SERVER

URL = f"sqlite:///{settings.DATABASE_FILE}"


class Shop:
    """The shop's plugin: hears of results."""

    @hookimpl
    def engine_ready(self, engine):
        self.engine = engine

    @hookimpl
    def task_completed(self, event):
        from shop.models import Review

        task = self.engine.get_task(event.task_id, account=event.account_id, mode=event.mode)
        Review.objects.filter(task=task.external_id).update(kind=task.response["category"])


@cache
def engine():
    """Return the engine of this process; made on first use, so that each forked worker has its own."""
    opened = Engine.open(URL, plugins=[Shop()], schemas=[SERVER])
    opened.start()  # ticks and delivers in threads of this process
    return opened


class Borrowed:
    """Django's connection of this thread, as SQLAlchemy takes it; to commit, undo or close is Django's affair."""

    def __init__(self):
        connection.ensure_connection()
        self.driver = connection.connection

    def __getattr__(self, name):
        return getattr(self.driver, name)

    def commit(self):
        """Leave it to `transaction.atomic`."""

    rollback = close = commit


_borrowing = sqlalchemy.create_engine("sqlite://", creator=Borrowed, poolclass=sqlalchemy.NullPool)


@contextmanager
def transaction():
    """Give the engine's commands inside Django's open transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError("Use this inside transaction.atomic().")
    with _borrowing.connect() as borrowed, engine().transaction(borrowed) as tx:
        yield tx
