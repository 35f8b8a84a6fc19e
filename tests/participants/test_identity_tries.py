"""Nobody asks at will whose ID number is registered (PIPL article 51; Article 13)."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from carbonhui import participants, privacy
from carbonhui.core.refusals import Refusal
from tests.participants.people import GROWN_UP, TODAY, Town


def tried(town: Town, person: participants.Person, number: str, *, days: int = 0) -> participants.Person | Refusal:
    def once(session: Session) -> participants.Person | Refusal:
        return participants.try_identity(
            session, person, on=TODAY + timedelta(days),
            attempt=lambda: participants.prove_real_name(
                session, town.vault, person, name="张伟", id_number=number, on=TODAY + timedelta(days)
            ),
        )  # fmt: skip

    return town.run(once)


@pytest.fixture
def taken(town: Town) -> str:
    number = town.id_number()
    holder = town.resident()
    town.run(lambda s: participants.prove_real_name(s, town.vault, holder, name="李娜", id_number=number, on=TODAY))
    return number


def test_five_tries_a_day_are_answered_and_the_sixth_is_not(town: Town, taken: str) -> None:
    asker = town.resident()
    answers = [tried(town, asker, taken) for _ in range(6)]
    assert [type(answer) for answer in answers] == [participants.IdNumberTaken] * 5 + [participants.IdentityTriedTooOften]
    assert isinstance(tried(town, asker, town.id_number(GROWN_UP)), participants.IdentityTriedTooOften)
    proven = tried(town, asker, town.id_number(GROWN_UP), days=1)
    assert isinstance(proven, participants.Person) and proven.level == "real_name"


def test_a_try_that_found_something_leaves_nothing_but_its_count(town: Town, taken: str) -> None:
    asker = town.resident()
    tried(town, asker, taken)
    assert town.now(asker).level == "registered"
    assert town.rows(f"SELECT tries FROM identity_try WHERE person_id = {asker.id}") == [(1,)]
    assert town.rows(f"SELECT count(*) FROM personal_field WHERE subject = {asker.subject} AND field <> 'mobile'") == [(0,)]


def test_what_tells_nothing_of_others_is_refused_as_ever(town: Town) -> None:
    with pytest.raises(privacy.IdNumberInvalid):
        tried(town, town.resident(), "110105194912310021")
