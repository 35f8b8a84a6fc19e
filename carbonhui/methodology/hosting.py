"""What the host can do for a methodology: the kinds of activity, their fields, the lookbacks, the caps.

A methodology may ask for nothing else. Whatever the host could not apply is refused when
the folder is read, so that no rule of the committee is ever passed over in silence.
"""

from collections.abc import Mapping
from dataclasses import dataclass

#: The kinds of activity that the lake holds.
ACTIVITIES = ("trip", "reading", "count")
#: A reading methodology measures whole months of a household, or single days.
PERIODS = ("month", "day")
#: What a cap limits besides fields: the milligrams that are credited.
MG = "mg"
CAP_PERIODS = ("activity", "day", "month", "year")
EXCLUSION_PERIODS = ("period", "year")

_TRIP_FIELDS = ("metres", "trips", "seconds")
_USES = ("used_wh", "used_litres", "used_dm3")
#: The lake's other columns, and what the host adds to them: no quantity bears such a name.
TAKEN = frozenset({
    "subject", "act", "meter", "day", "started_at", "ended_at", "utc_offset_minutes", "mode", "used", "minutes", "span",
    "flags", "quantity", "account_id", "batch_id", "first_day", "last_day", "stretch", "lacking", "methodology", "fingerprint",
    "evidence", MG,
})  # fmt: skip
#: Names that only fields of a trip or a reading bear.
HOST_FIELDS = frozenset({*_TRIP_FIELDS, *_USES, "days"})


@dataclass(frozen=True)
class Bounds:
    """From ``lowest`` to ``highest``; or at most another setting of the lookback."""

    lowest: int
    highest: int
    at_most: str | None = None


@dataclass(frozen=True)
class LookbackKind:
    """For which period of readings a lookback is defined, and the numbers that it needs."""

    period: str
    settings: Mapping[str, Bounds]


_COVERAGE = {"least_coverage_percent": Bounds(1, 100)}
LOOKBACKS: Mapping[str, LookbackKind] = {
    "same_month_last_year": LookbackKind("month", _COVERAGE),
    "mean_of_previous_days": LookbackKind("day", {
        "days": Bounds(1, 366),
        "newest": Bounds(1, 366),
        "least_days": Bounds(1, 366, at_most="days"),
        **_COVERAGE,
    }),
    # A mean over fewer than two would tell one household's use to its neighbour.
    "city_mean": LookbackKind("day", {"least_households": Bounds(2, 10**9), **_COVERAGE}),
}  # fmt: skip


def fields_wanted(activity: str) -> tuple[str, str]:
    """What the host gives for an activity of this kind, in English and in Chinese."""
    return {
        "trip": ("any of metres, trips, seconds", "metres、trips、seconds 中的任意几个"),
        "reading": ("one of used_wh, used_litres, used_dm3, and days where asked", "used_wh、used_litres、used_dm3 之一,必要时加 days"),
        "count": ("one number under one name that is no column of the lake", "一个数量,其名称不得与数据列同名"),
    }[activity]


def fields_fit(activity: str, names: set[str]) -> bool:
    """Whether the host gives these fields for an activity of this kind."""
    if activity == "trip":
        return names <= set(_TRIP_FIELDS)
    if activity == "reading":
        return len(names & set(_USES)) == 1 and names <= {*_USES, "days"}
    return len(names) == 1 and not names & (TAKEN | HOST_FIELDS)
