"""What gifts and requests share: whom they are for, how many wait, who is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications, policy, privacy
from carbonhui.circulation.refusals import ReceiverFull, TooManyTakenBack, TooManyWaiting
from carbonhui.core.database import connection_of
from carbonhui.participants import Person

MOBILE = "mobile"


@dataclass(frozen=True)
class Addressee:
    """Whom a mobile number leads to: a digest of it, and the account of whoever holds it now, if anybody does."""

    digest: bytes
    key_version: int
    account: int | None


def addressee(session: Session, vault: privacy.Vault, mobile: str) -> Addressee:
    """The same two questions for a number that is known and for one that is not. Raises `privacy.MobileInvalid`."""
    number = privacy.mobile_number(mobile)
    subject = privacy.subject_with(session, vault, MOBILE, number)
    row = connection_of(session).execute(
        "SELECT account_id FROM person WHERE subject = %s AND state <> 'erased'", (subject,), prepare=True
    ).fetchone()
    key, digest = vault.versioned_digests(MOBILE, number)[0]
    return Addressee(digest, key.version, row[0] if row else None)


def require_room(session: Session, giver: int, receiver: int, *, credits: int, reference: str, on: date) -> None:
    """Refuse what would bring a person above the city's holding limit, with both balances locked until the end.

    What a person put into pools and may get back is theirs still, and is counted. What a person
    earns is never refused, and neither is what was given under this reference already. How much
    the receiver has is not told. Raises `ReceiverFull`.
    """
    most = policy.rule_on(session, policy.PERSON_HOLDING_MAX, on)
    if most == 0 or ledger.transfer_under(session, reference) is not None:
        return
    ledger.lock_accounts(session, giver, receiver)
    if ledger.balance_of(session, receiver).posted + _in_pools(session, receiver) + credits > most:
        raise ReceiverFull(most=most)


# Of a pool that was used in part, as much as is left: who gets it back is known only at its end.
_IN_POOLS = """
SELECT coalesce(sum(least(c.owed, l.there)), 0)::bigint
FROM (SELECT pool_id, sum(credits - returned) AS owed FROM pool_contribution WHERE payer = %s AND returned < credits GROUP BY pool_id) c
JOIN pool p ON p.id = c.pool_id, LATERAL (
    SELECT b.posted + coalesce((SELECT sum(i.amount) FROM incoming i WHERE i.account_id = b.account_id), 0) AS there
    FROM balance b WHERE b.account_id = p.own_account) l
"""


def _in_pools(session: Session, account: int) -> int:
    """The most that can come back to an account out of pools."""
    row = connection_of(session).execute(_IN_POOLS, (account,)).fetchone()
    assert row is not None
    return int(row[0])


_COUNTED = """
SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'cancelled') FROM {table}
WHERE {by} = %(account)s AND (state = 'waiting' OR (state = 'cancelled' AND ended_on = %(on)s))
"""


def require_few_waiting(session: Session, account: int, *, table: str, by: str, on: date) -> None:
    """Refuse one more than may wait at once, and as many again than were taken back on this day; ``by`` is the column of who made them.

    The account's balance stays locked until the end, so that two at once are counted one after
    the other. Raises `TooManyWaiting`, `TooManyTakenBack`.
    """
    most = policy.rule_on(session, policy.GIFTS_WAITING_MAX, on)
    ledger.lock_accounts(session, account)
    row = connection_of(session).execute(_COUNTED.format(table=table, by=by), {"account": account, "on": on}).fetchone()
    assert row is not None
    waiting, taken_back = row
    if waiting >= most:
        raise TooManyWaiting(waiting=waiting, most=most)
    if taken_back >= most:
        raise TooManyTakenBack(taken_back=taken_back, most=most)


def tell(session: Session, topic: str, told: Mapping[int | None, Mapping[str, Any]]) -> None:
    """Put a message into the inboxes of those of these accounts that are a living person's.

    It asks and writes the same whether there is anybody or not.
    """
    rows = connection_of(session).execute(
        "SELECT account_id FROM person WHERE account_id = ANY (%s) AND state <> 'erased'",
        ([account for account in told if account is not None],),
    ).fetchall()
    notifications.announce_many(session, topic, [(account, told[account]) for (account,) in sorted(rows)])


_MEET = """
UPDATE {table} SET {whose} = %(account)s WHERE {whose} IS NULL AND state = 'waiting' AND {by} <> %(account)s
AND until >= %(on)s AND (mobile_digest, key_version) IN (
    SELECT i.digest, i.key_version FROM personal_index i WHERE i.subject = %(subject)s AND i.scheme = 'mobile')
RETURNING credits, until
"""


def meet(session: Session, person: Person, *, on: date) -> int:
    """Let a person have the gifts and requests that wait for a mobile number of theirs; how many there were.

    Faces call it when somebody signs in or changes their number: a gift may wait for a
    number that nobody had yet.
    """
    words = {"account": person.account_id, "subject": person.subject, "on": on}
    connection = connection_of(session)
    gifts = connection.execute(_MEET.format(table="gift", whose="receiver", by="giver"), words).fetchall()
    requests = connection.execute(_MEET.format(table="credit_request", whose="asked", by="asker"), words).fetchall()
    for credits, until in gifts:
        tell(session, "gift.waiting", {person.account_id: {"credits": credits, "until": until.isoformat()}})
    for credits, until in requests:
        tell(session, "request.received", {person.account_id: {"credits": credits, "until": until.isoformat()}})
    return len(gifts) + len(requests)


@dataclass(frozen=True)
class Seen:
    """What somebody who is given to or asked may see of the other: the first sign of the name, the last digits of the number."""

    name: str | None
    mobile: str | None


def seen_as(session: Session, vault: privacy.Vault, account: int, reader: privacy.Reader) -> Seen:
    """Who gives or asks, masked; the reading is on that person's record. Nobody's account, and an erased person's, show nothing."""
    row = connection_of(session).execute(
        "SELECT subject FROM person WHERE account_id = %s AND state <> 'erased'", (account,)
    ).fetchone()
    if row is None:
        return Seen(None, None)
    known = privacy.read(session, vault, row[0], ("mobile", "name"), reader)
    return Seen(masked_name(known.get("name")), masked_mobile(known.get("mobile")))


def masked_name(name: str | None) -> str | None:
    """All but the last sign hidden, as wallets do.

    >>> masked_name("张小明"), masked_name("张"), masked_name(None)
    ('**明', '*', None)
    """
    if name is None:
        return None
    return "*" if len(name) == 1 else "*" * (len(name) - 1) + name[-1]


def masked_mobile(mobile: str | None) -> str | None:
    """The first three and the last four digits.

    >>> masked_mobile("+8613800138000")
    '138****8000'
    """
    return None if mobile is None else f"{mobile[-11:-8]}****{mobile[-4:]}"
