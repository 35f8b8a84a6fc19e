"""Staff sign in with a password and a second factor; five failures close a login (GB/T 22239, 8.1.4.1; RFC 6238, 9106)."""

import threading
from datetime import datetime, timedelta

import pyotp
import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from carbonhui import participants, privacy
from carbonhui.participants import staff as room
from tests.participants.people import NOON, PASSWORD, Town, sqlstate_of, totp

WRONG = "incorrect horse battery"
STEP = timedelta(seconds=30)


def password(town: Town, login: str, given: str = PASSWORD, now: datetime = NOON) -> bool:
    return town.run(lambda s: participants.check_password(s, login=login, password=given, now=now)).staff is not None


def second(town: Town, staff: participants.Staff, code: str, now: datetime = NOON) -> bool:
    return town.run(lambda s: participants.check_totp(s, town.vault, staff=staff, code=code, now=now)).staff is not None


def test_the_product_hashes_with_argon2id_as_rfc_9106_recommends():
    # The tests' own hasher is a cheap one; what is looked at is what the product is built with.
    hasher = PasswordHasher(time_cost=room.PASSES, memory_cost=room.MEMORY_KIB, parallelism=room.LANES)
    found = extract_parameters(hasher.hash("x"))
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 65_536, 3, 4)


def test_a_login_opens_with_password_and_code(town: Town):
    hired = town.hired("operator", "auditor")
    checked = town.run(lambda s: participants.check_password(s, login=hired.staff.login, password=PASSWORD, now=NOON))
    assert checked.staff == hired.staff and checked.refusal is None
    assert checked.staff.roles == {"operator", "auditor"}
    assert second(town, hired.staff, totp(hired.secret))
    assert pyotp.parse_uri(hired.uri).secret == hired.secret


def test_neither_password_nor_secret_stands_in_the_store(town: Town):
    hired = town.hired("operator")
    [(row,)] = town.rows(f"SELECT staff::text || encode(totp_secret, 'escape') FROM staff WHERE id = {hired.staff.id}")
    assert "$argon2id$" in str(row)
    assert PASSWORD not in str(row) and hired.secret not in str(row)


@pytest.mark.parametrize("login", ["nobody-at-all", "", "\x00", "Robert'); DROP TABLE staff;--", "\ud800", "x" * 10_000])
def test_an_unknown_login_is_not_accepted_in_the_same_words(town: Town, login):
    checked = town.run(lambda s: participants.check_password(s, login=login, password=PASSWORD, now=NOON))
    assert checked.staff is None
    hired = town.hired("operator")
    known = town.run(lambda s: participants.check_password(s, login=hired.staff.login, password=WRONG, now=NOON))
    assert str(checked.refusal) == str(known.refusal)


def test_an_unknown_a_closed_and_a_known_login_cost_one_verification_each(town: Town, monkeypatch):
    hired, gone, closed = town.hired("operator").staff, town.hired("operator").staff, town.hired("operator").staff
    town.run(lambda s: participants.dismiss_staff(s, staff=gone))
    for _ in range(participants.TRIES):
        password(town, closed.login, WRONG)
    counted: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            counted.append(str(hash).split("$")[3])
            return super().verify(hash, password)

    monkeypatch.setattr(room, "HASHER", Counting(time_cost=1, memory_cost=8, parallelism=1))
    for login in (hired.login, gone.login, closed.login, "nobody"):
        password(town, login, WRONG)
    assert counted == ["m=8,t=1,p=1"] * 4


@pytest.mark.parametrize("given", [WRONG, "", PASSWORD + " ", PASSWORD[:-1], PASSWORD.upper(), "x" * 10**6, "\ud800", "\x00"])
def test_a_wrong_password_is_not_accepted(town: Town, given):
    assert not password(town, town.hired("operator").staff.login, given)


def test_the_same_characters_from_another_keyboard_are_the_same_password(town: Town):
    login = "composed"
    town.run(lambda s: participants.add_staff(s, town.vault, login=login, password="é" * 12, roles=["operator"]))
    assert password(town, login, "e\u0301" * 12)


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ({"login": "Zhang"}, participants.StaffLoginInvalid),
        ({"login": "ab"}, participants.StaffLoginInvalid),
        ({"login": "a" * 41}, participants.StaffLoginInvalid),
        ({"login": "zhang\n"}, participants.StaffLoginInvalid),
        ({"password": "x" * 11}, participants.PasswordUnfit),
        ({"password": "x" * 129}, participants.PasswordUnfit),
        ({"login": "same-as-login", "password": "same-as-login"}, participants.PasswordUnfit),
        ({"roles": []}, participants.StaffRolesInvalid),
        ({"roles": ["operator", "root"]}, participants.StaffRolesInvalid),
    ],
)
def test_staff_with_wrong_words_are_not_added(town: Town, words, refusal):
    given = {"login": "unwelcome", "password": PASSWORD, "roles": ["operator"]} | words
    with pytest.raises(refusal):
        town.run(lambda s: participants.add_staff(s, town.vault, **given))


def test_one_login_is_given_once_for_ever(town: Town):
    gone = town.staff("operator")
    town.run(lambda s: participants.dismiss_staff(s, staff=gone))
    with pytest.raises(participants.StaffLoginTaken):
        town.run(lambda s: participants.add_staff(s, town.vault, login=gone.login, password=PASSWORD, roles=["auditor"]))
    assert not password(town, gone.login)


# The second factor --------------------------------------------------------------------------------


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_one_step_early_or_late(town: Town, steps, accepted):
    hired = town.hired("operator")
    assert second(town, hired.staff, totp(hired.secret, NOON + steps * STEP)) is accepted


def test_a_code_is_accepted_once_and_no_earlier_one_after_it(town: Town):
    hired = town.hired("operator")
    assert second(town, hired.staff, totp(hired.secret))
    assert not second(town, hired.staff, totp(hired.secret))
    assert not second(town, hired.staff, totp(hired.secret, NOON - STEP))
    assert second(town, hired.staff, totp(hired.secret, NOON + STEP))


def test_of_many_who_enter_one_code_at_once_one_is_accepted(town: Town):
    hired = town.hired("operator")
    outcomes: list[bool] = []
    ready = threading.Barrier(4)

    def attempt() -> None:
        ready.wait()
        outcomes.append(second(town, hired.staff, totp(hired.secret)))

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, False, True]


@pytest.mark.parametrize("code", ["", "000000", "１２３４５６", "\ud800", "x" * 10**6])
def test_a_wrong_code_is_not_accepted(town: Town, code):
    hired = town.hired("operator")
    assert totp(hired.secret) != code
    assert not second(town, hired.staff, code)


def test_the_secret_of_one_is_nobody_elses(town: Town):
    hired, other = town.hired("operator"), town.hired("operator")
    assert not second(town, other.staff, totp(hired.secret))
    with pytest.raises(privacy.SealBroken):
        town.vault.unwrap("another-purpose", town.vault.wrap("staff-totp", b"secret"))


def test_a_lost_second_factor_is_renewed_and_the_old_one_no_longer_counts(town: Town):
    hired = town.hired("operator")
    assert second(town, hired.staff, totp(hired.secret))
    renewed = town.run(lambda s: participants.renew_totp(s, town.vault, staff=hired.staff))
    assert not second(town, hired.staff, totp(hired.secret, NOON + STEP))
    assert second(town, hired.staff, totp(renewed.secret))


# Failures -----------------------------------------------------------------------------------------


def test_four_failures_close_nothing_and_the_fifth_closes_for_a_quarter_of_an_hour(town: Town):
    hired = town.hired("operator")
    login = hired.staff.login
    for _ in range(4):
        assert not password(town, login, WRONG)
    assert password(town, login)
    assert not password(town, login, WRONG)
    soon, later = NOON + timedelta(minutes=15, seconds=-1), NOON + timedelta(minutes=15)
    assert not password(town, login, now=soon)
    assert not second(town, hired.staff, totp(hired.secret, soon), soon)
    assert password(town, login, now=later)


def test_each_further_five_close_twice_as_long_up_to_a_day(town: Town):
    login, now = town.hired("operator").staff.login, NOON
    for minutes in (15, 30, 60, 120, 240, 480, 960, 1440, 1440):
        for _ in range(5):
            password(town, login, WRONG, now)
        assert not password(town, login, now=now + timedelta(minutes=minutes, seconds=-1))
        now += timedelta(minutes=minutes)
        assert password(town, login, now=now)


def test_tries_while_it_is_closed_do_not_close_it_longer(town: Town):
    login = town.hired("operator").staff.login
    for _ in range(50):
        password(town, login, WRONG)
    assert password(town, login, now=NOON + timedelta(minutes=15))


def test_a_right_password_forgets_no_failures_and_a_right_code_does(town: Town):
    hired = town.hired("operator")
    login = hired.staff.login
    for _ in range(4):
        password(town, login, WRONG)
    assert password(town, login)
    assert second(town, hired.staff, totp(hired.secret))
    for _ in range(4):
        password(town, login, WRONG)
    assert password(town, login)


def test_wrong_codes_are_failures_too(town: Town):
    hired = town.hired("operator")
    for _ in range(5):
        second(town, hired.staff, "000000")
    assert not password(town, hired.staff.login)
    town.run(lambda s: participants.unlock_staff(s, staff=hired.staff))
    assert password(town, hired.staff.login)


def test_of_many_guesses_at_once_each_is_counted(town: Town):
    login = town.hired("operator").staff.login
    ready = threading.Barrier(8)

    def guess() -> None:
        ready.wait()
        password(town, login, WRONG)

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not password(town, login)
    assert town.rows(f"SELECT failed FROM staff WHERE login = '{login}'") == [(5,)]


# Afterwards ---------------------------------------------------------------------------------------


def test_a_password_is_changed_and_hashed_anew_when_the_parameters_grow(town: Town, monkeypatch):
    hired = town.hired("operator")
    town.run(lambda s: participants.change_password(s, staff=hired.staff, password="a whole new sentence"))
    assert not password(town, hired.staff.login)
    monkeypatch.setattr(room, "HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert password(town, hired.staff.login, "a whole new sentence")
    [(hashed,)] = town.rows(f"SELECT password FROM staff WHERE id = {hired.staff.id}")
    assert extract_parameters(str(hashed)).time_cost == 2


def test_roles_are_those_of_now(town: Town):
    found = town.staff("operator")
    town.run(lambda s: participants.require_role(s, found, "operator"))
    town.run(lambda s: participants.change_roles(s, staff=found, roles=["support"]))
    with pytest.raises(participants.RoleMissing):
        town.run(lambda s: participants.require_role(s, found, "operator"))
    assert town.run(lambda s: participants.staff_member(s, found.login)).roles == {"support"}
    assert found.login in [one.login for one in town.run(participants.staff_members)]


@pytest.mark.parametrize("who", ["nobody", 10**9])
def test_there_is_no_staff_that_was_not_added(town: Town, who):
    with pytest.raises(participants.StaffUnknown):
        town.run(lambda s: participants.staff_member(s, who))


def test_the_store_itself_keeps_staff(town: Town):
    hired, gone = town.hired("operator"), town.staff("operator")
    second(town, hired.staff, totp(hired.secret))
    town.run(lambda s: participants.dismiss_staff(s, staff=gone))
    for statement, sqlstate in (
        (f"UPDATE staff SET totp_step = totp_step - 1 WHERE id = {hired.staff.id}", "CH001"),
        (f"UPDATE staff SET state = 'active' WHERE id = {gone.id}", "CH001"),
        (f"UPDATE staff SET login = 'another' WHERE id = {hired.staff.id}", "CH001"),
        (f"UPDATE staff SET roles = '{{root}}' WHERE id = {hired.staff.id}", "23514"),
        (f"UPDATE staff SET roles = '{{}}' WHERE id = {hired.staff.id}", "23514"),
        (f"UPDATE staff SET password = 'plain' WHERE id = {hired.staff.id}", "23514"),
        (f"DELETE FROM staff WHERE id = {hired.staff.id}", "CH001"),
    ):
        assert sqlstate_of(town.database, statement) == sqlstate, statement
