"""Moving credits and fen: one transfer, a group that happens together, a correction."""

import re
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any

import psycopg
from sqlalchemy.orm import Session

from carbonhui.core.amounts import checked_amount
from carbonhui.core.calling import answer_of
from carbonhui.core.database import connection_of
from carbonhui.ledger.refusals import (
    AccountUnknown,
    NotReversible,
    ReferenceInvalid,
    ReferenceReused,
    SelfTransfer,
    TransferUnknown,
    refusal_of,
)

#: The assets, as the database numbers them. Sandbox credits are what developers try with; they have no serials.
CREDIT = 1
CNY = 2
SANDBOX = 3

_REFERENCE = re.compile(r"[!-~]{1,200}", re.ASCII)
_LARGEST_ID = 2**63 - 1


class Purpose(IntEnum):
    """Why a transfer is made; the article stands in the database's ``purpose`` table."""

    MINT = 1
    GIVE = 2
    REDEEM = 3
    REFUND = 4
    SETTLE = 5
    OFFSET = 6
    DONATE = 7
    RETIRE = 8
    PAR_PURCHASE = 9
    FUND_BUDGET = 10
    CORRECT = 11
    ABANDON = 12
    EXPIRE = 13
    CONTRIBUTE = 14
    RETURN = 15
    SANDBOX_GRANT = 16


#: Purposes whose rooms keep a record beside the transfer.
_RECORDED = frozenset({Purpose.OFFSET, Purpose.PAR_PURCHASE, Purpose.REFUND, Purpose.CONTRIBUTE, Purpose.RETURN})
#: A merchant's charge is undone by a refund.
_OF_CHARGES = "charge:"


@dataclass(frozen=True)
class Posted:
    """One transfer's outcome; ``again`` when its reference had been used before, and nothing moved now."""

    id: int
    again: bool


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One movement of a group. ``amount`` is credits or fen, by ``asset``."""

    purpose: Purpose
    source: int
    target: int
    amount: int
    asset: int = CREDIT


_POST = "SELECT ledger_post(%s, %s, %s, %s, %s, %s, %s)"
_POST_LEG = "SELECT ledger_post(%s, %s, %s, %s, %s, %s, %s, %s)"
_POST_REVERSAL = "SELECT ledger_post(%s, %s, %s, %s, %s, %s, %s, NULL, NULL, %s)"


def post(
    session: Session,
    *,
    purpose: Purpose,
    source: int,
    target: int,
    amount: int,
    reference: str,
    business_date: date,
    asset: int = CREDIT,
) -> Posted:
    """Move ``amount`` from one account to another, in one round trip.

    The oldest vintage moves first. The same reference with the same words returns
    the first outcome. Only the first refusal is told: the words themselves
    (`AmountNotWhole`, `AmountOutOfRange`, `SelfTransfer`, `ReferenceInvalid`), a
    reference with other words (`ReferenceReused`), the accounts (`AccountUnknown`,
    `AssetDiffers`, `AccountClosed`, `AccountNeverSends`, `AccountNeverReceives`),
    then the amounts (`NotEnough`, `AboveHoldingLimit`).
    """
    check_words(source=source, target=target, amount=amount, reference=reference)
    assert purpose is not Purpose.MINT, "credits are minted by issue"
    # A plain int, because the driver takes ten times as long over an IntEnum.
    words = (reference, source, target, amount, asset, int(purpose), business_date)
    return _posted(call(session, _POST, words))


def post_group(session: Session, legs: list[Leg], *, reference: str, business_date: date) -> list[Posted]:
    """Movements that happen together or not at all, under one reference.

    The legs share the group number of the first. Refused as `post` refuses; a
    reference that was used for another number of legs is `ReferenceReused`.
    """
    assert legs
    for leg in legs:
        check_words(source=leg.source, target=leg.target, amount=leg.amount, reference=reference)
    connection = connection_of(session)
    sides = [leg.source for leg in legs], [leg.target for leg in legs]
    connection.execute("SELECT ledger_lock(%s::bigint[], %s::bigint[])", sides)
    posted: list[Posted] = []
    for number, leg in enumerate(legs):
        group = posted[0].id if posted else None
        of_leg = reference if number == 0 else f"{reference}#{number + 1}"
        words = (of_leg, leg.source, leg.target, leg.amount, leg.asset, int(leg.purpose), business_date, group)
        posted.append(_posted(call(session, _POST_LEG, words)))
    _check_same_group(session, posted, reference)
    return posted


def _check_same_group(session: Session, posted: list[Posted], reference: str) -> None:
    found = connection_of(session).execute(
        # Two halves, because the index of groups leaves out each group's first leg.
        """SELECT count(*) FROM (SELECT FROM transfer WHERE id = %(id)s AND group_id = id
                                 UNION ALL SELECT FROM transfer WHERE group_id = %(id)s AND group_id <> id) legs""",
        {"id": posted[0].id},
    ).fetchone()
    if found != (len(posted),) or len({leg.again for leg in posted}) != 1:
        raise ReferenceReused(reference=reference)


def reverse(session: Session, transfer: int, *, reference: str, business_date: date) -> Posted:
    """Undo a transfer by a second one the other way round; each can be undone once.

    What comes back is the same amount, not the same serials: the receiver's oldest
    go first, as always. Raises what `post` raises, `TransferUnknown`, and `NotReversible`
    for an offset, a purchase, a refund, a pool's movements or a capture, of which a room keeps its own record.
    """
    row = connection_of(session).execute(
        "SELECT debit, credit, amount, asset, purpose, hold_id IS NOT NULL OR starts_with(reference, %s) FROM transfer WHERE id = %s",
        (_OF_CHARGES, transfer),
    ).fetchone()
    if row is None:
        raise TransferUnknown(transfer=transfer)
    debit, credit, amount, asset, purpose, is_charge = row
    if purpose in _RECORDED or is_charge:
        raise NotReversible(transfer=transfer, purpose=Purpose(purpose).name.lower())
    check_words(source=credit, target=debit, amount=amount, reference=reference)
    words = (reference, credit, debit, amount, asset, int(Purpose.CORRECT), business_date, transfer)
    try:
        return _posted(call(session, _POST_REVERSAL, words))
    except psycopg.errors.UniqueViolation as error:
        raise ReferenceReused(reference=f"of the correction of transfer {transfer}") from error


@dataclass(frozen=True)
class Entered:
    """A transfer as it stands in the books."""

    id: int
    source: int
    target: int
    amount: int


def transfer_under(session: Session, reference: str) -> Entered | None:
    """The transfer that was made under a reference, if there is one."""
    row = connection_of(session).execute(
        "SELECT id, debit, credit, amount FROM transfer WHERE reference = %s", (reference,)
    ).fetchone()
    return Entered(*row) if row else None


def check_words(*, source: int, target: int, amount: int, reference: str) -> None:
    """Refuse at once what no book could mean."""
    checked_amount(amount)
    check_reference(reference)
    for account in (source, target):
        if type(account) is not int or not 0 < account <= _LARGEST_ID:
            raise AccountUnknown(account=ascii(account)[:40])
    if source == target:
        raise SelfTransfer(account=source)


def check_reference(reference: str) -> None:
    """Refuse what no caller can have meant as a reference."""
    if not isinstance(reference, str) or _REFERENCE.fullmatch(reference) is None:
        raise ReferenceInvalid(reference=ascii(reference)[:60])


def call(session: Session, statement: str, words: tuple[Any, ...]) -> int:
    """The single integer that a stored function of the books answers; its refusals raised as ours."""
    try:
        return answer_of(connection_of(session), statement, words)
    except psycopg.Error as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error


def _posted(outcome: int) -> Posted:
    return Posted(id=abs(outcome), again=outcome < 0)
