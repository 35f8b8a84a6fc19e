"""Real rides and real meters, through the whole life of a credit."""

from dataclasses import dataclass
from datetime import date
from importlib.resources import as_file, files

from rich.console import Console
from rich.progress import Progress
from sqlalchemy.orm import Session

from carbonhui import (
    activity,
    circulation,
    consent,
    donation,
    fund,
    issuance,
    ledger,
    merchants,
    methodology,
    neutralisation,
    participants,
    publicfees,
    quantification,
    supervision,
)
from carbonhui.core.amounts import Credits, Fen
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.demo.city import approve_what_is_installed
from carbonhui.demo.telling import Teller
from carbonhui.ledger import CNY, Kind

#: The city's day on which the demonstration's year is looked back upon.
CLOCK = SetClock.on(date(2026, 12, 31))
BILL_FEN = Fen(8_800)


@dataclass(frozen=True)
class City:
    """Whom the story is about, by account number."""

    rider: int
    friend: int
    neighbour: int
    bakery: int
    water_department: int
    water_department_cash: int
    tree_charity: int


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
    city = database.run(_city)
    _use(database, teller, city)
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


def _city(session: Session) -> City:
    """The three residents who earned most, and the organisations they meet."""
    rider, friend, neighbour = ledger.largest_earners(session, most=3)

    def named(kind: Kind, name: str, asset: int = ledger.CREDIT) -> int:
        try:
            return ledger.account_named(session, name)
        except ledger.AccountUnknown:
            return ledger.open_account(session, kind, name=name, asset=asset)

    return City(
        rider, friend, neighbour,
        bakery=named(Kind.MERCHANT, "demo-bakery"),
        water_department=named(Kind.DEPARTMENT, "demo-water-department"),
        water_department_cash=named(Kind.DEPARTMENT, "demo-water-department-cash", CNY),
        tree_charity=named(Kind.CHARITY, "demo-tree-charity"),
    )


def _use(database: Database, teller: Teller, city: City) -> None:
    teller.heading("Using credits", "使用碳惠")
    teller.step("18", "The rider gives 20 credits to a friend", database.run(lambda s: circulation.give(
        s, giver=city.rider, receiver=city.friend, credits=Credits(20),
        reference="demo-2026/gift", business_date=date(2026, 9, 3),
    )))  # fmt: skip
    for number, payer, credits in ((1, city.rider, 30), (2, city.friend, 25), (3, city.neighbour, 12)):
        teller.step("20", f"{credits} credits are redeemed at the bakery", database.run(
            lambda s, n=number, p=payer, c=credits: merchants.redeem(  # type: ignore[misc]
                s, payer=p, merchant=city.bakery, credits=Credits(c),
                reference=f"demo-2026/bakery-{n}", business_date=date(2026, 9, 10 + n),
            )
        ))  # fmt: skip
    teller.step("20", "The bakery's credits go to the cancellation pool", database.run(lambda s: merchants.settle(
        s, merchant=city.bakery, reference="demo-2026/bakery-settled", business_date=date(2026, 9, 30)
    )))  # fmt: skip
    _offset(database, teller, city)
    teller.step("21", "The neighbour donates 15 credits to the tree charity", database.run(lambda s: donation.donate(
        s, donor=city.neighbour, charity=city.tree_charity, credits=Credits(15),
        reference="demo-2026/trees", business_date=date(2026, 10, 20),
    )))  # fmt: skip
    teller.step("22", "The friend retires 18 credits against a weekend's emissions", database.run(
        lambda s: neutralisation.retire(
            s, owner=city.friend, credits=Credits(18), reference="demo-2026/weekend", business_date=date(2026, 11, 8)
        )
    ))  # fmt: skip


def _offset(database: Database, teller: Teller, city: City) -> None:
    """The cap of 8,800 fen is 880 fen: 44 credits at 20 fen each pay exactly that, and 45 are one too many."""

    def offset(credits: int, bill: str) -> ledger.Posted:
        return database.run(lambda s: publicfees.offset_bill(
            s, resident=city.rider, department=city.water_department, bill=bill, bill_fen=BILL_FEN,
            credits=Credits(credits), reference=f"demo-2026/{bill}", business_date=date(2026, 10, 8),
        ))  # fmt: skip

    teller.step("19", "A bill of 88.00 yuan is offset by 44 credits, exactly a tenth", offset(44, "water-2026-09"))
    try:
        offset(45, "water-2026-10")
    except Refusal as refusal:
        teller.refused("19", "The next bill, 45 credits for the same 88.00 yuan", refusal)
    else:
        raise AssertionError("an offset above the cap was accepted")


def _close(database: Database, teller: Teller, city: City) -> None:
    teller.heading("Closing the year", "年末结算")
    teller.step("31", "The reward fund receives its budget of 10,000 yuan", database.run(lambda s: fund.receive_budget(
        s, fen=Fen(1_000_000), reference="demo-2026/budget", business_date=date(2026, 1, 15)
    )))  # fmt: skip
    bought = database.run(lambda s: fund.purchase_at_par(
        s, department=city.water_department, cash_account=city.water_department_cash, through=date(2026, 12, 31),
        reference="demo-2026/par-purchase", business_date=date(2026, 12, 31),
    ))  # fmt: skip
    teller.bought(bought)
