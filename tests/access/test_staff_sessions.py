"""Staff sign in with two factors, and their sessions end by idleness, by age and by hand (GB/T 22239, 8.1.4.1)."""

from datetime import timedelta
from typing import Any

import psycopg
import pyotp
import pytest

from carbonhui import access, participants
from tests.access.conftest import PASSWORD, City, refusal_of


def sign_in(city: City, clerk: participants.Added, *, password: str = PASSWORD, totp: str | None = None, login: str | None = None) -> Any:
    code = pyotp.TOTP(clerk.secret).at(city.clock.now()) if totp is None else totp
    return city.do(lambda s: access.staff_sign_in(
        s, city.vault, login=login or clerk.staff.login, password=password, totp=code, clock=city.clock
    ))  # fmt: skip


def answer(city: City, token: str) -> str:
    return refusal_of(lambda: city.caller(token))


def test_staff_are_who_they_are_with_the_roles_they_have_now(city: City) -> None:
    clerk = city.hire("registrar", "support")
    session = sign_in(city, clerk)
    caller = city.caller(session.token)
    assert caller.kind == "staff" and caller.roles == {"staff:registrar", "staff:support"}
    assert caller.scope == f"staff:{clerk.staff.id}" and caller.staff_id == clerk.staff.id
    assert session.expires_at == city.clock.now() + timedelta(hours=12)
    city.do(lambda s: participants.change_roles(s, staff=clerk.staff, roles=["auditor"]))
    assert city.caller(session.token).roles == {"staff:auditor"}


def test_both_factors_are_right_or_nothing_is_told(city: City) -> None:
    clerk = city.hire("auditor")
    right = pyotp.TOTP(clerk.secret).at(city.clock.now())
    wrong = f"{(int(right) + 1) % 10**6:06}"
    refused = [
        sign_in(city, clerk, password="wrong horse battery"),
        sign_in(city, clerk, totp=wrong),
        sign_in(city, clerk, totp=""),
        sign_in(city, clerk, login="nobody"),
    ]
    assert {(type(each), each.text("en")) for each in refused} == {(participants.StaffNotAccepted, refused[0].text("en"))}
    assert refusal_of(lambda: sign_in(city, clerk)) == "done"


def test_a_second_factor_counts_once(city: City) -> None:
    clerk = city.hire("auditor")
    assert refusal_of(lambda: sign_in(city, clerk)) == "done"
    assert refusal_of(lambda: sign_in(city, clerk)) == "staff_not_accepted"
    city.later(seconds=30)
    assert refusal_of(lambda: sign_in(city, clerk)) == "done"


def test_failures_are_counted_although_they_are_refused(city: City) -> None:
    clerk = city.hire("auditor")
    for _ in range(5):
        assert refusal_of(lambda: sign_in(city, clerk, password="wrong horse battery")) == "staff_not_accepted"
    assert refusal_of(lambda: sign_in(city, clerk)) == "staff_not_accepted"
    city.later(minutes=16)
    assert refusal_of(lambda: sign_in(city, clerk)) == "done"


@pytest.mark.parametrize(("idle", "expected"), [(29.99, "done"), (30, "not_signed_in"), (31, "not_signed_in")])
def test_a_session_ends_by_half_an_hour_of_idleness(city: City, idle: float, expected: str) -> None:
    session = sign_in(city, city.hire("auditor"))
    city.later(minutes=29)
    assert answer(city, session.token) == "done"
    city.later(minutes=idle)
    assert answer(city, session.token) == expected


def test_a_session_ends_after_twelve_hours_however_busy(city: City) -> None:
    session = sign_in(city, city.hire("auditor"))
    for _ in range(36):
        assert answer(city, session.token) == "done"
        city.later(minutes=20)
    assert answer(city, session.token) == "not_signed_in"


def test_a_process_that_remembers_the_session_forgets_it_at_its_end(city: City) -> None:
    session, gate = sign_in(city, city.hire("auditor")), city.gate()
    headers = {"Authorization": f"Bearer {session.token}"}
    for _ in range(25):
        gate.caller(headers, "GET", "/")
        city.later(minutes=28)
    assert gate.caller(headers, "GET", "/").kind == "staff"
    city.later(minutes=19, seconds=58)
    assert gate.caller(headers, "GET", "/").kind == "staff"
    city.later(seconds=2)
    assert refusal_of(lambda: gate.caller(headers, "GET", "/")) == "not_signed_in"


def test_signing_out_ends_the_session_everywhere_within_five_seconds(city: City) -> None:
    session, gate = sign_in(city, city.hire("auditor")), city.gate()
    headers = {"Authorization": f"Bearer {session.token}"}
    assert gate.caller(headers, "GET", "/").kind == "staff"
    city.do(lambda s: access.staff_sign_out(s, session.token, clock=city.clock))
    assert answer(city, session.token) == "not_signed_in"
    city.later(seconds=5)
    assert refusal_of(lambda: gate.caller(headers, "GET", "/")) == "not_signed_in"
    city.do(lambda s: access.staff_sign_out(s, session.token, clock=city.clock))


def test_signing_out_everywhere_ends_every_session_of_this_one(city: City) -> None:
    clerk, other = city.hire("auditor"), sign_in(city, city.hire("auditor"))
    sessions = [sign_in(city, clerk)]
    city.later(seconds=30)
    sessions.append(sign_in(city, clerk))
    assert city.do(lambda s: access.staff_sign_out_everywhere(s, clerk.staff.id, clock=city.clock)) == 2
    assert [answer(city, each.token) for each in [*sessions, other]] == ["not_signed_in", "not_signed_in", "done"]


def test_whoever_left_is_nobody(city: City) -> None:
    clerk = city.hire("auditor")
    session = sign_in(city, clerk)
    city.do(lambda s: participants.dismiss_staff(s, staff=clerk.staff))
    assert answer(city, session.token) == "not_signed_in"


def test_a_session_shows_no_token_and_the_store_keeps_none(city: City) -> None:
    session = sign_in(city, city.hire("auditor"))
    assert session.token not in repr(session)
    with city.database.connect() as connection:
        kept = str(connection.execute("SELECT staff_session::text FROM staff_session").fetchall())
    assert session.token not in kept and session.token.encode().hex() not in kept


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE staff_session SET ended_at = NULL WHERE ended_at IS NOT NULL",
        "UPDATE staff_session SET expires_at = expires_at + interval '1 day'",
        "UPDATE staff_session SET seen_at = seen_at - interval '1 second'",
        "UPDATE staff_session SET staff_id = (SELECT min(id) FROM staff)",
    ],
)
def test_the_store_lets_no_session_come_back(city: City, statement: str) -> None:
    ended, live = sign_in(city, city.hire("auditor")), sign_in(city, city.hire("auditor"))
    city.do(lambda s: access.staff_sign_out(s, ended.token, clock=city.clock))
    city.later(minutes=1)
    assert answer(city, live.token) == "done"
    with city.database.connect_as_owner() as connection, pytest.raises(psycopg.Error):
        connection.execute(statement)
