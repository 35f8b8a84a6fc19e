"""Proving a mobile number, signing in and out; whoever signs in first is registered by it (Articles 11, 13).

Nobody learns here whether a mobile number is known: a code is asked for, sent and
refused in the same way for every number.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import request

from carbonhui import access, circulation, participants, privacy
from carbonhui.api.fields import Choice, Flag, Handle, Instant, Mobile, Pattern, Strict, Text, Whole
from carbonhui.api.operation import Blueprint, Call, Refused, operation
from carbonhui.api.routes.acting import caller_of, tell
from carbonhui.core.database import connection_of

blueprint = Blueprint("sign-in", __name__, description="One-time codes, sessions and tokens.")

_CHALLENGE = {"description": "What `POST /v1/codes` answered."}
_CODE = {"description": "The six digits that were sent to the mobile number.", "example": "042117"}
_CHALLENGE_LONGEST = 400
#: As the access room keeps them; a refused code tells them too.
_CODE_SECONDS, _CODE_TRIES = 300, 5


class CodeAsked(Strict):
    mobile = Mobile(required=True, metadata={"description": "Where the code is sent.", "example": "13800138000"})
    purpose = Choice(
        "sign_in", "change_mobile", "guardian", "erase", load_default="sign_in",
        metadata={"description": "What the code is good for, and for nothing else. `guardian` goes to the child's number."},
    )  # fmt: skip


class CodeSentSchema(Strict):
    challenge = Text(_CHALLENGE_LONGEST, required=True, metadata={"description": "To be given back together with the code."})
    expires_in = Whole(1, 3600, required=True, metadata={"description": "Seconds until the code is worth nothing."})
    tries = Whole(1, 100, required=True, metadata={"description": "How often a code may be tried."})


class SignInAsked(Strict):
    challenge = Text(_CHALLENGE_LONGEST, required=True, metadata=_CHALLENGE)
    code = Pattern(r"[0-9]{6}", longest=6, required=True, metadata=_CODE)
    device_label = Text(60, required=True, metadata={"description": "What you call this device.", "example": "my telephone"})


class RefreshAsked(Strict):
    refresh_token = Pattern(r"[A-Za-z0-9_-]{20,100}", longest=100, required=True)


class SignedInSchema(Strict):
    access_token = Text(2048, required=True, metadata={"description": "Bearer token of the requests that follow."})
    token_type = Choice("Bearer", required=True)
    expires_in = Whole(1, 3600, required=True, metadata={"description": "Seconds that the access token holds."})
    refresh_token = Text(100, required=True, metadata={"description": "Good once, for the next pair of tokens."})
    person = Handle(required=True)
    device = Handle(required=True)
    new = Flag(required=True, metadata={"description": "Whether this sign-in registered the person."})


@operation(
    blueprint, "POST", "/v1/codes", "requestCode", body=CodeAsked, answer=CodeSentSchema, status=202,
    summary="Have a one-time code sent to a mobile number",
    description="The answer is the same for a number that is known and for one that is not.",
    refuses=(privacy.MobileInvalid, access.CodeAskedTooOften, access.CodeNotSent),
)  # fmt: skip
def request_code(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    services, language = call.services, call.language
    pending = access.issue_code(
        call.session, services.vault, mobile=body["mobile"], purpose=body["purpose"], clock=services.clock
    )
    call.after_commit(lambda: services.sender.send(pending.mobile, pending.code, language))
    return {"challenge": pending.challenge, "expires_in": _CODE_SECONDS, "tries": _CODE_TRIES}


@operation(
    blueprint, "POST", "/v1/sessions", "signIn", body=SignInAsked, answer=SignedInSchema, status=201,
    summary="Sign in by a one-time code; a new number is registered",
    refuses=(access.CodeWrong, participants.PersonRestricted, privacy.TextRefused),
)  # fmt: skip
def sign_in(call: Call, body: dict[str, Any]) -> dict[str, Any] | Refused:
    services = call.services
    found = access.sign_in(
        call.session, services.vault, issuer=services.settings.public_url, clock=services.clock, language=call.language, **body
    )
    if not isinstance(found, access.SignedIn):
        return Refused(found)
    tell(call, found.person, "device.signed_in")
    # Gifts and requests may wait for a number that nobody had until now.
    circulation.meet(call.session, found.person, on=call.today)
    return _tokens(found)


@operation(
    blueprint, "POST", "/v1/sessions/refresh", "refreshSession", body=RefreshAsked, answer=SignedInSchema,
    summary="New tokens for a refresh token, which is used up by this",
    description=(
        "A refresh token that comes twice was stolen: its device is signed out. An answer that was lost on the way is not such"
        " a case: repeat with the same Idempotency-Key, and the same tokens are told again."
    ),
    refuses=(access.RefreshRefused,),
)  # fmt: skip
def refresh_session(call: Call, body: dict[str, Any]) -> dict[str, Any] | Refused:
    services = call.services
    found = access.refresh(
        call.session, services.vault, body["refresh_token"], issuer=services.settings.public_url, clock=services.clock
    )
    return _tokens(found) if isinstance(found, access.SignedIn) else Refused(found)


def _tokens(found: access.SignedIn) -> dict[str, Any]:
    return {
        "access_token": found.access_token, "token_type": "Bearer", "expires_in": found.expires_in,
        "refresh_token": found.refresh_token, "person": found.person.handle, "device": found.device, "new": found.new,
    }  # fmt: skip


@operation(
    blueprint, "DELETE", "/v1/sessions/current", "signOut", status=204,
    summary="Sign out the device that asks",
    description="The access token that the device still has is believed for at most five seconds more.",
)  # fmt: skip
def sign_out(call: Call) -> None:
    services = call.services
    # Signed out elsewhere some seconds ago is signed out.
    with suppress(access.DeviceUnknown):
        access.sign_out(call.session, services.vault, caller_of(call), _device_of(call), clock=services.clock)


def _device_of(call: Call) -> UUID:
    """The handle of the device that asks."""
    row = connection_of(call.session).execute("SELECT handle FROM device WHERE id = %s", (call.caller.device_id,)).fetchone()
    assert row is not None
    return UUID(str(row[0]))


class StaffSignInAsked(Strict):
    login = Pattern(r"[a-z][a-z0-9._-]{2,39}", longest=40, required=True)
    password = Text(128, required=True, metadata={"format": "password"})
    totp = Pattern(r"[0-9]{6}", longest=6, required=True, metadata={"description": "What the authenticator shows now."})


class StaffSignedInSchema(Strict):
    session_token = Text(100, required=True, metadata={"description": "Bearer token; it ends after 30 idle minutes."})
    token_type = Choice("Bearer", required=True)
    expires_at = Instant(required=True, metadata={"description": "When the session ends, however busy."})


@operation(
    blueprint, "POST", "/v1/staff/sessions", "staffSignIn", body=StaffSignInAsked, answer=StaffSignedInSchema, status=201,
    summary="Sign in as a member of the staff, with the second factor",
    description="Login, password and second factor are right together or wrong together; five failures close the login for a while.",
    refuses=(participants.StaffNotAccepted,),
)  # fmt: skip
def staff_sign_in(call: Call, body: dict[str, Any]) -> dict[str, Any] | Refused:
    found = access.staff_sign_in(call.session, call.services.vault, clock=call.services.clock, **body)
    if not isinstance(found, access.StaffSession):
        return Refused(found)
    return {"session_token": found.token, "token_type": "Bearer", "expires_at": found.expires_at}


@operation(
    blueprint, "DELETE", "/v1/staff/sessions/current", "staffSignOut", status=204,
    summary="End the staff session that asks",
)  # fmt: skip
def staff_sign_out(call: Call) -> None:
    token = request.headers["Authorization"].partition(" ")[2].strip()
    access.staff_sign_out(call.session, token, clock=call.services.clock)
