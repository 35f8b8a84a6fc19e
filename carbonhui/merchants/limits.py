"""What a person lets be paid by one payment and on one day; the store keeps to it exactly, however many tills ask at once."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from carbonhui.core.amounts import LARGEST_AMOUNT, AmountOutOfRange
from carbonhui.core.database import connection_of


@dataclass(frozen=True)
class PaymentLimits:
    """Credits, or None for no limit. A day is the city's; what was refunded counts as paid."""

    per_payment_max: int | None = None
    per_day_max: int | None = None


def payment_limits(session: Session, account: int) -> PaymentLimits:
    """The limits of an account's payments."""
    row = connection_of(session).execute(
        "SELECT per_payment_max, per_day_max FROM payment_limit WHERE account_id = %s", (account,)
    ).fetchone()
    return PaymentLimits(*row) if row else PaymentLimits()


def limit_payments(session: Session, account: int, limits: PaymentLimits) -> None:
    """These limits hold from now on; 0 lets nothing be paid. Raises `AmountOutOfRange`."""
    for credits in (limits.per_payment_max, limits.per_day_max):
        if credits is not None and not 0 <= credits <= LARGEST_AMOUNT:
            raise AmountOutOfRange(amount=ascii(credits)[:40], largest=LARGEST_AMOUNT)
    connection = connection_of(session)
    if limits == PaymentLimits():
        connection.execute("DELETE FROM payment_limit WHERE account_id = %s", (account,))
        return
    connection.execute(
        """INSERT INTO payment_limit VALUES (%s, %s, %s) ON CONFLICT (account_id)
           DO UPDATE SET per_payment_max = excluded.per_payment_max, per_day_max = excluded.per_day_max""",
        (account, limits.per_payment_max, limits.per_day_max),
    )
