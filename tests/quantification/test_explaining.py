"""A person sees what they were credited and why, from the text that was approved (Articles 14-16)."""

from dataclasses import replace
from datetime import date

import pytest

from carbonhui import issuance, quantification
from carbonhui.core.clock import SetClock
from tests.quantification.profiles import STEPS


def lines(city, account: int, **more: object) -> list[quantification.ReductionLine]:
    with city.database.begin() as session:
        return quantification.reductions_of(session, account, **more)


def explained(city, account: int, reduction: int) -> quantification.Explanation:
    with city.database.begin() as session:
        return quantification.explain(session, city.database.settings, account, reduction)


@pytest.fixture
def riders(city, ride):
    """Two riders; the first rode on three days."""
    city.approve("cycling")
    city.rides(*(ride(day, day=f"2015-03-0{day}") for day in (2, 3, 4)), ride(9, user=2))
    city.enrol("mibici")
    city.quantify()
    accounts = sorted({row[0] for row in city.reductions()}, key=lambda one: -sum(row[0] == one for row in city.reductions()))
    city.rider, city.other = accounts
    return city


def test_reductions_are_told_newest_first_a_page_at_a_time(riders):
    first = lines(riders, riders.rider, limit=2)
    rest = lines(riders, riders.rider, before=first[-1].id, limit=2)
    assert [line.day.day for line in [*first, *rest]] == [4, 3, 2]
    assert lines(riders, riders.rider, before=rest[-1].id) == []
    cycling = riders.methodology("cycling")
    assert {(line.methodology, line.version, line.fingerprint, line.mg, line.minted) for line in first} == {
        ("cycling", cycling.version, cycling.fingerprint, 54_105, None),
    }


def test_a_minted_reduction_tells_how_many_credits_its_mint_made(riders):
    riders.approve_numbers()
    issuance.mint(riders.database, date(2025, 12, 31), clock=SetClock.on(date(2026, 1, 1)))
    assert {line.minted for line in lines(riders, riders.rider)} == {3 * 54_105 // 100_000}
    assert {line.minted for line in lines(riders, riders.other)} == {0}


def test_why_somebody_got_this_is_told_with_every_number_and_its_source(riders):
    riders.approve_numbers()
    [line, *_] = lines(riders, riders.rider)
    told = explained(riders, riders.rider, line.id)
    cycling = riders.methodology("cycling")
    assert told.reduction == line
    assert told.title == {"en": "Shared-bicycle ride", "zh": "共享单车骑行"}
    assert (told.document, told.demonstration, told.evidence, told.source) == (cycling.document, True, "verified", "mibici")
    assert told.formula == cycling.formula.on_paper
    [number] = told.parameters
    assert (number.name, number.dated.value, number.dated.provenance_class) == ("mg_per_km", 48_700, "S2")
    assert "cjzhinan.com" in number.dated.source
    assert told.mg_per_credit == 100_000


def test_it_is_told_from_the_approved_text_whatever_is_installed(riders):
    riders.versions = [replace(one, title={"en": "Another", "zh": "另一"}) for one in riders.versions]
    [line, *_] = lines(riders, riders.rider)
    assert explained(riders, riders.rider, line.id).title["en"] == "Shared-bicycle ride"
    assert explained(riders, riders.rider, line.id).mg_per_credit is None


def test_weights_and_caps_that_were_applied_are_told(city):
    city.profile("steps", STEPS.replace('kind          = "count"', 'kind          = "count"\nevidence      = "self_declared"'))
    city.approve("walking", start=city.methodology("walking").first_day)
    city.receive("steps", "phone,day,steps", "1,2025-05-06,10001")
    city.enrol("steps")
    city.quantify()
    [line] = lines(city, city.holder("steps.phone"))
    told = explained(city, city.holder("steps.phone"), line.id)
    assert line.mg == 100_010
    assert told.weight is not None
    assert (told.weight.evidence, told.weight.numerator, told.weight.denominator) == ("self_declared", 1, 2)
    assert [(cap.per, cap.most) for cap in told.caps] == [("day", 296_000)]
    assert told.credited_formula != told.formula


def test_another_persons_reduction_is_unknown(riders):
    [line] = lines(riders, riders.other)
    for reduction in (line.id, 10**12):
        with pytest.raises(quantification.ReductionUnknown):
            explained(riders, riders.rider, reduction)


def test_a_text_that_was_never_archived_explains_nothing(riders):
    [line, *_] = lines(riders, riders.rider)
    with riders.database.connect_as_owner() as owner:
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute("DELETE FROM methodology_file")
    with pytest.raises(quantification.ReductionTextMissing):
        explained(riders, riders.rider, line.id)
