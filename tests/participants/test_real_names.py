"""A real name is proven once; minors have guardians, and their eighteenth birthday frees them (Article 11; PIPL 28, 31)."""

import threading
from datetime import date, timedelta

import pytest

from carbonhui import participants, privacy
from tests.participants.people import GROWN_UP, TODAY, Town, self_reader, sqlstate_of

FOURTEEN, EIGHTEEN = date(2012, 11, 20), date(2008, 11, 20)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("born_on", "years", "day"),
    [
        (date(2008, 11, 20), 18, date(2026, 11, 20)),
        (date(2008, 2, 28), 18, date(2026, 2, 28)),
        (date(2008, 2, 29), 18, date(2026, 3, 1)),
        (date(2008, 2, 29), 20, date(2028, 2, 29)),
        (date(2008, 3, 1), 18, date(2026, 3, 1)),
    ],
)
def test_the_day_on_which_somebody_is_so_old(born_on, years, day):
    assert participants.birthday(born_on, years) == day


def test_a_grown_up_proves_their_name_and_can_read_it_back(town: Town):
    resident = town.proven()
    assert (resident.level, resident.state, resident.guardian_until) == ("real_name", "active", None)
    profile = town.run(lambda s: participants.profile_of(s, town.vault, resident, self_reader(resident)))
    assert profile.keys() == {"mobile", "name", "id_number", "born_on"}
    assert (profile["name"], profile["born_on"]) == ("张伟", GROWN_UP.isoformat())


def prove(town: Town, person: participants.Person, number: str, *, name: str = "张伟", on: date = TODAY):
    return town.run(lambda s: participants.prove_real_name(s, town.vault, person, name=name, id_number=number, on=on))


def test_a_real_name_is_proven_once(town: Town):
    resident = town.proven()
    with pytest.raises(participants.RealNameAlreadyProven):
        prove(town, resident, town.id_number())


def test_one_id_number_is_one_persons(town: Town):
    number = town.id_number(date(1991, 2, 3))
    prove(town, town.resident(), number)
    neighbour = town.resident()
    with pytest.raises(participants.IdNumberTaken) as refused:
        prove(town, neighbour, number.lower())
    assert number not in str(refused.value)
    assert town.now(neighbour).level == "registered"


def test_of_many_who_prove_one_id_number_at_once_one_does(town: Town):
    number, residents = town.id_number(date(1992, 2, 3)), [town.resident() for _ in range(5)]
    outcomes: list[str] = []
    ready = threading.Barrier(len(residents))

    def attempt(resident: participants.Person) -> None:
        ready.wait()
        try:
            prove(town, resident, number)
            outcomes.append("proven")
        except participants.IdNumberTaken:
            outcomes.append("refused")

    threads = [threading.Thread(target=attempt, args=(resident,)) for resident in residents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["proven"] + ["refused"] * 4


@pytest.mark.parametrize("number", ["", "440105199005170010", "44010519900230001X", "４４０１０５１９９００５１７０１１X"])
def test_a_wrong_id_number_is_refused_without_being_repeated(town: Town, number):
    with pytest.raises(privacy.IdNumberInvalid) as refused:
        prove(town, town.resident(), number)
    assert not number or number not in str(refused.value)


@pytest.mark.parametrize("name", ["", "张\u200b伟", "张\x00伟", "张" * 61])
def test_a_name_that_is_not_what_it_looks_like_is_refused(town: Town, name):
    with pytest.raises(privacy.TextRefused):
        prove(town, town.resident(), town.id_number(), name=name)


def test_nobody_was_born_tomorrow(town: Town):
    assert prove(town, town.resident(), town.id_number(TODAY)).state == "restricted"
    with pytest.raises(participants.BornLater):
        prove(town, town.resident(), town.id_number(TODAY + DAY))


@pytest.mark.parametrize(
    ("born_on", "level", "state", "guardian_until"),
    [
        (EIGHTEEN - DAY, "real_name", "active", None),
        (EIGHTEEN, "real_name", "active", None),
        (EIGHTEEN + DAY, "real_name", "restricted", TODAY + DAY),
        (FOURTEEN, "real_name", "restricted", date(2030, 11, 20)),
        (FOURTEEN + DAY, "registered", "restricted", None),
    ],
)
def test_who_proves_to_be_under_eighteen_waits_for_a_guardian(town: Town, born_on, level, state, guardian_until):
    child = town.proven(born_on)
    assert (child.level, child.state, child.guardian_until) == (level, state, guardian_until)


@pytest.mark.parametrize(("on", "state"), [(date(2026, 2, 28), "restricted"), (date(2026, 3, 1), "active")])
def test_who_was_born_on_29_february_is_eighteen_on_1_march(town: Town, on, state):
    assert town.proven(date(2008, 2, 29), on=on).state == state


def test_of_a_child_under_fourteen_nothing_is_kept(town: Town):
    child = town.proven(date(2013, 1, 1), name="张小花")
    assert town.run(lambda s: participants.profile_of(s, town.vault, child, self_reader(child))).keys() == {"mobile"}
    with pytest.raises(participants.PersonRestricted):
        prove(town, child, town.id_number())


def test_a_guardian_registers_a_child_of_any_age_and_acts_for_it(town: Town):
    guardian = town.proven()
    for born_on in (TODAY, FOURTEEN + DAY, EIGHTEEN + DAY):
        ward = town.ward(guardian, born_on)
        assert (ward.level, ward.state, ward.guardian_until) == ("real_name", "active", participants.birthday(born_on, 18))
        assert town.run(lambda s, ward=ward: participants.act_for(s, guardian, str(ward.handle), on=TODAY)) == ward
        assert town.run(lambda s, ward=ward: participants.guardians_of(s, ward, on=TODAY)) == [guardian]
    assert len(town.run(lambda s: participants.wards_of(s, guardian, on=TODAY))) == 3


def test_a_grown_up_is_nobodys_ward(town: Town):
    with pytest.raises(participants.WardGrownUp):
        town.ward(town.proven(), EIGHTEEN)


def test_a_guardian_is_a_proven_adult(town: Town):
    for guardian in (town.resident(), town.proven(EIGHTEEN + DAY), town.ward(town.proven(), EIGHTEEN + DAY)):
        with pytest.raises(participants.GuardianNotAble):
            town.ward(guardian, FOURTEEN)


def test_a_guardian_acts_until_the_day_before_the_eighteenth_birthday(town: Town):
    guardian = town.proven()
    ward = town.ward(guardian, EIGHTEEN + DAY)
    assert town.run(lambda s: participants.act_for(s, guardian, ward.handle, on=TODAY)) == ward
    with pytest.raises(participants.NotGuardian):
        town.run(lambda s: participants.act_for(s, guardian, ward.handle, on=TODAY + DAY))
    assert town.run(lambda s: participants.wards_of(s, guardian, on=TODAY + DAY)) == []
    assert ward.is_free(TODAY + DAY) and not ward.is_minor(TODAY + DAY)


@pytest.mark.parametrize("born_on", [date(2008, 2, 29), date(2012, 2, 29)])
def test_a_ward_born_on_29_february_is_freed_on_1_march(town: Town, born_on):
    guardian = town.proven()
    ward = town.ward(guardian, born_on, on=date(2026, 2, 28))
    last = participants.birthday(born_on, 18) - DAY
    assert town.run(lambda s: participants.act_for(s, guardian, ward.handle, on=last)) == ward
    with pytest.raises(participants.NotGuardian):
        town.run(lambda s: participants.act_for(s, guardian, ward.handle, on=last + DAY))


def test_a_stranger_acts_for_nobody_and_learns_nothing(town: Town):
    stranger, guardian = town.proven(), town.proven()
    ward = town.ward(guardian, FOURTEEN)
    for handle in (ward.handle, guardian.handle, "nobody", stranger.handle):
        with pytest.raises(participants.NotGuardian) as refused:
            town.run(lambda s, handle=handle: participants.act_for(s, stranger, handle, on=TODAY))
        assert str(refused.value) == str(participants.NotGuardian())


def take_over(town: Town, guardian: participants.Person, ward: participants.Person, number: str, on: date = TODAY):
    return town.run(
        lambda s: participants.become_guardian(
            s, town.vault, guardian=guardian, ward=ward, name="张小明", id_number=number, on=on
        )
    )


def test_a_restricted_minor_is_freed_when_a_guardian_takes_over(town: Town):
    child, number, guardian = town.resident(), town.id_number(EIGHTEEN + DAY), town.proven()
    child = prove(town, child, number)
    assert child.state == "restricted"
    with pytest.raises(participants.WardDiffers):
        take_over(town, guardian, child, town.id_number(EIGHTEEN + DAY))
    assert take_over(town, guardian, child, number).state == "active"
    with pytest.raises(participants.AlreadyGuardian):
        take_over(town, guardian, child, number)


def test_a_guardian_gives_the_particulars_of_a_child_under_fourteen(town: Town):
    child = town.proven(FOURTEEN + DAY)
    freed = take_over(town, town.proven(), child, town.id_number(FOURTEEN + DAY))
    assert (freed.level, freed.state, freed.guardian_until) == ("real_name", "active", date(2030, 11, 21))


def test_a_child_cannot_be_made_a_grown_up_by_its_guardian(town: Town):
    child = town.proven(FOURTEEN + DAY)
    with pytest.raises(participants.WardGrownUp):
        take_over(town, town.proven(), child, town.id_number(EIGHTEEN))


def test_a_ward_is_restricted_when_the_last_guardian_leaves(town: Town):
    mother, father, number = town.proven(), town.proven(), town.id_number(FOURTEEN)
    ward = town.run(
        lambda s: participants.register_ward(s, town.vault, guardian=mother, name="张小明", id_number=number, on=TODAY)
    )
    take_over(town, father, ward, number)
    assert town.run(lambda s: participants.end_guardianship(s, mother, ward, on=TODAY)).state == "active"
    assert town.run(lambda s: participants.end_guardianship(s, father, ward, on=TODAY)).state == "restricted"
    with pytest.raises(participants.NotGuardian):
        town.run(lambda s: participants.end_guardianship(s, father, ward, on=TODAY))


def test_two_guardians_who_leave_at_once_leave_no_active_minor(town: Town):
    mother, father, number = town.proven(), town.proven(), town.id_number(FOURTEEN)
    ward = town.run(
        lambda s: participants.register_ward(s, town.vault, guardian=mother, name="张小明", id_number=number, on=TODAY)
    )
    take_over(town, father, ward, number)
    threads = [
        threading.Thread(target=lambda one=one: town.run(lambda s: participants.end_guardianship(s, one, ward, on=TODAY)))
        for one in (mother, father)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert town.now(ward).state == "restricted"


def test_what_the_date_says_is_written_down_later(town: Town):
    guardian = town.proven()
    ward, lone = town.ward(guardian, EIGHTEEN + DAY), town.proven(EIGHTEEN + DAY)
    assert lone.is_free(TODAY + DAY) and not lone.is_free(TODAY)
    town.run(lambda s: participants.free_grown_up(s, on=TODAY))
    assert town.now(lone).state == "restricted"
    while town.run(lambda s: participants.free_grown_up(s, on=TODAY + DAY, most=1)):
        pass
    for freed in (town.now(ward), town.now(lone)):
        assert (freed.state, freed.guardian_until) == ("active", None)
    assert town.run(lambda s: participants.wards_of(s, guardian, on=TODAY)) == []


def test_the_store_itself_keeps_minors_and_guardians_apart(town: Town):
    guardian = town.proven()
    ward, lone, young = town.ward(guardian, FOURTEEN), town.proven(FOURTEEN), town.resident()
    for statement, sqlstate in (
        (f"UPDATE person SET state = 'active' WHERE id = {lone.id}", "CH003"),
        (f"UPDATE guardianship SET until = '2026-12-01' WHERE ward_id = {ward.id}", "CH003"),
        (f"UPDATE guardianship SET guardian_id = {lone.id} WHERE ward_id = {ward.id}", "CH001"),
        (f"DELETE FROM guardianship WHERE ward_id = {ward.id}", "CH001"),
        ("TRUNCATE guardianship", "CH001"),
        (f"UPDATE person SET level = 'registered' WHERE id = {guardian.id}", "CH001"),
        (f"UPDATE person SET guardian_until = '2040-01-01' WHERE id = {ward.id}", "CH001"),
        (f"UPDATE person SET guardian_until = '2040-01-01' WHERE id = {guardian.id}", "CH001"),
        (tie(ward, guardian), "23505"),
        (tie(ward, young), "CH003"),
        (tie(ward, lone), "CH003"),
        (tie(guardian, ward), "CH003"),
        (tie(ward, ward), "CH003"),
    ):
        assert sqlstate_of(town.database, statement) == sqlstate, statement


def tie(ward: participants.Person, guardian: participants.Person) -> str:
    return f"INSERT INTO guardianship (ward_id, guardian_id, since) VALUES ({ward.id}, {guardian.id}, '2026-11-20')"
