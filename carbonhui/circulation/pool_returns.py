"""What a pool that is over gives back: to everybody what they put in, or of what was not used the newest first."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications
from carbonhui.circulation.pool_contributions import tell
from carbonhui.circulation.pool_rules import LATE_DAYS, OVER, shares
from carbonhui.core.database import connection_of
from carbonhui.ledger import Kind, Purpose


@dataclass(frozen=True)
class _Owed:
    """A contribution of which something is to go back now."""

    id: int
    pool_id: int
    own_account: int
    payer: int
    returned: int
    credits: int

    def transfer(self, on: date, *, abandoned_to: int | None = None) -> ledger.Transfer:
        words = "return" if abandoned_to is None else "abandon"
        return ledger.Transfer(
            purpose=Purpose.RETURN if abandoned_to is None else Purpose.ABANDON,
            source=self.own_account, target=abandoned_to or self.payer, amount=self.credits,
            reference=f"pool-{words}-{self.id}-{self.returned}", business_date=on,
        )  # fmt: skip


def conclude_pools(session: Session, *, on: date, most: int = 1000) -> int:
    """End the pools whose time is over, and give back what was put in and not used; how many steps that took.

    A pool that missed its goal, or was called off, or whose owner is gone, gives everybody exactly what they put
    in; one that reached its goal and was not used up in time gives back the newest contributions first. Who closed
    their account meanwhile cannot be paid: that goes to the cancellation pool. Who may hold no more just now is
    tried again another day. At most ``most`` pools end and ``most`` contributions go back at one time: call it until it
    answers 0. It may be stopped anywhere; what was committed is not done again.
    """
    # Two runs at once would lock pools in two orders.
    connection_of(session).execute("SELECT pg_advisory_xact_lock(hashtextextended('conclude-pools', 440122))")
    ended = _end(session, on, most)
    emptied, owed = _owed(session, on, most)
    if owed:
        _note(session, owed, _give_back(session, owed, on), on)
    # What was tried and has to wait is a step as well: it is not tried again today, and others come behind it.
    return ended + emptied + len(owed)


_END = """
WITH due AS (
    SELECT p.id FROM pool p JOIN account a ON a.id = p.owner
    WHERE (p.state = 'open' AND (p.deadline < %(on)s OR a.closed_at IS NOT NULL))
       OR (p.state = 'reached' AND (p.use_until < %(on)s OR a.closed_at IS NOT NULL))
    ORDER BY p.id LIMIT %(most)s FOR NO KEY UPDATE OF p)
UPDATE pool p SET concluded_on = %(on)s, state = CASE
    WHEN p.state = 'reached' AND (p.first_used_on IS NOT NULL OR p.use_until < %(on)s) THEN 'ended'
    WHEN p.state = 'open' AND p.deadline < %(on)s THEN 'missed' ELSE 'cancelled' END
FROM due WHERE p.id = due.id RETURNING p.owner, p.goal_credits, p.state
"""


def _end(session: Session, on: date, most: int) -> int:
    rows = connection_of(session).execute(_END, {"on": on, "most": most}).fetchall()
    for owner, goal, state in rows:
        if state == "missed":
            tell(session, owner, "pool.missed", goal_credits=goal)
    return len(rows)


# Where nobody can take anything back today, nothing is to be done today.
_POOLS = """
SELECT p.id, p.own_account, l.free FROM pool p, LATERAL (
    SELECT b.held, b.posted - b.held + coalesce((SELECT sum(i.amount) FROM incoming i WHERE i.account_id = b.account_id), 0)::bigint AS free
    FROM balance b WHERE b.account_id = p.own_account) l
WHERE p.state = ANY (%(over)s) AND (p.emptied_on IS NULL OR p.emptied_on > %(on)s::date - %(late)s::int)
  AND CASE WHEN l.free = 0 THEN p.emptied_on IS NULL AND l.held = 0 ELSE EXISTS (
      SELECT FROM pool_contribution WHERE pool_id = p.id AND returned < credits AND waits_on IS DISTINCT FROM %(on)s::date) END
ORDER BY p.id LIMIT %(most)s FOR NO KEY UPDATE OF p
"""
# Those who cannot take theirs today keep their turn, so they are read as well.
_CONTRIBUTIONS = """
SELECT id, payer, returned, credits - returned, waits_on IS NOT DISTINCT FROM %(on)s::date FROM pool_contribution
WHERE pool_id = %(pool)s AND returned < credits ORDER BY id DESC LIMIT %(most)s + (
    SELECT count(*) FROM pool_contribution WHERE pool_id = %(pool)s AND returned < credits AND waits_on = %(on)s)
"""


def _owed(session: Session, on: date, most: int) -> tuple[int, list[_Owed]]:
    """How many pools have nothing left, and what goes back at this time, pool by pool, the newest contribution of each first."""
    connection = connection_of(session)
    found: list[_Owed] = []
    words = {"over": list(OVER), "on": on, "late": LATE_DAYS, "most": most}
    pools = connection.execute(_POOLS, words).fetchall()
    emptied = _note_empty(session, [pool for pool, _, free in pools if not free], on)
    for pool, account, free in pools:
        rows = connection.execute(_CONTRIBUTIONS, {"pool": pool, "on": on, "most": most}).fetchall() if free else []
        parts = shares([row[3] for row in rows], left=free)
        found += [
            _Owed(id, pool, account, payer, returned, part)
            for (id, payer, returned, _, waits), part in zip(rows, parts, strict=True)
            if part and not waits
        ]
        if len(found) >= most:
            break
    return emptied, found[:most]


def _note_empty(session: Session, pools: list[int], on: date) -> int:
    return connection_of(session).execute(
        """UPDATE pool p SET emptied_on = %s FROM balance b
           WHERE p.id = ANY (%s) AND b.account_id = p.own_account AND b.held = 0""",
        (on, pools),
    ).rowcount


@dataclass(frozen=True)
class _Back:
    """One contribution's return as it was posted."""

    owed: _Owed
    transfer: int
    abandoned: bool


def _give_back(session: Session, owed: list[_Owed], on: date) -> list[_Back]:
    outcomes = ledger.post_many(session, [one.transfer(on) for one in owed])
    done = [_Back(one, told.id, False) for one, told in zip(owed, outcomes, strict=True) if told.id is not None]
    gone = [one for one, told in zip(owed, outcomes, strict=True) if isinstance(told.refusal, ledger.AccountClosed)]
    if gone:
        pool = ledger.system_account(session, Kind.CANCELLATION_POOL)
        outcomes = ledger.post_many(session, [one.transfer(on, abandoned_to=pool) for one in gone])
        done += [_Back(one, told.id, True) for one, told in zip(gone, outcomes, strict=True) if told.id is not None]
    return done


_NOTE = """
WITH back AS (
    SELECT * FROM unnest(%(contributions)s::bigint[], %(credits)s::bigint[], %(transfers)s::bigint[], %(abandoned)s::boolean[])
        AS given (contribution, credits, transfer, abandoned)
), entered AS (
    INSERT INTO pool_return (contribution_id, credits, transfer_id, business_date, abandoned)
    SELECT contribution, credits, transfer, %(on)s, abandoned FROM back
), given AS (
    UPDATE pool_contribution c SET returned = c.returned + back.credits FROM back WHERE c.id = back.contribution
    RETURNING c.pool_id, back.credits
)
UPDATE pool p SET returned = p.returned + g.credits
FROM (SELECT pool_id, sum(credits)::bigint AS credits FROM given GROUP BY pool_id) g WHERE p.id = g.pool_id
"""


def _note(session: Session, owed: list[_Owed], done: list[_Back], on: date) -> None:
    connection = connection_of(session)
    if done:
        connection.execute(_NOTE, {
            "contributions": [one.owed.id for one in done], "credits": [one.owed.credits for one in done],
            "transfers": [one.transfer for one in done], "abandoned": [one.abandoned for one in done], "on": on,
        })  # fmt: skip
    waiting = sorted({one.id for one in owed} - {one.owed.id for one in done})
    connection.execute("UPDATE pool_contribution SET waits_on = %s WHERE id = ANY (%s)", (on, waiting))
    _tell(session, [one.owed for one in done if not one.abandoned])


def _tell(session: Session, owed: list[_Owed]) -> None:
    rows = connection_of(session).execute(
        "SELECT account_id FROM person WHERE account_id = ANY (%s) AND state <> 'erased'", ([one.payer for one in owed],)
    )
    persons = {row[0] for row in rows}
    notifications.announce_many(
        session, "credit.returned", [(one.payer, {"credits": one.credits}) for one in owed if one.payer in persons]
    )
    for one in owed:
        if one.payer not in persons:
            tell(session, one.payer, "credit.returned", credits=one.credits)
