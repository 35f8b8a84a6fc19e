"""What time ends: gifts and requests that nobody answered, credits past their years, and what an erased person leaves waiting."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications, policy
from carbonhui.circulation.gifts import cancel_gift, decline_gift
from carbonhui.circulation.requests import cancel_request, decline_request
from carbonhui.circulation.rules import last_expired_vintage
from carbonhui.circulation.waiting import tell
from carbonhui.core.database import connection_of
from carbonhui.ledger import Kind, Purpose
from carbonhui.participants import Person

_SERIALS_A_YEAR = 10**12

_DUE = """
SELECT id, giver, credits, hold_id FROM gift WHERE state = 'waiting' AND until < %s
ORDER BY giver, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""
_END = """
UPDATE {table} SET state = 'lapsed', ended_on = %s, mobile_digest = NULL, key_version = NULL WHERE id = ANY (%s)
"""
_DUE_REQUESTS = """
SELECT id, asker, credits FROM credit_request WHERE state = 'waiting' AND until < %s
ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""


def lapse_gifts(session: Session, *, on: date, most: int = 1000) -> int:
    """End up to ``most`` gifts, and as many requests, that waited past their last day; how many ended.

    The givers have their credits again. What somebody is answering just now is left to the next time.
    """
    connection = connection_of(session)
    gifts = connection.execute(_DUE, (on, most)).fetchall()
    ledger.lock_accounts(session, *{giver for _, giver, _, _ in gifts})
    for _, giver, credits, hold in gifts:
        ledger.release(session, hold)
        tell(session, "gift.lapsed", {giver: {"credits": credits}})
    connection.execute(_END.format(table="gift"), (on, [gift for gift, *_ in gifts]))
    requests = connection.execute(_DUE_REQUESTS, (on, most)).fetchall()
    for _, asker, credits in requests:
        tell(session, "request.lapsed", {asker: {"credits": credits}})
    connection.execute(_END.format(table="credit_request"), (on, [request for request, *_ in requests]))
    return len(gifts) + len(requests)


# An account at a time by its own index: the pool's and the retired credits of all years are not looked at.
_EXPIRED_ACCOUNTS = """
SELECT a.id FROM account a JOIN balance l ON l.account_id = a.id
CROSS JOIN LATERAL (SELECT FROM block b WHERE b.account_id = a.id AND b.first < %(cutoff)s LIMIT 1) old
WHERE a.kind = %(person)s AND a.closed_at IS NULL AND l.posted > l.held LIMIT %(most)s
"""
_EXPIRED = """
SELECT b.account_id, a.holder, (b.first / %(year)s + 2000)::integer AS vintage, sum(b.last - b.first + 1)::bigint, l.posted - l.held
FROM block b JOIN account a ON a.id = b.account_id JOIN balance l ON l.account_id = b.account_id
WHERE b.account_id = ANY (%(accounts)s) AND b.first < %(cutoff)s
GROUP BY b.account_id, a.holder, vintage, l.posted, l.held ORDER BY b.account_id, vintage
"""


def expire_credits(session: Session, *, on: date, most: int = 1000) -> int:
    """Move persons' credits that are past their last year to the cancellation pool; in how many movements.

    At most ``most`` accounts, each vintage in a movement of its own, the oldest first, and
    their holders are told. Credits that are promised wait until the promise ends. Where the
    city has no rule, or one without an end, nothing expires.
    """
    try:
        last = last_expired_vintage(on.year, policy.rule_on(session, policy.CREDIT_LIFE_YEARS, on))
    except policy.RuleNotFound:
        return 0
    if last is None:
        return 0
    connection = connection_of(session)
    words = {"cutoff": (last - 2000 + 1) * _SERIALS_A_YEAR, "person": int(Kind.PERSON), "most": most, "year": _SERIALS_A_YEAR}
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
    return len(told)


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
