"""Promising credits before they move: hold, capture, release, expire."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui.core.amounts import checked_amount
from carbonhui.core.database import connection_of
from carbonhui.ledger.posting import CREDIT, Posted, Purpose, call, check_reference, check_words

#: A promise lasts at most thirty days.
LONGEST_SECONDS = 30 * 86_400


@dataclass(frozen=True)
class Hold:
    """A promise's number; ``again`` when its reference had been used before."""

    id: int
    again: bool


def hold(
    session: Session,
    *,
    purpose: Purpose,
    source: int,
    target: int,
    amount: int,
    reference: str,
    business_date: date,
    seconds: int,
    asset: int = CREDIT,
) -> Hold:
    """Promise ``amount`` of one account to another for ``seconds`` (1 to 2,592,000).

    What is promised stays in the account and cannot be spent elsewhere. Raises as
    `post` does.
    """
    check_words(source=source, target=target, amount=amount, reference=reference)
    assert 1 <= seconds <= LONGEST_SECONDS
    words = (reference, source, target, amount, asset, int(purpose), business_date, seconds)
    outcome = call(session, "SELECT ledger_hold(%s, %s, %s, %s, %s, %s, %s, %s)", words)
    return Hold(id=abs(outcome), again=outcome < 0)


def capture(
    session: Session, hold: int, *, amount: int, reference: str, business_date: date, final: bool = True
) -> Posted:
    """Keep a promise wholly or in part; ``final`` lets the rest go, otherwise it stays promised.

    Raises `HoldUnknown`, `HoldNotOpen` (captured, released, or past its time by the
    database's clock), `CaptureAboveHold`, and as `post` does.
    """
    checked_amount(amount)
    check_reference(reference)
    outcome = call(
        session, "SELECT ledger_capture(%s, %s, %s, %s, %s)", (hold, amount, reference, business_date, final)
    )
    return Posted(id=abs(outcome), again=outcome < 0)


def release(session: Session, hold: int) -> int:
    """Let a promise go; the amount that is free again, 0 when it was no longer open."""
    return call(session, "SELECT ledger_let_go(%s, 'released')", (hold,))


def expire(session: Session, *, most: int = 1000) -> int:
    """Let go of up to ``most`` promises whose time has run out by the database's clock; how many."""
    return call(
        session,
        """SELECT count(ledger_let_go(id, 'expired')) FROM (
               SELECT id FROM hold WHERE state = 'open' AND expires_at <= clock_timestamp()
               ORDER BY account_id, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED) due""",
        (most,),
    )


def hold_state(session: Session, hold: int) -> str | None:
    """``open``, ``captured``, ``released`` or ``expired``; None when there is no such hold."""
    row = connection_of(session).execute("SELECT state FROM hold WHERE id = %s", (hold,)).fetchone()
    return row[0] if row else None
