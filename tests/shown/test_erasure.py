"""Who is erased is nowhere any more, and the books are as whole as before (Article 13; PIPL articles 47, 50).

A resident and a child tell the platform who they are in every way that the API knows,
honestly, by mistake and in headers. Then both are erased.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyotp
import pytest

from carbonhui import consent, issuance, methodology, participants, privacy, quantification, supervision
from carbonhui.core import embedded
from carbonhui.core.clock import SystemClock
from tests.shown.canaries import found_below, found_in, readings_of
from tests.shown.served import PASSWORD, Resident, Served, credit_code, first_minutes, key

#: What the platform is told because it has to know it, and keeps in the vault.
KEPT = {
    "mobile": "13600718291",
    "second mobile": "13600718302",
    "name": "司马蕙兰",
    "id number": "44010519570329017X",
    "birth date": "1957-03-29",
    "device": "Huilan's blue telephone",
    "second device": "Huilan's kitchen tablet",
    "ward's name": "司马小竹",
    "ward's id number": "44010520150809118X",
    "card": "13600718355",
    "claimed card": "13600718366",
    "contact name": "司马建国",
    "contact mobile": "13600718377",
}
#: What it is told without need, and keeps nowhere.
PASSING = {
    "delivered row": "pickup-of-huilan-0815",
    "declared ride": "to-the-kidney-clinic",
    "address": "203.0.113.177",
    "agent": "HuilanPhone/7 (Simayang)",
    "referer": "https://huilan-simayang.example/diary",
    "cookie": "diary=huilan-simayang-1957",
    "attempt": "huilan-pays-her-rent",
    "unknown field": "huilan_has_diabetes",
    "broken body": "huilan-lives-at-number-nine",
    "query": "huilan-and-her-neighbour",
    "path": "huilan-simayang-was-here",
    "cursor": "aHVpbGFuLXNpbWF5YW5nLWN1cnNvcg",
    "number of a request": "huilan-simayang-asks",
}
CANARIES = KEPT | PASSING
NEIGHBOUR = "13600718999"
SCHEME, SOURCE = "phone", "clothes-pickup"
UNDERSTOOD = "my credits go to the cancellation pool and nothing comes back"


def _check(seventeen: str) -> str:
    return seventeen + "10X98765432"[sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(seventeen)) % 11]


# The canaries' own ID numbers have to be right ones (GB 11643-1999).
for _name in ("id number", "ward's id number"):
    KEPT[_name] = CANARIES[_name] = _check(KEPT[_name][:17])


@dataclass
class Life:
    """What was there before the erasure and after it."""

    city: Served
    resident: Resident
    ward: str
    witness: Resident
    institution: httpx.Client
    export: bytes = b""
    secrets: dict[str, str] = field(default_factory=dict)
    dumps: list[bytes] = field(default_factory=list)
    books: list[Any] = field(default_factory=list)
    refused_rows: set[tuple[str, str, str]] = field(default_factory=set)
    erased: list[dict[str, Any]] = field(default_factory=list)

    def erase(self, *, ward: str | None = None) -> dict[str, Any]:
        """The resident asks for a code to the own number, and for the erasure."""
        self.city.forget_codes()
        asked = self.resident.post("/v1/codes", {"mobile": KEPT["second mobile"], "purpose": "erase"})
        proof = {"challenge": asked.json()["challenge"], "code": self.city.code_for(KEPT["second mobile"])}
        told = self.resident.post(
            "/v1/me/erasure" + (f"?ward={ward}" if ward else ""), {**proof, "understood": UNDERSTOOD}
        )
        assert told.status_code == 200, told.text
        found: dict[str, Any] = told.json()
        return found

    def look(self) -> None:
        """Remember the whole store, as a dump tells it, and what the books say."""
        self.dumps.append(dumped(self.city))
        self.books.append(books(self.city))


def dumped(city: Served) -> bytes:
    """The whole store as text, keys and indexes too."""
    program = embedded.find_binaries(city.settings) / "pg_dump"
    done = subprocess.run([str(program), f"--dbname={city.settings.database_url}"], capture_output=True, check=True)
    assert b"personal_field" in done.stdout
    return done.stdout


def quarantine(city: Served) -> Path:
    return city.settings.home / "quarantine"


def books(city: Served) -> dict[str, Any]:
    """The sums of the books, and each transfer that is entered."""
    [[total]] = city.rows("SELECT coalesce(sum(posted), 0) FROM balance WHERE NOT deferred AND asset = 1")
    [[deferred]] = city.rows(
        "SELECT (SELECT coalesce(sum(posted), 0) FROM balance WHERE deferred AND asset = 1)"
        " + (SELECT coalesce(sum(amount), 0) FROM incoming JOIN account a ON a.id = account_id AND a.asset = 1)"
    )
    [[issued]] = city.rows("SELECT coalesce(sum(last - first + 1), 0) FROM issue")
    return {
        "sum": total + deferred, "issued": issued, "transfers": dict(city.rows("SELECT id, t::text FROM transfer t")),
        "reductions": city.rows("SELECT count(*), sum(mg) FROM reduction"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def life(city: Served) -> Iterator[Life]:
    """A life with the platform, from registration to erasure."""
    institution = city.institution(scheme=SCHEME, source=SOURCE)
    headers = {"User-Agent": PASSING["agent"], "Referer": PASSING["referer"], "Cookie": PASSING["cookie"]}
    resident = city.resident(KEPT["mobile"], KEPT["device"], address=PASSING["address"], **headers)
    found = Life(city, resident, "", city.resident(), institution)
    tell_who_one_is(found, headers)
    tell_what_belongs_to_one(found)
    tell_what_one_did(found)
    tell_by_mistake(found)
    be_read(found)
    found.export = resident.get("/v1/me/export").content
    found.refused_rows = found_below(quarantine(city), CANARIES)
    found.look()
    found.erased = [found.erase(ward=found.ward), found.erase()]
    found.look()
    yield found


def tell_who_one_is(life: Life, headers: dict[str, str]) -> None:
    resident, city = life.resident, life.city
    told = resident.post("/v1/me/real-name", {"name": KEPT["name"], "id_number": KEPT["id number"]}, name=PASSING["attempt"])
    assert told.status_code == 200, told.text
    asked = resident.post("/v1/codes", {"mobile": KEPT["second mobile"], "purpose": "change_mobile"})
    proof = {"challenge": asked.json()["challenge"], "code": city.code_for(KEPT["second mobile"])}
    assert resident.client.put("/v1/me/mobile", json=proof).status_code == 204
    city.forget_codes()
    second = city.resident(KEPT["second mobile"], KEPT["second device"], address=PASSING["address"], **headers)
    assert second.handle == resident.handle
    life.secrets = {
        f"{name} of device {number}": one.tokens[name]
        for number, one in enumerate((resident, second)) for name in ("access_token", "refresh_token")
    }  # fmt: skip
    told = resident.post("/v1/me/wards", {"name": KEPT["ward's name"], "id_number": KEPT["ward's id number"]})
    assert told.status_code == 201, told.text
    life.ward = told.json()["person"]


def tell_what_belongs_to_one(life: Life) -> None:
    """A card by a code, another by the institution's word, and an association that is later led by somebody else."""
    resident, institution = life.resident, life.institution
    code = institution.post("/v1/link-codes", json={"scheme": SCHEME, "identifier": KEPT["card"]}, headers=key())
    proven = {"scheme": SCHEME, "identifier": KEPT["card"], "code": code.json()["code"]}
    assert resident.post("/v1/me/links", proven).status_code == 201
    [[organisation]] = life.city.rows("SELECT o.handle FROM organisation o JOIN scheme_keeper k ON k.organisation_id = o.id WHERE scheme = %s", SCHEME)
    asked = {"scheme": SCHEME, "identifier": KEPT["claimed card"], "organisation": str(organisation)}
    assert resident.post("/v1/me/link-claims", asked).status_code == 201
    claims = institution.get("/v1/link-claims").json()["items"]
    assert [(one["name"], one["identifier"]) for one in claims] == [(KEPT["name"], KEPT["claimed card"])]
    applied = resident.post("/v1/organisations", {
        "kind": "charity", "name": "绿树之友", "credit_code": credit_code(), "contact_name": KEPT["contact name"],
        "contact_mobile": KEPT["contact mobile"],
    })  # fmt: skip
    path = f"/v1/organisations/{applied.json()['organisation']}"
    assert resident.post(f"{path}/members", {"person": life.witness.handle, "role": "owner"}).status_code == 201
    changed = life.witness.client.patch(path, json={"contact_name": "王强", "contact_mobile": "13900139001"})
    assert changed.status_code == 200, changed.text


def tell_what_one_did(life: Life) -> None:
    """Pick-ups that an institution delivers and rides that one declares, of each one that is refused; then credits."""
    city, resident, day = life.city, life.resident, life.city.today
    for source in (SOURCE, "rides-self-declared"):
        if source != SOURCE:
            publish(city, source)
        [text] = resident.get(f"/v1/consent-texts?source={source}").json()["items"]
        assert resident.post("/v1/me/consents", {"source": source, "text_digest": text["text_digest"]}).status_code == 201
    rows = [
        {"pickup_id": f"{PASSING['delivered row']}-{grams}", "phone": KEPT["card"], "day": str(day - timedelta(days=1)), "grams": grams,
         "other_mechanism": ""}
        for grams in ("20000", "none")
    ]  # fmt: skip
    rows.append({**rows[1], "pickup_id": "pickup-of-a-neighbour", "phone": NEIGHBOUR})
    told = life.institution.post("/v1/activities", json={"profile": SOURCE, "rows": rows}, headers=key())
    assert (told.json()["accepted"], told.json()["refused"]) == (1, 2), told.text
    rides = [
        {"ride_id": f"{PASSING['declared ride']}-{number}", "mode": "bus", "start_at": start.isoformat(), "end_at": end.isoformat(),
         "metres": metres}
        for number, ((start, end), metres) in enumerate(zip(first_minutes(2), (1000, 1100), strict=True))
    ]  # fmt: skip
    rides.append({**rides[0], "ride_id": f"{PASSING['declared ride']}-2", "metres": 900_000})
    told = resident.post("/v1/me/activities", {"rides": rides})
    [received] = told.json()["received"]
    assert (received["accepted"], received["refused"]) == (2, 1), told.text
    quantification.quantify(city.database, city.settings, methodology.installed_versions())
    issuance.mint(city.database, day, clock=SystemClock())
    assert resident.get("/v1/me/balance").json()["credits"] > 0


def publish(city: Served, source: str) -> None:
    city.do(lambda s: consent.publish_text(
        s, source=source, sensitive=True, zh="我们使用您申报的行程。", en="We use the rides that you declare.", on=city.today,
        published_by="office",
    ))  # fmt: skip


def tell_by_mistake(life: Life) -> None:
    """What a careless program sends where nobody asked for it."""
    resident = life.resident
    mistakes = [
        resident.post("/v1/me/consents", {PASSING["unknown field"]: PASSING["unknown field"]}),
        resident.client.post("/v1/me/consents", content=f'{{"{PASSING["broken body"]}": NaN}}', headers=key()),
        resident.get("/v1/me/reads", params={PASSING["query"]: PASSING["query"]}),
        resident.get("/v1/me/reads", params={"cursor": PASSING["cursor"]}),
        resident.get(f"/v1/{PASSING['path']}"),
        resident.get(f"/v1/me/credits/{PASSING['path']}"),
        resident.get(f"/v1/problems/{PASSING['path']}"),
    ]
    assert {one.status_code for one in mistakes} <= {400, 404, 415, 422}
    assert resident.get("/v1/me", headers={"X-Request-Id": PASSING["number of a request"]}).status_code == 200


def be_read(life: Life) -> None:
    """Support reads the resident's particulars for a case."""
    city, hired = life.city, life.city.hired("support")
    clerk = city.client()
    totp = pyotp.TOTP(hired.secret).now()
    told = clerk.post("/v1/staff/sessions", json={"login": hired.staff.login, "password": PASSWORD, "totp": totp}, headers=key())
    clerk.headers["Authorization"] = f"Bearer {told.json()['session_token']}"
    read = clerk.get(f"/v1/staff/persons/{life.resident.handle}", params={"purpose": "complaint", "case": "2026-00117"})
    assert read.json()["name"] == KEPT["name"]


# Before ------------------------------------------------------------------------------------------


def test_before_it_the_platform_knows_what_it_was_told(life: Life):
    told = life.export.decode()
    known = {name for name, text in KEPT.items() if json.dumps(text, ensure_ascii=False)[1:-1] in told}
    assert known >= {"second mobile", "name", "id number", "birth date", "device", "second device"}
    [[indexes]] = life.city.rows("SELECT count(*) FROM personal_index")
    assert indexes > 0


def test_before_it_nothing_personal_stands_in_a_dump_in_plain(life: Life):
    assert found_in(life.dumps[0], CANARIES) == set()
    assert not any(text.encode() in life.dumps[0] for text in life.secrets.values())


# After -------------------------------------------------------------------------------------------


def test_twenty_canaries_and_more_were_told():
    assert len(CANARIES) >= 20
    assert len(set(CANARIES.values())) == len(CANARIES)


def test_what_an_erasure_says(life: Life):
    child, grown_up = life.erased
    assert (child["person"], child["credits"]) == (life.ward, 0)
    assert (grown_up["person"], grown_up["links"]) == (life.resident.handle, 2) and grown_up["credits"] > 0
    assert grown_up["consents"] == 2


def test_no_canary_is_in_a_dump(life: Life):
    assert found_in(life.dumps[1], CANARIES) == set()


def test_no_day_of_a_childs_birth_can_be_told_from_a_dump(life: Life):
    """Until the eighteenth birthday it says until when a guardian answers; it goes with the child."""
    assert b"2033-08-09" in life.dumps[0]
    assert b"2033-08-09" not in life.dumps[1]


def test_what_the_vault_kept_was_never_on_the_disk_in_plain(life: Life, tmp_path: Path):
    """Not in the store's own files, and not in what it writes ahead of them."""
    data = Path(os.environ["CARBONHUI_TEST_HOME"]) / "server" / "postgresql"
    needles = tmp_path / "needles"
    needles.write_bytes(b"\n".join(text.encode() for text in (*KEPT.values(), *life.secrets.values())))
    [[number]] = life.city.rows("SELECT oid FROM pg_database WHERE datname = current_database()")
    places = [str(data / "base" / str(number)), str(data / "pg_wal")]
    with life.city.database.connect_as_owner(autocommit=True) as owner:
        owner.execute("CHECKPOINT")
    found = subprocess.run(["grep", "-rlaF", "-f", str(needles), *places], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (1, "", "")


def logged(life: Life) -> bytes:
    """What the server logged, what PostgreSQL did, and the counters."""
    postgresql = Path(os.environ["CARBONHUI_TEST_HOME"]) / "server" / "postgresql.log"
    return b"\n".join([life.city.log.read_bytes(), postgresql.read_bytes(), life.city.client().get("/metrics").content])


def test_no_canary_is_in_the_logs(life: Life):
    hay = logged(life)
    assert b'"operation": "eraseMe"' in hay
    assert found_in(hay, CANARIES) == set()
    assert not any(text.encode() in hay for text in life.secrets.values())


def test_no_canary_is_in_the_homes_files_nor_among_temporary_ones(life: Life):
    folder = life.city.log.parent
    assert list((folder / "home" / "lake").rglob("*.parquet"))
    assert found_below(folder / "home", CANARIES | life.secrets) == set()
    assert found_below(folder / "tmp", CANARIES | life.secrets) == set()


def test_no_canary_is_among_the_refused_rows(life: Life):
    """Before it they were there, as they were received; what another's row says stays."""
    assert {name for _, name, _ in life.refused_rows} >= {"delivered row", "card"}
    assert found_below(quarantine(life.city), CANARIES) == set()
    [kept] = [hay for path in quarantine(life.city).iterdir() for hay in readings_of(path.read_bytes()) if b"pickup-of-a-neighbour" in hay]
    assert NEIGHBOUR.encode() in kept


def test_no_canary_is_in_what_others_are_told(life: Life):
    """The co-owner's copies of everything, the institution's batches and refused rows, the organisation, its members."""
    witness, institution = life.witness, life.institution
    [organisation] = witness.get("/v1/me/organisations").json()["items"]
    path = f"/v1/organisations/{organisation['organisation']}"
    [batch] = institution.get("/v1/activities/batches").json()["items"]
    told = [
        *(witness.get(one) for one in ("/v1/me/export", "/v1/me/export.xlsx", path, f"{path}/members", "/v1/me/messages")),
        *(institution.get(one) for one in ("/v1/activities/batches", "/v1/link-claims", "/v1/agreements")),
        institution.get(f"/v1/activities/batches/{batch['batch']}/refused"),
    ]
    assert {one.status_code for one in told} == {200}
    assert batch["refused"] == 2
    for answer in told:
        for hay in readings_of(answer.content):
            assert found_in(hay, CANARIES | life.secrets) == set(), answer.url


def test_no_token_of_theirs_opens_anything(life: Life):
    """A verified token is believed for at most five seconds more, and the erasure itself is read anew."""
    gate = life.city.database
    with gate.begin() as session:
        assert participants.person_by_handle(session, life.resident.handle).state == "erased"
    answers = [life.resident.post("/v1/sessions/refresh", {"refresh_token": text}) for name, text in life.secrets.items() if "refresh" in name]
    assert {(one.status_code, one.json()["code"]) for one in answers} <= {(401, "refresh_refused"), (401, "not_signed_in")}


def test_nobody_opens_the_vault_for_them_again(life: Life):
    city = life.city
    for handle in (life.resident.handle, life.ward):
        person = city.person(handle)
        reader = privacy.Reader(actor="office", role="staff:support", purpose="complaint")
        with pytest.raises(privacy.SubjectErased):
            city.do(lambda s, subject=person.subject, reader=reader: privacy.read(s, city.vault, subject, ("name",), reader))
        rows = city.rows(
            "SELECT (SELECT count(*) FROM data_key WHERE subject = %s), (SELECT count(*) FROM personal_field WHERE subject = %s),"
            " (SELECT count(*) FROM personal_index WHERE subject = %s)", *[person.subject] * 3
        )  # fmt: skip
        assert rows == [(0, 0, 0)]


def test_the_number_registers_somebody_new(life: Life):
    life.city.forget_codes()
    again = life.city.resident(KEPT["second mobile"], "another telephone")
    assert again.tokens["new"] is True and again.handle != life.resident.handle
    assert again.get("/v1/me/balance").json()["credits"] == 0


# The books ---------------------------------------------------------------------------------------


def test_the_sums_of_the_books_are_what_they_were(life: Life):
    before, after = life.books
    assert (before["sum"], before["issued"], before["reductions"]) == (after["sum"], after["issued"], after["reductions"])
    assert before["sum"] == 0 < before["issued"]


def test_the_journal_is_whole_and_has_one_line_more(life: Life):
    before, after = (one["transfers"] for one in life.books)
    assert {number: after[number] for number in before} == before
    [added] = set(after) - set(before)
    [[purpose, amount]] = life.city.rows("SELECT p.name, t.amount FROM transfer t JOIN purpose p ON p.id = t.purpose WHERE t.id = %s", added)
    assert (purpose, amount) == ("abandon", life.erased[1]["credits"])


def test_every_check_stays_clean(life: Life):
    with life.city.database.snapshot() as session:
        verdicts = supervision.verify(session)
    assert {verdict.check.name: verdict.broken for verdict in verdicts if verdict.broken} == {}


def test_the_database_refuses_to_bring_anything_back(life: Life):
    person = life.city.person(life.resident.handle)
    with life.city.database.connect_as_owner(autocommit=True) as owner, pytest.raises(psycopg.Error):
        owner.execute("UPDATE person SET state = 'active' WHERE id = %s", (person.id,))
