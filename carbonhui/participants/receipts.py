"""Whoever is given credits learns of it, and whoever uses them (Articles 18-22): a person in the inbox, an organisation by its endpoints."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications
from carbonhui.core.database import connection_of

_WHOSE = """
SELECT (SELECT id FROM organisation WHERE account_id = %(account)s),
       EXISTS (SELECT FROM person WHERE account_id = %(account)s AND state <> 'erased')
"""


def announce_received(session: Session, posted: ledger.Posted, *, account: int, credits: int, purpose: ledger.Purpose, on: date) -> None:
    """Tell the holder of an account what was just posted to it; a repetition, and an account of nobody known, tell nothing.

    Who pays is not told, and neither is the reference, which is the payer's own words.
    """
    _announce(session, "credit.received", posted, account, {"credits": credits, "purpose": purpose.name.lower(), "on": on.isoformat()})


def announce_spent(session: Session, posted: ledger.Posted, *, account: int, credits: int, purpose: ledger.Purpose, on: date) -> None:
    """Tell the holder of an account what was just taken from it by hand; as `announce_received`."""
    _announce(session, "credit.spent", posted, account, {"credits": credits, "purpose": purpose.name.lower(), "on": on.isoformat()})


def _announce(session: Session, topic: str, posted: ledger.Posted, account: int, facts: dict[str, int | str]) -> None:
    if posted.again:
        return
    row = connection_of(session).execute(_WHOSE, {"account": account}, prepare=True).fetchone()
    assert row is not None
    organisation, is_person = row
    if organisation is not None or is_person:
        notifications.announce(session, topic, payload=facts, account=account if is_person else None, organisation=organisation)
