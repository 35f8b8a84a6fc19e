"""What time ends: gifts and requests that nobody answered, credits past their years, and what an erased person leaves waiting."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications, policy
from carbonhui.circulation.gifts import cancel_gift, decline_gift
from carbonhui.circulation.requests import cancel_request, decline_request
from carbonhui.circulation.rules import last_expired_vintage
from carbonhui.circulation.waiting import tell
from carbonhui.core.database import Database, connection_of
from carbonhui.ledger import Kind, Purpose
from carbonhui.participants import Person

_SERIALS_A_YEAR = 10**12

# By the last day, in the order of its own index: the gifts and requests of all years, which ended, are not looked at.
_DUE = """
SELECT id, giver, credits, hold_id FROM gift WHERE state = 'waiting' AND until < %s
ORDER BY until LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""
_END = """
UPDATE {table} SET state = 'lapsed', ended_on = %s, mobile_digest = NULL, key_version = NULL WHERE id = ANY (%s)
"""
_DUE_REQUESTS = """
SELECT id, asker, credits FROM credit_request WHERE state = 'waiting' AND until < %s
ORDER BY until LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""


def lapse_gifts(session: Session, *, on: date, most: int = 1000) -> int:
    """End up to ``most`` gifts, and as many requests, that waited past their last day; how many ended.

    The givers have their credits again. What somebody is answering just now is left to the next time.
    """
    connection = connection_of(session)
    gifts = sorted(connection.execute(_DUE, (on, most)).fetchall())
    ledger.lock_accounts(session, *{giver for _, giver, _, _ in gifts})
    for _, giver, credits, hold in gifts:
        ledger.release(session, hold)
        tell(session, "gift.lapsed", {giver: {"credits": credits}})
    connection.execute(_END.format(table="gift"), (on, [gift for gift, *_ in gifts]))
    requests = sorted(connection.execute(_DUE_REQUESTS, (on, most)).fetchall())
    for _, asker, credits in requests:
        tell(session, "request.lapsed", {asker: {"credits": credits}})
    connection.execute(_END.format(table="credit_request"), (on, [request for request, *_ in requests]))
    return len(gifts) + len(requests)


@dataclass(frozen=True)
class Expired:
    """What one step expired: in how many movements, and the account after which the next step begins, None where none is left."""

    movements: int
    last: int | None


# An account at a time by its own index: the pool's and the retired credits of all years are not looked at.
_EXPIRED_ACCOUNTS = """
SELECT a.id FROM account a JOIN balance l ON l.account_id = a.id
CROSS JOIN LATERAL (SELECT FROM block b WHERE b.account_id = a.id AND b.first < %(cutoff)s LIMIT 1) old
WHERE a.id > %(after)s AND a.kind = %(person)s AND a.closed_at IS NULL AND l.posted > l.held ORDER BY a.id LIMIT %(most)s
"""
_EXPIRED = """
SELECT b.account_id, a.holder, (b.first / %(year)s + 2000)::integer AS vintage, sum(b.last - b.first + 1)::bigint, l.posted - l.held
FROM block b JOIN account a ON a.id = b.account_id JOIN balance l ON l.account_id = b.account_id
WHERE b.account_id = ANY (%(accounts)s) AND b.first < %(cutoff)s
GROUP BY b.account_id, a.holder, vintage, l.posted, l.held ORDER BY b.account_id, vintage
"""


def expire_credits(session: Session, *, on: date, after: int = 0, most: int = 1000) -> Expired:
    """Move credits that are past their last year from the next ``most`` persons' accounts to the cancellation pool.

    The accounts are those above ``after`` that have such credits, each vintage in a movement of
    its own, the oldest first, and their holders are told. Credits that are promised wait until
    the promise ends. Where the city has no rule, or one without an end, nothing expires.
    """
    try:
        last = last_expired_vintage(on.year, policy.rule_on(session, policy.CREDIT_LIFE_YEARS, on))
    except policy.RuleNotFound:
        return Expired(0, None)
    if last is None:
        return Expired(0, None)
    connection = connection_of(session)
    cutoff = (last - 2000 + 1) * _SERIALS_A_YEAR
    words = {"cutoff": cutoff, "person": int(Kind.PERSON), "most": most, "after": after, "year": _SERIALS_A_YEAR}
    accounts = [account for (account,) in connection.execute(_EXPIRED_ACCOUNTS, words)]
    ledger.lock_accounts(session, *accounts)
    pool = ledger.system_account(session, Kind.CANCELLATION_POOL)
    free: dict[int, int] = {}
    transfers, vintages = [], []
    for account, holder, vintage, credits, available in connection.execute(_EXPIRED, {**words, "accounts": accounts}).fetchall():
        left = free.setdefault(account, available)
        moved = min(credits, left)
        free[account] = left - moved
        if moved:
            reference = f"expire-{holder}-{vintage}-{on}-{credits}"
            transfers.append(ledger.Transfer(
                purpose=Purpose.EXPIRE, source=account, target=pool, amount=moved, reference=reference, business_date=on
            ))  # fmt: skip
            vintages.append(vintage)
    told = []
    for transfer, vintage, outcome in zip(transfers, vintages, ledger.post_many(session, transfers), strict=True):
        if outcome.refusal is None and not outcome.again:
            told.append((transfer.source, {"credits": transfer.amount, "vintage": vintage}))
    notifications.announce_many(session, "credit.expired", told)
    return Expired(len(told), accounts[-1] if len(accounts) == most else None)


def expire_all_credits(database: Database, *, on: date, most: int = 1000) -> int:
    """`expire_credits` for every account, once each, some at a time in a transaction of its own; how many movements.

    It never looks again at what it has passed, so a city of millions is gone through once. It may
    be stopped anywhere and begun again.
    """
    movements, last = 0, 0

    def step(session: Session) -> Expired:
        return expire_credits(session, on=on, after=last, most=most)

    while True:
        done = database.run(step)
        movements += done.movements
        if done.last is None:
            return movements
        last = done.last


# Locked, so that what somebody answers at the same moment is found to have ended, and skipped.
_WAITING = (
    """SELECT 'gift', handle, giver = %(account)s, until FROM gift
       WHERE state = 'waiting' AND %(account)s IN (giver, receiver) ORDER BY id FOR NO KEY UPDATE""",
    """SELECT 'request', handle, asker = %(account)s, until FROM credit_request
       WHERE state = 'waiting' AND %(account)s IN (asker, asked) ORDER BY id FOR NO KEY UPDATE""",
)


def end_waiting(session: Session, person: Person, *, on: date) -> int:
    """End whatever waits for or by a person who leaves: theirs is taken back, what waits for them declined; how much it was.

    An erasure does this first, because it waits for promises.
    """
    connection, words = connection_of(session), {"account": person.account_id}
    rows = [row for waiting in _WAITING for row in connection.execute(waiting, words).fetchall()]
    for what, handle, is_own, until in rows:
        # What should have lapsed by now is ended as on its last day.
        day = min(on, until)
        if what == "gift" and is_own:
            cancel_gift(session, handle, giver=person, on=day)
        elif what == "gift":
            decline_gift(session, handle, receiver=person, on=day)
        elif is_own:
            cancel_request(session, handle, asker=person, on=day)
        else:
            decline_request(session, handle, asked=person, on=day)
    return len(rows)
