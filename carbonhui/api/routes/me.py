"""A person's own particulars and devices (Articles 10-13; PIPL articles 44-46)."""

from typing import Any
from uuid import UUID

from carbonhui import access, circulation, participants, privacy
from carbonhui.api.fields import Choice, Day, Handle, Instant, Pattern, Strict, Text, page_of
from carbonhui.api.operation import Blueprint, Call, Refused, operation
from carbonhui.api.routes.acting import caller_of, hidden, tell, whole_list
from carbonhui.core.refusals import Refusal
from carbonhui.participants import Person

blueprint = Blueprint("me", __name__, description="A person's own particulars and devices.")


class MeSchema(Strict):
    person = Handle(required=True, metadata={"description": "Your handle, which tells nothing about you."})
    level = Choice("registered", "real_name", required=True)
    state = Choice("active", "restricted", required=True)
    language = Choice("zh", "en", required=True, metadata={"description": "In which you are written to."})
    guardian_until = Day(required=True, allow_none=True, metadata={"description": "A minor's eighteenth birthday."})
    mobile = Text(20, required=True, allow_none=True, metadata={"example": "+8613800138000"})
    name = Text(60, required=True, allow_none=True, metadata={"description": "Once it is proven."})


class MeChanged(Strict):
    language = Choice("zh", "en", required=True)


class PersonSchema(Strict):
    person = Handle(required=True)
    level = Choice("registered", "real_name", required=True)
    state = Choice("active", "restricted", required=True)
    language = Choice("zh", "en", required=True)
    guardian_until = Day(required=True, allow_none=True)


def told_of(person: Person) -> dict[str, Any]:
    """What is told of a person without opening the vault."""
    return {
        "person": person.handle, "level": person.level, "state": person.state, "language": person.language,
        "guardian_until": person.guardian_until,
    }  # fmt: skip


@operation(
    blueprint, "GET", "/v1/me", "readMe", answer=MeSchema,
    summary="What the platform knows of you",
    description="Your ID number and birth date are in the export only. This reading is on your record of readings too.",
)  # fmt: skip
def read_me(call: Call) -> dict[str, Any]:
    # Read anew, because the caller may be known from some seconds ago.
    person = participants.person(call.session, caller_of(call).id)
    known = privacy.read(call.session, call.services.vault, person.subject, ("mobile", "name"), call.reader("own_profile"))
    return {**told_of(person), "mobile": known.get("mobile"), "name": known.get("name")}


@operation(
    blueprint, "PATCH", "/v1/me", "changeMe", body=MeChanged, answer=PersonSchema,
    summary="Change the language in which you are written to", refuses=(participants.PersonErased,),
)  # fmt: skip
def change_me(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    return told_of(participants.change_language(call.session, caller_of(call), body["language"]))


class CodeGiven(Strict):
    challenge = Text(400, required=True, metadata={"description": "What `POST /v1/codes` answered."})
    code = Pattern(r"[0-9]{6}", longest=6, required=True)


@operation(
    blueprint, "PUT", "/v1/me/mobile", "changeMobile", body=CodeGiven, status=204,
    summary="Be reached by another mobile number, proven by a code to it",
    description="The code is asked for with the purpose `change_mobile`, for the new number.",
    refuses=(access.CodeWrong, participants.MobileTaken, participants.PersonErased),
)  # fmt: skip
def change_mobile(call: Call, body: dict[str, Any]) -> Refused | None:
    person, services = caller_of(call), call.services
    mobile = access.verify_code(call.session, services.vault, purpose="change_mobile", clock=services.clock, **body)
    if isinstance(mobile, access.CodeWrong):
        return Refused(mobile)
    participants.change_mobile(call.session, services.vault, person, mobile=mobile)
    tell(call, person, "mobile.changed")
    circulation.meet(call.session, person, on=call.today)
    return None


class RealNameGiven(Strict):
    name = Text(60, required=True, metadata={"example": "张三"})
    id_number = Pattern(r"[1-9][0-9]{16}[0-9Xx]", longest=18, required=True, metadata={"description": "GB 11643-1999."})


@operation(
    blueprint, "POST", "/v1/me/real-name", "proveRealName", body=RealNameGiven, answer=PersonSchema,
    summary="Prove your real name",
    description=(
        "Who turns out to be under eighteen is `restricted` from then on, until a guardian takes over (PIPL article 31)."
    ),
    refuses=(
        participants.RealNameAlreadyProven, participants.IdNumberTaken, participants.IdentityTriedTooOften,
        participants.BornLater, privacy.IdNumberInvalid, privacy.TextRefused,
    ),
)  # fmt: skip
def prove_real_name(call: Call, body: dict[str, Any]) -> dict[str, Any] | Refused:
    session, vault, person, on = call.session, call.services.vault, caller_of(call), call.today
    proven = participants.try_identity(
        session, person, on=on, attempt=lambda: participants.prove_real_name(session, vault, person, on=on, **body)
    )
    if isinstance(proven, Refusal):
        return Refused(proven)
    tell(call, proven, "person.proven")
    return told_of(proven)


class DeviceSchema(Strict):
    device = Handle(required=True)
    label = Text(60, required=True, shortest=0, metadata={"description": "What you called it."})
    signed_in_at = Instant(required=True)
    seen_at = Instant(required=True, metadata={"description": "When it last got new tokens."})


@operation(
    blueprint, "GET", "/v1/me/devices", "listDevices", answer=page_of(DeviceSchema),
    summary="The devices on which you are signed in, the last seen first; at most ten",
)  # fmt: skip
def list_devices(call: Call) -> dict[str, Any]:
    found = access.devices_of(call.session, call.services.vault, caller_of(call), call.reader("own_devices"))
    return whole_list(
        [{"device": one.handle, "label": one.label, "signed_in_at": one.signed_in_at, "seen_at": one.seen_at} for one in found]
    )


@operation(
    blueprint, "DELETE", "/v1/me/devices/<uuid:device>", "signOutDevice", status=204,
    summary="Sign out one of your devices, from wherever you are",
)  # fmt: skip
def sign_out_device(call: Call, device: UUID) -> None:
    person, services = caller_of(call), call.services
    with hidden(access.DeviceUnknown):
        access.sign_out(call.session, services.vault, person, device, clock=services.clock)
    tell(call, person, "device.signed_out")


@operation(
    blueprint, "DELETE", "/v1/me/devices", "signOutEverywhere", status=204,
    summary="Sign out all your devices, this one too",
)  # fmt: skip
def sign_out_everywhere(call: Call) -> None:
    services = call.services
    access.sign_out_everywhere(call.session, services.vault, caller_of(call), clock=services.clock)
