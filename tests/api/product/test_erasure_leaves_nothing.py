"""Of an erased person nothing is left in the store, in files or in the log (PIPL article 47)."""

import gzip
import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from carbonhui import consent, export, ledger, privacy
from tests.api.product.people import Caller, City
from tests.api.product.test_records import UNDERSTOOD

DAY = date(2026, 11, 20)


def canaries(city: City) -> dict[str, str]:
    """Texts that are nowhere else."""
    words = {f"label-{number}": f"canary-phone-{number}-q7x" for number in range(5)}
    words |= {f"card-{number}": f"CANARYCARD{number}88237{number}" for number in range(5)}
    words |= {f"ride-{number}": f"canary-ride-{number}-q7x" for number in range(4)}
    words |= {"pool": "金丝雀的春游-q7x", "beneficiary": "金丝雀𠮷小姐", "reason": "canary-wedding-q7x", "payer": "CANARYCONTRACT77"}
    words |= {"friend": city.new_mobile(), "asked": city.new_mobile()}
    words |= {"claimed": "CANARYMETER5521", "withdrawn": "CANARYMETER5522"}
    return words | {"name": "金丝雀", "mobile": city.new_mobile(), "second mobile": city.new_mobile(), "id number": city.id_number(date(1987, 3, 14))}


def live(city: City, said: dict[str, str]) -> Caller:
    """A person who tells the platform all of it, in every way there is."""
    metro = city.server(schemes=["canary-card", "canary-meter"])
    who = city.resident(said["mobile"])
    for number in range(5):
        city.clock.instant += timedelta(minutes=20)
        city.stranger.post("/v1/sessions", {**city.code(said["mobile"]), "device_label": said[f"label-{number}"]})
    city.clock.instant += timedelta(hours=2)
    who = city.resident(said["mobile"])
    who.post("/v1/me/real-name", {"name": said["name"], "id_number": said["id number"]})
    for number in range(5):
        identifier = said[f"card-{number}"]
        code = metro.post("/v1/link-codes", {"scheme": "canary-card", "identifier": identifier}).json["code"]
        assert who.post("/v1/me/links", {"scheme": "canary-card", "identifier": identifier, "code": code}).status_code == 201
    claims = [
        who.post("/v1/me/link-claims", {"scheme": "canary-meter", "identifier": said[name], "organisation": metro.handle}).json["link"]
        for name in ("claimed", "withdrawn")
    ]
    metro.get("/v1/link-claims")
    metro.post(f"/v1/link-claims/{claims[0]}/decision", {"confirmed": True})
    for number in range(4):
        ride = {"ride_id": said[f"ride-{number}"], "mode": "bus", "start_at": "2026-11-19T08:10:00+08:00", "end_at": "2026-11-19T08:11:00+08:00"}
        assert who.post("/v1/me/activities", {"rides": [ride]}).status_code == 201
    who.put("/v1/me/mobile", city.code(said["second mobile"], "change_mobile", who))
    who.mobile = said["second mobile"]
    city.staff("support").get(f"/v1/staff/persons/{who.handle}?purpose=support&case=2026-7")
    who.get("/v1/me/export")
    who.get("/v1/me/export.xlsx")
    return who


def spend(city: City, who: Caller, said: dict[str, str]) -> None:
    """Whatever a person may write while they use credits; everything but the certificate still waits."""
    days = {"deadline": "2026-12-01", "goal_credits": 5}
    made = [
        who.post("/v1/me/gifts", {"mobile": said["friend"], "credits": 2}),
        who.post("/v1/me/requests", {"mobile": said["asked"], "credits": 2}),
        who.post("/v1/pools", {"title": said["pool"], "purpose": "neutralisation", **days}),
        who.post("/v1/me/neutralisations", {
            "footprint": {"measured": {"mg": 50_000, "evidence_sha256": "ab" * 32}}, "beneficiary": said["beneficiary"], "reason": said["reason"],
        }),
    ]  # fmt: skip
    assert [answer.status_code for answer in made] == [201] * 4, [answer.json for answer in made]
    looked = who.post("/v1/me/bill-lookups", {"department": who.handle, "number": "W-1", "payer_reference": said["payer"]})
    assert looked.status_code in (404, 422), looked.json
    shown = city.stranger.get(f"/v1/certificates/{made[3].json['certificate']}").json
    assert (shown["beneficiary"], shown["reason"]) == (said["beneficiary"], said["reason"])


def told(city: City, home: Path, lines: io.StringIO) -> Iterator[tuple[str, str]]:
    """Everything that the platform holds, as text: every row of every table, every file, the log."""
    with city.database.connect_as_owner() as store:
        tables = store.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'").fetchall()
        for (table,) in tables:
            rows = store.execute(f'SELECT t::text FROM "{table}" t').fetchall()
            yield table, "\n".join(row[0] for row in rows)
    for path in home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            yield str(path), (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8", "replace")
    yield "log", lines.getvalue()


def test_no_canary_of_an_erased_person_is_left_anywhere(city: City, lines: io.StringIO):
    said = canaries(city)
    assert len(said) == 26
    who = live(city, said)
    account = city.person(who).account_id
    city.do(lambda s: ledger.issue(
        s, mint_id=1, vintage=2026, mg_per_credit=100_000, business_date=DAY, accounts=[account], credits=[9]
    ))  # fmt: skip
    spend(city, who, said)
    reader = privacy.Reader(actor="test", role="person", purpose="export")
    copy = city.do(lambda s: export.everything(s, city.vault, city.settings, city.person(who), reader))
    assert {said[name] for name in ("name", "label-3", "pool", "beneficiary", "reason")} <= {
        row["value"] for row in copy["matters"]["personal_fields"]["rows"]
    }
    city.clock.instant += timedelta(minutes=2)
    erased = who.post("/v1/me/erasure", {**city.code(who.mobile, "erase"), "understood": UNDERSTOOD})
    assert (erased.status_code, erased.json["credits"], erased.json["links"]) == (200, 8, 7)
    places = list(told(city, city.settings.home, lines))
    # The handle of the erased is still there, and is found: a search that finds nothing at all would prove nothing.
    assert "person" in {place for place, text in places if who.handle in text}
    found = [
        (place, name)
        for place, text in places
        for name, canary in said.items()
        for form in (canary, canary.encode().hex())
        if form in text
    ]
    assert found == []
    with city.database.begin() as session:
        assert ledger.run_checks(session, consent.CHECKS) == {"I12": []}
