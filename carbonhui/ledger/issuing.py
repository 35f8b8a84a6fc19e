"""Putting newly minted credits into the books (Article 17)."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from carbonhui.ledger.accounts import Kind, system_account
from carbonhui.ledger.posting import call


def issue(
    session: Session,
    *,
    mint_id: int,
    vintage: int,
    mg_per_credit: int,
    business_date: date,
    accounts: Sequence[int],
    credits: Sequence[int],
) -> int:
    """Mint ``credits[i]`` credits of one vintage to ``accounts[i]``; the sum minted.

    The accounts are given once each, in ascending order. Each draws serials from
    its own reel of a hundred, so that what one person earns stays one run.
    """
    assert len(accounts) == len(credits) and list(accounts) == sorted(set(accounts)) and all(n > 0 for n in credits)
    if not accounts:
        return 0
    source = system_account(session, Kind.ISSUANCE)
    words = (mint_id, source, vintage, mg_per_credit, business_date, list(accounts), list(credits))
    return call(session, "SELECT ledger_issue(%s, %s, %s, %s, %s, %s::bigint[], %s::bigint[])", words)
