"""Fill a disk that is not there: ``python -m support.fill_disk DATABASE STORE``.

The system lets no file of this process grow beyond half a megabyte until three
tasks could not be stored. Prints the ids of the tasks that were acknowledged.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys

from support.engines import create, open_engine, stored
from workersai_core import StoreUnavailable
from workersai_core.store.opening import upgrade
from workersai_core.store.schema import CORE
from workersai_core.store.sqlite import SqliteStore

PARAMS = {"options": ["x" * 2000]}
SIZE = 512 * 1024


class Resigned(SqliteStore):
    """Planted bug: does not recover."""

    def _recover(self, *, was_busy):
        self._writing.close()


class Pretending(SqliteStore):
    """Planted bug: says nothing of a failure."""

    def write(self, operation):
        with contextlib.suppress(StoreUnavailable):
            self.last = super().write(operation)
        return self.last


class Blind(SqliteStore):
    """Planted bug: reads nothing any more once a write has failed."""

    failed = False

    def write(self, operation):
        try:
            return super().write(operation)
        except StoreUnavailable:
            self.failed = True
            raise

    def read(self, operation):
        if self.failed:
            raise AssertionError("reads do not go on")
        return super().read(operation)


STORES = {store.__name__: store for store in (SqliteStore, Resigned, Pretending, Blind)}


def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def fill(engine):
    made, errors = [create(engine, params=PARAMS)], 0
    limit(SIZE)
    while errors < 3:
        assert len(made) < 200, "the limit does not hold"
        try:
            made.append(create(engine, params=PARAMS))
        except StoreUnavailable:
            errors += 1
            assert made[-1] == stored(engine, made[-1]), "reads do not go on"
    limit(resource.RLIM_INFINITY)
    made.append(create(engine, params=PARAMS))
    assert [] == engine.check()
    return made


def main(database, store):
    upgrade(f"sqlite:///{database}", [CORE])
    with open_engine(database=STORES[store](database)) as engine:
        made = fill(engine)
    print(json.dumps([task.external_id for task in made]))  # noqa: T201 - that is its answer


if __name__ == "__main__":
    main(*sys.argv[1:])
