"""The methodologies that ship with the product (Articles 8, 14-16)."""

from datetime import date
from pathlib import Path

import pytest

import methodologies
from carbonhui.methodology import Methodology, check, installed, load
from carbonhui.methodology.engines import duckdb_answers

SHIPPED = Path(methodologies.__file__).parent
FOLDERS = sorted(path.parent for path in SHIPPED.glob("*/methodology.toml"))


def shipped(name: str) -> Methodology:
    return load(SHIPPED / name)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_shipped_methodology_passes_its_own_worked_cases_on_both_engines(folder: Path) -> None:
    assert check(folder) == []
    methodology = load(folder)
    for evidence in methodology.accepted_evidence:
        cases = [case for case in methodology.cases if case.evidence == evidence]
        records = [case.quantities | methodology.values_on(case.on) for case in cases]
        answers = duckdb_answers(methodology.credited(evidence), records) if records else []
        assert answers == [case.mg for case in cases]


def test_the_shipped_methodologies_are_installed() -> None:
    found = installed()
    assert {"cycling", "metro", "electricity"} <= set(found)
    assert all(methodology.id == name for name, methodology in found.items())


@pytest.mark.parametrize("name", ["cycling", "metro", "electricity"])
def test_a_methodology_without_an_official_number_says_so(name: str) -> None:
    assert shipped(name).demonstration


def test_one_guangzhou_metro_trip_is_515_5_grams() -> None:
    assert shipped("metro").reduction_mg(date(2024, 9, 1), trips=1) == 515_500


def test_a_kilometre_by_bicycle_is_48_7_grams() -> None:
    assert shipped("cycling").reduction_mg(date(2024, 6, 13), metres=1_000) == 48_700


@pytest.mark.parametrize(
    ("on", "mg"),
    [
        (date(2024, 4, 12), 4_326_000),
        (date(2024, 12, 19), 4_326_000),
        (date(2024, 12, 20), 3_869_000),
        (date(2026, 1, 31), 3_869_000),
        (date(2026, 2, 1), 4_042_000),
    ],
)
def test_ten_kilowatt_hours_saved_are_measured_by_the_grid_of_their_day(on: date, mg: int) -> None:
    saved = shipped("electricity").reduction_mg(on, used_wh=0, days=30, baseline_wh=10_000, baseline_days=30)
    assert saved == mg


def test_electricity_is_compared_with_as_many_days_of_last_year() -> None:
    electricity = shipped("electricity")
    assert set(electricity.lookbacks) == {"same_month_last_year"}
    assert {name: (field.by, field.of) for name, field in electricity.lookback_fields.items()} == {
        "baseline_wh": ("same_month_last_year", "used_wh"),
        "baseline_days": ("same_month_last_year", "days"),
    }
    twice_as_long = {"used_wh": 600, "days": 60, "baseline_wh": 301, "baseline_days": 30}
    assert electricity.reduction_mg(date(2026, 2, 1), **twice_as_long) == 808
    assert electricity.reduction_mg(date(2026, 2, 1), **twice_as_long | {"used_wh": 603}) == 0
