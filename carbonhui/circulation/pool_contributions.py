"""Putting credits into a pool."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications, participants, policy
from carbonhui.circulation.pool_refusals import ContributorNotTaken, PoolNotOpen, PoolOver, PoolTakesLess
from carbonhui.circulation.pool_rules import may_contribute
from carbonhui.circulation.pools import COLUMNS, Pool, able_person, locked_pool, pool_numbered
from carbonhui.core.amounts import Credits, checked_amount
from carbonhui.core.database import connection_of
from carbonhui.ledger import Purpose


@dataclass(frozen=True)
class Contribution:
    """What one payer put in at one time, and how much of it came back; ``again`` when it had been made before."""

    id: int
    pool_id: int
    payer: int
    credits: int
    returned: int
    business_date: date
    again: bool = False


_COLUMNS = "id, pool_id, payer, credits, returned, business_date"

# One statement tests and takes: of those who offer the last credits at once, as many get in as there is room for.
_TAKE = f"""
UPDATE pool SET contributed = contributed + %(credits)s,
    contributors = contributors + CASE WHEN EXISTS (SELECT FROM pool_contribution WHERE pool_id = pool.id AND payer = %(payer)s)
                                       THEN 0 ELSE 1 END,
    state = CASE WHEN contributed + %(credits)s = goal_credits THEN 'reached' ELSE state END,
    use_until = CASE WHEN contributed + %(credits)s = goal_credits THEN %(on)s::date + %(days)s::int END
WHERE id = %(pool)s AND state = 'open' AND deadline >= %(on)s AND contributed + %(credits)s <= goal_credits
  AND NOT EXISTS (SELECT FROM account WHERE id = pool.owner AND closed_at IS NOT NULL)
RETURNING {COLUMNS}
"""


def contribute(
    session: Session, pool: int, *, payer: int, credits: Credits, reference: str, business_date: date
) -> Contribution:
    """Put credits into a pool, up to what is missing to its goal; with the last one the goal is reached.

    The same reference with the same words returns the first outcome. The refusals are tried in this order:
    `PoolUnknown`, `ledger.ReferenceReused`, the city's rule (`policy.NotPermitted`, `policy.RuleNotFound`), the payer
    (`ContributorNotTaken`, `participants.PersonRestricted`), `participants.OrganisationNotApproved` where its owner or
    target is suspended, then `PoolNotOpen`, `PoolOver`, `PoolTakesLess`, and last what `ledger.post` raises.
    """
    checked_amount(credits)
    found = pool_numbered(session, pool)
    before = _made_before(session, found, payer=payer, credits=credits, reference=reference)
    if before is not None:
        return before
    policy.require(session, policy.CREDITS_TRANSFERABLE, business_date)
    use_days = policy.rule_on(session, policy.POOL_USE_DAYS, business_date)
    kind = ledger.balance_of(session, payer).kind
    if not may_contribute(kind, found.purpose):
        raise ContributorNotTaken(kind=kind.name.lower(), purpose=found.purpose)
    with suppress(participants.PersonUnknown):  # the demonstration's accounts have nobody behind them
        able_person(session, payer, business_date)
    for account in (found.owner, found.target):
        if account is not None:
            participants.require_standing(session, account)
    found = locked_pool(session, pool)
    # Whoever sent the same twice at once waited here, and finds the first.
    before = _made_before(session, found, payer=payer, credits=credits, reference=reference)
    if before is not None:
        return before
    taken = _taken(session, found, payer=payer, credits=credits, on=business_date, use_days=use_days)
    posted = ledger.post(
        session, purpose=Purpose.CONTRIBUTE, source=payer, target=found.own_account, amount=credits,
        reference=reference, business_date=business_date,
    )
    if posted.again:
        raise ledger.ReferenceReused(reference=reference)
    row = connection_of(session).execute(
        f"""INSERT INTO pool_contribution (pool_id, payer, credits, transfer_id, business_date)
            VALUES (%s, %s, %s, %s, %s) RETURNING {_COLUMNS}""",
        (pool, payer, credits, posted.id, business_date),
    ).fetchone()
    assert row is not None
    tell(session, payer, "pool.contributed", credits=credits)
    if taken.state == "reached":
        tell(session, taken.owner, "pool.reached", goal_credits=taken.goal_credits)
    return Contribution(*row)


def _made_before(session: Session, pool: Pool, *, payer: int, credits: int, reference: str) -> Contribution | None:
    entered = ledger.transfer_under(session, reference)
    if entered is None:
        return None
    if (entered.source, entered.target, entered.amount) != (payer, pool.own_account, credits):
        raise ledger.ReferenceReused(reference=reference)
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM pool_contribution WHERE transfer_id = %s", (entered.id,)
    ).fetchone()
    if row is None:
        raise ledger.ReferenceReused(reference=reference)
    return replace(Contribution(*row), again=True)


def _taken(session: Session, pool: Pool, *, payer: int, credits: int, on: date, use_days: int) -> Pool:
    words = {"pool": pool.id, "payer": payer, "credits": credits, "on": on, "days": use_days}
    row = connection_of(session).execute(_TAKE, words).fetchone()
    if row is not None:
        return Pool(*row)
    if pool.state != "open":
        raise PoolNotOpen(state=pool.state)
    if pool.deadline < on:
        raise PoolOver(deadline=pool.deadline)
    if credits > pool.missing:
        raise PoolTakesLess(asked=credits, missing=pool.missing)
    raise PoolNotOpen(state="cancelled")


def tell(session: Session, account: int, topic: str, **facts: int | str) -> None:
    """Tell the holder of an account: a person in the inbox, an organisation by its endpoints; nobody known is told nothing."""
    row = connection_of(session).execute(
        """SELECT (SELECT id FROM organisation WHERE account_id = %(account)s),
                  EXISTS (SELECT FROM person WHERE account_id = %(account)s AND state <> 'erased')""",
        {"account": account},
    ).fetchone()
    assert row is not None
    if row[0] is not None or row[1]:
        notifications.announce(session, topic, payload=facts, account=account if row[1] else None, organisation=row[0])


def contributions_of(session: Session, payer: int, *, before: int | None = None, limit: int = 50) -> list[Contribution]:
    """What an account put into pools, newest first; ``before`` is the number of the last one of the page before."""
    rows = connection_of(session).execute(
        f"""SELECT {_COLUMNS} FROM pool_contribution WHERE payer = %s AND id < coalesce(%s, 9223372036854775807)
            ORDER BY id DESC LIMIT %s""",
        (payer, before, limit),
    )
    return [Contribution(*row) for row in rows]
