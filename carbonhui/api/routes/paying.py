"""Whose credits a request uses: the caller's own, a child's, an organisation's, a pool's."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from carbonhui import circulation, participants
from carbonhui.api.fields import Handle, Part, Strict
from carbonhui.api.operation import Call
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import acted_for, caller_of, hidden
from carbonhui.api.routes.organisations import MANAGERS, own_organisation
from carbonhui.api.routes.refusals import at_most_one
from carbonhui.participants import Organisation, Person


class HolderSchema(Strict):
    """At most one of these; without any, the caller's own credits."""

    ward = Handle(load_default=None, metadata={"description": "A child for whom you answer."})
    organisation = Handle(load_default=None, metadata={"description": "An organisation for which you act as owner or manager."})


class PayerSchema(HolderSchema):
    pool = Handle(load_default=None, metadata={"description": "A pool of yours that reached its goal, for its own purpose."})


PAYER = {"description": "Whose credits are used; without it, your own (an organisation's server uses the organisation's)."}


def payer_part() -> Part:
    """The field of a body that says whose credits are used."""
    return Part(PayerSchema, load_default=None, metadata=PAYER)


@dataclass(frozen=True)
class Payer:
    """Whose credits: an account, and the person or the organisation that holds it, or that owns the pool."""

    account: int
    person: Person | None = None
    organisation: Organisation | None = None
    pool: circulation.Pool | None = None


#: What a payer who is no pool may be refused for, and what a pool is.
POOL_REFUSALS = (circulation.PoolPurposeDiffers, circulation.PoolTargetDiffers, circulation.PoolNotUsable)


def payer_of(call: Call, said: dict[str, Any] | None, *, use: str | None = None, target: int | None = None) -> Payer:
    """Who pays, if the caller may say so.

    ``use`` is the purpose for which a pool may pay here (``neutralisation``, ``donation``, ``purchase``; None: no pool may)
    and ``target`` the account that receives the credits. Raises `NotFound`, `OrganisationRoleMissing`,
    `participants.NotGuardian`, `participants.OrganisationNotApproved`, and for a pool `POOL_REFUSALS`.
    """
    given = {name: value for name, value in (said or {}).items() if value is not None}
    if len(given) > 1:
        raise at_most_one(*given)
    if "pool" in given:
        return _pool(call, given["pool"], use, target)
    if call.caller.kind == "organisation" and not given:
        assert call.caller.organisation_id is not None
        return _organisation(participants.require_approved(call.session, call.caller.organisation_id))
    if "organisation" in given:
        found = own_organisation(call, given["organisation"], MANAGERS)
        return _organisation(participants.require_approved(call.session, found.id))
    if call.caller.kind == "organisation":
        raise participants.NotGuardian
    person = acted_for(call, given.get("ward"))
    return Payer(person.account_id, person=person)


def _organisation(found: Organisation) -> Payer:
    if found.account_id is None:
        raise participants.OrganisationNotApproved(organisation=found.id, state=found.state)
    return Payer(found.account_id, organisation=found)


def owner_of(call: Call, account: int) -> Payer:
    """The owner of something, for whoever may act for them; it is not there for anybody else.

    Raises `NotFound`, `OrganisationRoleMissing`.
    """
    if call.caller.kind != "organisation" and caller_of(call).account_id == account:
        return Payer(account, person=caller_of(call))
    try:
        found = participants.organisation_of_account(call.session, account)
    except participants.OrganisationUnknown:
        with hidden(participants.PersonUnknown, participants.NotGuardian):
            if call.caller.kind == "organisation":
                raise NotFound from None
            ward = participants.person_of_account(call.session, account).handle
            return Payer(account, person=acted_for(call, ward))
    return Payer(account, organisation=own_organisation(call, found.handle, MANAGERS))


def _pool(call: Call, handle: UUID, use: str | None, target: int | None) -> Payer:
    with hidden(circulation.PoolUnknown):
        pool = circulation.pool_by_handle(call.session, handle)
    owner = owner_of(call, pool.owner)
    if owner.organisation is not None:
        participants.require_approved(call.session, owner.organisation.id)
    account = circulation.use_pool(
        call.session, pool.id, owner_account=pool.owner, purpose=use or "nothing", target=target, on=call.today
    )
    return Payer(account, owner.person, owner.organisation, pool)
