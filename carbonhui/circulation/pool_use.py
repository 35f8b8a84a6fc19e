"""Using a pool that reached its goal, and what anybody may know of it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import notifications
from carbonhui.circulation.pool_refusals import PoolNotUsable, PoolPurposeDiffers, PoolTargetDiffers, PoolUnknown
from carbonhui.circulation.pool_rules import TARGETS
from carbonhui.circulation.pools import Pool, locked_pool
from carbonhui.core.database import connection_of
from carbonhui.ledger import Purpose


@dataclass(frozen=True)
class Use:
    """Credits that left a pool for what it is for; negative where a merchant gave some back. ``transfer`` leads to more."""

    transfer: int
    purpose: Purpose
    credits: int
    business_date: date
    counterpart: int


def use_pool(session: Session, pool: int, *, owner_account: int, purpose: str, target: int | None = None, on: date) -> int:
    """The account of a pool, for one use by its owner in this transaction; ``target`` is who is to receive the credits.

    The pool is locked, so that it is not called off or given back meanwhile; that there are
    credits enough is the books' to say. Those who put credits in are told of the first use.
    The refusals are tried in this order: `PoolUnknown`, also for another's, `PoolPurposeDiffers`,
    `PoolTargetDiffers`, `PoolNotUsable`.
    """
    found = locked_pool(session, pool)
    if found.owner != owner_account:
        raise PoolUnknown()
    if purpose != found.purpose:
        raise PoolPurposeDiffers(purpose=found.purpose)
    if found.target is not None and target != found.target:
        raise PoolTargetDiffers(wanted=TARGETS[found.purpose].name.lower())
    if found.state != "reached" or found.use_until is None or on > found.use_until:
        raise PoolNotUsable(state=found.state, use_until=found.use_until or "-")
    if found.first_used_on is None:
        connection_of(session).execute("UPDATE pool SET first_used_on = %s WHERE id = %s", (on, pool))
        _tell_contributors(session, found)
    return found.own_account


_CONTRIBUTORS = """
SELECT c.payer, o.id, p.id IS NOT NULL FROM (SELECT DISTINCT payer FROM pool_contribution WHERE pool_id = %s) c
LEFT JOIN organisation o ON o.account_id = c.payer
LEFT JOIN person p ON p.account_id = c.payer AND p.state <> 'erased' ORDER BY c.payer
"""


def _tell_contributors(session: Session, pool: Pool) -> None:
    facts = {"goal_credits": pool.goal_credits}
    rows = connection_of(session).execute(_CONTRIBUTORS, (pool.id,)).fetchall()
    notifications.announce_many(session, "pool.used", [(payer, facts) for payer, _, is_person in rows if is_person])
    for _, organisation, _ in rows:
        if organisation is not None:
            notifications.announce(session, "pool.used", payload=facts, organisation=organisation)


_USES = """
SELECT id, purpose, amount, business_date, credit FROM transfer
WHERE debit = %(account)s AND purpose <> ALL (%(back)s)
UNION ALL
SELECT id, purpose, -amount, business_date, debit FROM transfer
WHERE credit = %(account)s AND purpose <> %(contribute)s
ORDER BY 1 LIMIT %(limit)s
"""


def uses_of(session: Session, pool: Pool, *, limit: int = 100) -> list[Use]:
    """What became of a pool's credits, oldest first: each use, and what a merchant refunded."""
    words = {
        "account": pool.own_account, "contribute": int(Purpose.CONTRIBUTE), "back": [int(Purpose.RETURN), int(Purpose.ABANDON)],
        "limit": limit,
    }  # fmt: skip
    rows = connection_of(session).execute(_USES, words)
    return [Use(row[0], Purpose(row[1]), *row[2:]) for row in rows]


# In one statement: a contribution that is made meanwhile is in both numbers or in none.
_USED = """
SELECT p.id, p.contributed - p.returned - b.posted
       - coalesce((SELECT sum(i.amount) FROM incoming i WHERE i.account_id = b.account_id), 0)::bigint
FROM pool p JOIN balance b ON b.account_id = p.own_account WHERE p.id = ANY (%s)
"""


def used_of(session: Session, found: list[Pool]) -> dict[int, int]:
    """How many credits of each pool were used, by the pool's number: what was put in and is neither there nor back."""
    return dict(connection_of(session).execute(_USED, ([pool.id for pool in found],)).fetchall())
