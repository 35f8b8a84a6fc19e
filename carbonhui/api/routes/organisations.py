"""Organisations as their own members see them: applying, members, keys (Article 11).

A person who is no member learns nothing of an organisation, not even that it is there.
"""

import re
from collections.abc import Collection
from typing import Any
from uuid import UUID

from carbonhui import access, participants, privacy
from carbonhui.api.fields import Choice, Day, Handle, Instant, Mobile, Pattern, Strict, Text, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import caller_of, hidden, whole_list
from carbonhui.api.routes.refusals import OrganisationRoleMissing
from carbonhui.participants import Organisation

blueprint = Blueprint("organisations", __name__, description="Organisations, their members and keys.")

OWNERS, MANAGERS, MEMBERS = ("owner",), ("owner", "manager"), ("owner", "manager", "clerk")
KINDS = ("merchant", "department", "charity", "emitter", "institution", "fund_manager", "exchange", "regulator")
#: What a key's name looks like.
KEY = r"ck_[0-9a-f]{20}"
STATES = ("applied", "approved", "suspended", "closed")


class OrganisationApplied(Strict):
    kind = Choice(*KINDS, required=True)
    name = Text(200, required=True, metadata={"example": "广州公共交通集团有限公司"})
    credit_code = Pattern(r"[0-9A-HJ-NPQRTUWXY]{18}", longest=18, required=True, metadata={
        "description": "The unified social credit code (GB 32100-2015).", "example": "91440101MA59A1B2X5",
    })  # fmt: skip
    contact_name = Text(60, required=True, metadata={"description": "Who answers for the organisation."})
    contact_mobile = Mobile(required=True)


class OrganisationSchema(Strict):
    organisation = Handle(required=True)
    kind = Choice(*KINDS, required=True)
    name = Text(200, required=True)
    credit_code = Text(18, required=True)
    state = Choice(*STATES, required=True)
    applied_on = Day(required=True)


class ContactChanged(Strict):
    contact_name = Text(60, required=True)
    contact_mobile = Mobile(required=True)


def told_of(organisation: Organisation) -> dict[str, Any]:
    return {
        "organisation": organisation.handle, "kind": organisation.kind, "name": organisation.name,
        "credit_code": organisation.credit_code, "state": organisation.state, "applied_on": organisation.applied_on,
    }  # fmt: skip


def own_organisation(call: Call, handle: UUID, roles: Collection[str] = MEMBERS) -> Organisation:
    """The organisation, for one of its members with one of these roles, or for itself where it signed the request.

    Raises `NotFound` for everybody else, `OrganisationRoleMissing` for its other members.
    """
    with hidden(participants.OrganisationUnknown):
        found = participants.organisation_by_handle(call.session, handle)
    if call.caller.kind == "organisation":
        if found.id != call.caller.organisation_id:
            raise NotFound
        return found
    mine = {one.organisation_id: one.role for one in participants.memberships_of(call.session, caller_of(call))}
    if found.id not in mine:
        raise NotFound
    if mine[found.id] not in roles:
        raise OrganisationRoleMissing(roles=", ".join(roles))
    return found


@operation(
    blueprint, "POST", "/v1/organisations", "applyAsOrganisation", body=OrganisationApplied, answer=OrganisationSchema, status=201,
    summary="Apply for an organisation; you become its first owner",
    description="Two members of the staff decide. Until then it may do nothing.",
    refuses=(
        participants.CreditCodeInvalid, participants.OrganisationAlreadyThere, participants.PersonRestricted, privacy.TextRefused,
    ),
)  # fmt: skip
def apply_as_organisation(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    organisation = participants.apply_as_organisation(call.session, call.services.vault, on=call.today, **body)
    participants.add_member(call.session, organisation, caller_of(call), role="owner", on=call.today)
    return told_of(organisation)


class MembershipSchema(Strict):
    organisation = Handle(required=True)
    kind = Choice(*KINDS, required=True)
    name = Text(200, required=True)
    state = Choice(*STATES, required=True)
    role = Choice(*MEMBERS, required=True)
    since = Day(required=True)


@operation(
    blueprint, "GET", "/v1/me/organisations", "listMyOrganisations", answer=page_of(MembershipSchema),
    summary="The organisations for which you act, and your role in each",
)  # fmt: skip
def list_my_organisations(call: Call) -> dict[str, Any]:
    mine = participants.memberships_of(call.session, caller_of(call))
    return whole_list([
        {**told_of(participants.organisation(call.session, one.organisation_id)), "role": one.role, "since": one.since} for one in mine
    ])  # fmt: skip


@operation(
    blueprint, "GET", "/v1/organisations/<uuid:organisation>", "readOrganisation", answer=OrganisationSchema,
    summary="An organisation of yours",
)  # fmt: skip
def read_organisation(call: Call, organisation: UUID) -> dict[str, Any]:
    return told_of(own_organisation(call, organisation))


@operation(
    blueprint, "PATCH", "/v1/organisations/<uuid:organisation>", "changeOrganisation", body=ContactChanged, answer=OrganisationSchema,
    summary="Name another person who answers for the organisation; what was known of the former is destroyed",
    refuses=(OrganisationRoleMissing, privacy.TextRefused, privacy.MobileInvalid),
)  # fmt: skip
def change_organisation(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation, MANAGERS)
    participants.change_contact(call.session, call.services.vault, found, **body)
    return told_of(found)


# Members ------------------------------------------------------------------------------------------


class MemberSchema(Strict):
    person = Handle(required=True)
    role = Choice(*MEMBERS, required=True)
    since = Day(required=True)


class MemberAdded(Strict):
    person = Handle(required=True, metadata={"description": "The handle that the person told you."})
    role = Choice(*MEMBERS, required=True)


class RoleChanged(Strict):
    role = Choice(*MEMBERS, required=True)


def _member(call: Call, one: participants.Member) -> dict[str, Any]:
    return {"person": participants.person(call.session, one.person_id).handle, "role": one.role, "since": one.since}


@operation(
    blueprint, "GET", "/v1/organisations/<uuid:organisation>/members", "listMembers", answer=page_of(MemberSchema),
    summary="Who acts for an organisation of yours",
)  # fmt: skip
def list_members(call: Call, organisation: UUID) -> dict[str, Any]:
    found = own_organisation(call, organisation)
    return whole_list([_member(call, one) for one in participants.members_of(call.session, found)])


@operation(
    blueprint, "POST", "/v1/organisations/<uuid:organisation>/members", "addMember", body=MemberAdded, answer=MemberSchema, status=201,
    summary="Let another person act for your organisation",
    refuses=(
        OrganisationRoleMissing, participants.MemberAlready, participants.OrganisationClosed, participants.PersonUnknown,
        participants.PersonRestricted,
    ),
)  # fmt: skip
def add_member(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation, OWNERS)
    with hidden(participants.PersonUnknown, participants.PersonErased):
        person = participants.person_by_handle(call.session, body["person"])
        return _member(call, participants.add_member(call.session, found, person, role=body["role"], on=call.today))


_MEMBER = "/v1/organisations/<uuid:organisation>/members/<uuid:person>"
_CHANGES = (OrganisationRoleMissing, participants.LastOwner, participants.OrganisationClosed)


@operation(
    blueprint, "PATCH", _MEMBER, "changeMember", body=RoleChanged, answer=MemberSchema, refuses=_CHANGES,
    summary="Give a member another role",
)  # fmt: skip
def change_member(call: Call, organisation: UUID, person: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation, OWNERS)
    with hidden(participants.PersonUnknown, participants.NotMember):
        member = participants.person_by_handle(call.session, person)
        return _member(call, participants.change_role(call.session, found, member, role=body["role"], on=call.today))


@operation(
    blueprint, "DELETE", _MEMBER, "endMembership", status=204, refuses=_CHANGES,
    summary="Let a member act for your organisation no longer",
)  # fmt: skip
def end_membership(call: Call, organisation: UUID, person: UUID) -> None:
    found = own_organisation(call, organisation, OWNERS)
    with hidden(participants.PersonUnknown, participants.NotMember):
        member = participants.person_by_handle(call.session, person)
        participants.end_membership(call.session, found, member, on=call.today)


# Keys ---------------------------------------------------------------------------------------------


class ApiKeyAsked(Strict):
    algorithm = Choice("ed25519", "hmac-sha256", required=True)
    label = Text(60, required=True, metadata={"description": "What you call the key.", "example": "intake server"})
    public_key = Text(1000, load_default=None, metadata={
        "description": "For ed25519: the public half as base64 of its 32 bytes. The private half never comes here.",
    })  # fmt: skip


class ApiKeyMadeSchema(Strict):
    key_id = Text(40, required=True, metadata={"description": "The `keyid` of your signatures (RFC 9421)."})
    secret = Text(100, required=True, allow_none=True, metadata={"description": "Of hmac-sha256, in base64; it is told this once."})


class ApiKeySchema(Strict):
    key_id = Text(40, required=True)
    algorithm = Choice("ed25519", "hmac-sha256", required=True)
    label = Text(60, required=True)
    made_at = Instant(required=True)
    revoked_at = Instant(required=True, allow_none=True)


@operation(
    blueprint, "GET", "/v1/organisations/<uuid:organisation>/api-keys", "listApiKeys", answer=page_of(ApiKeySchema),
    summary="The keys by which your organisation signs requests, revoked ones too", refuses=(OrganisationRoleMissing,),
)  # fmt: skip
def list_api_keys(call: Call, organisation: UUID) -> dict[str, Any]:
    found = own_organisation(call, organisation, MANAGERS)
    return whole_list([vars(key) for key in access.api_keys_of(call.session, found.id)])


@operation(
    blueprint, "POST", "/v1/organisations/<uuid:organisation>/api-keys", "issueApiKey", body=ApiKeyAsked, answer=ApiKeyMadeSchema,
    status=201, summary="Another key for your organisation, once it is approved",
    refuses=(OrganisationRoleMissing, access.ApiKeyWrong, participants.OrganisationNotApproved, privacy.TextRefused),
)  # fmt: skip
def issue_api_key(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found, services = own_organisation(call, organisation, MANAGERS), call.services
    made = access.issue_api_key(call.session, services.vault, organisation=found.id, clock=services.clock, **body)
    return {"key_id": made.key_id, "secret": made.secret_once}


@operation(
    blueprint, "DELETE", "/v1/organisations/<uuid:organisation>/api-keys/<string(maxlength=40):key>", "revokeApiKey", status=204,
    summary="Believe nothing more that a key signs", refuses=(OrganisationRoleMissing,),
)  # fmt: skip
def revoke_api_key(call: Call, organisation: UUID, key: str) -> None:
    found = own_organisation(call, organisation, MANAGERS)
    if not re.fullmatch(KEY, key):
        raise NotFound
    with hidden(access.ApiKeyUnknown):
        access.revoke_api_key(call.session, key, clock=call.services.clock, organisation=found.id)
