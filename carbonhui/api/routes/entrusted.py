"""The institution that signed a request, and the sources that its agreements entrust to it (Article 12)."""

from carbonhui import activity, consent, participants
from carbonhui.api.operation import Call
from carbonhui.api.routes.refusals import ProfileNotEntrusted


def signing_organisation(call: Call) -> participants.Organisation:
    """The organisation that calls, as it is now. Raises `participants.OrganisationNotApproved`."""
    assert call.caller.organisation_id is not None
    return participants.require_approved(call.session, call.caller.organisation_id)


def agreements_of(call: Call) -> list[consent.Agreement]:
    """The caller's agreements, ended ones too."""
    return consent.agreements(call.session, call.caller.organisation_id)


def in_force(call: Call, one: consent.Agreement) -> bool:
    """Whether an agreement holds today."""
    ends = [day for day in (one.valid_to, one.ended_on) if day is not None]
    return one.valid_from <= call.today and all(call.today < day for day in ends)


def require_entrusted(call: Call, profile: str) -> None:
    """Refuse a profile whose source no agreement in force entrusts to the caller; an unknown one in the same words."""
    sources = {one.source for one in agreements_of(call) if in_force(call, one)}
    try:
        found = activity.profile_named(profile, call.services.settings.profiles_folder)
    except activity.ProfileUnknown:
        raise ProfileNotEntrusted() from None
    if found.source not in sources:
        raise ProfileNotEntrusted()
