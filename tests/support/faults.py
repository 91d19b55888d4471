"""SQLite connections that fail on demand, for `SqliteStore(connect=…)`."""

from __future__ import annotations

import sqlite3
import threading
from enum import Enum

from workersai_core.store.sqlite import _connect


class Fault(Enum):
    """How a call fails, and what becomes of its connection."""

    LOCKED = "another process holds the lock; the connection stays good"
    FULL = "the disk is full; SQLite rolls the transaction back by itself"
    BROKEN = "an I/O error before the call; nothing works on this connection any more"
    LOST_ANSWER = "the call is done, then an I/O error; nothing works on this connection any more"


_CODES = {
    Fault.LOCKED: (sqlite3.SQLITE_BUSY, "database is locked"),
    Fault.FULL: (sqlite3.SQLITE_FULL, "database or disk is full"),
    Fault.BROKEN: (sqlite3.SQLITE_IOERR, "disk I/O error"),
    Fault.LOST_ANSWER: (sqlite3.SQLITE_IOERR, "disk I/O error"),
}


def failure(fault):
    code, text = _CODES[fault]
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


class Faults:
    """Counts the calls of every connection it opens and lets one of them fail.

    Attributes:
        opened: How many connections were opened.
        statements: What was called while armed, in order.
        refuse_to_open: While true, no connection can be opened.
        fail_always: While true, every call fails and no connection can be opened.
    """

    def __init__(self):
        self.opened = 0
        self.refuse_to_open = False
        self.fail_always = False
        self.statements = []
        self._fails_at = None
        self._fault = None
        self._lock = threading.Lock()

    def connect(self, path):
        """Open a connection; pass this to the store."""
        if self.refuse_to_open or self.fail_always:
            raise failure(Fault.BROKEN)
        self.opened += 1
        return _Connection(_connect(path), self)

    def watch(self):
        """Collect what is called from now on, and let nothing fail."""
        self.arm(0, Fault.LOCKED)

    def arm(self, call, fault):
        """Let the call with this number fail, counted from 1 and from now."""
        with self._lock:
            self.statements = []
            self._fails_at, self._fault = call, fault

    def disarm(self):
        """Let nothing fail any more; return whether something did since it was armed."""
        with self._lock:
            happened = self._fault is not None and len(self.statements) >= self._fails_at
            self._fails_at = self._fault = None
            return happened

    def due(self, sql):
        """Count a call and return how it fails, or None."""
        with self._lock:
            if self._fault is None:
                return None
            self.statements.append(sql)
            return self._fault if len(self.statements) == self._fails_at else None


class _Connection:
    def __init__(self, real, faults):
        self._real = real
        self._faults = faults
        self._broken = False

    @property
    def in_transaction(self):
        return self._real.in_transaction

    @property
    def total_changes(self):
        return self._real.total_changes

    def execute(self, sql, parameters=()):
        return self.call(sql, lambda: self._real.execute(sql, parameters))

    def executemany(self, sql, rows):
        return self.call(sql, lambda: self._real.executemany(sql, rows))

    def close(self):
        self._real.close()

    def call(self, sql, run):
        if self._broken or self._faults.fail_always:
            raise failure(Fault.BROKEN)
        fault = self._faults.due(sql)
        if fault is None:
            return run()
        if fault is Fault.LOST_ANSWER:
            run()
        if fault is Fault.FULL and self._real.in_transaction:
            self._real.execute("ROLLBACK")
        self._broken = fault in (Fault.BROKEN, Fault.LOST_ANSWER)
        raise failure(fault)
