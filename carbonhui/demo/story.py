"""Real rides and real meters, through the whole life of a credit."""

from datetime import date
from importlib.resources import as_file, files

from rich.console import Console
from rich.progress import Progress
from sqlalchemy.orm import Session

from carbonhui import (
    activity,
    consent,
    fund,
    issuance,
    methodology,
    participants,
    privacy,
    quantification,
    supervision,
)
from carbonhui.core.amounts import Fen
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.demo.city import approve_what_is_installed
from carbonhui.demo.telling import Teller
from carbonhui.demo.using import City, account_of, meet, use

#: The city's day on which the demonstration's year is looked back upon.
CLOCK = SetClock.on(date(2026, 12, 31))


def play(database: Database, console: Console, progress: Progress) -> int:
    """Play the year and tell it; the account whose statement is worth opening.

    Every step has a reference of its own, so the second time each is told again and
    nothing moves twice. Raises `policy.DemonstrationOnly` outside the demonstration.
    """
    teller = Teller(console, database.settings)
    teller.opening()
    approved = database.run(lambda session: approve_what_is_installed(session, methodology.installed_versions()))
    teller.approvals(approved)
    _measure(database, teller, progress)
    vault = privacy.open_vault(database.settings)
    city = database.run(lambda session: meet(session, vault))
    use(database, vault, teller, city)
    _close(database, teller, city)
    with database.snapshot() as session:
        teller.life_of_a_credit(session, city.rider)
        teller.statement(session, city.rider)
        verdicts = supervision.verify(session)
    teller.verdicts(verdicts)
    teller.closing(city.rider)
    return city.rider


def _measure(database: Database, teller: Teller, progress: Progress) -> None:
    reports, consents = [], []
    with progress, as_file(files("carbonhui.demo") / "data") as data:
        for name, profile in (("trips.csv.gz", "bayarea-2014"), ("electricity-monthly.csv.gz", "sgsc-monthly")):
            task = progress.add_task(f"loading {name}", total=None)
            stations = data / "stations.csv" if profile == "bayarea-2014" else None
            reports.append(activity.load(
                database, database.settings, data / name, profile, received_by="demo", stations=stations, clock=CLOCK,
                progress=lambda step, rows, t=task: progress.update(t, description=step, completed=rows),  # type: ignore[misc]
            ))  # fmt: skip
            progress.update(task, visible=False)
            consents.append(database.run(lambda session, name=profile: _enrol(session, database, name)))  # type: ignore[misc]
        task = progress.add_task("measuring", total=None)
        measured = quantification.quantify(
            database, database.settings, methodology.installed_versions(),
            progress=lambda piece, pieces: progress.update(task, total=pieces, advance=1),
        )
        task = progress.add_task("minting, persons", total=None)
        minted = issuance.mint(
            database, date(2026, 8, 31), clock=SetClock.on(date(2026, 9, 1)),
            progress=lambda persons: progress.update(task, advance=persons),
        )
    teller.consented(consents)
    teller.measured(reports, measured, minted)


def _enrol(session: Session, database: Database, profile: str) -> tuple[str, int, int]:
    """The source, how many accounts were opened, and how many consents were given in their holders' names."""
    chosen = activity.profile_named(profile)
    found = activity.subjects(session, database.settings, chosen.source)
    opened = participants.enrol(session, chosen.scheme, found, date(2000, 1, 1))
    given = consent.grant_for_demo(
        session, source=chosen.source, scheme=chosen.scheme, on=CLOCK.today(), sensitive=chosen.lake_kind == "trip"
    )
    return chosen.source, opened, given


def _close(database: Database, teller: Teller, city: City) -> None:
    teller.heading("Closing the year", "年末结算")
    teller.step("31", "The reward fund receives its budget of 10,000 yuan", database.run(lambda s: fund.receive_budget(
        s, fen=Fen(1_000_000), reference="demo-2026/budget", business_date=date(2026, 1, 15)
    )))  # fmt: skip
    department, purse = account_of(city.water), city.water.cash_account_id
    assert purse is not None
    bought = database.run(lambda s: fund.purchase_at_par(
        s, department=department, cash_account=purse, through=date(2026, 12, 31),
        reference="demo-2026/par-purchase", business_date=date(2026, 12, 31),
    ))  # fmt: skip
    teller.bought(bought)
