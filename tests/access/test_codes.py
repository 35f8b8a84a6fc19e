"""A mobile number is proven by six digits, within five minutes and five tries (Article 11)."""

import json
from datetime import timedelta

import psycopg
import pytest

from carbonhui import access
from carbonhui.access import codes
from tests.access.conftest import City, at_once, refusal_of


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_the_right_code_proves_the_number_once(city: City) -> None:
    mobile = city.new_mobile()
    pending = city.ask(mobile)
    assert len(pending.code) == 6 and pending.code.isdigit()
    assert city.check(pending.challenge, pending.code) == mobile
    assert refusal_of(lambda: city.check(pending.challenge, pending.code)) == "code_wrong"


def test_a_number_is_one_number_with_and_without_its_country(city: City) -> None:
    mobile = city.new_mobile()
    pending = city.ask(mobile.removeprefix("+86"))
    assert pending.mobile == mobile
    assert refusal_of(lambda: city.ask(mobile)) == "code_asked_too_often"


@pytest.mark.parametrize("seconds", [0, 299, 299.999])
def test_a_code_lasts_five_minutes(city: City, seconds: float) -> None:
    pending = city.ask(city.new_mobile())
    city.later(seconds=seconds)
    assert refusal_of(lambda: city.check(pending.challenge, pending.code)) == "done"


@pytest.mark.parametrize("seconds", [300, 300.001, 86_400])
def test_and_not_a_moment_longer(city: City, seconds: float) -> None:
    pending = city.ask(city.new_mobile())
    city.later(seconds=seconds)
    assert refusal_of(lambda: city.check(pending.challenge, pending.code)) == "code_wrong"


def test_the_fifth_try_may_be_right(city: City) -> None:
    pending = city.ask(city.new_mobile())
    for _ in range(4):
        assert refusal_of(lambda: city.check(pending.challenge, other_than(pending.code))) == "code_wrong"
    assert refusal_of(lambda: city.check(pending.challenge, pending.code)) == "done"


def test_after_five_wrong_tries_the_right_code_is_wrong_too(city: City) -> None:
    pending = city.ask(city.new_mobile())
    for _ in range(5):
        city.check(pending.challenge, other_than(pending.code))
    assert refusal_of(lambda: city.check(pending.challenge, pending.code)) == "code_wrong"


def test_of_twenty_guesses_at_once_five_are_compared(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    pending, compared = city.ask(city.new_mobile()), []

    def counted(left: bytes, right: bytes) -> bool:
        compared.append(right)
        return left == right

    monkeypatch.setattr(codes.hmac, "compare_digest", counted)
    wrong = other_than(pending.code)
    answers = at_once([lambda: refusal_of(lambda: city.check(pending.challenge, wrong))] * 20)
    assert answers == ["code_wrong"] * 20
    assert len(compared) == 5
    assert refusal_of(lambda: city.check(pending.challenge, pending.code)) == "code_wrong"


def test_of_eight_at_once_with_the_right_code_one_is_believed(city: City) -> None:
    pending = city.ask(city.new_mobile())
    answers = at_once([lambda: refusal_of(lambda: city.check(pending.challenge, pending.code))] * 8)
    assert sorted(answers) == ["code_wrong"] * 7 + ["done"]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "１２３４５６", "12345a", "-12345", " 12345", "12345\n", "0x1234", "٣" * 6, "\ud800" * 6, "1" * 10**6])
def test_what_is_no_code_is_a_wrong_try(city: City, code: str) -> None:
    pending = city.ask(city.new_mobile())
    for _ in range(5):
        assert refusal_of(lambda: city.check(pending.challenge, code)) == "code_wrong"
    assert refusal_of(lambda: city.check(pending.challenge, pending.code)) == "code_wrong"


def test_a_code_proves_what_it_was_asked_for_and_nothing_else(city: City) -> None:
    pending = city.ask(city.new_mobile(), "change_mobile")
    assert refusal_of(lambda: city.check(pending.challenge, pending.code, "sign_in")) == "code_wrong"
    assert refusal_of(lambda: city.check(pending.challenge, pending.code, "guardian")) == "code_wrong"
    assert refusal_of(lambda: city.check(pending.challenge, pending.code, "change_mobile")) == "done"


def test_a_code_belongs_to_its_challenge(city: City) -> None:
    mine, yours = city.ask(city.new_mobile()), city.ask(city.new_mobile())
    if mine.code != yours.code:
        assert refusal_of(lambda: city.check(yours.challenge, mine.code)) == "code_wrong"
    assert city.check(mine.challenge, mine.code) == mine.mobile


@pytest.mark.parametrize("challenge", ["", "A", "....", "../../etc/passwd", "é" * 30, "A" * 100, "A" * 100_000, "\x00", "\ud800"])
def test_a_challenge_that_nobody_gave_out_is_refused_like_a_wrong_code(city: City, challenge: str) -> None:
    assert refusal_of(lambda: city.check(challenge, "123456")) == "code_wrong"


def test_a_challenge_that_was_changed_opens_nothing(city: City) -> None:
    pending = city.ask(city.new_mobile())
    for at in range(0, len(pending.challenge) - 1, 5):
        letter = "B" if pending.challenge[at] == "A" else "A"
        changed = pending.challenge[:at] + letter + pending.challenge[at + 1 :]
        assert refusal_of(lambda changed=changed: city.check(changed, pending.code)) == "code_wrong"
    assert city.check(pending.challenge, pending.code) == pending.mobile


# How often -----------------------------------------------------------------------------------------


def test_one_number_is_sent_one_code_a_minute(city: City) -> None:
    mobile = city.new_mobile()
    city.ask(mobile)
    city.later(seconds=59.5)
    with pytest.raises(access.CodeAskedTooOften) as refused:
        city.ask(mobile)
    assert refused.value.facts == {"seconds": 1}
    city.later(seconds=0.5)
    city.ask(mobile)


def test_one_number_is_sent_five_codes_an_hour_and_ten_a_day(city: City) -> None:
    mobile, began = city.new_mobile(), city.clock.instant
    for _ in range(5):
        city.ask(mobile)
        city.later(minutes=1)
    assert refusal_of(lambda: city.ask(mobile)) == "code_asked_too_often"
    city.clock.instant = began + timedelta(minutes=59, seconds=59)
    assert refusal_of(lambda: city.ask(mobile)) == "code_asked_too_often"
    city.clock.instant = began + timedelta(hours=1)
    for _ in range(5):
        city.ask(mobile)
        city.later(minutes=15)
    city.clock.instant = began + timedelta(hours=23, minutes=59)
    assert refusal_of(lambda: city.ask(mobile)) == "code_asked_too_often"
    city.clock.instant = began + timedelta(hours=24)
    city.ask(mobile)


def test_of_many_askers_for_one_number_at_once_one_is_served(city: City) -> None:
    mobile = city.new_mobile()
    answers = at_once([lambda: refusal_of(lambda: city.ask(mobile))] * 8)
    assert sorted(answers) == ["code_asked_too_often"] * 7 + ["done"]


def test_all_numbers_together_are_sent_so_many_a_minute(city: City) -> None:
    def ask() -> str:
        return refusal_of(lambda: city.do(lambda s: access.issue_code(
            s, city.vault, mobile=city.new_mobile(), purpose="sign_in", clock=city.clock,
            pace_of_all=(timedelta(minutes=1), 3),
        )))  # fmt: skip

    assert sorted(at_once([ask] * 6)) == ["code_asked_too_often"] * 3 + ["done"] * 3
    city.later(seconds=60)
    assert ask() == "done"


# Nothing is told ------------------------------------------------------------------------------------


def test_a_known_number_and_an_unknown_one_are_answered_alike(city: City) -> None:
    known, unknown = city.new_mobile(), city.new_mobile()
    city.sign_in(known)
    city.later(hours=2)
    pendings = [city.ask(known), city.ask(unknown)]
    assert len({len(pending.challenge) for pending in pendings}) == 1
    refused = [refusal_of(lambda number=number: city.ask(number)) for number in (known, unknown)]
    assert refused == ["code_asked_too_often"] * 2
    wrong = [refusal_of(lambda p=p: city.check(p.challenge, other_than(p.code))) for p in pendings]
    assert wrong == ["code_wrong"] * 2


def test_asking_for_a_code_looks_nobody_up(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is looked up, time tells nothing."""

    def looked_up(*words: object, **more: object) -> None:
        raise AssertionError("somebody was looked up")

    mobile = city.new_mobile()
    city.sign_in(mobile)
    city.later(hours=2)
    for name in ("person_by_mobile", "register_person", "person", "person_by_handle"):
        monkeypatch.setattr(f"carbonhui.participants.{name}", looked_up)
    pending = city.ask(mobile)
    city.check(pending.challenge, other_than(pending.code))


def test_neither_code_nor_number_lies_in_the_store(city: City) -> None:
    pending = city.ask(city.new_mobile())
    with city.database.begin() as session:
        rows = session.connection().exec_driver_sql("SELECT one_time_code::text FROM one_time_code").scalars().all()
    kept = "\n".join(rows)
    for secret in (pending.mobile, pending.mobile[3:], pending.challenge):
        assert secret not in kept and secret.encode().hex() not in kept
    assert pending.code.encode().hex() not in kept
    assert f" {pending.code}" not in kept and f",{pending.code}," not in kept


def test_what_is_pending_shows_nothing_when_it_is_printed(city: City) -> None:
    pending = city.ask(city.new_mobile())
    shown = f"{pending!r} {pending!s}"
    assert not any(secret in shown for secret in (pending.mobile, pending.code, pending.challenge))
    refused = city.check(pending.challenge, other_than(pending.code))
    assert isinstance(refused, access.CodeWrong)
    assert pending.mobile not in json.dumps([refused.text("en"), refused.text("zh"), repr(refused.facts)])


# The store itself -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE one_time_code SET tries = 6 WHERE used_at IS NULL AND tries = 2",
        "UPDATE one_time_code SET tries = 0 WHERE used_at IS NULL AND tries = 2",
        "UPDATE one_time_code SET tries = tries + 2 WHERE used_at IS NULL AND tries = 2",
        "UPDATE one_time_code SET used_at = NULL WHERE used_at IS NOT NULL",
        "UPDATE one_time_code SET expires_at = expires_at + interval '1 day' WHERE used_at IS NULL AND tries = 2",
        "UPDATE one_time_code SET digest = mobile WHERE used_at IS NULL AND tries = 2",
        "UPDATE one_time_code SET used_at = expires_at WHERE used_at IS NULL AND tries = 2",
    ],
)
def test_the_store_lets_no_code_be_renewed(city: City, statement: str) -> None:
    used, tried = city.ask(city.new_mobile()), city.ask(city.new_mobile())
    city.check(used.challenge, used.code)
    for _ in range(2):
        city.check(tried.challenge, other_than(tried.code))
    with city.database.connect_as_owner() as connection, pytest.raises(psycopg.Error):
        connection.execute(statement)
