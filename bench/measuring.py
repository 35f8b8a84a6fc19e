"""What becomes of the open data sets, from file to credits: rows in, accepted, duplicate, refused by reason.

    python -m bench.measuring FOLDER [--engine duckdb]

FOLDER holds the sets by the names of SETS; one that is absent is told and passed over.
Prints Markdown tables: the intake of each set, what was measured, and what was minted.
Everything plays in a store of its own, in the demonstration profile.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console

from bench.city import open_city
from bench.home import bench_home
from carbonhui import activity, consent, issuance, methodology, participants, quantification, supervision
from carbonhui.core.clock import SystemClock
from carbonhui.core.database import Database

SINCE = date(2000, 1, 1)


@dataclass(frozen=True)
class Set:
    """Files of one profile inside the folder, and the station list where the profile needs one."""

    name: str
    profile: str
    files: str
    stations: str | None = None


SETS = (
    Set("MiBici 2014-12 to 2015-12", "mibici", "mibici-guadalajara/trips_*.csv.gz", "mibici-guadalajara/stations.csv"),
    Set("Bay Area Bike Share 2014", "bayarea-2014", "bayarea-bikeshare-2014/trips_*.csv.gz", "bayarea-bikeshare-2014/stations.csv"),
    Set("Shenzhen card swipes", "shenzhen-swipes", "metro-stations-gz-sz/shenzhen_card_swipes_100.csv",
        "metro-stations-gz-sz/shenzhen_szmc_gcj02.csv"),
    Set("SGSC half hours", "sgsc-halfhourly", "sgsc-electricity-au/halfhourly.parquet"),
    Set("SGSC months", "sgsc-monthly", "sgsc-electricity-au/monthly.csv.gz"),
    Set("Santa Monica water", "santamonica-water", "santamonica-water/bills.csv.gz"),
    Set("Utilities2 electricity", "utilities2-electricity", "household-bills-utilities2/bills.csv"),
    Set("Utilities2 gas", "utilities2-gas", "household-bills-utilities2/bills.csv"),
    Set("NEM12", "nem12", "meter-file-formats/*NEM12*.csv"),
    Set("NEM12 (Western Power)", "nem12", "meter-file-formats/Example_WesternPower.csv"),
    Set("NEM13", "nem13", "meter-file-formats/*NEM13*.csv"),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", default="duckdb", choices=list(quantification.ENGINES))
    options = parser.parse_args()
    with bench_home("measuring") as home, open_city(home) as database:
        play(database, options.folder, options.engine)


def play(database: Database, folder: Path, engine: str) -> None:
    """Every set through intake, then everything measured and minted and the books checked."""
    tell = Console(stderr=True).print
    print("| set | profile | files | rows in | accepted | acts | duplicate | refused | because | s |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: |")
    for one in SETS:
        files = sorted(folder.glob(one.files))
        if not files:
            tell(f"{one.name}: {one.files} is not there")
            continue
        print(_intake_line(one, list(_load(database, one, files, folder))))
        _enrol(database, one.profile)
    report = quantification.quantify(database, database.settings, methodology.installed_versions(), engine=engine)
    print(f"\nMeasured by {engine} in {report.seconds:.1f} s:\n")
    print("\n".join(_measured_lines(report)))
    _mint(database, report)


def _load(database: Database, one: Set, files: list[Path], folder: Path) -> Iterator[activity.BatchReport]:
    for file in files:
        yield activity.load(
            database, database.settings, file, one.profile, received_by="bench",
            stations=folder / one.stations if one.stations else None,
        )  # fmt: skip


def _intake_line(one: Set, reports: list[activity.BatchReport]) -> str:
    refused_by: Counter[str] = Counter()
    for report in reports:
        refused_by.update(report.refused_by)
        assert report.accepted + report.duplicate + report.refused == report.rows_in
    because = ", ".join(f"{code} {count:,}" for code, count in refused_by.most_common())
    names = ("rows_in", "accepted", "acts", "duplicate", "refused")
    sums = " | ".join(f"{sum(getattr(report, name) for report in reports):,}" for name in names)
    seconds = sum(report.seconds for report in reports)
    return f"| {one.name} | `{one.profile}` | {len(reports)} | {sums} | {because} | {seconds:.1f} |"


def _enrol(database: Database, name: str) -> None:
    chosen = activity.profile_named(name)
    database.run(lambda session: participants.enrol(
        session, chosen.scheme, activity.subjects(session, database.settings, chosen.source), SINCE
    ))  # fmt: skip
    database.run(lambda session: consent.grant_for_demo(
        session, source=chosen.source, scheme=chosen.scheme, on=SystemClock().today(), sensitive=chosen.lake_kind == "trip"
    ))  # fmt: skip


def _measured_lines(report: quantification.QuantifyReport) -> Iterator[str]:
    """A line for each source and mode; batches are added up."""
    yield "| source | mode | activities | measured | left out | mg CO2e |"
    yield "| --- | --- | ---: | ---: | --- | ---: |"
    for source, mode in sorted({(piece.source, piece.mode) for piece in report.pieces}):
        pieces = [piece for piece in report.pieces if (piece.source, piece.mode) == (source, mode)]
        left_out: Counter[str] = Counter()
        for piece in pieces:
            left_out.update(piece.left_out)
        because = ", ".join(f"{reason} {count:,}" for reason, count in left_out.most_common())
        activities, measured, mg = (sum(getattr(piece, name) for piece in pieces) for name in ("activities", "measured", "mg"))
        yield f"| {source} | {mode} | {activities:,} | {measured:,} | {because} | {mg:,} |"


def _mint(database: Database, report: quantification.QuantifyReport) -> None:
    began = time.perf_counter()
    minted = issuance.mint(database, date(2026, 10, 31), clock=SystemClock())
    print(f"\nMinted in {time.perf_counter() - began:.1f} s: {minted.reduced_mg:,} mg of {minted.persons:,} persons became {minted.credits:,} credits.")
    digest = database.run(quantification.digest_of_reductions)
    assert digest.mg == report.mg
    print(f"Reductions: {digest.count:,} person-days, {digest.mg:,} mg, sha256 {digest.sha256}")
    with database.snapshot() as session:
        broken = [verdict.check.name for verdict in supervision.verify(session) if not verdict.holds]
    print(f"Checks broken: {', '.join(broken) or 'none'}")


if __name__ == "__main__":
    main()
