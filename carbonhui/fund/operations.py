"""Receiving the budget, and the year-end purchase at par."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, publicfees
from carbonhui.core.amounts import Credits, Fen
from carbonhui.core.database import connection_of
from carbonhui.fund.refusals import NothingOwed, PurseOfAnother
from carbonhui.ledger import CNY, Kind, Leg, Purpose


@dataclass(frozen=True)
class Purchase:
    """One department's credits bought at par and cancelled. ``again`` when it had been done before."""

    id: int
    department: int
    credits: Credits
    fen: Fen
    again: bool


def receive_budget(session: Session, *, fen: Fen, reference: str, business_date: date) -> ledger.Posted:
    """Enter money that the bank received for the fund (Article 31)."""
    bank = ledger.system_account(session, Kind.BANK, asset=CNY)
    cash = ledger.system_account(session, Kind.FUND_CASH, asset=CNY)
    return ledger.post(
        session, purpose=Purpose.FUND_BUDGET, source=bank, target=cash, amount=fen,
        reference=reference, business_date=business_date, asset=CNY,
    )


def purchase_at_par(
    session: Session, *, department: int, cash_account: int, through: date, reference: str, business_date: date
) -> Purchase:
    """Buy back what a department received for offsets through a day, and cancel it (Article 19).

    The credits go to the cancellation pool and the fen to the department's cash
    account, together or not at all. The fen are those that the offsets were worth
    when they were made, so the year ties out to the fen.

    Raises `NothingOwed`, `ledger.AssetDiffers` and `ledger.KindDiffers` when the cash account
    is not a department's, `PurseOfAnother` when it is tied to another department, and `ledger.NotEnough` when the fund's cash or the
    department's credits do not suffice.
    """
    connection_of(session).execute("SELECT pg_advisory_xact_lock(440119, %s)", (department % 2**31,))
    before = _purchase_under(session, reference, (department, through, cash_account))
    if before is not None:
        return before
    _refuse_strange_purse(session, department, cash_account)
    number = _next_number(session)
    due = publicfees.mark_purchased(session, department, through=through, purchase=number)
    if due.credits < 1:
        raise NothingOwed(department=department, through=through)
    pool = ledger.system_account(session, Kind.CANCELLATION_POOL)
    cash = ledger.system_account(session, Kind.FUND_CASH, asset=CNY)
    legs = [
        Leg(purpose=Purpose.PAR_PURCHASE, source=department, target=pool, amount=due.credits),
        Leg(purpose=Purpose.PAR_PURCHASE, source=cash, target=cash_account, amount=due.fen, asset=CNY),
    ]
    posted = ledger.post_group(session, legs, reference=reference, business_date=business_date)
    connection_of(session).execute(
        """INSERT INTO par_purchase (id, department, through, credits, fen, cash_account, transfer_id, reference)
           OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (number, department, through, due.credits, due.fen, cash_account, posted[0].id, reference),
    )
    return Purchase(number, department, due.credits, due.fen, again=False)


def _next_number(session: Session) -> int:
    """The number of the purchase, known before it is entered so that its offsets can be marked first."""
    row = connection_of(session).execute("SELECT nextval(pg_get_serial_sequence('par_purchase', 'id'))").fetchone()
    assert row is not None
    return int(row[0])


def _refuse_strange_purse(session: Session, department: int, cash_account: int) -> None:
    """The fen go to a cash account of a department, never to anybody else's, and never to another department's."""
    tied = connection_of(session).execute(_TIED, {"department": department, "purse": cash_account}).fetchone()
    if tied is not None and tied != (department, cash_account):
        raise PurseOfAnother(department=department, cash_account=cash_account)
    found = ledger.balance_of(session, cash_account)
    if found.asset != CNY:
        raise ledger.AssetDiffers(account=cash_account, asset="cny")
    if found.kind not in (Kind.DEPARTMENT, Kind.PAYABLE):
        raise ledger.KindDiffers(account=cash_account, kind=found.kind.name.lower(), wanted="department")


#: What its approval tied to this department or to this purse; a department whose accounts were opened by hand has none.
_TIED = """
SELECT account_id, cash_account_id FROM organisation
WHERE account_id = %(department)s OR cash_account_id = %(purse)s ORDER BY account_id = %(department)s LIMIT 1
"""


def _purchase_under(session: Session, reference: str, words: tuple[int, date, int]) -> Purchase | None:
    row = connection_of(session).execute(
        "SELECT id, department, credits, fen, through, cash_account FROM par_purchase WHERE reference = %s", (reference,)
    ).fetchone()
    if row is None:
        return None
    if (row[1], row[4], row[5]) != words:
        raise ledger.ReferenceReused(reference=reference)
    return Purchase(id=row[0], department=row[1], credits=row[2], fen=row[3], again=True)
