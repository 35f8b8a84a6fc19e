"""What merchants received goes to the cancellation pool, transfer by transfer (Article 20).

A settlement is a list of transfers that it nets: each transfer into or out of a
merchant's account is listed once, and what they come to moves. What a settlement
cannot move, because the merchant promised it or has meanwhile given it away, the
next one brings forward.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import psycopg
from sqlalchemy.orm import Session

from carbonhui import ledger, notifications
from carbonhui.core.database import Database, connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.ledger import Kind, Purpose
from carbonhui.merchants.refusals import NothingToSettle
from carbonhui.merchants.settlements import COLUMNS, Settlement, last_settled, organisation_of, settlement_under


@dataclass(frozen=True)
class Settled:
    """How the settling of all merchants for a day went: how many, how many credits, and who was refused with which code."""

    settlements: int
    credits: int
    refused: tuple[tuple[int, str], ...]


# Every transfer that no settlement lists is chosen, listed and summed by one statement, beside the balance that the
# same instant shows: what the merchant holds must be what waits and what was brought forward.
_LIST = """
WITH since AS (
    SELECT id, amount AS received, 0::bigint AS given, business_date, at FROM transfer
    WHERE credit = %(merchant)s AND id > %(after)s
    UNION ALL
    SELECT id, 0, amount, business_date, at FROM transfer
    WHERE debit = %(merchant)s AND id > %(after)s AND purpose <> %(settle)s
), waiting AS MATERIALIZED (
    SELECT * FROM since s WHERE NOT EXISTS (SELECT FROM settlement_item i WHERE i.transfer_id = s.id AND i.merchant = %(merchant)s)
), listed AS (
    INSERT INTO settlement_item (transfer_id, merchant, settlement_id)
    SELECT id, %(merchant)s, %(settlement)s FROM waiting WHERE business_date <= %(day)s
)
SELECT count(*) FILTER (WHERE business_date <= %(day)s),
       coalesce(sum(received) FILTER (WHERE business_date <= %(day)s), 0)::bigint,
       coalesce(sum(given) FILTER (WHERE business_date <= %(day)s), 0)::bigint,
       coalesce(sum(received - given), 0)::bigint,
       coalesce(min(id) FILTER (WHERE business_date > %(day)s) - 1, 9223372036854775807),
       coalesce((SELECT max(id) FROM since WHERE at < now() - interval '1 day'), 0),
       (SELECT b.posted + coalesce((SELECT sum(amount) FROM incoming WHERE account_id = b.account_id), 0)
        FROM balance b WHERE b.account_id = %(merchant)s)::bigint,
       (SELECT b.held FROM balance b WHERE b.account_id = %(merchant)s)
FROM waiting
"""

_ENTER = f"""
INSERT INTO settlement (id, organisation, merchant, asset, number, day, brought, received, given, credits, carried, items,
                        looked_through, transfer_id, reference)
VALUES (%(id)s, %(organisation)s, %(merchant)s, %(asset)s, %(number)s, %(day)s, %(brought)s, %(received)s, %(given)s, %(credits)s,
        %(carried)s, %(items)s, %(looked_through)s, %(transfer)s, %(reference)s)
ON CONFLICT (reference) DO NOTHING RETURNING {COLUMNS}
"""


def settle_through(
    session: Session, *, merchant: int, day: date, reference: str, business_date: date
) -> Settlement | None:
    """Settle everything that a merchant received and gave through ``day``; None when nothing waits.

    No more moves than the merchant has free, and nothing where what it gave back was as
    much as it received; such a settlement lists its transfers all the same. The same
    reference again returns the first settlement, whatever has arrived by then.
    Raises `ledger.KindDiffers`, `ledger.AccountUnknown`, `ledger.ReferenceReused`, and what `ledger.post` raises.
    """
    ledger.require_kind(session, merchant, Kind.MERCHANT)
    # Whatever leaves the merchant waits from here on, another settlement too; what it receives does not.
    ledger.lock_accounts(session, merchant)
    before = settlement_under(session, reference)
    if before is not None:
        if before.merchant != merchant:
            raise ledger.ReferenceReused(reference=reference)
        return before
    taken = ledger.transfer_under(session, reference)
    if taken is not None:
        raise ledger.ReferenceReused(reference=reference)
    asset = ledger.balance_of(session, merchant).asset
    number, brought, looked_through = last_settled(session, merchant)
    drawn = connection_of(session).execute("SELECT nextval('settlement_id_seq')").fetchone()
    assert drawn is not None
    found = _list(session, merchant, settlement=drawn[0], day=day, brought=brought, after=looked_through)
    credits = max(0, min(brought + found.received - found.given, found.available))
    if found.items == 0 and credits == 0:
        return None
    transfer = _moved(session, merchant, credits, asset, reference, business_date) if credits else None
    words = {
        "id": drawn[0], "organisation": organisation_of(session, merchant), "merchant": merchant, "asset": asset, "number": number + 1,
        "day": day, "brought": brought, "received": found.received, "given": found.given, "credits": credits,
        "carried": brought + found.received - found.given - credits, "items": found.items,
        "looked_through": max(looked_through, found.looked_through), "transfer": transfer, "reference": reference,
    }  # fmt: skip
    row = connection_of(session).execute(_ENTER, words).fetchone()
    if row is None:
        raise ledger.ReferenceReused(reference=reference)
    made = Settlement(*row)
    _announce(session, made)
    return made


@dataclass(frozen=True)
class _Found:
    items: int
    received: int
    given: int
    available: int
    looked_through: int


def _list(session: Session, merchant: int, *, settlement: int, day: date, brought: int, after: int) -> _Found:
    """List what waits. Whoever finds that it does not come to the balance looks through the whole history once.

    A transfer that was entered in a transaction of more than a day lies below what was looked through.
    """
    items = received = given = 0
    for since in dict.fromkeys((after, 0)):
        words = {"merchant": merchant, "after": since, "settle": int(Purpose.SETTLE), "settlement": settlement, "day": day}
        row = connection_of(session).execute(_LIST, words).fetchone()
        assert row is not None
        waits, holds = brought + received - given + row[3], row[6]
        items, received, given = items + row[0], received + row[1], given + row[2]
        if waits == holds:
            return _Found(items, received, given, holds - row[7], min(row[4], row[5]))
    raise AssertionError(f"merchant {merchant} holds {holds} and {waits} wait to be settled")


def _moved(session: Session, merchant: int, credits: int, asset: int, reference: str, on: date) -> int:
    pool = ledger.system_account(session, Kind.CANCELLATION_POOL, asset=asset)
    return ledger.post(
        session, purpose=Purpose.SETTLE, source=merchant, target=pool, amount=credits, reference=reference, business_date=on, asset=asset
    ).id


def _announce(session: Session, made: Settlement) -> None:
    if made.organisation is not None:
        told = {"settlement": str(made.handle), "credits": made.credits, "on": made.day.isoformat(), "sandbox": made.sandbox}
        notifications.announce(
            session, "settlement.made", payload=told, organisation=made.organisation, key=f"settlements-{made.merchant}"
        )


def settle(session: Session, *, merchant: int, reference: str, business_date: date) -> ledger.Posted:
    """Move what a merchant has received through ``business_date``, and has not promised, to the cancellation pool.

    The same reference again returns the first settlement, whatever the merchant
    holds by then. Raises `NothingToSettle`, and what `settle_through` raises.
    """
    again = settlement_under(session, reference) is not None
    made = settle_through(session, merchant=merchant, day=business_date, reference=reference, business_date=business_date)
    if made is None or made.transfer_id is None:
        raise NothingToSettle(merchant=merchant)
    return ledger.Posted(made.transfer_id, again=again)


def settle_day(database: Database, *, on: date) -> Settled:
    """Settle all merchants through the day before ``on``, each in a transaction of its own.

    It may be started again at will: who was settled for the day already is passed over.
    A merchant who is refused does not hold up the others. Nor does one whose books are
    broken or whose account somebody keeps locked: that is raised when the others are done.
    """
    day = on - timedelta(days=1)
    settlements = credits = 0
    refused = []
    broken: Exception | None = None
    for merchant in _merchants(database):
        try:
            made = database.run(lambda session, merchant=merchant: _settled_by_night(session, merchant, day, on))  # type: ignore[misc]
        except Refusal as refusal:
            refused.append((merchant, refusal.code))
            continue
        except (AssertionError, psycopg.IntegrityError, psycopg.errors.LockNotAvailable) as found:
            broken = broken or found
            continue
        if made is not None:
            settlements, credits = settlements + 1, credits + (0 if made.sandbox else made.credits)
    if broken is not None:
        raise broken
    return Settled(settlements, credits, tuple(refused))


def _settled_by_night(session: Session, merchant: int, day: date, on: date) -> Settlement | None:
    # A million sales of one merchant take longer than a request may.
    connection_of(session).execute("SET LOCAL statement_timeout = 0")
    return settle_through(session, merchant=merchant, day=day, reference=f"settlement-{merchant}-{day}", business_date=on)


def _merchants(database: Database) -> list[int]:
    with database.begin() as session:
        rows = connection_of(session).execute(
            # Closed ones too: on its last day as much may have gone back as came.
            "SELECT id FROM account WHERE kind = %s AND asset = ANY (%s) ORDER BY id",
            (int(Kind.MERCHANT), [ledger.CREDIT, ledger.SANDBOX]),
        ).fetchall()
    return [row[0] for row in rows]
