"""Gifts to a mobile number, which wait for an answer, and gifts by a code that the receiver shows, which are made at once (Article 18)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import ledger, participants, policy, privacy
from carbonhui.circulation.operations import give
from carbonhui.circulation.receive_codes import account_behind
from carbonhui.circulation.refusals import GiftNotWaiting, GiftUnknown, ReceiveCodeInvalid
from carbonhui.circulation.rules import GREETINGS
from carbonhui.circulation.waiting import Addressee, addressee, meet, require_few_waiting, require_room, tell
from carbonhui.core.amounts import Credits
from carbonhui.core.database import connection_of
from carbonhui.ledger import Kind, Purpose
from carbonhui.participants import Person

_DAY_S = 86_400


@dataclass(frozen=True)
class Gift:
    """A gift. ``receiver`` is None while nobody is known to hold the number; ``until`` is the last day of waiting."""

    id: int
    handle: UUID
    giver: int
    receiver: int | None
    credits: int
    greeting: str
    state: str
    given_on: date
    until: date
    ended_on: date | None
    transfer: int | None
    hold: int | None


_COLUMNS = "id, handle, giver, receiver, credits, greeting, state, given_on, until, ended_on, transfer_id, hold_id"


def give_to_mobile(
    session: Session, vault: privacy.Vault, *, giver: Person, mobile: str, credits: Credits, greeting: str = "none",
    reference: str, on: date,
) -> Gift:  # fmt: skip
    """Keep credits as a gift for whoever holds a mobile number, or registers it before the gift lapses.

    A number that is known and one that is not are answered alike: the credits stay with
    the giver, promised, until the receiver accepts.

    Raises `policy.NotPermitted`, `policy.RuleNotFound`, `participants.PersonErased`,
    `participants.PersonRestricted`, `privacy.MobileInvalid`, `ledger.SelfTransfer` for one's own number,
    `TooManyWaiting`, `TooManyTakenBack`, and what `ledger.hold` raises (`ledger.NotEnough`, `ledger.ReferenceReused`).
    """
    assert greeting in GREETINGS
    to = addressee(session, vault, mobile)
    words = (giver.account_id, credits, greeting)
    first = _first_outcome(session, words, reference, to=to)
    if first is not None:
        return first
    policy.require(session, policy.CREDITS_TRANSFERABLE, on)
    participants.require_free(giver, on)
    if to.account == giver.account_id:
        raise ledger.SelfTransfer(account=giver.account_id)
    require_few_waiting(session, giver.account_id, table="gift", by="giver", on=on)
    days = policy.rule_on(session, policy.GIFT_WAITS_DAYS, on)
    hold = ledger.hold(
        session, purpose=Purpose.GIVE, source=giver.account_id, target=ledger.system_account(session, Kind.CLEARING),
        # A day more than the gift waits, so that the promise never ends before the gift does.
        amount=credits, reference=f"gift-{reference}", business_date=on, seconds=(days + 1) * _DAY_S,
    )  # fmt: skip
    if hold.again:
        first = _first_outcome(session, words, reference, to=to)
        assert first is not None, "a gift and its promise are made together"
        return first
    until = on + timedelta(days=days)
    made = _inserted(session, {
        "giver": giver.account_id, "receiver": to.account, "digest": to.digest, "version": to.key_version, "credits": credits,
        "greeting": greeting, "state": "waiting", "hold": hold.id, "transfer": None, "reference": reference, "on": on,
        "until": until, "ended": None,
    })  # fmt: skip
    facts = {"credits": credits, "until": until.isoformat()}
    tell(session, "gift.waiting", {to.account: facts})
    tell(session, "gift.sent", {giver.account_id: facts})
    return made


def give_by_code(
    session: Session, vault: privacy.Vault, *, giver: Person, receive_code: str, credits: Credits, greeting: str = "none",
    reference: str, on: date, now: datetime,
) -> Gift:  # fmt: skip
    """Give credits at once to whoever shows a receive code.

    Raises `ReceiveCodeInvalid` and what `give` raises.
    """
    assert greeting in GREETINGS
    words = (giver.account_id, credits, greeting)
    first = _first_outcome(session, words, reference, receiver=account_behind(vault, receive_code, now=None))
    if first is not None:
        return first
    receiver = account_behind(vault, receive_code, now=now)
    participants.require_free(giver, on)
    try:
        participants.require_free(participants.person_of_account(session, receiver), on)
    except (participants.PersonUnknown, participants.PersonErased, participants.PersonRestricted):
        raise ReceiveCodeInvalid() from None
    posted = give(
        session, giver=giver.account_id, receiver=receiver, credits=credits, reference=f"gift-{reference}", business_date=on
    )
    if posted.again:
        first = _first_outcome(session, words, reference, receiver=receiver)
        assert first is not None, "a gift and its transfer are made together"
        return first
    return _inserted(session, {
        "giver": giver.account_id, "receiver": receiver, "digest": None, "version": None, "credits": credits,
        "greeting": greeting, "state": "accepted", "hold": None, "transfer": posted.id, "reference": reference, "on": on,
        "until": on, "ended": on,
    })  # fmt: skip


_INSERT = f"""
INSERT INTO gift (giver, receiver, mobile_digest, key_version, credits, greeting, state, hold_id, transfer_id, reference,
                  given_on, until, ended_on)
VALUES (%(giver)s, %(receiver)s, %(digest)s, %(version)s, %(credits)s, %(greeting)s, %(state)s, %(hold)s, %(transfer)s, %(reference)s,
        %(on)s, %(until)s, %(ended)s)
RETURNING {_COLUMNS}
"""


def _inserted(session: Session, words: Mapping[str, Any]) -> Gift:
    row = connection_of(session).execute(_INSERT, words).fetchone()
    assert row is not None
    return Gift(*row)


def _first_outcome(
    session: Session, words: tuple[int, int, str], reference: str, *, to: Addressee | None = None, receiver: int | None = None
) -> Gift | None:
    """What was made under this reference before, ``to`` a number or by a ``receiver``'s code.

    Of an ended gift the number is not known any more, and is not compared.
    """
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS}, mobile_digest, key_version FROM gift WHERE reference = %s", (reference,)
    ).fetchone()
    if row is None:
        return None
    found, (digest, version) = Gift(*row[:-2]), row[-2:]
    if to is not None:
        other = found.hold is None or (version == to.key_version and digest != to.digest)
    else:
        other = found.hold is not None or found.receiver != receiver
    if other or (found.giver, found.credits, found.greeting) != words:
        raise ledger.ReferenceReused(reference=reference)
    return found


def accept_gift(session: Session, handle: UUID, *, receiver: Person, on: date) -> Gift:
    """The receiver takes a gift: the promise ends and the credits move, in one transaction.

    Accepting what was accepted changes nothing. Raises `GiftUnknown`, `GiftNotWaiting`,
    `policy.NotPermitted`, `participants.PersonRestricted`, `ReceiverFull`.
    """
    gift = _locked(session, handle, "receiver", receiver.account_id)
    if gift.state == "accepted":
        return gift
    _require_waiting(gift, on)
    policy.require(session, policy.CREDITS_TRANSFERABLE, on)
    participants.require_free(receiver, on)
    reference = f"gift-{gift.handle}"
    ledger.lock_accounts(session, gift.giver, receiver.account_id)
    require_room(session, gift.giver, receiver.account_id, credits=gift.credits, reference=reference, on=on)
    assert gift.hold is not None
    if ledger.release(session, gift.hold) == 0:
        raise _not_waiting("lapsed")
    posted = ledger.post(
        session, purpose=Purpose.GIVE, source=gift.giver, target=receiver.account_id, amount=gift.credits,
        reference=reference, business_date=on,
    )
    ended = _ended(session, gift, "accepted", on, transfer=posted.id)
    participants.announce_received(
        session, posted, account=receiver.account_id, credits=gift.credits, purpose=Purpose.GIVE, on=on
    )
    tell(session, "gift.accepted", {gift.giver: {"credits": gift.credits}})
    return ended


def decline_gift(session: Session, handle: UUID, *, receiver: Person, on: date) -> Gift:
    """The receiver does not take a gift; the giver has the credits again. Raises `GiftUnknown`, `GiftNotWaiting`."""
    return _let_go(session, _locked(session, handle, "receiver", receiver.account_id), "declined", on)


def cancel_gift(session: Session, handle: UUID, *, giver: Person, on: date) -> Gift:
    """The giver takes back a gift that still waits. Raises `GiftUnknown`, `GiftNotWaiting`."""
    return _let_go(session, _locked(session, handle, "giver", giver.account_id), "cancelled", on)


def _let_go(session: Session, gift: Gift, state: str, on: date) -> Gift:
    """Repeating what was done changes nothing."""
    if gift.state == state:
        return gift
    _require_waiting(gift, on)
    assert gift.hold is not None
    ledger.release(session, gift.hold)
    ended = _ended(session, gift, state, on)
    facts = {"credits": gift.credits}
    tell(session, f"gift.{state}", {gift.receiver if state == "cancelled" else gift.giver: facts})
    return ended


def _locked(session: Session, handle: UUID, side: str, account: int) -> Gift:
    """The gift of this giver or receiver, with nobody else answering it meanwhile."""
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM gift WHERE handle = %s AND {side} = %s FOR NO KEY UPDATE", (handle, account)
    ).fetchone()
    if row is None:
        raise GiftUnknown()
    return Gift(*row)


def _require_waiting(gift: Gift, on: date) -> None:
    state = "lapsed" if gift.state == "waiting" and on > gift.until else gift.state
    if state != "waiting":
        raise _not_waiting(state)


def _not_waiting(state: str) -> GiftNotWaiting:
    return GiftNotWaiting(state=state)


def _ended(session: Session, gift: Gift, state: str, on: date, *, transfer: int | None = None) -> Gift:
    row = connection_of(session).execute(
        f"""UPDATE gift SET state = %s, ended_on = %s, transfer_id = %s, mobile_digest = NULL, key_version = NULL
            WHERE id = %s RETURNING {_COLUMNS}""",
        (state, on, transfer, gift.id),
    ).fetchone()
    assert row is not None
    return Gift(*row)


def gift_of(session: Session, handle: UUID, person: Person) -> Gift:
    """A gift that a person gave or is given. Raises `GiftUnknown`."""
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM gift WHERE handle = %s AND %s IN (giver, receiver)", (handle, person.account_id)
    ).fetchone()
    if row is None:
        raise GiftUnknown()
    return Gift(*row)


def gifts_of(
    session: Session, person: Person, *, given: bool, on: date, before: int | None = None, limit: int = 50
) -> list[Gift]:
    """The gifts that a person gave, or is given, newest first; ``before`` is the last one's number of the page before."""
    if not given:
        meet(session, person, on=on)
    side = "giver" if given else "receiver"
    rows = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM gift WHERE {side} = %s AND id < coalesce(%s, 9223372036854775807) ORDER BY id DESC LIMIT %s",
        (person.account_id, before, limit),
    )
    return [Gift(*row) for row in rows]
