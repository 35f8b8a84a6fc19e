"""What one account holds and held, credit by credit."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from carbonhui import ledger
from carbonhui.core.database import connection_of
from carbonhui.export.refusals import CreditNotYours


@dataclass(frozen=True)
class Run:
    """Credits of one owner whose serials follow one another, first to last."""

    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


def runs_held(session: Session, account: int, *, after: int = 0, limit: int = 1000) -> list[Run]:
    """The runs of serials that an account owns, by their first serials, from the one after ``after`` on."""
    rows = connection_of(session).execute(
        "SELECT first, last FROM block WHERE account_id = %s AND first > %s ORDER BY first LIMIT %s", (account, after, limit)
    )
    return [Run(*row) for row in rows]


def runs_moved(session: Session, transfers: list[int]) -> dict[int, list[Run]]:
    """The runs of serials that each of these transfers minted or moved."""
    rows = connection_of(session).execute(
        """SELECT transfer_id, first, last FROM move WHERE transfer_id = ANY (%(ids)s)
           UNION ALL SELECT transfer_id, first, last FROM issue WHERE transfer_id = ANY (%(ids)s) ORDER BY 1, 2""",
        {"ids": transfers},
    )
    found: dict[int, list[Run]] = {transfer: [] for transfer in transfers}
    for transfer, first, last in rows:
        found[transfer].append(Run(first, last))
    return found


@dataclass(frozen=True)
class Side:
    """One side of a movement as somebody else may know it: what kind of account, and an organisation's or the system's name."""

    kind: str
    name: str | None
    is_own: bool


@dataclass(frozen=True)
class Step:
    """One movement in the life of a credit."""

    at: datetime
    business_date: date
    purpose: str
    source: Side
    target: Side


def life_of(session: Session, account: int, code: str, *, area: str) -> list[Step]:
    """Every movement of one credit, from its mint on, for an account that holds or held it.

    Other persons' accounts are told as persons, never by number. Raises
    `CreditNotYours`, also for what is no code at all.
    """
    try:
        events = ledger.history_of(session, ledger.parse_code(code, area))
    except ledger.CodeInvalid:
        events = []
    if not any(account in (event.source, event.target) for event in events):
        raise CreditNotYours()
    sides = sides_of(session, account, {number for event in events for number in (event.source, event.target)})
    return [
        Step(event.at, event.business_date, event.purpose.name.lower(), sides[event.source], sides[event.target])
        for event in events
    ]


_SIDES = """
SELECT a.id, a.kind, coalesce(o.name, a.name) FROM account a
LEFT JOIN organisation o ON a.id IN (o.account_id, o.cash_account_id) WHERE a.id = ANY (%s)
"""


def sides_of(session: Session, account: int, others: set[int]) -> dict[int, Side]:
    """How accounts are told to the owner of one of them: organisations by their names, persons by none."""
    rows = connection_of(session).execute(_SIDES, (list(others),))
    return {
        number: Side(ledger.Kind(kind).name.lower(), name if kind != ledger.Kind.PERSON else None, number == account)
        for number, kind, name in rows
    }
