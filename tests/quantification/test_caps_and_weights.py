"""Caps and weights of evidence are data of the methodology and applied by the house (Articles 14, 16)."""

import shutil
from datetime import date

import pytest

from carbonhui import methodology
from tests.quantification.profiles import SELF_DECLARED, STEPS

DAYS = "phone,day,steps"


@pytest.fixture
def walkers(city):
    city.profile("steps", STEPS)
    city.approve("walking", start=city.methodology("walking").first_day)
    return city


def test_14_800_steps_are_the_most_that_a_day_credits(walkers):
    walkers.receive("steps", DAYS, "1,2025-05-06,14800", "2,2025-05-06,14801", "3,2025-05-06,14799")
    walkers.enrol("steps")
    [piece] = walkers.quantify().pieces
    assert sorted(row[4] for row in walkers.reductions()) == [295_980, 296_000, 296_000]
    assert piece.capped_mg == 20
    assert piece.measured == 3


def test_a_cap_counts_what_an_earlier_batch_credited_of_the_day(walkers):
    """A second delivery of the same day, by another device of the same person's, gets what is left."""
    walkers.receive("steps", DAYS, "1,2025-05-06,10000", "1,2025-05-07,1000")
    walkers.enrol("steps")
    walkers.quantify()
    walkers.receive("steps", DAYS, "2,2025-05-06,10000", "2,2025-05-07,1000")
    walkers.link("steps", walkers.holder("steps.phone"))
    walkers.quantify()
    assert [(row[3].day, row[4]) for row in walkers.reductions()] == [(6, 200_000), (6, 96_000), (7, 20_000), (7, 20_000)]


def test_two_deliveries_of_one_day_in_one_batch_share_the_cap(walkers):
    walkers.receive("steps", DAYS, "1,2025-05-06,10000")
    walkers.enrol("steps")
    walkers.receive("steps", DAYS, "2,2025-05-06,10000", "3,2025-05-06,10000")
    walkers.link("steps", walkers.holder("steps.phone"))
    walkers.quantify()
    assert [row[4] for row in walkers.reductions()] == [200_000, 96_000]


def test_a_cap_per_month_and_year_counts_all_of_its_days(walkers, tmp_path):
    shutil.copytree(walkers.methodology("walking").folder, tmp_path / "walking")
    path = tmp_path / "walking" / "methodology.toml"
    more = "".join(
        f'\n[[caps]]\nsays = "a cap"\nfield = "mg"\nper = "{per}"\nmost = {most}\nsource = "minutes"\n'
        for per, most in (("month", 500_000), ("year", 700_000))
    )
    path.write_text(path.read_text().replace('version       = "1"', 'version       = "9"') + more)
    walkers.versions = [methodology.load(tmp_path / "walking")]
    walkers.approve("walking", start=date(2025, 1, 1))
    walkers.receive("steps", DAYS, *(f"1,2025-03-0{day},10000" for day in (1, 2, 3)), "1,2025-04-01,10000", "1,2025-04-02,10000")
    walkers.enrol("steps")
    walkers.quantify()
    assert [row[4] for row in walkers.reductions()] == [200_000, 200_000, 100_000, 200_000]


def test_weaker_evidence_counts_half_rounded_down_to_the_gram(city):
    """Hubei: a bus ride of 105 g counts 52 g, a metro ride of 274 g counts 137 g, if the rider only says so."""
    city.profile("check-in", SELF_DECLARED)
    for id in ("bus_hubei", "metro_hubei"):
        city.approve(id, start=city.methodology(id).first_day)
    city.receive(
        "check-in", "trip,card,mode,begun,ended,metres",
        "1,1,bus,2025-05-06 08:00:00,2025-05-06 08:30:00,", "2,1,metro,2025-05-06 09:00:00,2025-05-06 09:30:00,",
    )  # fmt: skip
    city.enrol("check-in")
    city.quantify()
    assert {row[1]: row[4] for row in city.reductions()} == {"bus_hubei": 52_000, "metro_hubei": 137_000}


def test_evidence_that_a_methodology_does_not_accept_is_not_measured(city):
    city.profile("check-in", SELF_DECLARED)
    city.approve("cycling_wuhan", start=date(2023, 6, 2), version="1")
    city.receive(
        "check-in", "trip,card,mode,begun,ended,metres", "1,1,bicycle,2025-05-06 08:00:00,2025-05-06 08:30:00,3000"
    )
    city.enrol("check-in")
    report = city.quantify(only=["cycling_wuhan"])
    assert (report.measured, report.left_out) == (0, {"evidence_not_accepted": 1})
