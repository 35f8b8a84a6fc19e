"""Whose credits a request uses: the caller's own, a child's, an organisation's."""

from dataclasses import dataclass
from typing import Any

from carbonhui import participants
from carbonhui.api.fields import Handle, Part, Strict, refuse
from carbonhui.api.operation import Call
from carbonhui.api.routes.acting import acted_for
from carbonhui.api.routes.organisations import MANAGERS, own_organisation
from carbonhui.participants import Organisation, Person


class PayerSchema(Strict):
    """At most one of these; without any, the caller's own credits."""

    ward = Handle(load_default=None, metadata={"description": "A child for whom you answer."})
    organisation = Handle(load_default=None, metadata={"description": "An organisation for which you act as owner or manager."})


PAYER = {"description": "Whose credits are used; without it, your own (an organisation's server uses the organisation's)."}


def payer_part() -> Part:
    """The field of a body that says whose credits are used."""
    return Part(PayerSchema, load_default=None, metadata=PAYER)


@dataclass(frozen=True)
class Payer:
    """Whose credits: an account, and the person or the organisation that holds it."""

    account: int
    person: Person | None = None
    organisation: Organisation | None = None


def payer_of(call: Call, said: dict[str, Any] | None) -> Payer:
    """Who pays, if the caller may say so.

    Raises `NotFound`, `OrganisationRoleMissing`, `participants.NotGuardian`, `participants.OrganisationNotApproved`.
    """
    given = {name: value for name, value in (said or {}).items() if value is not None}
    if len(given) > 1:
        raise refuse("Say at most one of these.", "至多填写其中一项。")
    if call.caller.kind == "organisation" and not given:
        assert call.caller.organisation_id is not None
        return _organisation(participants.require_approved(call.session, call.caller.organisation_id))
    if "organisation" in given:
        found = own_organisation(call, given["organisation"], MANAGERS)
        return _organisation(participants.require_approved(call.session, found.id))
    person = acted_for(call, given.get("ward"))
    return Payer(person.account_id, person=person)


def _organisation(found: Organisation) -> Payer:
    if found.account_id is None:
        raise participants.OrganisationNotApproved(organisation=found.id, state=found.state)
    return Payer(found.account_id, organisation=found)
