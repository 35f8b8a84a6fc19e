"""A revision counts from its own day on; what was measured and minted before stays (Articles 15, 16, 17)."""

import shutil
from datetime import date, timedelta

import pytest

from carbonhui import issuance, methodology, quantification
from carbonhui.core.clock import SetClock
from carbonhui.core.database import connection_of
from tests.quantification.profiles import TRANSIT

TRIPS = "trip,card,mode,begun,ended,metres"
REVISED = date(2025, 5, 23)


def trip(number: int, mode: str, day: date, metres: int | str, hour: int = 8) -> str:
    return f"{number},card,{mode},{day} {hour:02}:00:00,{day} {hour:02}:30:00,{metres}"


@pytest.fixture
def wuhan(city):
    city.profile("transit", TRANSIT)
    for id in ("metro_wuhan", "bus_wuhan", "cycling_wuhan"):
        city.approve(id, start=city.methodology(id, "1").first_day, version="1")
    return city


def revise(city) -> None:
    for id in ("metro_wuhan", "bus_wuhan", "cycling_wuhan"):
        city.approve(id, start=REVISED, version="2")


def mint(city, through: date) -> issuance.MintReport:
    return issuance.mint(city.database, through, clock=SetClock.on(date(2026, 11, 20)))


def test_a_ride_is_measured_by_the_version_of_its_own_day(wuhan):
    revise(wuhan)
    before, after = date(2025, 5, 22), REVISED
    wuhan.receive(
        "transit", TRIPS, trip(1, "metro", before, 10_000), trip(2, "bus", before, 5_000, 9), trip(3, "bicycle", before, 3_000, 10),
        trip(4, "metro", after, 10_000), trip(5, "bus", after, 5_000, 9), trip(6, "bicycle", after, 3_000, 10),
    )  # fmt: skip
    wuhan.enrol("transit")
    wuhan.quantify()
    found = {(row[1], row[3]): row[4] for row in wuhan.reductions()}
    assert found == {
        ("metro_wuhan", before): 170_000, ("bus_wuhan", before): 150_000, ("cycling_wuhan", before): 120_000,
        ("metro_wuhan", after): 784_000, ("bus_wuhan", after): 212_500, ("cycling_wuhan", after): 279_900,
    }  # fmt: skip


def test_what_was_minted_before_a_revision_is_never_minted_again(wuhan):
    """Rides of both sides, minted before and after; late rides of the old days are measured by the old version."""
    wuhan.approve_numbers()
    wuhan.receive("transit", TRIPS, trip(1, "metro", date(2025, 5, 1), 10_000), trip(2, "bicycle", date(2025, 5, 1), 3_000, 9))
    wuhan.enrol("transit")
    wuhan.quantify()
    first = mint(wuhan, date(2025, 5, 22))
    assert (first.reduced_mg, first.credits) == (290_000, 2)
    minted_before = _minted(wuhan)
    revise(wuhan)
    wuhan.receive(
        "transit", TRIPS, trip(3, "metro", date(2025, 5, 22), 10_000), trip(4, "metro", REVISED, 10_000),
        trip(5, "bicycle", REVISED, 3_000, 9),
    )  # fmt: skip
    assert wuhan.quantify().mg == 170_000 + 784_000 + 279_900
    second = mint(wuhan, date(2025, 12, 31))
    assert second.reduced_mg == 170_000 + 784_000 + 279_900
    # 90,000 mg were carried: all in all 1,523,900 mg are 15 credits and 23,900 mg.
    assert first.credits + second.credits == 15
    assert _minted(wuhan)[: len(minted_before)] == minted_before
    again = mint(wuhan, date(2025, 12, 31))
    assert (again.reductions, again.credits) == (0, 0)
    assert wuhan.quantify().pieces == ()


def _minted(city) -> list[tuple[object, ...]]:
    with city.database.begin() as session:
        return connection_of(session).execute("SELECT id, day, mg, fingerprint, mint_id FROM reduction ORDER BY id").fetchall()


def test_a_folder_that_says_it_is_the_approved_version_and_is_not_stops_measuring(wuhan, tmp_path):
    approved = wuhan.methodology("bus_wuhan", "1")
    shutil.copytree(approved.folder, tmp_path / "bus")
    text = (tmp_path / "bus" / "methodology.toml").read_text()
    (tmp_path / "bus" / "methodology.toml").write_text(text + "\n# a comment that nobody approved\n")
    changed = methodology.load(tmp_path / "bus")
    wuhan.versions = [changed]
    wuhan.receive("transit", TRIPS, trip(1, "bus", date(2025, 5, 1), 5_000))
    wuhan.enrol("transit")
    with pytest.raises(quantification.MethodologyChanged, match=r"methodology\.toml") as refused:
        wuhan.quantify(only=["bus_wuhan"])
    assert "formula.py" not in str(refused.value)
    assert wuhan.reductions() == []


def test_an_approved_version_that_is_installed_no_longer_is_read_from_the_archive(wuhan):
    revise(wuhan)
    wuhan.versions = [wuhan.methodology(id, "2") for id in ("metro_wuhan", "bus_wuhan", "cycling_wuhan")]
    wuhan.receive("transit", TRIPS, trip(1, "bus", date(2025, 5, 1), 5_000), trip(2, "bus", REVISED, 5_000))
    wuhan.enrol("transit")
    wuhan.quantify()
    assert [row[4] for row in wuhan.reductions()] == [150_000, 212_500]


def test_of_several_methodologies_in_force_on_a_day_the_first_measures(city):
    city.profile("transit", TRANSIT.replace('bus     = ["bus_wuhan"]', 'bus     = ["bus_shenzhen", "bus_wuhan"]'))
    city.approve("bus_wuhan", start=date(2023, 6, 2), version="1")
    city.approve("bus_shenzhen", start=date(2025, 6, 1))
    city.receive("transit", TRIPS, trip(1, "bus", date(2025, 5, 31), 5_000), trip(2, "bus", date(2025, 6, 1), 5_000))
    city.enrol("transit")
    city.quantify(only=["bus_wuhan", "bus_shenzhen"])
    assert [(row[1], row[4]) for row in city.reductions()] == [("bus_wuhan", 150_000), ("bus_shenzhen", 134_500)]


def test_a_claim_window_is_data_of_the_methodology(city, tmp_path):
    shutil.copytree(city.methodology("bus_wuhan", "1").folder, tmp_path / "bus")
    text = (tmp_path / "bus" / "methodology.toml").read_text()
    window = '\n[claim_window]\nsays = "within a week"\ndays = 7\nsource = "a committee\'s minutes"\n'
    (tmp_path / "bus" / "methodology.toml").write_text(text + window)
    city.versions = [methodology.load(tmp_path / "bus")]
    city.profile("transit", TRANSIT)
    city.approve("bus_wuhan", start=date(2023, 6, 2))
    received = city.received_on()
    in_time, late = (received - timedelta(days=days) for days in (7, 8))
    city.receive("transit", TRIPS, trip(1, "bus", in_time, 5_000), trip(2, "bus", late, 5_000))
    city.enrol("transit")
    report = city.quantify(only=["bus_wuhan"])
    assert (report.measured, report.left_out) == (1, {"claim_window_over": 1})
    assert [row[3] for row in city.reductions()] == [in_time]
