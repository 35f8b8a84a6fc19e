"""What the platform kept and did about a person, told to that person, and erasing it (PIPL articles 44-48)."""

import io
from collections.abc import Callable
from typing import Any, BinaryIO
from uuid import UUID

from marshmallow import INCLUDE

from carbonhui import access, export, notifications, participants, policy, privacy
from carbonhui.api.answers import forget_answers
from carbonhui.api.fields import Choice, Flag, Handle, Instant, Many, Page, Strict, Text, Whole, page_of
from carbonhui.api.operation import Answer, Blueprint, Call, Refused, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import ForWard, acted_for, caller_of, named, numbered, paged
from carbonhui.api.routes.credits import PageForWard
from carbonhui.api.routes.me import CodeGiven
from carbonhui.api.routes.refusals import CodeOfAnother

blueprint = Blueprint("records", __name__, description="What the platform kept and did about a person.")

_MESSAGE = "message"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ReadingSchema(Strict):
    read_at = Instant(required=True)
    fields_read = Many(Text(60), most=1000, required=True, metadata={"description": "Which of your particulars were opened."})
    is_own = Flag(required=True, metadata={"description": "Whether it was you."})
    reader = Text(100, required=True, metadata={"description": "Who, by a pseudonym that the platform's office can resolve."})
    role = Text(60, required=True)
    purpose = Text(200, required=True)


@operation(
    blueprint, "GET", "/v1/me/reads", "listReadings", query=PageForWard, answer=page_of(ReadingSchema),
    summary="Who read your personal data, when, and what for; newest first", refuses=(participants.NotGuardian,),
)  # fmt: skip
def list_readings(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    reads = privacy.reads_of(
        call.session, person.subject, before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1
    )
    return paged(call, reads, query["limit"], lambda read: _reading(call, read))


def _reading(call: Call, read: privacy.Read) -> dict[str, Any]:
    return {
        "read_at": read.at, "fields_read": read.fields, "is_own": read.actor == call.caller.actor, "reader": read.actor,
        "role": read.role, "purpose": read.purpose,
    }  # fmt: skip


# Messages -----------------------------------------------------------------------------------------


class MessageSchema(Strict):
    message = Handle(required=True)
    topic = Text(60, required=True)
    text = Text(1000, required=True, metadata={"description": "One sentence, in the language of the request."})
    at = Instant(required=True)
    read_at = Instant(required=True, allow_none=True)


class MessagesRead(Strict):
    messages = Many(Handle(), fewest=1, most=100, load_default=None, allow_none=True, metadata={
        "description": "Which; all of yours when you name none.",
    })  # fmt: skip


class MarkedSchema(Strict):
    marked = Whole(0, required=True, metadata={"description": "How many were unread."})


@operation(
    blueprint, "GET", "/v1/me/messages", "listMessages", query=Page, answer=page_of(MessageSchema),
    summary="What the platform tells you, newest first",
)  # fmt: skip
def list_messages(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    account = caller_of(call).account_id
    before = call.cursor.read(query["cursor"])
    found = notifications.messages_of(call.session, account, before=before, limit=query["limit"] + 1)
    return paged(call, found, query["limit"], lambda message: _message(call, message))


def _message(call: Call, message: notifications.Notice) -> dict[str, Any]:
    return {
        "message": named(call, _MESSAGE, message.id), "topic": message.code,
        # A payload holds nobody's own words, so the city's name of the credit may be put in at the end.
        "text": policy.called(message.text(call.language), call.services.settings.city),
        "at": message.at, "read_at": message.read_at,
    }  # fmt: skip


@operation(
    blueprint, "POST", "/v1/me/messages/read", "markMessagesRead", body=MessagesRead, answer=MarkedSchema,
    summary="Note that you read messages", refuses=(NotFound,),
)  # fmt: skip
def mark_messages_read(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    chosen: list[UUID] | None = body["messages"]
    numbers = None if chosen is None else [numbered(call, _MESSAGE, message) for message in chosen]
    return {"marked": notifications.mark_read(call.session, caller_of(call).account_id, numbers)}


# A copy of everything -----------------------------------------------------------------------------


class Export(Strict):
    """Everything: matter by matter, each with what it says and its rows; docs/export.md lists them."""

    class Meta:
        unknown = INCLUDE


@operation(
    blueprint, "GET", "/v1/me/export", "exportMe", query=ForWard, answer=Export,
    summary="A copy of everything that the platform keeps about you, as JSON",
    refuses=(participants.NotGuardian, export.ExportTooLarge),
)  # fmt: skip
def export_me(call: Call, query: dict[str, Any]) -> Answer:
    return Answer(_copied(call, query["ward"], export.write_json))


@operation(
    blueprint, "GET", "/v1/me/export.xlsx", "exportMeAsWorkbook", query=ForWard, produces=XLSX,
    summary="The same as a workbook, one sheet a matter",
    refuses=(participants.NotGuardian, export.ExportTooLarge),
)  # fmt: skip
def export_me_as_workbook(call: Call, query: dict[str, Any]) -> Answer:
    said = {"Content-Disposition": 'attachment; filename="carbonhui-export.xlsx"'}
    return Answer(_copied(call, query["ward"], export.write_xlsx), said)


def _copied(call: Call, ward: UUID | None, write: Callable[..., None]) -> bytes:
    services = call.services
    copy: BinaryIO = io.BytesIO()
    matters = export.matters(
        call.session, services.vault, services.settings, acted_for(call, ward), call.reader("export")
    )
    write(matters, copy, bytes_max=services.settings.upload_bytes_max)
    copy.seek(0)
    return copy.read()


# Erasure ------------------------------------------------------------------------------------------


class ErasureAsked(CodeGiven):
    understood = Choice("my credits go to the cancellation pool and nothing comes back", required=True, metadata={
        "description": "That you understood what an erasure does, word for word.",
    })  # fmt: skip


class ErasedSchema(Strict):
    person = Handle(required=True)
    credits = Whole(0, required=True, metadata={"description": "Credits that were yours and went to the cancellation pool."})
    links = Whole(0, required=True, metadata={"description": "Identifiers that no longer count for you."})
    consents = Whole(0, required=True, metadata={"description": "Consents that were taken back by it."})


@operation(
    blueprint, "POST", "/v1/me/erasure", "eraseMe", query=ForWard, body=ErasureAsked, answer=ErasedSchema,
    summary="Erase yourself, or a child for whom you answer, for good",
    description=(
        "Needs a one-time code of the purpose `erase`, sent to your own number just now. What is known of you is destroyed, all"
        " devices are signed out, consents and links end. Remaining credits go to the cancellation pool, because nobody could ask"
        " for them any more; give or donate them before if you wish. The books keep what was done, under a number that leads"
        " to nobody."
    ),
    refuses=(
        access.CodeWrong, CodeOfAnother, participants.ErasureWaitsForHolds, participants.ErasureWaitsForWards,
        participants.ErasureWaitsForOrganisations, participants.NotGuardian,
    ),
)  # fmt: skip
def erase_me(call: Call, body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any] | Refused:
    person, services = acted_for(call, query["ward"]), call.services
    wrong = _code_refused(call, body["challenge"], body["code"])
    if wrong is not None:
        return Refused(wrong)
    erased = export.erase(
        call.session, services.vault, person, on=call.today, clock=services.clock, by=call.caller.actor
    )
    forget_answers(call.session, f"person:{person.id}")
    call.after_commit(lambda: export.forget_files(services.database, services.settings))
    return {"person": person.handle, **vars(erased)}


def _code_refused(call: Call, challenge: str, code: str) -> access.CodeWrong | CodeOfAnother | None:
    """Why a code does not prove that its sender holds the caller's own number; None when it does."""
    services = call.services
    mobile = access.verify_code(
        call.session, services.vault, challenge=challenge, code=code, purpose="erase", clock=services.clock
    )
    if isinstance(mobile, access.CodeWrong):
        return mobile
    holder = participants.person_by_mobile(call.session, services.vault, mobile)
    return None if holder is not None and holder.id == caller_of(call).id else CodeOfAnother()
