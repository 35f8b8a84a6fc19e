"""Institutions apply for their own users under an agreement, each request signed (Article 12)."""

from typing import Any
from uuid import UUID

from carbonhui import activity, consent, participants, privacy
from carbonhui.api.fields import Day, Flag, Handle, Many, Part, Pattern, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import named, numbered, whole_list
from carbonhui.api.routes.entrusted import agreements_of, in_force, signing_organisation
from carbonhui.core.database import connection_of

blueprint = Blueprint("agreements", __name__, description="What service institutions may apply for.")

_USERS_MAX = 10_000
_AGREEMENT = "agreement"


class AgreementSchema(Strict):
    agreement = Handle(required=True)
    source = Text(60, required=True)
    digest = Pattern(r"[0-9a-f]{64}", required=True, metadata={"description": "SHA-256 of its text."})
    valid_from = Day(required=True)
    valid_to = Day(required=True, allow_none=True, metadata={"description": "The first day on which it no longer holds."})
    ended_on = Day(required=True, allow_none=True)
    in_force = Flag(required=True)


class UserApplied(Strict):
    identifier = Text(100, required=True, metadata={"description": "The user's identifier at your institution."})
    evidence = Pattern(privacy.REFERENCE, load_default=None, metadata={
        "description": "The number under which you keep the user's own consent, nothing personal; needed for sensitive data.",
        "example": "form-2026-1187",
    })  # fmt: skip
    covers_from = Day(load_default=None)


class UsersApplied(Strict):
    users = Many(Part(UserApplied), fewest=1, most=_USERS_MAX, required=True)


class AppliedSchema(Strict):
    given = Whole(0, required=True, metadata={"description": "Users who consent from now on."})
    standing = Whole(0, required=True, metadata={"description": "Users who did already."})
    withdrawn = Whole(0, required=True, metadata={"description": "Users who took theirs back, which only they undo."})
    minors = Whole(0, required=True, metadata={"description": "Users whose guardian consents."})
    unlinked = Whole(0, required=True, metadata={"description": "Identifiers that count for nobody, and repetitions."})


@operation(
    blueprint, "GET", "/v1/agreements", "listAgreements", answer=page_of(AgreementSchema),
    summary="The agreements by which you deliver sources and apply for users",
)  # fmt: skip
def list_agreements(call: Call) -> dict[str, Any]:
    return whole_list([
        {**vars(one), "agreement": named(call, _AGREEMENT, one.id), "digest": one.digest.hex(), "in_force": in_force(call, one)}
        for one in agreements_of(call)
    ])  # fmt: skip


@operation(
    blueprint, "POST", "/v1/agreements/<uuid:agreement>/users", "applyForUsers", body=UsersApplied, answer=AppliedSchema,
    summary="Apply for users of your own: each consents under the newest text from now on",
    refuses=(
        consent.AgreementNotInForce, consent.ConsentTextMissing, consent.EvidenceMissing, consent.EvidenceInvalid, consent.ConsentCoversFuture,
        participants.OrganisationNotApproved,
    ),
)  # fmt: skip
def apply_for_users(call: Call, agreement: UUID, body: dict[str, Any]) -> dict[str, Any]:
    signing_organisation(call)
    number = numbered(call, _AGREEMENT, agreement)
    found = next((one for one in agreements_of(call) if one.id == number), None)
    if found is None:
        raise NotFound
    accounts = _accounts(call, found.source, [user["identifier"] for user in body["users"]])
    applications = [
        consent.Application(accounts.get(user["identifier"], 0), user["evidence"], user["covers_from"]) for user in body["users"]
    ]
    applied = consent.apply_for_users(call.session, number, applications, on=call.today, by=call.caller.actor)
    return {**vars(applied), "unlinked": applied.unknown}


def _accounts(call: Call, source: str, identifiers: list[str]) -> dict[str, int]:
    """Whose accounts these identifiers of a source's scheme count for today."""
    settings = call.services.settings
    profiles = [activity.profile_named(name, settings.profiles_folder) for name in activity.profile_names(settings.profiles_folder)]
    scheme = next((profile.scheme for profile in profiles if profile.source == source), None)
    if scheme is None:
        return {}
    key = privacy.load_or_make_key(settings.blind_key_file)
    blind = {privacy.blind_index(key, scheme, text): text for text in identifiers if text.strip()}
    rows = connection_of(call.session).execute(
        """SELECT subject, account_id FROM link WHERE scheme = %s AND subject = ANY (%s)
           AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)""",
        (scheme, list(blind), call.today, call.today),
    )
    return {blind[bytes(subject)]: account for subject, account in rows}
