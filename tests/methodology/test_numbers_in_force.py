"""An activity is measured by the numbers in force on its own day (Articles 15-16)."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from carbonhui.core.refusals import Refusal, all_refusals
from carbonhui.methodology import DayBeforeFirstDate, Period, QuantitiesDiffer, QuantityOutOfRange, load
from carbonhui.methodology.reading import fingerprint

Write = Callable[..., Path]

FIRST = {"baseline_mg_per_km": 155_300, "ferry_mg_per_km": 38_100}
REVISED = {"baseline_mg_per_km": 141_000, "ferry_mg_per_km": 38_100}


def test_the_first_day_is_the_first_on_which_every_number_is_known(ferry: Write) -> None:
    assert load(ferry()).first_day == date(2019, 3, 1)


def test_a_day_before_the_first_is_refused_and_the_first_is_measured(ferry: Write) -> None:
    methodology = load(ferry())
    assert methodology.reduction_mg(date(2019, 3, 1), metres=1_000) == 117_200
    with pytest.raises(DayBeforeFirstDate) as told:
        methodology.reduction_mg(date(2019, 2, 28), metres=1_000)
    assert told.value.code == "day_before_first_date"
    assert str(told.value) == "The methodology ferry has no numbers for 2019-02-28; its first day is 2019-03-01."
    assert "2019-03-01" in told.value.text("zh")


def test_a_revision_holds_from_its_own_day(ferry: Write) -> None:
    methodology = load(ferry())
    assert methodology.values_on(date(2021, 6, 30)) == FIRST
    assert methodology.values_on(date(2021, 7, 1)) == REVISED
    assert methodology.values_on(date(2099, 1, 1)) == REVISED
    assert methodology.reduction_mg(date(2021, 6, 30), metres=10_000) == 1_172_000
    assert methodology.reduction_mg(date(2021, 7, 1), metres=10_000) == 1_029_000


def test_the_periods_follow_one_another_without_a_gap(ferry: Write) -> None:
    assert load(ferry()).periods() == [
        Period(date(2019, 3, 1), date(2021, 7, 1), FIRST),
        Period(date(2021, 7, 1), None, REVISED),
    ]


def test_nobody_can_change_the_numbers_from_outside(ferry: Write) -> None:
    methodology = load(ferry())
    methodology.values_on(date(2021, 7, 1))["ferry_mg_per_km"] = 0
    methodology.periods()[0] = methodology.periods()[1]
    assert methodology.values_on(date(2021, 7, 1)) == REVISED
    assert methodology.periods()[0].values == FIRST


def test_a_reduction_rounds_down_to_the_milligram(ferry: Write) -> None:
    methodology = load(ferry(toml={"value  = 141_000": "value  = 141_999", "mg       = 1_029_000": "mg = 1_038_990"}))
    assert methodology.reduction_mg(date(2021, 7, 1), metres=1) == 103
    assert methodology.reduction_mg(date(2021, 7, 1), metres=0) == 0


def test_a_record_outside_the_range_is_refused_with_the_range(ferry: Write) -> None:
    with pytest.raises(QuantityOutOfRange) as told:
        load(ferry()).reduction_mg(date(2021, 7, 1), metres=500_001)
    assert str(told.value) == "metres is 500001; it must be at least 0 and at most 500000."


def test_a_parameter_cannot_be_given_with_the_record(ferry: Write) -> None:
    with pytest.raises(QuantitiesDiffer) as told:
        load(ferry()).reduction_mg(date(2021, 7, 1), metres=10_000, ferry_mg_per_km=1)
    assert str(told.value) == "The record lacks nothing and names unknown ferry_mg_per_km; it must name exactly metres."


def test_a_person_can_ask_why(ferry: Write) -> None:
    methodology = load(ferry())
    told = methodology.explain(date(2021, 7, 1), metres=10_000)
    assert told["inputs"] == {"metres": {"value": 10_000, "unit": "m", "says": "Distance travelled", "says_zh": None}}
    assert told["values"]["baseline_mg_per_km"] == {  # type: ignore[index]
        "value": 141_000,
        "unit": "mg CO2/km",
        "says": "Emission of the trip that the ferry replaces",
        "says_zh": None,
        "from": "2021-07-01",
        "source": "committee minutes 2021-06, table 2",
        "class": "S1",
        "factor_year": None,
        "published": None,
    }
    assert told["formula"] == "((metres * max(0, (baseline_mg_per_km - ferry_mg_per_km))) // 1000)"
    assert told["reduction_mg"] == 1_029_000
    assert told["fingerprint"] == methodology.fingerprint


def test_the_fingerprint_is_of_the_contents_and_nothing_else(ferry: Write) -> None:
    here, there = ferry(), ferry(name="elsewhere")
    assert load(here).fingerprint == load(there).fingerprint
    (there / "__pycache__").mkdir()
    (there / "__pycache__" / "formula.pyc").write_bytes(b"x")
    (there / ".hidden").write_text("x")
    assert load(here).fingerprint == load(there).fingerprint
    (there / "approval.txt").write_text("x")
    with_paper = load(there).fingerprint
    assert with_paper != load(here).fingerprint
    (there / "approval.txt").rename(there / "approved.txt")
    assert load(there).fingerprint != with_paper


def test_the_fingerprint_keeps_a_name_apart_from_the_contents() -> None:
    assert fingerprint({"a": b"bc"}) != fingerprint({"ab": b"c"})
    assert fingerprint({"a": b"", "b": b"c"}) != fingerprint({"a": b"bc"})


def test_a_changed_number_changes_the_fingerprint(ferry: Write) -> None:
    commented = ferry(toml={"[title]": "# a word\n[title]"}, name="commented")
    assert load(commented).fingerprint != load(ferry()).fingerprint


def test_every_refusal_has_a_code_of_its_own() -> None:
    ours = [kind for kind in all_refusals() if kind.__module__ == "carbonhui.methodology.refusals"]
    assert len(ours) == len({kind.code for kind in ours}) > 25
    assert all(issubclass(kind, Refusal) and kind.sentence and kind.sentence_zh and kind.__doc__ for kind in ours)
