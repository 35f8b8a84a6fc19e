"""An institution applies for its own users, under an agreement and while it is in force (Article 12)."""

from dataclasses import astuple
from datetime import date, timedelta

import psycopg
import pytest

from carbonhui import consent, ledger
from carbonhui.consent import Application
from tests.consent.people import METER, METRO, TODAY, agreed, give, live, minor, operator, publish, resident, withdraw

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def metro(checked) -> consent.Agreement:
    publish(checked)
    publish(checked, METER)
    return agreed(checked, operator(checked))


def apply(database, agreement: consent.Agreement, *rows: Application, on: date = TODAY) -> tuple[int, ...]:
    """Given, standing, withdrawn, minors, unknown."""
    with database.begin() as session:
        return astuple(consent.apply_for_users(session, agreement.id, rows, on=on, by="organisation:1"))


def test_many_users_consent_in_one_step_and_nobody_twice(database, metro):
    users = [resident(database) for _ in range(5)]
    rows = [Application(user, f"form-{user}", date(2026, 3, 1)) for user in users]
    assert apply(database, metro, *rows) == (5, 0, 0, 0, 0)
    assert apply(database, metro, *rows, rows[0], Application(10**9, "form-9")) == (0, 5, 0, 0, 2)
    with database.begin() as session:
        [one] = consent.consents_of(session, users[0])
    assert (one.channel, one.agreement, one.covers_from, one.live) == ("agency", metro.id, date(2026, 3, 1), True)


def test_who_took_their_consent_back_is_not_consented_for(database, metro):
    user = resident(database)
    give(database, user)
    withdraw(database, user)
    assert apply(database, metro, Application(user, "form-1")) == (0, 0, 1, 0, 0)
    assert live(database, user) == []
    give(database, user)
    assert live(database, user) == [METRO]


def test_a_minors_guardian_is_not_replaced_by_an_institution(database, metro):
    assert apply(database, metro, Application(minor(database, date(2030, 1, 1)), "form-1")) == (0, 0, 0, 1, 0)


def test_sensitive_data_needs_the_evidence_of_each_persons_own_consent(database, metro):
    user = resident(database)
    with pytest.raises(consent.EvidenceMissing) as refused:
        apply(database, metro, Application(user, "form-1"), Application(user))
    assert (refused.value.facts["missing"], refused.value.facts["rows"]) == (1, 2)
    meters = agreed(database, metro.organisation, METER)
    assert apply(database, meters, Application(user)) == (1, 0, 0, 0, 0)
    with database.connect() as connection, pytest.raises(psycopg.Error) as raised:
        connection.execute(
            """INSERT INTO consent (account_id, text_id, agreement_id, source, purpose, covers_from, given_on, channel, given_by)
               SELECT %s, id, %s, source, purpose, %s, %s, 'agency', 't' FROM consent_text WHERE source = %s LIMIT 1""",
            (user, metro.id, TODAY, TODAY, METRO),
        )
    assert raised.value.sqlstate == "CH003"


@pytest.mark.parametrize("evidence", ["signed", "Zhang Wei 7", "form 7", "13800138000", "form-138-0013-8000", "11010519491231002X"])
def test_evidence_is_the_number_of_a_paper_and_nothing_personal(database, metro, evidence: str):
    user = resident(database)
    with pytest.raises(consent.EvidenceInvalid) as refused:
        apply(database, metro, Application(user, evidence), Application(resident(database), "form-2026/7"))
    assert refused.value.facts == {"found": 1, "rows": 2}
    assert evidence not in str(refused.value)


def test_an_agreement_holds_from_its_first_day_until_before_its_last(database, metro):
    year = agreed(database, metro.organisation, until=date(2027, 1, 1))
    user = resident(database)
    for day in (date(2025, 12, 31), date(2027, 1, 1)):
        with pytest.raises(consent.AgreementNotInForce):
            apply(database, year, Application(user, "form-1"), on=day)
    assert apply(database, year, Application(user, "form-1"), on=date(2026, 1, 1)) == (1, 0, 0, 0, 0)
    with pytest.raises(consent.AgreementUnknown), database.begin() as session:
        consent.apply_for_users(session, 10**9, [], on=TODAY, by="t")
    with pytest.raises(consent.ConsentCoversFuture):
        apply(database, year, Application(user, "form-1", TODAY + DAY))


def test_what_rests_on_an_agreement_ends_with_it(database, metro):
    own = agreed(database, metro.organisation)
    user, other = resident(database), resident(database)
    give(database, other)
    apply(database, own, Application(user, "form-1"), Application(other, "form-1"))
    with database.begin() as session:
        assert consent.end_agreement(session, own.id, on=TODAY, by="office").ended_on == TODAY
    assert (live(database, user), live(database, other)) == ([], [METRO])
    with pytest.raises(consent.AgreementNotInForce), database.begin() as session:
        consent.end_agreement(session, own.id, on=TODAY, by="office")
    with pytest.raises(consent.AgreementNotInForce):
        apply(database, own, Application(user, "form-1"))
    # Under another agreement the application may be made anew.
    assert apply(database, metro, Application(user, "form-1")) == (1, 0, 0, 0, 0)
    assert live(database, user) == [METRO]


def test_an_agreement_whose_time_is_over_lets_nothing_be_processed(database, metro):
    past = agreed(database, metro.organisation, from_=date(2020, 1, 1), until=date(2021, 1, 1))
    user = resident(database)
    assert apply(database, past, Application(user, "form-1"), on=date(2020, 6, 1)) == (1, 0, 0, 0, 0)
    assert live(database, user) == []


def test_only_an_approved_organisation_applies(database, metro):
    with pytest.raises(consent.AgreementNeedsOrganisation):
        agreed(database, 10**9)
    with database.connect_as_owner() as owner:
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute("UPDATE organisation SET state = 'suspended'")
    try:
        with pytest.raises(consent.AgreementNeedsOrganisation):
            agreed(database, metro.organisation)
        with pytest.raises(consent.AgreementNeedsOrganisation):
            apply(database, metro, Application(resident(database), "form-1"))
    finally:
        with database.connect_as_owner() as owner:
            owner.execute("SET LOCAL session_replication_role = replica")
            owner.execute("UPDATE organisation SET state = 'approved'")


def test_the_registered_agreement_is_the_one_that_was_signed(database, metro):
    with pytest.raises(consent.AgreementDigestDiffers):
        agreed(database, metro.organisation, digest=bytes(32))
    with pytest.raises(consent.ConsentWordsMissing):
        agreed(database, metro.organisation, by="")
    with database.begin() as session:
        assert consent.agreement(session, metro.id) in consent.agreements(session, metro.organisation)
    with database.connect_as_owner() as owner, pytest.raises(psycopg.Error) as refused:
        owner.execute("UPDATE agreement SET valid_to = '2100-01-01' WHERE id = %s", (metro.id,))
    assert refused.value.sqlstate == "CH001"


def test_outside_the_demonstration_nobody_consents_for_everybody(database):
    with database.connect_as_owner() as owner:
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute("UPDATE deployment SET profile = 'guangzhou'")
    try:
        with pytest.raises(consent.ConsentForDemoOnly), database.begin() as session:
            consent.grant_for_demo(session, source=METRO, scheme="card", on=TODAY)
        person = resident(database)
        with database.connect() as connection, pytest.raises(psycopg.Error) as refused:
            connection.execute(
                """INSERT INTO consent (account_id, text_id, source, purpose, covers_from, given_on, channel, given_by)
                   SELECT %s, id, source, purpose, %s, %s, 'demo', 'demo' FROM consent_text WHERE source = %s LIMIT 1""",
                (person, TODAY, TODAY, METRO),
            )
        assert refused.value.sqlstate == "CH003"
    finally:
        with database.connect_as_owner() as owner:
            owner.execute("SET LOCAL session_replication_role = replica")
            owner.execute("UPDATE deployment SET profile = 'demo'")
    with database.begin() as session:
        assert ledger.run_checks(session, consent.CHECKS) == {"I12": []}
