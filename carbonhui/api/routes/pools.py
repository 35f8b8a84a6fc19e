"""Pools: asking others to put credits together, and putting some in (Articles 18, 22). Who put in what is told to nobody else."""

from typing import Any
from uuid import UUID, uuid4

from carbonhui import circulation, ledger, neutralisation, participants, policy, privacy
from carbonhui.api.fields import Choice, Day, Handle, Many, Page, Part, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import hidden, named, paged
from carbonhui.api.routes.credits import PURPOSES as MOVEMENTS
from carbonhui.api.routes.credits import PageForWard
from carbonhui.api.routes.paying import HolderSchema, owner_of, payer_of, payer_part
from carbonhui.api.routes.refusals import OrganisationRoleMissing
from carbonhui.circulation import Pool

blueprint = Blueprint("pools", __name__, description="Pools of credits with a goal.")

PURPOSES = ("neutralisation", "donation", "purchase")
STATES = ("open", "reached", "missed", "cancelled", "ended")
_TITLE = {"description": "What it is for. A person's is told to those who are signed in, and each reading is on record."}
_TARGET = {"description": "The charity or merchant for which it is meant; null for a pool that neutralises."}


class PoolOpened(Strict):
    owner = Part(HolderSchema, load_default=None, metadata={"description": "Whose pool it is; without it, your own."})
    title = Text(120, required=True, metadata={"description": "What it is for.", "example": "班级春游碳中和"})
    goal_credits = Whole(1, required=True, metadata={"description": "Credits that are asked for. With the last one the pool is reached."})
    purpose = Choice(*PURPOSES, required=True)
    target = Handle(load_default=None, metadata=_TARGET)
    deadline = Day(required=True, metadata={"description": "The last day on which credits are put in; a year ahead at most."})


class PoolSchema(Strict):
    pool = Handle(required=True)
    title = Text(120, required=True, allow_none=True, metadata=_TITLE)
    organisation = Handle(required=True, allow_none=True, metadata={"description": "The organisation that owns it; null for a person's."})
    organisation_name = Text(200, required=True, allow_none=True)
    purpose = Choice(*PURPOSES, required=True)
    target = Handle(required=True, allow_none=True, metadata=_TARGET)
    target_name = Text(200, required=True, allow_none=True)
    goal_credits = Whole(1, required=True)
    contributed = Whole(0, required=True, metadata={"description": "Credits that were put in."})
    missing = Whole(0, required=True, metadata={"description": "Credits that are missing to the goal."})
    contributors = Whole(0, required=True, metadata={"description": "How many put credits in."})
    used = Whole(0, required=True, metadata={"description": "Credits that were used for what it is for."})
    returned = Whole(0, required=True, metadata={"description": "Credits that went back."})
    state = Choice(*STATES, required=True)
    opened_on = Day(required=True)
    deadline = Day(required=True)
    use_until = Day(required=True, allow_none=True, metadata={"description": "The last day on which its owner may use it."})


_PAGE = page_of(PoolSchema)


class PoolUseSchema(Strict):
    purpose = Choice(*MOVEMENTS, required=True)
    credits = Whole(-(2**53 - 1), required=True, metadata={"description": "Negative where a merchant gave some back."})
    on = Day(required=True)
    counterpart_name = Text(
        200, required=True, allow_none=True, metadata={"description": "The charity or merchant; null for the retirement account."}
    )
    certificate = Text(
        40, required=True, allow_none=True, metadata={"description": "The number of the certificate that it was retired for."}
    )


class PoolInFullSchema(PoolSchema):
    uses = Many(
        Part(PoolUseSchema),
        most=100,
        required=True,
        metadata={"description": "What its credits were used for, oldest first; the first hundred."},
    )


class PoolsAsked(Page):
    purpose = Choice(*PURPOSES, load_default=None)
    state = Choice(*STATES, load_default=None)


class Contributed(Strict):
    credits = Whole(1, required=True, metadata={"description": "At most what is missing to the goal."})
    payer = payer_part()


class ContributionSchema(Strict):
    contribution = Handle(required=True)
    pool = Handle(required=True)
    credits = Whole(1, required=True)
    returned = Whole(0, required=True, metadata={"description": "Credits of it that came back."})
    on = Day(required=True)


class _Names:
    """Names of organisations by their accounts, each asked for once."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.found: dict[int, participants.Organisation | None] = {}

    def of(self, account: int | None) -> participants.Organisation | None:
        if account is None:
            return None
        if account not in self.found:
            try:
                self.found[account] = participants.organisation_of_account(self.call.session, account)
            except participants.OrganisationUnknown:
                self.found[account] = None
        return self.found[account]


def _told(call: Call, pools: list[Pool], *, titles: dict[int, str] | None = None) -> list[dict[str, Any]]:
    names, used = _Names(call), circulation.used_of(call.session, pools)
    told = []
    for pool in pools:
        owner, target = names.of(pool.owner), names.of(pool.target)
        told.append({
            **vars(pool), "id": pool.id, "pool": pool.handle, "missing": pool.missing, "used": used[pool.id],
            "title": (titles or {}).get(pool.id, pool.title),
            "organisation": owner.handle if owner else None, "organisation_name": owner.name if owner else None,
            "target": target.handle if target else None, "target_name": target.name if target else None,
        })  # fmt: skip
    return told


def _titles(call: Call, pools: list[Pool]) -> dict[int, str]:
    return circulation.pool_titles(call.session, call.services.vault, pools, call.reader("pool_title"))


def _pool(call: Call, handle: UUID) -> Pool:
    with hidden(circulation.PoolUnknown):
        return circulation.pool_by_handle(call.session, handle)


def _target(call: Call, handle: UUID | None) -> int | None:
    """The account of the charity or merchant that was named; one that has none cannot be meant."""
    if handle is None:
        return None
    with hidden(participants.OrganisationUnknown):
        found = participants.organisation_by_handle(call.session, handle)
    participants.require_approved(call.session, found.id)
    if found.account_id is None:
        raise participants.OrganisationNotApproved(organisation=found.id, state=found.state)
    return found.account_id


_RULES = (
    policy.NotPermitted,
    policy.RuleNotFound,
    participants.PersonRestricted,
    participants.OrganisationNotApproved,
    OrganisationRoleMissing,
)


@operation(
    blueprint, "POST", "/v1/pools", "openPool", body=PoolOpened, answer=PoolSchema, status=201,
    summary="Ask others to put credits together until a day",
    description="Where the goal is missed, everybody gets back exactly what they put in. A pool that was reached is used for its purpose, "
    "as `payer.pool` of that operation; what is not used in time goes back, the newest contributions first.",
    refuses=(
        *_RULES, participants.NotGuardian, circulation.PoolDaysWrong, circulation.PoolTargetWrong, circulation.PoolsTooMany,
        ledger.KindDiffers, privacy.TextRefused,
    ),
)  # fmt: skip
def open_pool(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    owner, target = payer_of(call, body["owner"]), _target(call, body["target"])
    said = {name: body[name] for name in ("title", "goal_credits", "purpose", "deadline")}
    pool = circulation.open_pool(call.session, call.services.vault, owner=owner.account, target=target, on=call.today, **said)
    return _told(call, [pool], titles={pool.id: body["title"]})[0]


@operation(
    blueprint, "GET", "/v1/pools", "listPools", query=PoolsAsked, answer=_PAGE,
    summary="Pools and how far they are, newest first; persons' without their titles",
)  # fmt: skip
def list_pools(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    found = circulation.pools(
        call.session, purpose=query["purpose"], state=query["state"], before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1
    )
    return _page(call, found, query["limit"])


def _page(call: Call, found: list[Pool], limit: int, titles: dict[int, str] | None = None) -> dict[str, Any]:
    told = {one["id"]: one for one in _told(call, found, titles=titles)}
    return paged(call, found, limit, lambda pool: told[pool.id])


@operation(
    blueprint, "GET", "/v1/pools/<uuid:pool>", "readPool", answer=PoolInFullSchema,
    summary="How far a pool is and what became of it; never who put credits in",
)  # fmt: skip
def read_pool(call: Call, pool: UUID) -> dict[str, Any]:
    found, names = _pool(call, pool), _Names(call)
    titles = {} if call.caller.kind == "anonymous" else _titles(call, [found])
    made = circulation.uses_of(call.session, found)
    certificates = neutralisation.numbers_of(call.session, [use.transfer for use in made])
    uses = [
        {
            "purpose": use.purpose.name.lower(), "credits": use.credits, "on": use.business_date,
            "counterpart_name": getattr(names.of(use.counterpart), "name", None), "certificate": certificates.get(use.transfer),
        }
        for use in made
    ]  # fmt: skip
    return {**_told(call, [found], titles=titles)[0], "uses": uses}


@operation(
    blueprint, "POST", "/v1/pools/<uuid:pool>/contributions", "contribute", body=Contributed, answer=ContributionSchema, status=201,
    summary="Put credits into a pool, at most what is missing",
    refuses=(
        *_RULES, participants.NotGuardian, circulation.ContributorNotTaken, circulation.PoolNotOpen, circulation.PoolOver,
        circulation.PoolTakesLess, circulation.PoolPurposeDiffers, ledger.NotEnough,
    ),
)  # fmt: skip
def contribute(call: Call, pool: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found, payer = _pool(call, pool), payer_of(call, body["payer"])
    made = circulation.contribute(
        call.session, found.id, payer=payer.account, credits=body["credits"], reference=f"contribute-{uuid4()}", business_date=call.today
    )
    return _contribution(call, made, found)


def _contribution(call: Call, made: circulation.Contribution, pool: Pool) -> dict[str, Any]:
    return {**vars(made), "contribution": named(call, "contribution", made.id), "pool": pool.handle, "on": made.business_date}


@operation(
    blueprint, "POST", "/v1/pools/<uuid:pool>/cancellation", "cancelPool", answer=PoolSchema,
    summary="Call off a pool of yours; what was put in and not used goes back",
    refuses=(circulation.PoolAlreadyOver, OrganisationRoleMissing),
)  # fmt: skip
def cancel_pool(call: Call, pool: UUID) -> dict[str, Any]:
    found = _pool(call, pool)
    owner_of(call, found.owner)
    done = circulation.cancel_pool(call.session, found.id, owner_account=found.owner, on=call.today)
    return _told(call, [done])[0]


@operation(
    blueprint, "GET", "/v1/me/pools", "listMyPools", query=PageForWard, answer=_PAGE,
    summary="Your own pools, newest first, with their titles", refuses=(participants.NotGuardian, participants.OrganisationNotApproved),
)  # fmt: skip
def list_my_pools(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    owner = payer_of(call, {"ward": query["ward"]}).account
    found = circulation.pools(call.session, owner=owner, before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1)
    return _page(call, found, query["limit"], _titles(call, found))


@operation(
    blueprint, "GET", "/v1/me/contributions", "listMyContributions", query=PageForWard, answer=page_of(ContributionSchema),
    summary="What you put into pools and what came back, newest first",
    refuses=(participants.NotGuardian, participants.OrganisationNotApproved),
)  # fmt: skip
def list_my_contributions(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    payer = payer_of(call, {"ward": query["ward"]}).account
    found = circulation.contributions_of(call.session, payer, before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1)
    return paged(call, found, query["limit"], lambda one: _contribution(call, one, circulation.pool_numbered(call.session, one.pool_id)))
