"""The free requests and what comes after them: the server's own plugin.

The first live tasks of an account are free; then each costs its type's price,
taken from the account's credit; without credit the creation is refused. It is
counted by one conditional UPDATE in the transaction that stores the task, so
that of many creations at once exactly those within the quota succeed, and a
creation that is refused, rolled back or a repetition is never counted. Many
creations of an account without limit do not wait for each other on PostgreSQL:
there they are tallied in rows of their own.

Test tasks cost nothing. An account that is not in the server's tables belongs
to a host program that uses the engine directly; it charges its own customers,
and the quota leaves it alone.
"""

from __future__ import annotations

import logging

from sqlalchemy import ClauseElement, text

from workersai_core import Engine, TaskDraft, Violation
from workersai_core.api import hookimpl
from workersai_core.errors import Issue
from workersai_core.model import Context
from workersai_core.store import Session, Statement
from workersai_server.amounts import from_micros
from workersai_server.errors import FreeRequestsExhausted
from workersai_server.settings import Settings

__all__ = ["Quota", "violations"]

_EVERYTHING = 2**63 - 1
_MOST_OFFENDERS = 100
_log = logging.getLogger("workersai.quota")

_TALLIED = "(SELECT coalesce(sum(y.n), 0) FROM wai_creation_tally y WHERE y.account_id = {account})"


def _creations(dialect: str) -> str:
    """Return the SQL for how much an account has created so far; only PostgreSQL tallies."""
    return "creations" if dialect == "sqlite" else f"creations + {_TALLIED.format(account='wai_account.id')}"


def _take(dialect: str) -> ClauseElement:
    # Both databases compute every right side from the row as it was before.
    is_free = f"unlimited = 1 OR {_creations(dialect)} < :free"
    return text(
        "UPDATE wai_account SET creations = creations + 1,"  # noqa: S608 - our own texts
        f" credit_micros = credit_micros - CASE WHEN {is_free} THEN 0 ELSE :price END,"
        f" spent_micros = spent_micros + CASE WHEN {is_free} THEN 0 ELSE :price END"
        f" WHERE id = :account_id AND ({is_free} OR credit_micros >= :price)"
    )


def _standing(dialect: str) -> ClauseElement:
    columns = f"unlimited, {_creations(dialect)}, credit_micros"
    return text(f"SELECT {columns} FROM wai_account WHERE id = :account_id")  # noqa: S608 - our own texts


_TAKE = Statement(_take)
_STANDING = Statement(_standing)
# Counts a creation that nothing limits, in a row that no other transaction touches; only for PostgreSQL.
_TALLY = Statement(
    text(
        "INSERT INTO wai_creation_tally (account_id, shard, n)"
        " SELECT id, pg_backend_pid() % 1024, 1 FROM wai_account WHERE id = :account_id AND (unlimited = 1 OR :all = 1)"
        " ON CONFLICT (account_id, shard) DO UPDATE SET n = wai_creation_tally.n + 1"
    )
)
_CHECKS = (
    (
        "An account's creations are not the number of its live tasks.",
        f"SELECT a.id FROM wai_account a WHERE a.creations + {_TALLIED.format(account='a.id')} <>"  # noqa: S608
        " (SELECT count(*) FROM wai_task t WHERE t.account = a.id AND t.mode = 'live')",
    ),
    (
        "An account's credit is negative, or is not what was added less what was spent.",
        "SELECT a.id FROM wai_account a WHERE a.credit_micros < 0 OR a.credit_micros + a.spent_micros <>"
        " (SELECT coalesce(sum(c.amount_micros), 0) FROM wai_credit c WHERE c.account_id = a.id)",
    ),
)
_STATEMENTS = [(detail, Statement(text(f"{query} ORDER BY a.id LIMIT {_MOST_OFFENDERS}"))) for detail, query in _CHECKS]


class Quota:
    """The plugin; pass it to `Engine.open` in `plugins`.

    Args:
        settings: How many creations are free, and the prices.
    """

    name = "quota"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._free = _EVERYTHING if settings.free_requests == "unlimited" else settings.free_requests

    @property
    def limited(self) -> bool:
        """Whether free requests are counted at all."""
        return self._free != _EVERYTHING

    @hookimpl
    def before_task_create(self, ctx: Context, draft: TaskDraft) -> None:
        """Count a live creation and take its price.

        Raises:
            FreeRequestsExhausted: the free ones are used up and the credit is too small.
        """
        if draft.mode != "live":
            return
        if ctx.session.dialect == "postgresql":
            tallied = ctx.session.run(_TALLY, {"account_id": draft.account, "all": int(not self.limited)})
            if tallied == 1:
                return
        price = self._settings.price_of(draft.task_type)
        taken = ctx.session.run(_TAKE, {"account_id": draft.account, "free": self._free, "price": price})
        if taken == 0:
            self._refuse(ctx.session, draft, price)

    @hookimpl
    def engine_ready(self, engine: Engine) -> None:
        """Warn of a price that no task type has, which is most likely misspelt."""
        for name in sorted(self._settings.prices.keys() - set(engine.types.names())):
            _log.warning("there is a price for the task type %s, which is not loaded; correct the setting prices", name)

    def free_requests_remaining(self, session: Session, account_id: str) -> int | None:
        """Return how many creations of an account are still free; None when without limit."""
        standing = session.one(_STANDING, {"account_id": account_id})
        if standing is None or standing[0] or self._free == _EVERYTHING:
            return None
        return max(0, self._free - int(standing[1]))

    def _refuse(self, session: Session, draft: TaskDraft, price: int) -> None:
        """Raise, unless the account is not ours to charge."""
        standing = session.one(_STANDING, {"account_id": draft.account})
        if standing is None:
            return
        credit = from_micros(standing[2])
        detail = (
            f"The {self._free} free requests are used up, this {draft.task_type} task costs {from_micros(price)}"
            f" and the credit is {credit}; add credit, or ask the operator to lift the limit."
        )
        raise FreeRequestsExhausted(
            detail,
            issues=[Issue("", detail, FreeRequestsExhausted.code)],
            free_requests=self._free,
            price=from_micros(price),
            credit=credit,
        )


def violations(session: Session) -> list[Violation]:
    """Return where the counters of accounts disagree with their tasks and credit (I12); for ``workersai check``."""
    found = []
    for detail, statement in _STATEMENTS:
        offenders = [str(row[0]) for row in session.all(statement)]
        if offenders:
            found.append(Violation(invariant="I12", detail=detail, ids=offenders))
    return found
