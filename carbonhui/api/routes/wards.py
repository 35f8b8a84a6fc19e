"""Children for whom a person answers (PIPL article 31; Regulations on the protection of minors online, articles 31-34)."""

from typing import Any
from uuid import UUID

from carbonhui import access, participants, privacy
from carbonhui.api.fields import Pattern, Text, page_of
from carbonhui.api.operation import Blueprint, Call, Refused, operation
from carbonhui.api.routes.acting import caller_of, hidden, whole_list
from carbonhui.api.routes.me import CodeGiven, PersonSchema, RealNameGiven, told_of
from carbonhui.core.refusals import Refusal

blueprint = Blueprint("wards", __name__, description="Children for whom a person answers.")

_REFUSED = (
    participants.GuardianNotAble, participants.WardGrownUp, participants.IdNumberTaken, participants.IdentityTriedTooOften,
    participants.BornLater, privacy.IdNumberInvalid, privacy.TextRefused,
)  # fmt: skip


class WardTaken(CodeGiven):
    name = Text(60, required=True, metadata={"description": "The child's name."})
    id_number = Pattern(r"[1-9][0-9]{16}[0-9Xx]", longest=18, required=True, metadata={"description": "The child's; GB 11643-1999."})


@operation(
    blueprint, "GET", "/v1/me/wards", "listWards", answer=page_of(PersonSchema),
    summary="The children for whom you answer today, by their handles",
)  # fmt: skip
def list_wards(call: Call) -> dict[str, Any]:
    return whole_list([told_of(ward) for ward in participants.wards_of(call.session, caller_of(call), on=call.today)])


@operation(
    blueprint, "POST", "/v1/me/wards", "registerWard", body=RealNameGiven, answer=PersonSchema, status=201,
    summary="Register a child of yours, of any age under eighteen",
    description="You act for the child by the query parameter `ward` until the eighteenth birthday. The child needs no mobile number.",
    refuses=_REFUSED,
)  # fmt: skip
def register_ward(call: Call, body: dict[str, Any]) -> dict[str, Any] | Refused:
    session, vault, guardian, on = call.session, call.services.vault, caller_of(call), call.today
    ward = participants.try_identity(
        session, guardian, on=on, attempt=lambda: participants.register_ward(session, vault, guardian=guardian, on=on, **body)
    )
    return Refused(ward) if isinstance(ward, Refusal) else told_of(ward)


@operation(
    blueprint, "POST", "/v1/me/wards/takeovers", "takeOverWard", body=WardTaken, answer=PersonSchema, status=201,
    summary="Answer for a child who is registered already, by a code to the child's number",
    description="The code is asked for with the purpose `guardian`, for the child's mobile number.",
    refuses=(access.CodeWrong, participants.WardDiffers, participants.AlreadyGuardian, *_REFUSED),
)  # fmt: skip
def take_over_ward(call: Call, body: dict[str, Any]) -> dict[str, Any] | Refused:
    services, vault, session = call.services, call.services.vault, call.session
    guardian, on = caller_of(call), call.today
    challenge, code = body.pop("challenge"), body.pop("code")
    mobile = access.verify_code(session, vault, challenge=challenge, code=code, purpose="guardian", clock=services.clock)
    if isinstance(mobile, access.CodeWrong):
        return Refused(mobile)
    ward = participants.person_by_mobile(session, vault, mobile)
    if ward is None:
        return Refused(participants.WardDiffers())
    taken = participants.try_identity(
        session, guardian, on=on,
        attempt=lambda: participants.become_guardian(session, vault, guardian=guardian, ward=ward, on=on, **body),
    )  # fmt: skip
    return Refused(taken) if isinstance(taken, Refusal) else told_of(taken)


@operation(
    blueprint, "DELETE", "/v1/me/wards/<uuid:ward>", "endGuardianship", status=204,
    summary="Answer for a child no longer; one without another guardian is restricted",
)  # fmt: skip
def end_guardianship(call: Call, ward: UUID) -> None:
    with hidden(participants.NotGuardian, participants.PersonUnknown, participants.PersonErased):
        child = participants.person_by_handle(call.session, ward)
        participants.end_guardianship(call.session, caller_of(call), child, on=call.today)
