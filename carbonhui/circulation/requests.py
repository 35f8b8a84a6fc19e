"""Asking a person for credits, by mobile number or by the code that they show; they give, or they do not (Article 18)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import ledger, participants, policy, privacy
from carbonhui.circulation.operations import give
from carbonhui.circulation.receive_codes import account_behind
from carbonhui.circulation.refusals import ReceiveCodeInvalid, RequestNotWaiting, RequestUnknown, RequestWaitsAlready
from carbonhui.circulation.rules import REASONS
from carbonhui.circulation.waiting import Addressee, addressee, meet, require_few_waiting, tell
from carbonhui.core.amounts import Credits, checked_amount
from carbonhui.core.database import connection_of
from carbonhui.participants import Person


@dataclass(frozen=True)
class Request:
    """A request for credits. ``asked`` is None while nobody is known to hold the number; ``until`` is the last day of waiting."""

    id: int
    handle: UUID
    asker: int
    asked: int | None
    credits: int
    reason: str
    state: str
    asked_on: date
    until: date
    ended_on: date | None
    transfer: int | None


_COLUMNS = "id, handle, asker, asked, credits, reason, state, asked_on, until, ended_on, transfer_id"


def ask_mobile(
    session: Session, vault: privacy.Vault, *, asker: Person, mobile: str, credits: Credits, reason: str = "none",
    reference: str, on: date,
) -> Request:  # fmt: skip
    """Ask whoever holds a mobile number for credits. A number that is known and one that is not are answered alike.

    Raises `policy.NotPermitted`, `policy.RuleNotFound`, `participants.PersonErased`, `participants.PersonRestricted`,
    `privacy.MobileInvalid`, `ledger.SelfTransfer`, `TooManyWaiting`, `TooManyTakenBack`, `RequestWaitsAlready`,
    `ledger.ReferenceReused`.
    """
    to = addressee(session, vault, mobile)
    return _ask(session, asker, to.account, to, credits=credits, reason=reason, reference=reference, on=on)


def ask_by_code(
    session: Session, vault: privacy.Vault, *, asker: Person, receive_code: str, credits: Credits, reason: str = "none",
    reference: str, on: date, now: datetime,
) -> Request:  # fmt: skip
    """Ask whoever shows a receive code for credits. Raises `ReceiveCodeInvalid` and what `ask_mobile` raises."""
    asked = account_behind(vault, receive_code, now=None)
    first = _first_outcome(session, (asker.account_id, credits, reason), asked, None, reference)
    if first is not None:
        return first
    account_behind(vault, receive_code, now=now)
    try:
        participants.require_free(participants.person_of_account(session, asked), on)
    except (participants.PersonUnknown, participants.PersonErased, participants.PersonRestricted):
        raise ReceiveCodeInvalid() from None
    return _ask(session, asker, asked, None, credits=credits, reason=reason, reference=reference, on=on)


def _ask(
    session: Session, asker: Person, asked: int | None, to: Addressee | None, *,
    credits: Credits, reason: str, reference: str, on: date,
) -> Request:  # fmt: skip
    assert reason in REASONS
    checked_amount(credits)
    words = (asker.account_id, credits, reason)
    first = _first_outcome(session, words, asked, to, reference)
    if first is not None:
        return first
    policy.require(session, policy.CREDITS_TRANSFERABLE, on)
    participants.require_free(asker, on)
    if asked == asker.account_id:
        raise ledger.SelfTransfer(account=asked)
    require_few_waiting(session, asker.account_id, table="credit_request", by="asker", on=on)
    until = on + timedelta(days=policy.rule_on(session, policy.GIFT_WAITS_DAYS, on))
    row = connection_of(session).execute(
        f"""INSERT INTO credit_request (asker, credits, reason, asked, mobile_digest, key_version, state, reference, asked_on, until)
            VALUES (%s, %s, %s, %s, %s, %s, 'waiting', %s, %s, %s) ON CONFLICT DO NOTHING RETURNING {_COLUMNS}""",
        (*words, asked, to.digest if to else None, to.key_version if to else None, reference, on, until),
    ).fetchone()
    if row is None:
        first = _first_outcome(session, words, asked, to, reference)
        if first is None:
            raise RequestWaitsAlready()
        return first
    tell(session, "request.received", {asked: {"credits": credits, "until": until.isoformat()}})
    return Request(*row)


def _first_outcome(
    session: Session, words: tuple[int, int, str], asked: int | None, to: Addressee | None, reference: str
) -> Request | None:
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS}, mobile_digest, key_version FROM credit_request WHERE reference = %s", (reference,)
    ).fetchone()
    if row is None:
        return None
    found, kept = Request(*row[:-2]), row[-2:]
    # Of an ended request the number is not known any more, and is not compared.
    other = (kept[1] == to.key_version and kept[0] != to.digest) if to else found.asked != asked
    if (found.asker, found.credits, found.reason) != words or other:
        raise ledger.ReferenceReused(reference=reference)
    return found


def accept_request(session: Session, handle: UUID, *, asked: Person, on: date) -> Request:
    """Whoever is asked gives the credits, at once.

    Accepting what was accepted changes nothing. Raises `RequestUnknown`, `RequestNotWaiting`, and what `give` raises.
    """
    request = _locked(session, handle, "asked", asked.account_id)
    if request.state == "accepted":
        return request
    _require_waiting(request, on)
    participants.require_free(asked, on)
    _require_asker(session, request, on)
    posted = give(
        session, giver=asked.account_id, receiver=request.asker, credits=Credits(request.credits),
        reference=f"request-{request.handle}", business_date=on,
    )
    ended = _ended(session, request, "accepted", on, transfer=posted.id)
    tell(session, "request.accepted", {request.asker: {"credits": request.credits}})
    return ended


def _require_asker(session: Session, request: Request, on: date) -> None:
    """Nobody takes what they may not take by now; why that is, is not told to others."""
    try:
        participants.require_free(participants.person_of_account(session, request.asker), on)
    except (participants.PersonErased, participants.PersonRestricted):
        raise RequestNotWaiting(state="cancelled") from None


def decline_request(session: Session, handle: UUID, *, asked: Person, on: date) -> Request:
    """Whoever is asked does not give. Raises `RequestUnknown`, `RequestNotWaiting`."""
    return _let_go(session, _locked(session, handle, "asked", asked.account_id), "declined", on)


def cancel_request(session: Session, handle: UUID, *, asker: Person, on: date) -> Request:
    """Whoever asked takes the request back. Raises `RequestUnknown`, `RequestNotWaiting`."""
    return _let_go(session, _locked(session, handle, "asker", asker.account_id), "cancelled", on)


def _let_go(session: Session, request: Request, state: str, on: date) -> Request:
    if request.state == state:
        return request
    _require_waiting(request, on)
    ended = _ended(session, request, state, on)
    told = request.asked if state == "cancelled" else request.asker
    tell(session, f"request.{state}", {told: {"credits": request.credits}})
    return ended


def _locked(session: Session, handle: UUID, side: str, account: int) -> Request:
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM credit_request WHERE handle = %s AND {side} = %s FOR NO KEY UPDATE", (handle, account)
    ).fetchone()
    if row is None:
        raise RequestUnknown()
    return Request(*row)


def _require_waiting(request: Request, on: date) -> None:
    state = "lapsed" if request.state == "waiting" and on > request.until else request.state
    if state != "waiting":
        raise RequestNotWaiting(state=state)


def _ended(session: Session, request: Request, state: str, on: date, *, transfer: int | None = None) -> Request:
    row = connection_of(session).execute(
        f"""UPDATE credit_request SET state = %s, ended_on = %s, transfer_id = %s, mobile_digest = NULL, key_version = NULL
            WHERE id = %s RETURNING {_COLUMNS}""",
        (state, on, transfer, request.id),
    ).fetchone()
    assert row is not None
    return Request(*row)


def request_of(session: Session, handle: UUID, person: Person) -> Request:
    """A request that a person made or is asked by. Raises `RequestUnknown`."""
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM credit_request WHERE handle = %s AND %s IN (asker, asked)", (handle, person.account_id)
    ).fetchone()
    if row is None:
        raise RequestUnknown()
    return Request(*row)


def requests_of(
    session: Session, person: Person, *, made: bool, on: date, before: int | None = None, limit: int = 50
) -> list[Request]:
    """The requests that a person made, or is asked by, newest first; ``before`` is the last one's number of the page before."""
    if not made:
        meet(session, person, on=on)
    side = "asker" if made else "asked"
    rows = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM credit_request WHERE {side} = %s AND id < coalesce(%s, 9223372036854775807) ORDER BY id DESC LIMIT %s",
        (person.account_id, before, limit),
    )
    return [Request(*row) for row in rows]
