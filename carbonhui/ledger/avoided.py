"""How much the credits of an account avoid: each serial as many milligrams as it was minted for (Articles 17, 22)."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from carbonhui.core.amounts import LARGEST_AMOUNT
from carbonhui.core.database import connection_of


@dataclass(frozen=True)
class Covering:
    """The oldest ``credits`` of an account avoid ``mg`` together."""

    credits: int
    mg: int


@dataclass(frozen=True)
class Origin:
    """Some of a transfer's credits came of the reductions that one account had in one mint."""

    account: int
    mint: int
    vintage: int


def credits_covering(session: Session, account: int, mg: int) -> Covering:
    """The fewest whole credits, oldest first, that avoid at least ``mg``; all that there are where they are not enough.

    Exactly those that `post` takes next, as long as the account is locked (`lock_accounts`) and is a person's: what
    comes to a deferred receiver waits for no lock, so there the transfer has to be compared (`avoided_mg`).
    """
    assert 1 <= mg <= LARGEST_AMOUNT
    row = connection_of(session).execute("SELECT * FROM ledger_credits_covering(%s, %s)", (account, mg)).fetchone()
    assert row is not None
    return Covering(*row)


def avoided_mg(session: Session, transfer: int) -> int:
    """What the credits that one transfer moved avoid, in milligrams."""
    row = connection_of(session).execute(
        """SELECT coalesce(sum((least(m.last, i.last) - greatest(m.first, i.first) + 1) * i.mg_per_credit), 0)::bigint
           FROM move m JOIN issue i ON i.first BETWEEN m.first - 9999 AND m.last AND i.last >= m.first WHERE m.transfer_id = %s""",
        (transfer,),
    ).fetchone()
    assert row is not None
    return int(row[0])


def origins_of(session: Session, transfer: int, *, most: int) -> list[Origin]:
    """Of which accounts' reductions in which mints the credits of one transfer were made, at most ``most`` of them."""
    rows = connection_of(session).execute(
        """SELECT DISTINCT i.account_id, i.mint_id, 2000 + i.first / 1000000000000 FROM move m
           JOIN issue i ON i.first BETWEEN m.first - 9999 AND m.last AND i.last >= m.first WHERE m.transfer_id = %s LIMIT %s""",
        (transfer, most),
    )
    return [Origin(*row) for row in rows]
