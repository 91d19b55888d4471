"""The engine: the commands over one database, with its plugins, clock and callback transport.

    with Engine.open("sqlite:///labels.db") as engine:
        task = engine.create_task(account="acme", params={…})

Nothing runs by itself until `start` is called: a host may as well call `tick`
and `deliver` from its own cron, thread or worker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import attrs
import sqlalchemy

from workersai_core.callbacks.dispatcher import Dispatcher
from workersai_core.callbacks.transport import RequestsTransport, Transport
from workersai_core.clock import Clock
from workersai_core.commands import housekeeping, invariants
from workersai_core.commands.invariants import Violation
from workersai_core.commands.verbs import Commands, OpenTransaction
from workersai_core.errors import StoreError
from workersai_core.hooks import Hooks
from workersai_core.ids import IdSource, TimeOrderedIds
from workersai_core.observers import Uncommitted
from workersai_core.plugins import Plugins
from workersai_core.policy import Policy
from workersai_core.registry import TaskTypes
from workersai_core.store import Schema, Session, Store, endpoint_rows, event_rows
from workersai_core.store.opening import open_store
from workersai_core.store.schema import CORE
from workersai_core.ticker import Ticker
from workersai_core.transaction import Parts

__all__ = ["Engine", "Health"]

Result = TypeVar("Result")
EntryPoints = Literal["all", "none"] | Sequence[str]


@attrs.frozen(kw_only=True)
class Health:
    """Whether the engine can do its work."""

    database: bool
    dispatcher: bool
    """Whether the dispatcher runs and reaches the database; True when none was started."""
    outbox_lag_s: float | None
    """How long the oldest due callback has waited; None when nothing is due."""
    plugins: Mapping[str, str]
    """State by plugin name: ok, failed, disabled or paused."""


class Engine(Commands):
    """All commands over one database. Made by `Engine.open`; safe to use from many threads."""

    def __init__(
        self,
        store: Store,
        plugins: Plugins,
        *,
        policy: Policy,
        clock: Clock,
        ids: IdSource,
        transport: Transport,
        plugin_settings: Mapping[str, Any],
    ) -> None:
        self.store = store
        self.plugins = plugins
        self.parts = Parts(
            types=plugins.types,
            hooks=plugins.hooks,
            clock=clock,
            ids=ids,
            policy=policy,
            plugin_settings=plugin_settings,
        )
        self._transport = transport
        self._dispatcher = self._new_dispatcher()
        self._ticker: Ticker | None = None
        self._dispatching = False
        self._uncommitted = Uncommitted()
        self._ticking = threading.Lock()

    @classmethod
    def open(
        cls,
        database: str | sqlalchemy.Engine | Store,
        *,
        plugins: Iterable[object] = (),
        plugin_files: Iterable[str | Path] = (),
        entry_points: EntryPoints = "all",
        strict_plugins: bool = False,
        plugin_settings: Mapping[str, Any] | None = None,
        policy: Policy | None = None,
        clock: Clock | None = None,
        ids: IdSource | None = None,
        transport: Transport | None = None,
        schemas: Sequence[Schema] = (),
        migrate: bool | None = None,
    ) -> Self:
        """Open a database and load the plugins.

        Args:
            database: ``sqlite:///FILE``, ``sqlite://`` (in memory), ``postgresql://…``,
                a SQLAlchemy engine (its address is used) or a `Store`.
            plugins: Plugin objects to register besides the installed ones.
            plugin_files: Python files, each one a plugin.
            entry_points: Which installed plugins to load: ``"all"``, ``"none"`` or names.
            strict_plugins: Raise when a plugin cannot be loaded, instead of going on without it.
            plugin_settings: What plugins see as ``ctx.settings``.
            policy: Leases, limits, the retry schedule; see `Policy`.
            clock: Where the time comes from; by default the machine's clock, with PostgreSQL that server's.
            ids: Where identifiers come from; UUIDs in time order by default.
            transport: What sends callbacks; `RequestsTransport` by default.
            schemas: Further tables that live in the same database.
            migrate: Whether tables that are not current may be changed; by
                default yes for SQLite and no for PostgreSQL.

        Raises:
            InvalidInput: not a database address.
            MigrationRequired: the tables are not current and may not be changed.
            PluginConfigurationError: with `strict_plugins`, a plugin cannot be loaded.
            StoreUnavailable: the database cannot be reached or written.
        """
        loaded = Plugins.load(plugins, files=plugin_files, entry_points=entry_points, strict=strict_plugins)
        chosen = policy or Policy()
        store = (
            open_store(database, (CORE, *schemas), migrate=migrate)
            if isinstance(database, str | sqlalchemy.Engine)
            else database
        )
        engine = cls(
            store,
            loaded,
            policy=chosen,
            clock=clock or store.clock,
            ids=ids or TimeOrderedIds(),
            transport=transport or RequestsTransport(chosen.addresses),
            plugin_settings={**loaded.settings, **(plugin_settings or {})},
        )
        loaded.hooks.engine_ready(engine)
        return engine

    @property
    def types(self) -> TaskTypes:
        """The registered task types."""
        return self.parts.types

    @property
    def hooks(self) -> Hooks:
        """The plugins' hooks, each with a typed method."""
        return self.parts.hooks

    @property
    def policy(self) -> Policy:
        """The limits of this engine."""
        return self.parts.policy

    @property
    def clock(self) -> Clock:
        """Where the engine gets the time."""
        return self.parts.clock

    # --- transactions ------------------------------------------------------------------------

    def run(self, operation: Callable[[OpenTransaction], Result]) -> Result:
        """Run `operation` in one durable transaction; it has every command.

        The operation may run on another thread and must not wait for anything
        but the database.
        """
        return self._write(operation)

    def read(self, operation: Callable[[OpenTransaction], Result]) -> Result:
        """Run `operation` on one consistent snapshot that it cannot change."""
        return self._read(operation)

    @contextmanager
    def transaction(self, connection: sqlalchemy.Connection) -> Iterator[OpenTransaction]:
        """Join the caller's open transaction on the same database.

        Everything done inside is a savepoint of it: an error undoes just that,
        and the caller's commit decides. Observers and the dispatcher learn of
        it after that commit, at the next `tick` or poll.

        Raises:
            InvalidInput: the connection commits each statement by itself, or its driver is another one than ours.
        """
        session = Session.joining(connection)
        with connection.begin_nested():
            tx = OpenTransaction(session, self.parts)
            yield tx
        self._uncommitted.add(tx.recorded)

    def _write(self, operation: Callable[[OpenTransaction], Result]) -> Result:
        def run(session: Session) -> tuple[Result, OpenTransaction]:
            tx = OpenTransaction(session, self.parts)
            return operation(tx), tx

        result, tx = self.store.write(run)
        if tx.work_due:
            self._wake()
        if tx.recorded:
            self.hooks.notify(tx.recorded)
        return result

    def _read(self, operation: Callable[[OpenTransaction], Result]) -> Result:
        return self.store.read(lambda session: operation(OpenTransaction(session, self.parts)))

    # --- work that is owed ---------------------------------------------------------------------

    def tick(self) -> int:
        """Do what is due by the clock, and return how much that was.

        Mock answers of test tasks, deadlines, leases that ran out, idempotency
        keys kept long enough; and observers hear of joined transactions that
        were committed meanwhile.
        """
        with self._ticking:
            self._notify_joined()
            done = 0
            while self._read(housekeeping.anything_due):
                now_done = self._write(housekeeping.run_due)
                if now_done == 0:
                    break  # another process is doing it
                done += now_done
            return done

    def deliver(self) -> int:
        """Send the callbacks that are due, in this thread, and return how many attempts were made."""
        return self._dispatcher.deliver_due()

    def start(self) -> None:
        """Start the threads that tick and deliver by themselves; once."""
        self.start_ticking()
        self._dispatcher.start()
        self._dispatching = True

    def start_ticking(self) -> None:
        """Start only the thread that ticks; another process delivers."""
        if self._ticker is None:
            self._ticker = Ticker(self.tick)
            self._ticker.start()
            self.store.listen(self._wake_here)

    def stop(self) -> None:
        """Let running deliveries finish and end the threads; `start` may be called again."""
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        if self._dispatching:
            self._dispatching = False
            self._dispatcher.stop()
            self._dispatcher = self._new_dispatcher()

    def close(self) -> None:
        """Stop the threads, tell the plugins and let go of the database."""
        self.stop()
        self.hooks.engine_closing(self)
        self._transport.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _new_dispatcher(self) -> Dispatcher:
        return Dispatcher(self._write, self.parts, self._transport)

    def _wake(self) -> None:
        """Look at what is due now, here or, if nobody delivers here, in another process."""
        self._wake_here()
        if not self._dispatching:
            self.store.announce()

    def _wake_here(self) -> None:
        if self._ticker is not None:
            self._ticker.wake()
        if self._dispatching:
            self._dispatcher.wake()

    def _notify_joined(self) -> None:
        waiting = self._uncommitted.waiting()
        if not waiting:
            return
        committed = self._read(lambda tx: event_rows.committed(tx.session, waiting))
        self._uncommitted.settle(committed, self.clock.now())
        if committed:
            self._wake()
            self.hooks.notify(committed)

    # --- looking after it ------------------------------------------------------------------------

    def check(self) -> list[Violation]:
        """Return every broken invariant of the database; none is the healthy answer."""
        return self._read(invariants.violations)

    def health(self) -> Health:
        """Return whether the engine can do its work; it never raises."""
        plugins = {report.name: report.state for report in self.plugins.reports()}
        dispatcher = self._dispatcher.healthy() if self._dispatching else True
        try:
            oldest = self._read(lambda tx: endpoint_rows.oldest_due(tx.session, tx.now_us))
        except StoreError:
            return Health(database=False, dispatcher=dispatcher, outbox_lag_s=None, plugins=plugins)
        lag = None if oldest is None else max(0.0, (self.clock.now() - oldest).total_seconds())
        return Health(database=True, dispatcher=dispatcher, outbox_lag_s=lag, plugins=plugins)
