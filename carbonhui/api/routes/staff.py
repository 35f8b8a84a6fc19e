"""What the staff does: two decide on organisations, support reads a person's particulars on record (Articles 11, 13)."""

from typing import Any
from uuid import UUID

from carbonhui import ledger, participants, privacy
from carbonhui.api.fields import Choice, Day, Flag, Handle, Page, Pattern, Strict, Text, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import hidden, named, numbered, paged, whole_list
from carbonhui.api.routes.me import PersonSchema, told_of
from carbonhui.api.routes.organisations import KINDS, STATES, OrganisationSchema
from carbonhui.api.routes.organisations import told_of as organisation_told
from carbonhui.api.routes.refusals import CasePersonal, MinorNeedsApprover
from carbonhui.participants import Organisation, Staff

blueprint = Blueprint("staff", __name__, description="What the staff does.")

_STEP = "organisation-step"
STEPS = ("approve", "suspend", "resume", "close")
#: What personal data may be read for. A closed list, so that nothing personal is ever written as a purpose.
PURPOSES = ("complaint", "correction", "erasure", "identity", "legal_request", "protection_of_minors", "support")


class OrganisationsAsked(Page):
    kind = Choice(*KINDS, load_default=None)
    state = Choice(*STATES, load_default=None)


class OrganisationStepSchema(Strict):
    step_id = Handle(required=True)
    organisation = Handle(required=True)
    step = Choice(*STEPS, required=True)
    reason = Text(500, required=True)
    proposed_on = Day(required=True)
    agreed = Flag(required=True, allow_none=True, metadata={"description": "null while it waits for its decision."})
    decided_on = Day(required=True, allow_none=True)


_STEP_PAGE = page_of(OrganisationStepSchema)


class StepProposed(Strict):
    step = Choice(*STEPS, required=True)
    reason = Text(500, required=True, metadata={"description": "Why, without anything personal."})


class StepDecided(Strict):
    agreed = Flag(required=True)


def _staff(call: Call) -> Staff:
    assert call.caller.staff_id is not None
    return participants.staff_member(call.session, call.caller.staff_id)


def _step(call: Call, organisation: Organisation, step: participants.Step) -> dict[str, Any]:
    return {**vars(step), "step_id": named(call, _STEP, step.id), "organisation": organisation.handle}


@operation(
    blueprint, "GET", "/v1/staff/organisations", "listOrganisations", query=OrganisationsAsked, answer=page_of(OrganisationSchema),
    summary="Organisations in the order in which they applied",
)  # fmt: skip
def list_organisations(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    found = participants.organisations(
        call.session, kind=query["kind"], state=query["state"], after=call.cursor.read(query["cursor"]) or 0, limit=query["limit"] + 1
    )
    return paged(call, found, query["limit"], organisation_told)


@operation(
    blueprint, "GET", "/v1/staff/organisations/<uuid:organisation>/steps", "listOrganisationSteps",
    answer=_STEP_PAGE, summary="What was proposed of an organisation, and what became of it",
)  # fmt: skip
def list_organisation_steps(call: Call, organisation: UUID) -> dict[str, Any]:
    with hidden(participants.OrganisationUnknown):
        found = participants.organisation_by_handle(call.session, organisation)
    return whole_list([_step(call, found, step) for step in participants.steps_of(call.session, found)])


@operation(
    blueprint, "GET", "/v1/staff/steps", "listOpenSteps", query=Page, answer=_STEP_PAGE,
    summary="The steps that wait for a decision, oldest first",
)  # fmt: skip
def list_open_steps(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    steps = participants.open_steps(call.session, after=call.cursor.read(query["cursor"]) or 0, limit=query["limit"] + 1)
    return paged(
        call, steps, query["limit"],
        lambda step: _step(call, participants.organisation(call.session, step.organisation_id), step),
    )  # fmt: skip


@operation(
    blueprint, "POST", "/v1/staff/organisations/<uuid:organisation>/steps", "proposeStep", body=StepProposed,
    answer=OrganisationStepSchema, status=201, summary="Propose to approve, suspend, resume or close an organisation",
    description="Somebody else decides.",
    refuses=(
        participants.RoleMissing, participants.StepNotPossible, participants.StepAlreadyProposed, participants.StepReasonMissing,
    ),
)  # fmt: skip
def propose_step(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    with hidden(participants.OrganisationUnknown):
        found = participants.organisation_by_handle(call.session, organisation)
    step = participants.propose_step(
        call.session, found, body["step"], reason=body["reason"], by=_staff(call), on=call.today
    )
    return _step(call, found, step)


@operation(
    blueprint, "POST", "/v1/staff/steps/<uuid:step>/decision", "decideStep", body=StepDecided, answer=OrganisationSchema,
    summary="Decide what another member of the staff proposed; what is agreed takes effect at once",
    refuses=(participants.RoleMissing, participants.OwnStep, participants.StepNotPossible, ledger.AccountNotEmpty),
)  # fmt: skip
def decide_step(call: Call, step: UUID, body: dict[str, Any]) -> dict[str, Any]:
    number = numbered(call, _STEP, step)
    with hidden(participants.StepUnknown):
        organisation = participants.decide_step(call.session, number, agreed=body["agreed"], by=_staff(call), on=call.today)
    return organisation_told(organisation)


# Persons ------------------------------------------------------------------------------------------


class ReadingAsked(Strict):
    purpose = Choice(*PURPOSES, required=True, metadata={"description": "What you read it for; the person sees it."})
    case = Pattern(r"(?:[A-Za-z][A-Za-z-]*)?[0-9][A-Za-z0-9-]*", longest=40, required=True, metadata={
        "description": "The number of the case; the person sees it.", "example": "2026-00117",
    })  # fmt: skip


class ProfileSchema(PersonSchema):
    mobile = Text(20, required=True, allow_none=True)
    name = Text(60, required=True, allow_none=True)
    id_number = Text(18, required=True, allow_none=True)
    born_on = Pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", required=True, allow_none=True, metadata={"format": "date"})


@operation(
    blueprint, "GET", "/v1/staff/persons/<uuid:person>", "readPerson", query=ReadingAsked, answer=ProfileSchema,
    summary="A person's particulars, for a stated purpose, on a record that the person sees",
    description="Particulars of minors are for approvers only.",
    refuses=(MinorNeedsApprover, CasePersonal, participants.PersonErased),
)  # fmt: skip
def read_person(call: Call, person: UUID, query: dict[str, Any]) -> dict[str, Any]:
    if not privacy.is_reference(query["case"]):
        raise CasePersonal()
    with hidden(participants.PersonUnknown):
        found = participants.person_by_handle(call.session, person)
    if found.is_minor(call.today) and "staff:approver" not in call.caller.roles:
        raise MinorNeedsApprover()
    reader = privacy.Reader(
        actor=call.caller.actor, role="staff:support", purpose=f"{query['purpose']} {query['case']}", request=call.request_id
    )
    known = participants.profile_of(call.session, call.services.vault, found, reader)
    return {**told_of(found), **{name: known.get(name) for name in ("mobile", "name", "id_number", "born_on")}}
