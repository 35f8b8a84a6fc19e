"""What of a reduction counts for one record: caps first, then the weight of its evidence (Articles 14, 16)."""

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from carbonhui.methodology import EvidenceNotAccepted, QuantityOutOfRange, load
from carbonhui.methodology.crediting import credited
from carbonhui.methodology.engines import duckdb_answers
from carbonhui.methodology.parts import EvidenceWeight

Write = Callable[..., Path]
DAY = date(2021, 7, 1)

HALF = """
[[evidence_weights]]
says        = "A trip that is only declared counts half"
evidence    = "self_declared"
numerator   = 1
denominator = 2
source      = "committee minutes 2019-01, section 5"

[title]"""


def cap(field: str, most: int) -> str:
    return f'[[caps]]\nsays = "x"\nfield = "{field}"\nper = "activity"\nmost = {most}\nsource = "x"\n\n'


def test_verified_evidence_counts_whole_without_a_word(ferry: Write) -> None:
    found = load(ferry())
    assert found.weight_for("verified") == (1, 1)
    assert found.credited_mg(DAY, metres=10_000) == found.reduction_mg(DAY, metres=10_000) == 1_029_000


def test_other_evidence_counts_only_where_it_has_a_weight(ferry: Write) -> None:
    found = load(ferry())
    assert found.weight_for("self_declared") is None
    with pytest.raises(EvidenceNotAccepted) as told:
        found.credited_mg(DAY, "self_declared", metres=10_000)
    assert str(told.value) == "The methodology ferry does not accept 'self_declared' evidence; it accepts verified."
    with pytest.raises(EvidenceNotAccepted):
        found.credited_sql("self_declared")


def test_half_a_milligram_is_lost_against_the_resident(ferry: Write) -> None:
    found = load(ferry(toml={"[title]": HALF}))
    assert found.weight_for("self_declared") == (1, 2)
    assert found.accepted_evidence == ("verified", "self_declared")
    assert found.reduction_mg(DAY, metres=5) == 514
    assert found.credited_mg(DAY, "self_declared", metres=5) == 257
    assert found.reduction_mg(DAY, metres=1) == 102
    assert found.credited_mg(DAY, "self_declared", metres=1) == 51
    assert found.reduction_mg(DAY, metres=3) == 308
    assert found.reduction_mg(date(2021, 6, 30), metres=1) == 117
    assert found.credited_mg(date(2021, 6, 30), "self_declared", metres=1) == 58


def test_verified_evidence_may_have_a_weight_of_its_own(ferry: Write) -> None:
    found = load(ferry(toml={"[title]": HALF.replace("self_declared", "verified"), "= 1_172_000": "= 586_000",
                             "= 1_029_000": "= 514_500"}))  # fmt: skip
    assert found.weight_for("verified") == (1, 2)
    assert found.credited_mg(DAY, metres=1) == 51


def test_a_record_is_cut_before_the_formula_and_its_milligrams_after_it(ferry: Write) -> None:
    found = load(ferry(toml={"[title]": f"{cap('metres', 12_000)}{cap('mg', 1_200_000)}[title]"}))
    assert found.credited_mg(DAY, metres=11_000) == 1_131_900
    assert found.credited_mg(DAY, metres=12_000) == found.credited_mg(DAY, metres=13_000) == 1_200_000
    assert found.reduction_mg(DAY, metres=13_000) == 1_337_700
    short = load(ferry(toml={"[title]": f"{cap('metres', 11_000)}[title]"}, name="short"))
    assert short.credited_mg(DAY, metres=500_000) == 1_131_900


def test_a_cap_does_not_take_in_what_is_out_of_range(ferry: Write) -> None:
    found = load(ferry(toml={"[title]": f"{cap('metres', 12_000)}[title]"}))
    with pytest.raises(QuantityOutOfRange):
        found.credited_mg(DAY, metres=500_001)


def test_the_cap_comes_before_the_weight(household: Write) -> None:
    found = load(household())
    quantities = {"used_wh": 0, "baseline_wh": 900_000}
    assert found.reduction_mg(DAY, **quantities) == 450_000_000
    assert found.credited_mg(DAY, **quantities) == 100_000_000
    assert found.credited_mg(DAY, "self_declared", **quantities) == 33_333_000


def test_sql_credits_the_same_milligrams(household: Write) -> None:
    found = load(household())
    chance = random.Random(14)
    records = [{"used_wh": chance.randint(0, 10**6), "baseline_wh": chance.randint(0, 10**6), "mg_per_kwh": 500_000}
               for _ in range(300)]  # fmt: skip
    for evidence in found.accepted_evidence:
        formula = found.credited(evidence)
        assert found.credited_sql(evidence) == formula.sql()
        by_hand = [_by_hand(evidence, **record) for record in records]
        assert duckdb_answers(formula, records) == [formula.answer(record) for record in records] == by_hand
    assert found.in_range_sql() == found.credited("self_declared").in_range_sql()


def _by_hand(evidence: str, used_wh: int, baseline_wh: int, mg_per_kwh: int) -> int:
    mg = min(max(0, baseline_wh - used_wh) * mg_per_kwh // 1_000, 100_000_000)
    return mg if evidence == "verified" else mg // 3 // 1_000 * 1_000


def test_a_cut_record_is_cut_wherever_the_formula_asks_for_it(ferry: Write) -> None:
    found = load(ferry(
        toml={"[title]": f"{cap('metres', 10_000)}[title]", "= 1_172_000": "= 1_289_200", "= 1_029_000": "= 1_131_900"},
        formula={
            "import Whole, maximum": "import Whole, maximum, where",
            "return metres *": "return where(metres > 20_000, metres, metres + 1_000) *",
        },
    ))  # fmt: skip
    assert found.reduction_mg(DAY, metres=30_000) == 3_087_000
    assert found.credited_mg(DAY, metres=30_000) == 1_131_900


def test_why_somebody_got_this_names_every_rule(household: Write) -> None:
    told = load(household()).explain(DAY, "self_declared", used_wh=190_000, baseline_wh=200_000)
    assert (told["reduction_mg"], told["credited_mg"], told["evidence"]) == (5_000_000, 1_666_000, "self_declared")
    assert told["inputs"]["baseline_wh"] == {  # type: ignore[index]
        "value": 200_000, "unit": "Wh", "says": "Electricity used a year before", "says_zh": None,
        "by": "same_month_last_year", "of": "used_wh",
    }  # fmt: skip
    number = told["values"]["mg_per_kwh"]  # type: ignore[index]
    assert (number["factor_year"], number["published"], number["from"], number["class"]) == (
        2017, "2018-12-20", "2019-01-01", "S1"
    )  # fmt: skip
    assert told["weight"]["denominator"] == 3  # type: ignore[index]
    assert told["claim_window"]["days"] == 60  # type: ignore[index]
    assert [one["code"] for one in told["exclusions"]] == ["own_pv", "tier_3"]  # type: ignore[attr-defined]
    assert told["caps"][0]["most"] == 100_000_000  # type: ignore[index]
    assert told["lookbacks"]["same_month_last_year"]["settings"] == {"least_coverage_percent": 95}  # type: ignore[index]


def test_a_weight_of_nothing_credits_nothing(ferry: Write) -> None:
    none = EvidenceWeight(says="x", evidence="hearsay", numerator=0, denominator=1, source="x")
    formula = credited(load(ferry()).formula, (), none)
    assert formula.answer({"metres": 10_000, "baseline_mg_per_km": 141_000, "ferry_mg_per_km": 38_100}) == 0
