"""The approved thresholds by which a file is judged (Articles 12, 16).

They are read once, for the day of reception, and stand in the batch. If another value
came into force while the file was read, the file is refused and can be sent again.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg

from carbonhui import policy
from carbonhui.activity.profile import Profile
from carbonhui.activity.refusals import ThresholdNotApproved, ThresholdsChanged

_OF_TRIPS = ("shortest_s", "longest_s", "fastest_km_per_h")
_OF_BILLS = ("bill_shortest_days", "bill_longest_days")

#: The thresholds by their governed names.
Limits = dict[str, int]


def limits_on(connection: psycopg.Connection[Any], profile: Profile, day: date) -> Limits:
    """The thresholds that this profile's rows need. Raises `ThresholdNotApproved`."""
    wanted = list(_needed(profile))
    found = policy.numbers_on(connection, wanted, day)
    for name in wanted:
        if name not in found:
            raise ThresholdNotApproved(name=name, day=day)
    return found


def refuse_changed_limits(connection: psycopg.Connection[Any], profile: Profile, day: date, limits: Limits) -> None:
    """Raises `ThresholdsChanged` unless the thresholds are still these; they stay so until the transaction ends."""
    if policy.numbers_on(connection, limits, day) != limits:
        raise ThresholdsChanged(profile=profile.name)


def _needed(profile: Profile) -> Iterator[str]:
    if profile.lake_kind == "trip":
        yield from (policy.plausible_name(mode, what) for mode in profile.modes for what in _OF_TRIPS)
        return
    [mode] = profile.modes
    yield policy.plausible_name(mode, "most_per_day")
    if profile.reading is not None and profile.reading.span in ("bill", "billed_month"):
        yield from (policy.plausible_name(mode, what) for what in _OF_BILLS)


def limit(limits: Limits, mode: str, what: str) -> int:
    """One threshold of one mode."""
    return limits[policy.plausible_name(mode, what)]


def limit_sql(limits: Limits, profile: Profile, what: str) -> str:
    """A threshold as an expression of the engine: by the column ``mode`` where a profile has several."""
    values = {mode: limit(limits, mode, what) for mode in profile.modes}
    if len(values) == 1:
        return str(*values.values())
    told = " ".join(f"WHEN '{mode}' THEN {value}" for mode, value in values.items())
    return f"CASE mode {told} END"
