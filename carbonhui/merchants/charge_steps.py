"""What becomes of an authorised charge: captured wholly or in part, voided, closed, or over its time."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications
from carbonhui.core.amounts import checked_amount
from carbonhui.core.database import connection_of
from carbonhui.ledger import CREDIT, Kind
from carbonhui.merchants import charge_refusals as refusals
from carbonhui.merchants import offers
from carbonhui.merchants.charge_records import COLUMNS, Charge, locked


def capture(session: Session, charge: Charge, *, credits: int | None = None, on: date) -> Charge:
    """Take what was authorised, wholly or in part; the rest is free again at once. Once for each charge.

    The same amount again gives the first outcome. Raises `ChargeStateDiffers`,
    `CaptureAboveAuthorisation`, `MerchantNotTrading`, `AmountOutOfRange`.
    """
    asked = charge.credits if credits is None else checked_amount(credits)
    found = locked(session, charge)
    if asked > found.credits:
        raise refusals.CaptureAboveAuthorisation(asked=asked, authorised=found.credits)
    if found.state == "captured" and found.captured == asked:
        return found
    _require(found, "authorised")
    _require_trading(session, found)
    assert found.hold_id is not None
    try:
        posted = ledger.capture(
            session, found.hold_id, amount=asked, reference=f"charge:{found.handle}", business_date=on, final=True
        )
    except ledger.HoldNotOpen:
        raise refusals.ChargeStateDiffers(state="expired", wanted="authorised") from None
    made = _changed(
        session, found, "state = 'captured', captured = %s, transfer_id = %s, captured_at = clock_timestamp(), expires_at = NULL", asked,
        posted.id,
    )  # fmt: skip
    _tell(session, made, "charge.captured", "payment.made", asked)
    if asked < found.credits:
        _tell(session, made, None, "payment.released", found.credits - asked)
    return made


def void(session: Session, charge: Charge) -> Charge:
    """Let go of what was authorised and not captured; again gives the first outcome. Raises `ChargeStateDiffers`.

    A charge that waits is closed. What was captured is refunded instead.
    """
    found = locked(session, charge)
    if found.state == "voided":
        return found
    if found.state == "awaiting":
        return _ended(session, found, "closed")
    _require(found, "authorised")
    return _ended(session, found, "voided")


def close(session: Session, charge: Charge) -> Charge:
    """Let a charge wait for nobody any more; again gives the first outcome. Raises `ChargeStateDiffers`."""
    found = locked(session, charge)
    if found.state == "closed":
        return found
    _require(found, "awaiting")
    return _ended(session, found, "closed")


def close_expired(session: Session, *, most: int = 1000) -> int:
    """Close up to ``most`` charges whose time is over by the database's clock, and free what they held; how many."""
    rows = connection_of(session).execute(
        f"""SELECT {COLUMNS} FROM charge WHERE state IN ('awaiting', 'authorised') AND expires_at <= clock_timestamp()
            ORDER BY payer, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED""",
        (most,),
    ).fetchall()
    for row in rows:
        _ended(session, Charge(*row), "closed")
    return len(rows)


def _ended(session: Session, found: Charge, state: str) -> Charge:
    """Without a capture: what was taken of an offer is there again, and so are the credits."""
    if found.payer is not None:
        give_back_offer(session, found)
    if found.hold_id is not None:
        ledger.release(session, found.hold_id)
    made = _changed(session, found, "state = %s, closed_at = clock_timestamp(), expires_at = NULL", state)
    _tell(session, made, f"charge.{state}", "payment.released" if found.payer is not None else None)
    return made


def give_back_offer(session: Session, charge: Charge) -> None:
    """What a charge took of an offer can be taken by others."""
    if charge.offer is not None:
        assert charge.payer is not None and charge.quantity is not None
        offers.give_back(
            session, charge.offer, payer=charge.payer, quantity=charge.quantity, taken_on=charge.business_date, sandbox=charge.sandbox
        )


def _require(found: Charge, wanted: str) -> None:
    if found.state != wanted:
        raise refusals.ChargeStateDiffers(state=found.state, wanted=wanted)


def _require_trading(session: Session, found: Charge) -> None:
    row = connection_of(session).execute(
        "SELECT charge_merchant(%s, %s::smallint)", (found.organisation, found.asset), prepare=True
    ).fetchone()
    if row != (found.merchant,):
        raise refusals.MerchantNotTrading()


def _changed(session: Session, charge: Charge, assignment: str, *values: Any) -> Charge:
    row = connection_of(session).execute(
        f"UPDATE charge SET {assignment} WHERE id = %s RETURNING {COLUMNS}", (*values, charge.id), prepare=True
    ).fetchone()
    assert row is not None
    return Charge(*row)


def _tell(session: Session, charge: Charge, merchants: str | None, payers: str | None, credits: int | None = None) -> None:
    told = charge.told(credits)
    if merchants is not None:
        notifications.announce(session, merchants, payload=told, organisation=charge.organisation, key=str(charge.handle))
    if payers is not None and charge.payer is not None and tells_payer(session, charge):
        notifications.announce(session, payers, payload=told, account=charge.payer)


def tells_payer(session: Session, charge: Charge) -> bool:
    """Whether a person with an inbox paid: pools, charities and the sandbox's payers have none."""
    assert charge.payer is not None
    return charge.asset == CREDIT and ledger.balance_of(session, charge.payer).kind == Kind.PERSON
