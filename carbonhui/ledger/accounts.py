"""Accounts: opening, closing, what they hold."""

from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy.orm import Session

from carbonhui.core.amounts import checked_amount
from carbonhui.core.database import connection_of
from carbonhui.ledger.posting import CREDIT, SANDBOX
from carbonhui.ledger.refusals import (
    AboveHoldingLimit,
    AccountClosed,
    AccountNameTaken,
    AccountNotEmpty,
    AccountUnknown,
    KindDiffers,
    LimitOnReceiver,
)


class Kind(IntEnum):
    """Whose account it is; what each kind may do stands in the database's ``account_kind`` table."""

    PERSON = 1
    MERCHANT = 2
    DEPARTMENT = 3
    CHARITY = 4
    ORGANISATION = 5
    CAMPAIGN = 6
    ISSUANCE = 10
    CANCELLATION_POOL = 11
    RETIREMENT = 12
    MARKET_ESCROW = 13
    FEE_INCOME = 14
    FUND_CASH = 15
    BANK = 16
    PAYABLE = 17
    CLEARING = 18
    SANDBOX_SOURCE = 19


@dataclass(frozen=True)
class Account:
    """What an account holds now: ``posted`` in all, ``held`` of it promised, the rest ``available``."""

    id: int
    kind: Kind
    asset: int
    name: str | None
    closed: bool
    posted: int
    held: int

    @property
    def available(self) -> int:
        return self.posted - self.held


_OPEN = """
WITH opened AS (
    INSERT INTO account (kind, asset, name, holder)
    SELECT %(kind)s, %(asset)s, %(name)s, coalesce((SELECT holder FROM account WHERE id = %(beside)s), gen_random_uuid())
    FROM generate_series(1, %(count)s)
    RETURNING id, kind, asset
), kept AS (
    INSERT INTO balance (account_id, asset, sends, receives, deferred, is_source)
    SELECT o.id, o.asset, k.sends, k.receives, k.deferred, k.is_source
    FROM opened o JOIN account_kind k ON k.id = o.kind
)
SELECT id FROM opened ORDER BY id
"""


def open_account(
    session: Session, kind: Kind, *, name: str | None = None, asset: int = CREDIT, beside: int | None = None
) -> int:
    """A new, empty account's number. Persons' accounts have no name; an organisation's is unique.

    ``beside`` is another account of the same holder. Raises `AccountNameTaken`.
    """
    assert name is None or kind != Kind.PERSON
    if name is not None and _named(session, name) is not None:
        raise AccountNameTaken(name=ascii(name))
    return _opened(session, kind, count=1, name=name, asset=asset, beside=beside)[0]


def open_accounts(session: Session, kind: Kind | str, *, count: int) -> list[int]:
    """Many new, empty, nameless accounts of one kind, in one statement."""
    chosen = Kind[kind.upper()] if isinstance(kind, str) else kind
    return _opened(session, chosen, count=count, name=None, asset=CREDIT)


def _opened(
    session: Session, kind: Kind, *, count: int, name: str | None, asset: int, beside: int | None = None
) -> list[int]:
    words = {"kind": int(kind), "asset": asset, "name": name, "count": count, "beside": beside}
    return [row[0] for row in connection_of(session).execute(_OPEN, words)]


def system_account(session: Session, kind: Kind, *, asset: int = CREDIT) -> int:
    """The one account of its kind that the system itself keeps, opened when first asked for."""
    name = kind.name.lower().replace("_", "-") + ("-sandbox" if asset == SANDBOX else "")
    connection = connection_of(session)
    row = connection.execute("SELECT id FROM account WHERE name = %s", (name,)).fetchone()
    if row is None:
        # Two first askers must not open it twice.
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 440117))", (name,))
        row = connection.execute("SELECT id FROM account WHERE name = %s", (name,)).fetchone()
    return row[0] if row else open_account(session, kind, name=name, asset=asset)


def account_named(session: Session, name: str) -> int:
    """The number of an organisation's or the system's account. Raises `AccountUnknown`."""
    found = _named(session, name)
    if found is None:
        raise AccountUnknown(account=ascii(name))
    return found


def _named(session: Session, name: str) -> int | None:
    row = connection_of(session).execute("SELECT id FROM account WHERE name = %s", (name,)).fetchone()
    return row[0] if row else None


_BALANCE = """
SELECT a.id, a.kind, a.asset, a.name, a.closed_at IS NOT NULL,
       b.posted + coalesce((SELECT sum(i.amount) FROM incoming i WHERE i.account_id = b.account_id), 0)::bigint, b.held
FROM account a JOIN balance b ON b.account_id = a.id WHERE a.id = %s
"""


def balance_of(session: Session, account: int) -> Account:
    """What an account holds now, folded or not. Raises `AccountUnknown`."""
    row = connection_of(session).execute(_BALANCE, (account,)).fetchone()
    if row is None:
        raise AccountUnknown(account=account)
    return Account(row[0], Kind(row[1]), *row[2:])


def require_kind(session: Session, account: int, kind: Kind) -> None:
    """Refuse an account of another kind. Raises `AccountUnknown`, `KindDiffers`."""
    row = connection_of(session).execute("SELECT kind FROM account WHERE id = %s", (account,), prepare=True).fetchone()
    if row is None:
        raise AccountUnknown(account=account)
    if row[0] != kind:
        raise KindDiffers(account=account, kind=Kind(row[0]).name.lower(), wanted=kind.name.lower())


def lock_accounts(session: Session, *accounts: int) -> None:
    """Let nobody else write these accounts' balances until the transaction ends; locked in the order of their numbers.

    A deferred receiver's receipts are appended and wait for nobody.
    """
    connection_of(session).execute(
        "SELECT FROM balance WHERE account_id = ANY (%s) ORDER BY account_id FOR NO KEY UPDATE", (list(accounts),)
    )


def close_account(session: Session, account: int) -> None:
    """Close an account for good: it neither gives nor receives from now on.

    Raises `AccountUnknown`, `AccountClosed` when it already is, `AccountNotEmpty`
    while it holds anything.
    """
    connection = connection_of(session)
    row = connection.execute("SELECT deferred FROM balance WHERE account_id = %s FOR UPDATE", (account,)).fetchone()
    if row == (True,):
        # What a deferred account receives is appended, and appending waits for this lock: nothing arrives unseen.
        connection.execute("LOCK TABLE incoming IN SHARE ROW EXCLUSIVE MODE")
    found = balance_of(session, account)
    if found.closed:
        raise AccountClosed(account=account)
    if found.posted:
        raise AccountNotEmpty(account=account, posted=found.posted)
    connection.execute("UPDATE balance SET sends = false, receives = false WHERE account_id = %s", (account,))
    connection.execute("UPDATE account SET closed_at = clock_timestamp() WHERE id = %s", (account,))


def limit_holding(session: Session, account: int, *, credits_max: int | None) -> None:
    """The most an account may hold from now on, or None for no limit (Article 30).

    Raises `AccountUnknown`, `LimitOnReceiver`, and `AboveHoldingLimit` when it holds more already.
    """
    if credits_max is not None:
        checked_amount(credits_max)
    connection = connection_of(session)
    row = connection.execute("SELECT deferred FROM balance WHERE account_id = %s FOR UPDATE", (account,)).fetchone()
    found = balance_of(session, account)
    if row == (True,):
        raise LimitOnReceiver(account=account, kind=found.kind.name.lower())
    held = found.posted
    if credits_max is not None and held > credits_max:
        raise AboveHoldingLimit(account=account, held=held, asked=0, limit=credits_max)
    connection.execute("UPDATE balance SET holding_max = %s WHERE account_id = %s", (credits_max, account))
