"""A person signs in by a code, sees the devices they are signed in on, and signs each of them out (Articles 11, 13)."""

import logging
from datetime import date
from uuid import uuid4

import psycopg
import pytest

from carbonhui import access, participants, privacy
from tests.access.conftest import ISSUER, City, at_once, refusal_of


def set_state(city: City, person: participants.Person, state: str) -> None:
    """As the room of participants would: a minor who proved their name and has no guardian is restricted."""
    with city.database.connect() as connection:
        connection.execute(
            "UPDATE person SET state = %s, level = 'real_name', guardian_until = '2040-01-01' WHERE id = %s", (state, person.id)
        )


def erase(city: City, person: participants.Person) -> None:
    with city.database.connect_as_owner() as connection:
        connection.execute("UPDATE account SET closed_at = clock_timestamp() WHERE id = %s", (person.account_id,))
        connection.execute("UPDATE person SET state = 'erased', erased_at = clock_timestamp() WHERE id = %s", (person.id,))
    city.do(lambda s: privacy.erase(s, person.subject))


def test_whoever_is_new_becomes_a_person_and_whoever_is_known_is_the_same(city: City) -> None:
    mobile = city.new_mobile()
    first = city.sign_in(mobile)
    city.later(hours=1)
    second = city.sign_in(mobile)
    assert (first.new, second.new) == (True, False)
    assert first.person == second.person and first.device != second.device
    assert first.expires_in == 600
    assert city.caller(second.access_token).person == first.person


def test_a_wrong_code_signs_nobody_in_and_registers_nobody(city: City) -> None:
    pending = city.ask(city.new_mobile())
    wrong = access.PendingCode(pending.mobile, f"{(int(pending.code) + 1) % 10**6:06}", pending.challenge)
    assert refusal_of(lambda: city.enter(wrong)) == "code_wrong"
    assert city.do(lambda s: participants.person_by_mobile(s, city.vault, pending.mobile)) is None
    assert refusal_of(lambda: city.enter(pending)) == "done"


def test_two_codes_of_one_new_number_at_once_make_one_person(city: City) -> None:
    mobile = city.new_mobile()
    pendings = [city.ask(mobile)]
    city.later(minutes=1)
    pendings.append(city.ask(mobile))
    both = at_once([lambda pending=pending: city.enter(pending) for pending in pendings])
    assert both[0].person == both[1].person
    assert sorted(signed_in.new for signed_in in both) == [False, True]
    assert len(city.devices(both[0].person)) == 2


@pytest.mark.parametrize("label", ["", "x" * 61, "phone\x00", "pho\u202ene", "pho\u200bne"])
def test_a_device_has_a_name_that_can_be_read(city: City, label: str) -> None:
    pending = city.ask(city.new_mobile())
    assert refusal_of(lambda: city.enter(pending, label)) == "text_refused"
    assert refusal_of(lambda: city.enter(pending, "李的手机")) == "done"


# Refreshing -----------------------------------------------------------------------------------------


def test_a_refresh_token_gives_the_next_one(city: City) -> None:
    signed_in = city.sign_in()
    city.later(days=59)
    renewed = city.refresh(signed_in.refresh_token)
    assert renewed.device == signed_in.device and renewed.refresh_token != signed_in.refresh_token
    assert city.caller(renewed.access_token).person == signed_in.person
    city.later(days=59)
    assert city.refresh(renewed.refresh_token).person == signed_in.person


@pytest.mark.parametrize(("days", "expected"), [(59.999, "done"), (60, "refresh_refused"), (61, "refresh_refused")])
def test_it_holds_for_sixty_days(city: City, days: float, expected: str) -> None:
    token = city.sign_in().refresh_token
    city.later(days=days)
    assert refusal_of(lambda: city.refresh(token)) == expected


@pytest.mark.parametrize("token", ["", "chrt_", "chrt_" + "A" * 43, "é", "\ud800", "\x00", "x" * 100_000])
def test_a_refresh_token_that_nobody_gave_out_is_refused(city: City, token: str) -> None:
    assert refusal_of(lambda: city.refresh(token)) == "refresh_refused"


def test_a_refresh_token_that_comes_twice_signs_its_device_out(city: City) -> None:
    signed_in = city.sign_in()
    renewed = city.refresh(signed_in.refresh_token)
    gate = city.gate()
    headers = {"Authorization": f"Bearer {renewed.access_token}"}
    assert gate.caller(headers, "GET", "/").kind == "person"
    assert refusal_of(lambda: city.refresh(signed_in.refresh_token)) == "refresh_refused"
    assert refusal_of(lambda: city.refresh(renewed.refresh_token)) == "refresh_refused"
    city.later(seconds=5)
    assert refusal_of(lambda: gate.caller(headers, "GET", "/")) == "not_signed_in"
    assert city.devices(signed_in.person) == []


def test_it_is_found_out_however_late_within_its_sixty_days(city: City) -> None:
    first = city.sign_in()
    newest = first
    for _ in range(3):
        city.later(days=10)
        newest = city.refresh(newest.refresh_token)
    city.do(lambda s: access.purge(s, city.clock))
    assert refusal_of(lambda: city.refresh(first.refresh_token)) == "refresh_refused"
    assert refusal_of(lambda: city.refresh(newest.refresh_token)) == "refresh_refused"


def test_another_device_of_the_person_stays_signed_in(city: City) -> None:
    mobile = city.new_mobile()
    stolen = city.sign_in(mobile)
    city.later(hours=1)
    other = city.sign_in(mobile)
    city.refresh(stolen.refresh_token)
    city.refresh(stolen.refresh_token)
    assert [device.handle for device in city.devices(other.person)] == [other.device]
    assert refusal_of(lambda: city.refresh(other.refresh_token)) == "done"


@pytest.mark.parametrize("racers", [2, 8])
def test_of_a_refresh_token_used_at_once_one_use_wins_and_the_device_is_signed_out(city: City, racers: int) -> None:
    signed_in = city.sign_in()
    answers = at_once([lambda: city.refresh(signed_in.refresh_token)] * racers)
    winners = [answer for answer in answers if isinstance(answer, access.SignedIn)]
    assert len(winners) == 1
    assert city.devices(signed_in.person) == []
    assert refusal_of(lambda: city.refresh(winners[0].refresh_token)) == "refresh_refused"
    assert refusal_of(lambda: city.caller(winners[0].access_token)) == "not_signed_in"


def test_a_device_that_is_signed_out_refreshes_nothing(city: City) -> None:
    signed_in = city.sign_in()
    city.sign_out(signed_in.person, signed_in.device)
    assert refusal_of(lambda: city.refresh(signed_in.refresh_token)) == "refresh_refused"


def test_a_sign_out_and_a_refresh_at_once_end_signed_out(city: City) -> None:
    signed_in = city.sign_in()
    at_once([
        lambda: refusal_of(lambda: city.refresh(signed_in.refresh_token)),
        lambda: refusal_of(lambda: city.sign_out(signed_in.person, signed_in.device)),
    ])  # fmt: skip
    assert city.devices(signed_in.person) == []
    assert refusal_of(lambda: city.caller(signed_in.access_token)) == "not_signed_in"


def test_a_restricted_person_does_nothing_until_they_are_free(city: City) -> None:
    mobile = city.new_mobile()
    signed_in = city.sign_in(mobile)
    set_state(city, signed_in.person, "restricted")
    assert refusal_of(lambda: city.caller(signed_in.access_token)) == "not_signed_in"
    assert refusal_of(lambda: city.refresh(signed_in.refresh_token)) == "refresh_refused"
    city.later(hours=1)
    assert refusal_of(lambda: city.enter(city.ask(mobile))) == "person_restricted"


def test_an_erased_person_is_nobody(city: City) -> None:
    mobile = city.new_mobile()
    signed_in = city.sign_in(mobile)
    erase(city, signed_in.person)
    assert refusal_of(lambda: city.caller(signed_in.access_token)) == "not_signed_in"
    assert refusal_of(lambda: city.refresh(signed_in.refresh_token)) == "refresh_refused"
    city.later(hours=1)
    anew = city.sign_in(mobile)
    assert anew.new and anew.person.id != signed_in.person.id


# Devices --------------------------------------------------------------------------------------------


def test_a_person_sees_their_own_devices_and_the_sight_is_on_record(city: City) -> None:
    mobile = city.new_mobile()
    phone = city.sign_in(mobile, "李的手机")
    city.later(hours=1)
    tablet = city.sign_in(mobile, "Tablet")
    city.sign_in()
    assert [(device.handle, device.label) for device in city.devices(phone.person)] == [
        (tablet.device, "Tablet"), (phone.device, "李的手机"),
    ]  # fmt: skip
    [read] = city.do(lambda s: privacy.reads_of(s, phone.person.subject))
    assert read.purpose == "devices" and len(read.fields) == 2
    assert "手机" not in repr(city.devices(phone.person))


def test_a_person_signs_out_their_own_devices_only(city: City) -> None:
    mine, yours = city.sign_in(), city.sign_in()
    assert refusal_of(lambda: city.sign_out(mine.person, yours.device)) == "device_unknown"
    assert refusal_of(lambda: city.sign_out(mine.person, uuid4())) == "device_unknown"
    assert refusal_of(lambda: city.sign_out(mine.person, mine.device)) == "done"
    assert refusal_of(lambda: city.sign_out(mine.person, mine.device)) == "device_unknown"
    assert len(city.devices(yours.person)) == 1


def test_signing_out_everywhere_leaves_no_device(city: City) -> None:
    mobile = city.new_mobile()
    tokens = []
    for _ in range(3):
        tokens.append(city.sign_in(mobile))
        city.later(hours=1)
    person = tokens[0].person
    assert city.do(lambda s: access.sign_out_everywhere(s, city.vault, person, clock=city.clock)) == 3
    assert {refusal_of(lambda t=t: city.refresh(t.refresh_token)) for t in tokens} == {"refresh_refused"}
    assert city.do(lambda s: access.sign_out_everywhere(s, city.vault, person, clock=city.clock)) == 0


def test_the_eleventh_device_signs_out_the_one_seen_longest_ago(city: City) -> None:
    mobile = city.new_mobile()
    signed_in = []
    for _ in range(11):
        signed_in.append(city.sign_in(mobile))
        city.later(hours=3)
    devices = {device.handle for device in city.devices(signed_in[0].person)}
    assert devices == {each.device for each in signed_in[1:]}


def test_the_vault_keeps_no_name_of_a_device_that_is_gone(city: City) -> None:
    mobile = city.new_mobile()
    first = city.sign_in(mobile)
    city.refresh(first.refresh_token)
    city.refresh(first.refresh_token)
    city.later(hours=1)
    second = city.sign_in(mobile)
    with city.database.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM personal_field WHERE subject = %s AND field LIKE 'device:%%'", (second.person.subject,)
        ).fetchone()
    assert row == (1,)


def test_what_is_past_its_time_is_let_go(city: City) -> None:
    signed_in = city.sign_in()
    city.later(days=60)
    city.do(lambda s: access.purge(s, city.clock))
    assert city.devices(signed_in.person) == []
    city.later(days=180)
    assert city.do(lambda s: access.purge(s, city.clock)) >= 1
    with city.database.connect() as connection:
        for table in ("one_time_code", "refresh_token", "request_nonce"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
        assert connection.execute("SELECT 1 FROM device WHERE handle = %s", (signed_in.device,)).fetchone() is None
    assert city.do(lambda s: access.purge(s, city.clock)) == 0


def test_a_purge_takes_nothing_that_still_counts(city: City) -> None:
    mobile = city.new_mobile()
    signed_in = city.sign_in(mobile)
    city.later(hours=23, minutes=59)
    city.do(lambda s: access.purge(s, city.clock))
    with city.database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM one_time_code").fetchone() == (1,)
    assert refusal_of(lambda: city.refresh(signed_in.refresh_token)) == "done"


def test_no_token_lies_in_the_store(city: City) -> None:
    signed_in = city.sign_in()
    with city.database.connect() as connection:
        kept = str(connection.execute("SELECT refresh_token::text FROM refresh_token").fetchall())
        kept += str(connection.execute("SELECT device::text FROM device").fetchall())
    for secret in (signed_in.refresh_token, signed_in.refresh_token.removeprefix("chrt_"), "phone"):
        assert secret not in kept and secret.encode().hex() not in kept


def test_nothing_secret_is_logged(city: City, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        pending = city.ask(city.new_mobile())
        city.check(pending.challenge, "000000")
        signed_in = city.enter(pending, "Li's phone")
        city.caller(signed_in.access_token)
        newer = city.refresh(signed_in.refresh_token)
        city.refresh(signed_in.refresh_token)
    told = caplog.text
    secrets = (pending.mobile[3:], pending.challenge, signed_in.access_token, signed_in.refresh_token, newer.refresh_token, "Li's")
    assert not any(secret in told for secret in secrets)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO refresh_token SELECT sha256('second'), device_id, made_at, expires_at FROM refresh_token WHERE used_at IS NULL",
        "UPDATE refresh_token SET used_at = NULL WHERE used_at IS NOT NULL",
        "UPDATE refresh_token SET expires_at = expires_at + interval '1 day'",
        "UPDATE refresh_token SET digest = sha256('mine') WHERE used_at IS NULL",
        "UPDATE device SET ended_at = NULL, ended_by = NULL WHERE ended_at IS NOT NULL",
        "UPDATE device SET person_id = (SELECT min(id) FROM person) WHERE ended_at IS NULL",
        "UPDATE device SET ended_at = now() WHERE ended_at IS NULL",
    ],
)
def test_the_store_lets_no_token_and_no_device_come_back(city: City, statement: str) -> None:
    ended, live = city.sign_in(), city.sign_in()
    city.refresh(live.refresh_token)
    city.sign_out(ended.person, ended.device)
    with city.database.connect_as_owner() as connection, pytest.raises(psycopg.Error):
        connection.execute(statement)


def test_the_day_of_registration_is_the_citys_day(city: City) -> None:
    city.clock.instant = city.clock.instant.replace(hour=17)
    person = city.sign_in().person
    with city.database.connect() as connection:
        row = connection.execute("SELECT registered_on FROM person WHERE id = %s", (person.id,)).fetchone()
    assert row is not None and isinstance(row[0], date)
    assert row[0] == city.clock.today() != city.clock.instant.date()


def test_a_token_of_another_citys_api_is_no_token(city: City) -> None:
    pending = city.ask(city.new_mobile())
    elsewhere = city.do(lambda s: access.sign_in(
        s, city.vault, challenge=pending.challenge, code=pending.code, device_label="x", issuer=ISSUER + ".evil", clock=city.clock
    ))  # fmt: skip
    assert isinstance(elsewhere, access.SignedIn)
    assert refusal_of(lambda: city.caller(elsewhere.access_token)) == "not_signed_in"
