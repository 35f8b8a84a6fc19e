"""Lists of charges: a merchant's, and a payer's; and forgetting the codes that were used long ago."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.ledger import CREDIT, SANDBOX
from carbonhui.merchants.charge_records import COLUMNS, Charge


@dataclass(frozen=True)
class Payment:
    """A charge as its payer sees it."""

    id: int
    trade: UUID
    merchant: str
    shop: str | None
    offer_zh: str | None
    offer_en: str | None
    quantity: int | None
    credits: int
    money_fen: int
    state: str
    captured: int
    refunded: int
    at: datetime
    authorised_at: datetime | None
    expires_at: datetime | None
    business_date: date


def charges_of(
    session: Session, organisation: int, *, sandbox: bool = False, before: int | None = None, limit: int = 50,
    state: str | None = None, day: date | None = None, trade: UUID | None = None,
) -> list[Charge]:  # fmt: skip
    """A merchant's charges, newest first; ``before`` is the last one's number of the page before."""
    rows = connection_of(session).execute(
        f"""SELECT {COLUMNS} FROM charge
            WHERE organisation = %(organisation)s AND asset = %(asset)s AND id < coalesce(%(before)s, 9223372036854775807)
              AND (%(state)s::text IS NULL OR state = %(state)s) AND (%(day)s::date IS NULL OR business_date = %(day)s)
              AND (%(trade)s::uuid IS NULL OR handle = %(trade)s)
            ORDER BY id DESC LIMIT %(limit)s""",
        {
            "organisation": organisation, "asset": SANDBOX if sandbox else CREDIT, "before": before, "limit": limit, "state": state,
            "day": day, "trade": trade,
        },
    ).fetchall()  # fmt: skip
    return [Charge(*row) for row in rows]


_PAYMENT = """
SELECT c.id, c.handle, o.name, s.name, f.title_zh, f.title_en, c.quantity, c.credits, c.money_fen, c.state, c.captured, c.refunded,
       c.at, c.authorised_at, c.expires_at, c.business_date
FROM charge c JOIN organisation o ON o.id = c.organisation LEFT JOIN shop s ON s.id = c.shop LEFT JOIN offer f ON f.id = c.offer
"""


def payments_of(session: Session, account: int, *, before: int | None = None, limit: int = 50) -> list[Payment]:
    """What an account paid or promised at merchants, newest first; ``before`` is the last one's number of the page before."""
    return _payments(
        session,
        """WHERE c.payer = %(account)s AND (%(before)s::bigint IS NULL OR (c.business_date, c.id)
             < (SELECT business_date, id FROM charge WHERE id = %(before)s AND payer = %(account)s))
           ORDER BY c.business_date DESC, c.id DESC LIMIT %(limit)s""",
        {"account": account, "before": before, "limit": limit},
    )


def payment(session: Session, charge: Charge) -> Payment:
    """One charge as a payer sees it."""
    return _payments(session, "WHERE c.id = %(id)s", {"id": charge.id})[0]


def _payments(session: Session, condition: str, words: dict[str, Any]) -> list[Payment]:
    return [Payment(*row) for row in connection_of(session).execute(_PAYMENT + condition, words).fetchall()]


def forget_used_codes(session: Session, *, most: int = 10_000) -> int:
    """Forget up to ``most`` payment codes that were used more than a day ago; how many. They ran out long before."""
    return connection_of(session).execute(
        """DELETE FROM payment_code_used WHERE digest IN (
               SELECT digest FROM payment_code_used WHERE used_at < clock_timestamp() - interval '1 day 1 hour' LIMIT %s)""",
        (most,),
    ).rowcount


def handles_in(session: Session, charges: list[Charge]) -> dict[tuple[str, int], UUID]:
    """The handles of the shops, tills and offers that charges name, by kind and number."""
    wanted = {kind: [one for charge in charges if (one := getattr(charge, kind)) is not None] for kind in ("shop", "till", "offer")}
    if not any(wanted.values()):
        return {}
    rows = connection_of(session).execute(
        """SELECT 'shop', id, handle FROM shop WHERE id = ANY (%(shop)s::bigint[])
           UNION ALL SELECT 'till', id, handle FROM till WHERE id = ANY (%(till)s::bigint[])
           UNION ALL SELECT 'offer', id, handle FROM offer WHERE id = ANY (%(offer)s::bigint[])""",
        wanted, prepare=True,
    ).fetchall()  # fmt: skip
    return {(kind, number): handle for kind, number, handle in rows}
