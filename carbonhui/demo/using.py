"""Every way of using credits that the regulation names, each once (Articles 18-22)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from carbonhui import circulation, donation, ledger, merchants, neutralisation, participants, privacy, publicfees
from carbonhui.core.amounts import Credits, Fen
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.demo.organisations import organisation, staff
from carbonhui.demo.telling import Teller
from carbonhui.participants import Organisation

BILL_FEN = Fen(8_800)
RUN_DAY = date(2026, 10, 25)
READER = privacy.Reader(actor="demo", role="owner", purpose="certificate")


@dataclass(frozen=True)
class City:
    """Whom the story is about: three residents' accounts, and the organisations they meet."""

    rider: int
    friend: int
    neighbour: int
    bakery: Organisation
    water: Organisation
    trees: Organisation


def meet(session: Session, vault: privacy.Vault) -> City:
    """The three residents who earned most, and the organisations."""
    rider, friend, neighbour = ledger.largest_earners(session, most=3)
    return City(
        rider, friend, neighbour,
        bakery=organisation(session, vault, kind="merchant", name="示例面包店 Demo Bakery", number=1),
        water=organisation(session, vault, kind="department", name="示例水务局 Demo Water Department", number=2),
        trees=organisation(session, vault, kind="charity", name="示例植树协会 Demo Tree Charity", number=3),
    )  # fmt: skip


def account_of(found: Organisation) -> int:
    """The account that an approved organisation has."""
    assert found.account_id is not None
    return found.account_id


def use(database: Database, vault: privacy.Vault, teller: Teller, city: City) -> None:
    """Play it all; the second time each step is found done and nothing moves."""
    teller.heading("Using credits", "使用碳惠")
    teller.step("18", "The rider gives 20 credits to a friend", database.run(lambda s: circulation.give(
        s, giver=city.rider, receiver=city.friend, credits=Credits(20),
        reference="demo-2026/gift", business_date=date(2026, 9, 3),
    )))  # fmt: skip
    _shop(database, vault, teller, city)
    _bills(database, vault, teller, city)
    _donate(database, vault, teller, city)
    _neutralise(database, vault, teller, city)


# Merchants ----------------------------------------------------------------------------------------


def _shop(database: Database, vault: privacy.Vault, teller: Teller, city: City) -> None:
    bakery = city.bakery
    for number, payer, credits in ((1, city.rider, 30), (2, city.friend, 25), (3, city.neighbour, 12)):
        now = datetime(2026, 9, 10 + number, 2, 0, tzinfo=UTC)
        code = merchants.payment_code(vault, account=payer, now=now).code
        paid = database.run(lambda s, n=number, k=code, c=credits, at=now: merchants.authorise(  # type: ignore[misc]
            s, vault, organisation=bakery.id, out_trade_no=f"till-1-{n:04d}", payment_code=k, credits=c, on=at.date(), now=at,
        ))  # fmt: skip
        assert paid.charge is not None and paid.charge.transfer_id is not None
        teller.step(
            "20", f"The bakery's till scans a payment code of {len(code)} digits and takes {credits} credits",
            ledger.Posted(paid.charge.transfer_id, paid.again),
        )  # fmt: skip
    charge = database.run(lambda s: merchants.query(s, bakery.id, "till-1-0002"))
    refund, again = database.run(lambda s: merchants.refund(
        s, charge, out_refund_no="till-1-0002-r1", credits=5, on=date(2026, 9, 12)
    ))  # fmt: skip
    teller.step("20", "The bakery gives 5 of the 25 credits back", ledger.Posted(refund.transfer_id, again))
    teller.step("20", "What the bakery kept goes to the cancellation pool", database.run(lambda s: merchants.settle(
        s, merchant=account_of(bakery), reference="demo-2026/bakery-settled", business_date=date(2026, 9, 30)
    )))  # fmt: skip


# Public fees --------------------------------------------------------------------------------------


def _bills(database: Database, vault: privacy.Vault, teller: Teller, city: City) -> None:
    """The cap of 8,800 fen is 880 fen: 44 credits at 20 fen each pay exactly that, and 45 are one too many."""
    department = account_of(city.water)

    def present(session: Session) -> None:
        _fee_item(session, city.water)
        for number in ("water-2026-09", "water-2026-10", "water-2026-11"):
            publicfees.present_bill(
                session, vault, city.water, number=number, fee_item="WATER-SEWAGE", total_fen=BILL_FEN,
                payer_reference="demo-rider", due_on=date(2026, 12, 31), on=date(2026, 10, 1),
            )  # fmt: skip

    def offset(credits: int, bill: str) -> ledger.Posted:
        return database.run(lambda s: publicfees.offset_bill(
            s, resident=city.rider, department=department, bill=bill, bill_fen=BILL_FEN,
            credits=Credits(credits), reference=f"demo-2026/{bill}", business_date=date(2026, 10, 8),
        ))  # fmt: skip

    database.run(present)
    teller.step("19", "A bill of 88.00 yuan is offset by 44 credits, exactly a tenth", offset(44, "water-2026-09"))
    try:
        offset(45, "water-2026-10")
    except Refusal as refusal:
        teller.refused("19", "The next bill, 45 credits for the same 88.00 yuan", refusal)
    else:
        raise AssertionError("an offset above the cap was accepted")
    teller.step("19", "A third bill is offset by 10 credits", offset(10, "water-2026-11"))
    undone = database.run(lambda s: publicfees.undo_offset(
        s, department=department, bill="water-2026-11", because="cancelled", reference="demo-2026/water-2026-11-undone",
        business_date=date(2026, 10, 9),
    ))  # fmt: skip
    teller.step("19", "That bill was wrong: exactly 10 credits come back", ledger.Posted(undone.transfer, undone.again))


def _fee_item(session: Session, department: Organisation) -> None:
    """The one fee that may be paid in credits, asked for by one member of the staff and agreed to by another."""
    if publicfees.fee_items(session, organisation=department):
        return
    vault_staff = {one.login: one for one in participants.staff_members(session)}
    item = publicfees.apply_for_fee_item(
        session, department, code="WATER-SEWAGE", title_zh="示例污水处理费", title_en="Demo sewage fee",
        legal_basis="demonstration, no real fee", on=date(2026, 1, 5),
    )  # fmt: skip
    asked = publicfees.propose_fee_item(
        session, item, reason="demonstration", by=vault_staff["demo-registrar"], on=date(2026, 1, 6)
    )
    publicfees.decide_fee_item(session, asked.id, agreed=True, by=vault_staff["demo-approver"], on=date(2026, 1, 6))


# Donation -----------------------------------------------------------------------------------------


def _donate(database: Database, vault: privacy.Vault, teller: Teller, city: City) -> None:
    campaign = database.run(lambda s: _campaign(s, vault, city.trees))
    teller.step("21", "The neighbour donates 15 credits to the charity's approved campaign", database.run(lambda s: donation.donate(
        s, donor=city.neighbour, charity=account_of(city.trees), credits=Credits(15), campaign=campaign,
        reference="demo-2026/trees", business_date=date(2026, 10, 20),
    )))  # fmt: skip


def _campaign(session: Session, vault: privacy.Vault, charity: Organisation) -> int:
    known = donation.campaigns(session, states=("approved", "ended"), organisation=charity.id)
    if known:
        return known[0].id
    made = donation.propose_campaign(
        session, charity, title="示例:珠江边的一千棵树", title_en="Demo: a thousand trees by the river", purpose="示例活动",
        first_day=date(2026, 10, 1), last_day=date(2026, 12, 31), on=date(2026, 9, 15),
    )  # fmt: skip
    asked = donation.ask_campaign(session, made.id, reason="demonstration", by=staff(session, vault, "registrar"), on=date(2026, 9, 15))
    donation.decide_campaign(session, asked.id, agreed=True, by=staff(session, vault, "approver"), on=date(2026, 9, 16))
    return made.id


# Neutralisation -----------------------------------------------------------------------------------


def _neutralise(database: Database, vault: privacy.Vault, teller: Teller, city: City) -> None:
    """Residents put credits together for a public run, and the friend neutralises a weekend."""
    footprint = neutralisation.event(
        on=RUN_DAY, headcount=30, electricity_wh=3_000, water_litres=500,
        journeys=[neutralisation.Journey(mode="metro", metres=4_000, persons=30, trips=2)],
    )  # fmt: skip
    ratio = database.run(lambda s: ledger.credits_covering(s, city.friend, footprint.mg))
    charity = account_of(city.trees)
    pool = database.run(lambda s: _pool(s, vault, charity, Credits(ratio.credits)))
    shares = _shares(ratio.credits)
    for name, payer, credits in zip(("rider", "friend", "neighbour"), (city.rider, city.friend, city.neighbour), shares, strict=True):
        put = database.run(lambda s, n=name, p=payer, c=credits: circulation.contribute(  # type: ignore[misc]
            s, pool, payer=p, credits=Credits(c), reference=f"demo-2026/run-{n}", business_date=date(2026, 10, 22)
        ))  # fmt: skip
        teller.step("18", f"The {name} puts {credits} credits into the pool for the tree run", _posted(database, f"demo-2026/run-{name}", put.again))
    run, again = database.run(lambda s: _certified(
        s, vault, charity, footprint, "demo-2026/run", RUN_DAY, "植树健康跑,三十人,往返地铁", beneficiary="示例植树健康跑", pool=pool
    ))  # fmt: skip
    teller.step(
        "22", f"The pool's {run.credits} credits neutralise the run's {run.footprint_mg:,} mg CO2e", ledger.Posted(run.transfer, again)
    )
    weekend = neutralisation.commute(
        on=date(2026, 11, 8), journeys=[neutralisation.Journey(mode="car_petrol", metres=10_000)]
    )
    made, again = database.run(lambda s: _certified(
        s, vault, city.friend, weekend, "demo-2026/weekend", date(2026, 11, 8), "周末驾车十公里"
    ))  # fmt: skip
    teller.step(
        "22", f"The friend retires {made.credits} credits against a weekend's {made.footprint_mg:,} mg CO2e",
        ledger.Posted(made.transfer, again),
    )  # fmt: skip
    teller.certificate(run.number, _printed(database, vault, run))


def _posted(database: Database, reference: str, again: bool) -> ledger.Posted:
    entered = database.run(lambda s: ledger.transfer_under(s, reference))
    assert entered is not None
    return ledger.Posted(entered.id, again)


def _shares(credits: int) -> tuple[int, int, int]:
    return credits - 2 * (credits // 3), credits // 3, credits // 3


def _pool(session: Session, vault: privacy.Vault, owner: int, goal: Credits) -> int:
    known = circulation.pools(session, owner=owner)
    if known:
        return known[0].id
    return circulation.open_pool(
        session, vault, owner=owner, title="示例:为植树健康跑汇集碳惠", goal_credits=goal, purpose="neutralisation", target=None,
        deadline=date(2026, 10, 24), on=date(2026, 10, 1),
    ).id  # fmt: skip


def _certified(
    session: Session, vault: privacy.Vault, owner: int, footprint: neutralisation.Footprint, reference: str, on: date,
    reason: str, *, beneficiary: str | None = None, pool: int | None = None,
) -> tuple[neutralisation.Certificate, bool]:  # fmt: skip
    """The certificate, and whether it was issued before."""
    last = ledger.transfer_under(session, f"neutralise-{reference}")
    payer = owner if pool is None else circulation.use_pool(session, pool, owner_account=owner, purpose="neutralisation", on=on)
    made = neutralisation.neutralise(
        session, vault, account=owner, payer=payer, subject=None, footprint=footprint, beneficiary=beneficiary, reason=reason,
        reference=reference, business_date=on,
    )  # fmt: skip
    return made, last is not None


def _printed(database: Database, vault: privacy.Vault, made: neutralisation.Certificate) -> Path:
    """The certificate as a file beside the books."""
    settings = database.settings
    record = database.run(lambda s: neutralisation.record_of(
        s, vault, made, reader=READER, area=settings.area, public_url=settings.public_url, owner=True
    ))  # fmt: skip
    path = settings.home / f"certificate-{made.number}.pdf"
    path.write_bytes(neutralisation.print_certificate(record, city=settings.city, demonstration=settings.is_demo))
    return path
