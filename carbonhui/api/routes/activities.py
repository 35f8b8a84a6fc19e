"""A person's own acts: what was received of them, and what they declare themselves (Articles 12, 16)."""

from typing import Any

from carbonhui import activity, participants
from carbonhui.api.fields import Choice, Day, Handle, Many, Part, Pattern, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import ForWard, acted_for, caller_of, whole_list
from carbonhui.api.routes.batches import RefusedRowsSchema, refused_rows

blueprint = Blueprint("activities", __name__, description="A person's own acts.")

RIDES, STEPS = "rides-self-declared", "steps-self-declared"
_INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})"
_WALL_CLOCK = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
_ACTS_MAX = 1000


class DaysAsked(Strict):
    first = Day(required=True, metadata={"description": "The first day."})
    last = Day(required=True, metadata={"description": "The last day, at most 30 days later."})
    ward = ForWard._declared_fields["ward"]


class ActSchema(Strict):
    source = Text(60, required=True)
    kind = Choice("trip", "reading", "count", required=True)
    mode = Text(60, required=True, metadata={"description": "How one rode, what the meter measures, or what was counted."})
    day = Day(required=True)
    evidence = Text(60, required=True)
    started_at = Pattern(_WALL_CLOCK, required=True, allow_none=True, metadata={"description": "By the clock of the place."})
    ended_at = Pattern(_WALL_CLOCK, required=True, allow_none=True)
    metres = Whole(0, required=True, allow_none=True)
    trips = Whole(0, required=True, allow_none=True)
    seconds = Whole(0, required=True, allow_none=True)
    used = Whole(0, required=True, allow_none=True, metadata={"description": "Wh, litres or dm3, by `mode`."})
    minutes = Whole(0, required=True, allow_none=True, metadata={"description": "How much of the time the readings cover."})
    quantity = Whole(0, required=True, allow_none=True, metadata={"description": "Steps, grams or square metres, by `mode`."})


class RideDeclared(Strict):
    ride_id = Pattern(r"[A-Za-z0-9_-]{1,60}", longest=60, required=True, metadata={"description": "Your own name for the ride."})
    mode = Choice("bus", "metro", "bicycle", required=True)
    start_at = Pattern(_INSTANT, longest=25, required=True, metadata={"example": "2026-11-19T08:10:00+08:00"})
    end_at = Pattern(_INSTANT, longest=25, required=True, metadata={"example": "2026-11-19T08:41:00+08:00"})
    metres = Whole(1, 1_000_000, load_default=None, allow_none=True, metadata={"description": "Left out when you do not know it."})


class StepsDeclared(Strict):
    day = Day(required=True)
    steps = Whole(1, 1_000_000, required=True)


class ActivitiesDeclared(Strict):
    rides = Many(Part(RideDeclared), most=100, load_default=[])
    steps = Many(Part(StepsDeclared), most=100, load_default=[])


class RefusedRowSchema(Strict):
    row = Whole(1, required=True, metadata={"description": "Which of the rides or steps, counted from 1."})
    code = Text(80, required=True)
    sentence = Text(1000, required=True, metadata={"description": "Why."})


class DeclaredSchema(Strict):
    source = Choice(RIDES, STEPS, required=True)
    rows = Whole(0, required=True, metadata={"description": "accepted + duplicate + refused = rows."})
    accepted = Whole(0, required=True)
    duplicate = Whole(0, required=True, metadata={"description": "Rows that were known already."})
    refused = Whole(0, required=True)
    refused_by = Many(Part(RefusedRowsSchema), most=1000, required=True)
    refused_rows = Many(Part(RefusedRowSchema), most=100, required=True, metadata={
        "description": "Each refused row: it is kept nowhere, so declare it again, repaired.",
    })  # fmt: skip


class ActivitiesSchema(Strict):
    person = Handle(required=True)
    received = Many(Part(DeclaredSchema), most=2, required=True)


@operation(
    blueprint, "GET", "/v1/me/activities", "listActivities", query=DaysAsked, answer=page_of(ActSchema),
    summary="What was received of you on the days from first to last, newest first; at most a thousand acts",
    refuses=(activity.ActsRangeTooLong, participants.NotGuardian),
)  # fmt: skip
def list_activities(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    acts = activity.acts_of(
        call.services.settings, call.session, subjects=activity.subjects_of(call.session, person.account_id),
        first=query["first"], last=query["last"], limit=_ACTS_MAX,
    )  # fmt: skip
    return whole_list([_act(act) for act in acts])


def _act(act: activity.Act) -> dict[str, Any]:
    times = {name: at.isoformat() if (at := getattr(act, name)) else None for name in ("started_at", "ended_at")}
    return {**vars(act), **times}


@operation(
    blueprint, "POST", "/v1/me/activities", "declareActivities", body=ActivitiesDeclared, answer=ActivitiesSchema, status=201,
    summary="Declare your own rides and steps",
    description=(
        f"They count while you consent to the sources `{RIDES}` and `{STEPS}`. Whose they are is known from your token. Rows that"
        " were declared before are told as duplicates."
    ),
    refuses=(activity.RowsUnusable, activity.SourceBusy, activity.ThresholdNotApproved, participants.PersonRestricted),
)  # fmt: skip
def declare_activities(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    person, settings = caller_of(call), call.services.settings
    participants.require_free(person, call.today)
    participants.link_handle(call.session, settings, person)
    handle = str(person.handle)
    rides, steps = [_ride(one, handle) for one in body["rides"]], [_steps(one, handle) for one in body["steps"]]
    if not rides and not steps:
        raise activity.RowsUnusable(row=0, reason="there is no row", reason_zh="没有任何行")
    received = [_loaded(call, rows, profile) for rows, profile in ((rides, RIDES), (steps, STEPS)) if rows]
    return {"person": person.handle, "received": received}


def _ride(one: dict[str, Any], handle: str) -> dict[str, str]:
    """The person's own name for a ride is theirs alone: nobody takes another's."""
    metres = "" if one["metres"] is None else str(one["metres"])
    return {**one, "ride_id": f"{handle}.{one['ride_id']}", "person": handle, "metres": metres}


def _steps(one: dict[str, Any], handle: str) -> dict[str, str]:
    return {"person": handle, "day": one["day"].isoformat(), "steps": str(one["steps"])}


def _loaded(call: Call, rows: list[dict[str, str]], profile: str) -> dict[str, Any]:
    services = call.services
    report = activity.load_rows(
        services.database, services.settings, rows, profile, received_by=call.caller.actor, clock=services.clock
    )
    named = [
        {"row": row, "code": code, "sentence": zh if call.language == "zh" else en} for row, code, en, zh in report.refused_rows
    ]
    return {
        "source": report.source, "rows": report.rows_in, "accepted": report.accepted, "duplicate": report.duplicate,
        "refused": report.refused, "refused_by": refused_rows(report.refused_by, call.language), "refused_rows": named,
    }  # fmt: skip
