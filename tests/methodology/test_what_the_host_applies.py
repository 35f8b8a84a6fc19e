"""A rule that the host could not apply is refused when the folder is read (Articles 14, 16)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from carbonhui.core.refusals import Refusal
from carbonhui.methodology import ClaimWindow, check, load
from carbonhui.methodology.hosting import LOOKBACKS

Write = Callable[..., Path]
RefusalOf = Callable[[Path], Refusal]

LOOKBACK = "[lookback.same_month_last_year]"
COVERAGE = "least_coverage_percent = 95"
CAP = 'field  = "mg"\nper    = "activity"'
DAYS = "[lookback.mean_of_previous_days]"
MEAN = "days = 7\nnewest = 1\nleast_days = 7\nleast_coverage_percent = 95"
BY = 'by   = "same_month_last_year"'


def test_every_rule_of_the_host_is_read(household: Write) -> None:
    found = load(household())
    assert (found.activity, found.period) == ("reading", "month")
    [lookback] = found.lookbacks.values()
    assert (lookback.name, lookback.settings) == ("same_month_last_year", {"least_coverage_percent": 95})
    assert lookback.source == "committee minutes 2019-03, section 2"
    assert (found.lookback_fields["baseline_wh"].by, found.lookback_fields["baseline_wh"].of) == (lookback.name, "used_wh")
    assert (found.fields["used_wh"].by, found.fields["used_wh"].of) == (None, None)
    [cap] = found.caps
    assert (cap.field, cap.per, cap.most) == ("mg", "activity", 100_000_000)
    assert found.claim_window == ClaimWindow(
        says="A reading is handed in within 60 days", days=60, source="committee minutes 2019-03, section 6"
    )
    assert [(exclusion.code, exclusion.per) for exclusion in found.exclusions] == [("own_pv", "period"), ("tier_3", "year")]


def test_a_methodology_without_rules_has_none(ferry: Write) -> None:
    found = load(ferry())
    assert (found.period, found.lookbacks, found.caps, found.claim_window, found.exclusions) == (None, {}, (), None, ())


def test_words_are_told_in_chinese_where_there_are_some(household: Write) -> None:
    found = load(household())
    assert found.fields["used_wh"].said("zh") == "用电量"
    assert found.fields["used_wh"].said("en") == "Electricity used"
    assert found.parameters["mg_per_kwh"].said("zh") == "Emission of the grid"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('period        = "month"\n', "", "methodology_key_missing"),
        ('period        = "month"', 'period        = "week"', "methodology_key_wrong"),
        ('period        = "month"', 'period        = "day"', "lookback_period_wrong"),
        ('activity      = "reading"\nperiod        = "month"', 'activity      = "trip"', "activity_fields_wrong"),
        ("[fields.used_wh]", "[fields.metres]", "activity_fields_wrong"),
        ("[fields.used_wh]", "[fields.days]", "activity_fields_wrong"),
        (LOOKBACK, "[lookback.mean_of_last_7_days]", "methodology_key_unknown"),
        (LOOKBACK, "[lookback.city_mean]", "lookback_period_wrong"),
        (COVERAGE, "", "methodology_key_missing"),
        (COVERAGE, "least_coverage_percent = 101", "methodology_key_wrong"),
        (COVERAGE, "least_coverage_percent = 0", "methodology_key_wrong"),
        (COVERAGE, f"{COVERAGE}\nnewest = 1", "methodology_key_unknown"),
        ('source = "committee minutes 2019-03, section 2"\n', "", "methodology_key_missing"),
        (f"{BY}\n", "", "methodology_key_missing"),
        (BY, 'by   = "city_mean"', "methodology_key_wrong"),
        ('of   = "used_wh"', 'of   = "days"', "methodology_key_wrong"),
        (CAP, 'field  = "kg"\nper    = "activity"', "methodology_key_wrong"),
        (CAP, 'field  = "mg"\nper    = "moon"', "methodology_key_wrong"),
        (CAP, 'field  = "used_wh"\nper    = "day"', "cap_not_applicable"),
        (CAP, 'field  = "baseline_wh"\nper    = "activity"', "methodology_key_wrong"),
        ("most   = 100_000_000", "most   = -1", "methodology_key_wrong"),
        ("numerator   = 1", "numerator   = 4", "methodology_key_wrong"),
        ("denominator = 3", "denominator = 0", "methodology_key_wrong"),
        ("unit_mg     = 1_000", "unit_mg     = 0", "methodology_key_wrong"),
        ("numerator   = 1\ndenominator = 3", "numerator = 1_000_000_000_000\ndenominator = 1_000_000_000_001", "formula_too_wide"),
        ("days   = 60", "days   = -1", "methodology_key_wrong"),
        ('source = "committee minutes 2019-03, section 6"\n', "", "methodology_key_missing"),
        ('per    = "year"', 'per    = "month"', "methodology_key_wrong"),
        ('code   = "own_pv"', 'code   = "own_pv"\nfrom = 1', "methodology_key_unknown"),
        ('code   = "own_pv"', 'code   = "tier_3"', "methodology_rule_repeated"),
        ('evidence = "self_declared"\nactivity', 'evidence = "hearsay"\nactivity', "evidence_not_accepted"),
        ("mg       = 1_666_000", "mg       = 1_666_666", "worked_case_wrong"),
        ("mg       = 100_000_000", "mg       = 450_000_000", "worked_case_wrong"),
    ],
)
def test_a_rule_that_cannot_be_applied_is_refused(
    household: Write, refusal_of: RefusalOf, old: str, new: str, code: str
) -> None:
    folder = household(toml={old: new})
    assert refusal_of(folder).code == code
    assert [problem.code for problem in check(folder)] == [code]


def test_two_caps_on_one_thing_are_refused(household: Write, refusal_of: RefusalOf) -> None:
    again = '[[caps]]\nsays = "x"\nfield = "mg"\nper = "activity"\nmost = 5\nsource = "x"\n[[caps]]'
    assert refusal_of(household(toml={"[[caps]]": again})).code == "methodology_rule_repeated"


def test_a_cap_below_the_range_of_its_field_is_refused(household: Write, refusal_of: RefusalOf) -> None:
    low = {CAP: 'field  = "used_wh"\nper    = "activity"', "most   = 100_000_000": "most = 4", "low     = 0": "low = 5"}
    assert refusal_of(household(toml=low)).code == "methodology_key_wrong"


def test_a_lookback_that_brings_nothing_is_refused(household: Write, refusal_of: RefusalOf) -> None:
    both = f'{DAYS}\nsays = "x"\nsource = "x"\n{MEAN}\n[lookback.city_mean]\nleast_households = 20'
    daily = {'period        = "month"': 'period = "day"', LOOKBACK: both, BY: 'by = "city_mean"'}
    refused = refusal_of(household(toml=daily))
    assert (refused.code, refused.facts) == ("lookback_unused", {"lookback": "mean_of_previous_days"})


@pytest.mark.parametrize(
    ("mean", "code"),
    [
        (MEAN, None),
        (MEAN.replace("least_days = 7", "least_days = 8"), "methodology_key_wrong"),
        (MEAN.replace("least_days = 7", "least_days = 0"), "methodology_key_wrong"),
        (MEAN.replace("newest = 1", "newest = 0"), "methodology_key_wrong"),
        (MEAN.replace("days = 7\nnewest", "days = 0\nnewest"), "methodology_key_wrong"),
        (MEAN.replace("newest = 1\n", ""), "methodology_key_missing"),
    ],
)
def test_the_mean_of_previous_days_names_its_days(
    household: Write, refusal_of: RefusalOf, mean: str, code: str | None
) -> None:
    folder = household(toml={
        'period        = "month"': 'period = "day"', LOOKBACK: DAYS, COVERAGE: mean, BY: 'by = "mean_of_previous_days"',
    })  # fmt: skip
    assert (refusal_of(folder).code if code else check(folder)) == (code or [])


def test_a_mean_over_one_household_is_refused(household: Write, refusal_of: RefusalOf) -> None:
    city = {'period        = "month"': 'period = "day"', LOOKBACK: "[lookback.city_mean]", BY: 'by = "city_mean"'}
    alone = refusal_of(household(toml={**city, COVERAGE: f"least_households = 1\n{COVERAGE}"}))
    assert alone.code == "methodology_key_wrong"
    assert load(household(toml={**city, COVERAGE: f"least_households = 20\n{COVERAGE}"}, name="many")).period == "day"


def test_a_methodology_of_readings_may_lack_a_lookback_when_it_is_read(ferry: Write) -> None:
    folder = ferry(
        toml={'activity      = "trip"': 'activity = "reading"\nperiod = "month"', "[fields.metres]": "[fields.used_wh]",
              "metres = 10_000 }\nmg       = 1_172": "used_wh = 10_000 }\nmg = 1_172",
              "metres = 10_000 }\nmg       = 1_029": "used_wh = 10_000 }\nmg = 1_029"},
        formula={"metres: Whole": "used_wh: Whole", "return metres": "return used_wh"},
    )  # fmt: skip
    assert load(folder).lookbacks == {}


@pytest.mark.parametrize(
    ("field", "code"),
    [("steps", None), ("grams", None), ("quantity", "activity_fields_wrong"), ("trips", "activity_fields_wrong")],
)
def test_a_count_gives_one_number_under_any_name_of_its_own(
    ferry: Write, refusal_of: RefusalOf, field: str, code: str | None
) -> None:
    folder = ferry(
        toml={'activity      = "trip"': 'activity = "count"', "[fields.metres]": f"[fields.{field}]",
              "metres = 10_000 }\nmg       = 1_172": f"{field} = 10_000 }}\nmg = 1_172",
              "metres = 10_000 }\nmg       = 1_029": f"{field} = 10_000 }}\nmg = 1_029"},
        formula={"metres: Whole": f"{field}: Whole", "return metres": f"return {field}"},
    )  # fmt: skip
    assert (refusal_of(folder).code if code else check(folder)) == (code or [])


def test_a_count_of_two_numbers_is_refused(ferry: Write, refusal_of: RefusalOf) -> None:
    two = '[fields.steps]\nsays = "x"\nunit = "1"\nlow = 0\nhigh = 1\n[fields.metres]'
    refused = refusal_of(ferry(toml={'activity      = "trip"': 'activity = "count"', "[fields.metres]": two}))
    assert (refused.code, refused.facts["found"]) == ("activity_fields_wrong", "steps, metres")


def test_only_readings_are_excluded_by_their_flags(ferry: Write, refusal_of: RefusalOf) -> None:
    exclusion = '[[exclusions]]\nsays = "x"\ncode = "sightseeing"\nsource = "x"\n\n[title]'
    assert refusal_of(ferry(toml={"[title]": exclusion})).code == "exclusion_not_applicable"


def test_every_lookback_needs_a_coverage() -> None:
    assert all("least_coverage_percent" in kind.settings for kind in LOOKBACKS.values())
