"""Measuring one piece of work: a batch's acts of one mode, or a source's readings."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from carbonhui import consent
from carbonhui.quantification.jobs import Acts, Engine, PeriodCap, Periods, Run
from carbonhui.quantification.versions import Stretch
from carbonhui.quantification.writing import (
    Measured,
    Taken,
    measured_of,
    record_measurement,
    take_back,
    write_credited,
    write_periods,
    write_person_days,
)

#: Days are measured together up to this many acts, so that neither many small days nor one long month costs much.
ACTS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Batched:
    """Whose acts are measured: their source and batch, how good the evidence is, and when they came."""

    source: str
    batch_id: int
    evidence: str
    received_on: date


@dataclass(frozen=True)
class _Days:
    first: date
    last: date
    count: int
    stretch: Stretch | None
    #: Why none of these days is measured.
    lacking: str | None


def measure_acts(
    engine: Engine,
    connection: psycopg.Connection[Any],
    batched: Batched,
    acts: Acts,
    stretches: Sequence[Stretch],
    folder: Path,
    watched: consent.Watch,
) -> Measured:
    """Measure every act of a batch and mode, for good: what nobody held or consented to stays uncounted.

    Each act is rounded down to the milligram by itself, then a person's day is summed.
    The lake lies in the order of days, so each row is read once, and memory holds no
    more than the people of some days.
    """
    counts: Counter[str] = Counter()
    for days in _together(engine.open_acts(acts), stretches, batched):
        if days.lacking is not None:
            counts[days.lacking] += days.count
            continue
        run = _run(connection, days, batched, folder)
        counts.update(engine.sum_days(run))
        write_person_days(connection, engine.person_days(), run.stretch, batched.batch_id)
    counts["persons"] = engine.persons()

    def measured_of_them(accounts: set[int]) -> Counter[str]:
        engine.narrow_links(acts.holders, accounts, "withdrawn")
        return _measured_again(engine, connection, batched, replace(acts, holders="withdrawn"), stretches, folder)

    for accounts in withdrawing(connection, watched):
        counts.update(_left_out(take_back(connection, accounts), measured_of_them(accounts)))
    measured = measured_of(batched.source, batched.batch_id, acts.mode, counts)
    record_measurement(connection, measured)
    return measured


def withdrawing(connection: psycopg.Connection[Any], watched: consent.Watch) -> Iterator[set[int]]:
    """Who withdrew since the watch began, twice: before withdrawals wait for the commit, and whoever was just before that."""
    found: set[int] = set()
    for held in (False, True):
        if held:
            consent.hold(connection, watched)
        new = consent.withdrawn_since(connection, watched) - found
        found |= new
        if new:
            yield new


def _measured_again(
    engine: Engine, connection: psycopg.Connection[Any], batched: Batched, acts: Acts, stretches: Sequence[Stretch], folder: Path
) -> Counter[str]:
    """What was counted of a few holders' acts; nothing is written."""
    counts: Counter[str] = Counter()
    for days in _together(engine.open_acts(acts), stretches, batched):
        if days.lacking is None:
            counts.update(engine.sum_days(_run(connection, days, batched, folder)))
    return counts


def _left_out(taken: Taken, theirs: Counter[str]) -> Counter[str]:
    """By how much the counts change when the acts of those who withdrew are left out after all."""
    moved = {why: -theirs[why] for why in ("measured", "zero", "claimed_before")}
    whole_mg = theirs["mg"] + theirs["capped_mg"]
    return Counter({
        **moved, "no_consent": -sum(moved.values()),
        "mg": -taken.mg, "capped_mg": taken.mg - whole_mg, "persons": -taken.persons,
    })  # fmt: skip


def _together(
    days: list[tuple[date, int]], stretches: Sequence[Stretch], batched: Batched
) -> Iterator[_Days]:
    """The days in runs of one stretch and of bounded size."""
    run: _Days | None = None
    for day, count in days:
        stretch = next((one for one in stretches if one.covers(day)), None)
        lacking = _lacking(stretch, day, batched)
        alike = run is not None and (run.stretch, run.lacking) == (stretch, lacking)
        if run is not None and alike and run.count + count <= ACTS_AT_ONCE:
            run = _Days(run.first, day, run.count + count, stretch, lacking)
            continue
        if run is not None:
            yield run
        run = _Days(day, day, count, stretch, lacking)
    if run is not None:
        yield run


def _lacking(stretch: Stretch | None, day: date, batched: Batched) -> str | None:
    if stretch is None:
        return "no_version_on_day"
    if stretch.methodology.weight_for(batched.evidence) is None:
        return "evidence_not_accepted"
    window = stretch.methodology.claim_window
    if window is not None and batched.received_on - day > timedelta(days=window.days):
        return "claim_window_over"
    return None


def _run(connection: psycopg.Connection[Any], days: _Days, batched: Batched, folder: Path) -> Run:
    assert days.stretch is not None
    caps = []
    for number, cap in enumerate(days.stretch.methodology.caps):
        if cap.per != "activity":
            before = folder / f"credited-{number}.csv"
            write_credited(connection, days.stretch.methodology.id, cap.per, days.first, days.last, before)
            caps.append(PeriodCap(cap.per, cap.most, before))
    return Run(days.first, days.last, days.stretch, batched.evidence, tuple(caps))


def measure_periods(
    engine: Engine, connection: psycopg.Connection[Any], source: str, periods: Periods, watched: consent.Watch
) -> Measured:
    """Measure the periods of one source's households that have all they need.

    A period that lacks its history, enough readings, a version or a holder stays open:
    later data may complete it. A period that was measured stays as it was.
    """
    counts = engine.sum_periods(periods)
    write_periods(connection, engine.household_periods(), periods.stretches, source, periods.commodity)
    for accounts in withdrawing(connection, watched):
        taken = take_back(connection, accounts, periods.commodity)
        counts.update({
            "measured": -taken.measured, "zero": -taken.zero, "no_consent": taken.measured + taken.zero,
            "mg": -taken.mg, "persons": -taken.persons,
        })  # fmt: skip
    return measured_of(source, None, f"{periods.commodity} by {periods.period}", counts)
