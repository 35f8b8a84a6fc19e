"""Service institutions deliver activity by signed requests (Article 12)."""

import csv
import gzip
import hashlib
import io
from datetime import date

import pytest

from carbonhui import consent, participants
from carbonhui.activity import ROW_REFUSALS
from tests.api.product.people import City, Server, said

PROFILE = "transit-trips"
COLUMNS = ["ride_id", "card_no", "mode", "start_at", "end_at", "metres", "other_mechanism"]


def ride(number: str, card: str = "C-1", metres: str = "9000", day: int = 18) -> dict[str, str]:
    values = [number, card, "metro", f"2026-11-{day} 08:00:00", f"2026-11-{day} 08:30:00", metres, ""]
    return dict(zip(COLUMNS, values, strict=True))


def as_csv(*rides: dict[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rides)
    return text.getvalue().encode()


def agree(city: City, server: Server, source: str = PROFILE, *, from_: date = date(2026, 1, 1), until: date | None = None) -> None:
    text = "The operator delivers its rides."

    def agreed(session) -> None:
        number = participants.organisation_by_handle(session, server.handle).id
        digest = hashlib.sha256(text.encode()).digest()
        consent.register_agreement(
            session, organisation=number, source=source, text=text, digest=digest, from_=from_, until=until, by="office"
        )

    city.do(agreed)


@pytest.fixture(scope="module")
def metro(town: City) -> Server:
    server = town.server()
    agree(town, server)
    return server


def test_rows_are_delivered_and_each_ends_in_one_place(metro: Server):
    told = metro.post("/v1/activities", {"profile": PROFILE, "rows": [ride("a-1"), ride("a-2", metres="far"), ride("a-1")]})
    assert told.status_code == 201
    batch = told.json
    assert (batch["rows"], batch["accepted"], batch["duplicate"], batch["refused"]) == (3, 1, 1, 1)
    [reason] = batch["refused_by"]
    assert reason == {"code": "value_not_a_number", "rows": 1, "sentence": ROW_REFUSALS["value_not_a_number"].sentence}
    assert metro.get(f"/v1/activities/batches/{batch['batch']}").json == batch


def test_the_refused_rows_come_back_with_their_reasons(town: City, metro: Server):
    batch = metro.post("/v1/activities", {"profile": PROFILE, "rows": [ride("r-1", metres="far")]}).json
    answer = metro.get(f"/v1/activities/batches/{batch['batch']}/refused")
    assert answer.headers["Content-Type"] == "application/gzip"
    [row] = list(csv.DictReader(io.StringIO(gzip.decompress(answer.data).decode())))
    assert (row["code"], row["ride_id"]) == (batch["refused_by"][0]["code"], "r-1")
    whole = metro.post("/v1/activities", {"profile": PROFILE, "rows": [ride("r-2", day=17)]}).json
    assert said(metro.get(f"/v1/activities/batches/{whole['batch']}/refused")) == (404, "not_found")
    name = answer.headers["Content-Disposition"].split('"')[1]
    (town.settings.home / "quarantine" / name).unlink()
    assert said(metro.get(f"/v1/activities/batches/{batch['batch']}/refused")) == (410, "refused_rows_gone")


@pytest.mark.parametrize(("media_type", "packed"), [("text/csv", False), ("application/gzip", True)])
def test_a_file_is_delivered_as_the_body_itself(metro: Server, media_type: str, packed: bool):
    content = as_csv(ride(f"f-{packed}", card=f"F-{packed}"))
    told = metro.post(
        f"/v1/activities/files?profile={PROFILE}&file_name=rides", data=gzip.compress(content, mtime=0) if packed else content, media_type=media_type
    )
    assert told.status_code == 201, told.json
    assert (told.json["accepted"], told.json["file_name"]) == (1, "rides.csv.gz" if packed else "rides.csv")


def test_the_same_file_again_is_the_same_batch(metro: Server):
    content = as_csv(ride("s-1", card="S-1"))
    first, again = (
        metro.post(f"/v1/activities/files?profile={PROFILE}", data=content, media_type="text/csv").json for _ in range(2)
    )
    assert first == again


def test_a_file_that_cannot_be_read_is_refused_by_the_name_its_sender_gave(metro: Server):
    path = f"/v1/activities/files?profile={PROFILE}&file_name=rides.csv"
    cut = metro.post(path, data=as_csv(ride("t-1"))[:-4], media_type="text/csv")
    assert cut.status_code == 422
    assert "rides.csv" in cut.json["detail"] and "/" not in cut.json["detail"]
    other = metro.post(path, data=b"a,b\r\n1,2\r\n", media_type="text/csv")
    assert said(other) == (422, "columns_differ")
    assert said(metro.post(path, data=b"{}", media_type="application/json")) == (415, "media_type_unsupported")


def test_batches_are_listed_newest_first_and_are_ones_own(city: City, metro: Server):
    rival = city.server()
    agree(city, rival)
    made = [
        metro.post("/v1/activities", {"profile": PROFILE, "rows": [ride(f"l-{number}", card="L-1", day=10 + number)]}).json["batch"]
        for number in range(3)
    ]
    first = metro.get("/v1/activities/batches?limit=2").json
    assert [one["batch"] for one in first["items"]] == made[:0:-1]
    second = metro.get(f"/v1/activities/batches?limit=2&cursor={first['next']}").json
    assert second["items"][0]["batch"] == made[0]
    assert rival.get("/v1/activities/batches").json["items"] == []
    for path in (f"/v1/activities/batches/{made[0]}", f"/v1/activities/batches/{made[0]}/refused"):
        assert said(rival.get(path)) == (404, "not_found")


def test_the_same_rows_of_another_institution_change_nothing_and_tell_nothing(city: City, metro: Server):
    rival, body = city.server(), {"profile": PROFILE, "rows": [ride("o-1", card="O-1")]}
    agree(city, rival)
    assert metro.post("/v1/activities", body).status_code == 201
    assert said(rival.post("/v1/activities", body)) == (409, "delivered_by_another")
    assert rival.get("/v1/activities/batches").json["items"] == []


def test_only_sources_of_an_agreement_in_force_are_delivered(city: City, metro: Server):
    body = {"profile": PROFILE, "rows": [ride("n-1")]}
    without, early, late = city.server(), city.server(), city.server()
    agree(city, early, from_=date(2026, 11, 21))
    agree(city, late, until=date(2026, 11, 20))
    for server in (without, early, late):
        assert said(server.post("/v1/activities", body)) == (403, "profile_not_entrusted")
    for profile in ("mibici", "no-such-profile"):
        assert said(metro.post("/v1/activities", {**body, "profile": profile})) == (403, "profile_not_entrusted")
        file = metro.post(f"/v1/activities/files?profile={profile}", data=as_csv(ride("n-2")), media_type="text/csv")
        assert said(file) == (403, "profile_not_entrusted")


@pytest.mark.parametrize("rows", [[], [{"ride_id": 5}], "rows", [["a"]], [{}] * 1001])
def test_rows_are_texts_and_not_too_many(metro: Server, rows: object):
    assert said(metro.post("/v1/activities", {"profile": PROFILE, "rows": rows})) == (422, "fields_invalid")


def test_a_row_with_traps_is_refused_alone(metro: Server):
    told = metro.post("/v1/activities", {"profile": PROFILE, "rows": [ride("u-1", metres="９０００"), ride("u-2", card="U-2")]})
    assert (told.status_code, told.json["accepted"], told.json["refused"]) == (201, 1, 1)


@pytest.mark.parametrize("trap", ["\x00", "a\x00b", "\u202e", "=cmd|' /C calc'!A0", "x" * 20_000, "'; DROP TABLE batch; --", "\r\n", "\uffff"])
def test_whatever_a_row_holds_it_ends_in_one_place(metro: Server, trap: str):
    rows = [{**ride("z-1"), column: trap} for column in COLUMNS] + [{**ride("z-2"), trap: "x"}, {trap: trap}]
    told = metro.post("/v1/activities", {"profile": PROFILE, "rows": rows})
    assert told.status_code == 201, told.json
    batch = told.json
    assert batch["accepted"] + batch["duplicate"] + batch["refused"] == batch["rows"] == len(rows)
    if batch["refused"]:
        assert metro.get(f"/v1/activities/batches/{batch['batch']}/refused").status_code == 200


def test_a_delivery_is_announced_to_its_sender(city: City, metro: Server):
    path = f"/v1/organisations/{metro.handle}/webhooks"
    metro.post(path, {"url": "http://127.0.0.1:9/hook", "topics": ["activity.batch.received"]})
    batch = metro.post("/v1/activities", {"profile": PROFILE, "rows": [ride("w-1", card="W-1")]}).json["batch"]
    with city.database.connect() as connection:
        row = connection.execute("SELECT payload FROM announcement WHERE topic = 'activity.batch.received' ORDER BY id DESC").fetchone()
    assert row is not None and row[0] == {"batch": batch, "rows": 1, "accepted": 1, "duplicate": 0, "refused": 0}


def test_a_changed_body_is_not_what_was_signed(metro: Server):
    content = as_csv(ride("x-1"))
    signed = metro.proof("POST", f"/v1/activities/files?profile={PROFILE}", content)
    answer = metro.client.post(
        f"/v1/activities/files?profile={PROFILE}", data=content.replace(b"9000", b"9999"),
        headers={**signed, "Content-Type": "text/csv", "Idempotency-Key": "tampered"},
    )  # fmt: skip
    assert said(answer) == (401, "signature_invalid")


def test_a_signed_request_is_believed_after_the_store_closed_every_connection(city: City) -> None:
    server = city.server("merchant")
    for _ in range(2):
        assert server.get("/v1/organisations/" + server.handle).status_code == 200
        with city.database.connect_as_owner(autocommit=True) as owner:
            owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    assert server.get("/v1/organisations/" + server.handle).status_code == 200
