"""One verb erases a person everywhere, whoever asks for it (PIPL articles 15 and 47; Article 13)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import count

import pytest
from click.testing import CliRunner

from carbonhui import activity, consent, export, ledger, participants, privacy
from carbonhui.cli.context import Face
from carbonhui.cli.people import erase as erase_command
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.participants import Erased, Person
from tests.consent.people import agreed, operator
from tests.ledger.books import opened_store
from tests.waiting import comes_to_wait

TODAY = date(2026, 11, 20)
CLOCK = SetClock.on(TODAY)
SOURCES = ("metro", "water")
_MOBILES = count(13800138000)


@pytest.fixture(scope="module")
def store(server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    home = tmp_path_factory.mktemp("erasing")
    settings = replace(server_settings, home=home, keys=home / "keys", blind_key_file=home / "blind-index.key", lake=home / "lake")
    with opened_store(server, settings) as opened:
        for source in SOURCES:
            opened.run(lambda s, source=source: consent.publish_text(
                s, source=source, sensitive=True, zh="同意。", en="I agree.", on=TODAY, published_by="office"
            ))  # fmt: skip
        yield opened


@pytest.fixture(scope="module")
def vault(store: Database) -> privacy.Vault:
    return privacy.open_vault(store.settings)


def consenting(session, person: Person, source: str) -> consent.Consent:
    digest = consent.text_in_force(session, source).digest
    return consent.give(session, account=person.account_id, source=source, text_digest=digest, on=TODAY, by=f"person:{person.id}")


@pytest.fixture
def person(store: Database, vault: privacy.Vault) -> Person:
    """Somebody with credits, a handle that is linked, two consents and a device."""
    found = store.run(lambda s: participants.register_person(s, vault, mobile=str(next(_MOBILES)), on=TODAY))
    store.run(lambda s: participants.link_handle(s, store.settings, found))
    store.run(lambda s: ledger.issue(
        s, mint_id=1, vintage=2026, mg_per_credit=100_000, business_date=TODAY, accounts=[found.account_id], credits=[25]
    ))  # fmt: skip
    for source in SOURCES:
        store.run(lambda s, source=source: consenting(s, found, source))
    with store.connect() as connection:
        connection.execute("INSERT INTO device (person_id, signed_in_at, seen_at) VALUES (%s, now(), now())", (found.id,))
    return found


def erase(session, vault: privacy.Vault, person: Person) -> Erased:
    return export.erase(session, vault, person, on=TODAY, clock=CLOCK, by=f"person:{person.id}")


def left(store: Database, person: Person) -> dict[str, object]:
    """What there is of a person: state, consents and devices that stand, links that hold, files owed."""
    with store.connect() as connection:
        row = connection.execute(
            """SELECT state, (SELECT count(*) FROM consent WHERE account_id = p.account_id AND ended_at IS NULL),
                      (SELECT count(*) FROM device WHERE person_id = p.id AND ended_at IS NULL),
                      (SELECT count(*) FROM link WHERE account_id = p.account_id AND valid_to IS NULL),
                      (SELECT count(*) FROM refused_to_forget WHERE account_id = p.account_id)
               FROM person p WHERE id = %s""",
            (person.id,),
        ).fetchone()
    return dict(zip(("state", "consents", "devices", "links", "owed"), row, strict=True))


def test_everything_ends_together(store, vault, person):
    assert left(store, person) == {"state": "active", "consents": 2, "devices": 1, "links": 1, "owed": 0}
    assert store.run(lambda s: erase(s, vault, person)) == Erased(credits=25, links=1, consents=2)
    assert left(store, person) == {"state": "erased", "consents": 0, "devices": 0, "links": 0, "owed": 1}
    export.forget_files(store, store.settings)
    assert left(store, person)["owed"] == 0
    with pytest.raises(participants.PersonErased):
        store.run(lambda s: erase(s, vault, person))


def test_what_is_refused_at_the_end_has_undone_the_beginning(store, vault, person):
    shop = store.run(lambda s: ledger.open_account(s, ledger.Kind.MERCHANT, name="teahouse"))
    store.run(lambda s: ledger.hold(
        s, purpose=ledger.Purpose.REDEEM, source=person.account_id, target=shop, amount=5, reference=f"later-{person.id}",
        business_date=TODAY, seconds=3600,
    ))  # fmt: skip
    with pytest.raises(participants.ErasureWaitsForHolds):
        store.run(lambda s: erase(s, vault, person))
    assert left(store, person) == {"state": "active", "consents": 2, "devices": 1, "links": 1, "owed": 0}


@pytest.mark.parametrize("act", ["consent", "sign in"])
def test_who_acts_while_they_are_erased_comes_too_late(store, vault, person, monkeypatch, act: str):
    """The erasure stands still in its midst; the other waits for it, and is refused."""
    with store.connect() as connection:
        connection.execute("UPDATE consent SET ended_at = now(), ended_on = %s, ended_by = 't', ended_because = 'withdrawn',"
                           " ending = nextval('consent_ending_seq') WHERE account_id = %s AND source = 'water'", (TODAY, person.account_id))  # fmt: skip
    acts: dict[str, Callable[[], object]] = {
        "consent": lambda: store.run(lambda s: consenting(s, person, "water")),
        "sign in": lambda: store.run(lambda s: signed_in(s, vault, person)),
    }
    raised: list[BaseException] = []

    def late() -> None:
        try:
            acts[act]()
        except (participants.PersonErased, privacy.SubjectErased) as error:
            raised.append(error)

    thread = threading.Thread(target=late)
    owe = activity.owe_forgetting

    def stand_still(session, account: int) -> None:
        thread.start()
        assert comes_to_wait(store, thread)
        owe(session, account)

    monkeypatch.setattr(activity, "owe_forgetting", stand_still)
    with store.begin() as session:
        erase(session, vault, person)
    thread.join()
    assert len(raised) == 1
    assert left(store, person) == {"state": "erased", "consents": 0, "devices": 0, "links": 0, "owed": 1}


def signed_in(session, vault: privacy.Vault, person: Person) -> object:
    """What a sign-in does once the code was right."""
    from carbonhui.access import devices

    number, handle = devices._enter_device(session, person, CLOCK.now())
    privacy.keep(session, vault, person.subject, **{f"device:{number}": "telephone"})
    return handle


def test_an_institution_applies_for_nobody_who_is_being_erased(store, vault, person, monkeypatch):
    source = "transit"
    store.run(lambda s: consent.publish_text(s, source=source, sensitive=False, zh="同意。", en="I agree.", on=TODAY, published_by="office"))
    agreement = agreed(store, operator(store), source)
    applied: list[consent.Applied] = []
    application = [consent.Application(person.account_id, "form-1")]
    thread = threading.Thread(target=lambda: applied.append(
        store.run(lambda s: consent.apply_for_users(s, agreement.id, application, on=TODAY, by="organisation:1"))
    ))  # fmt: skip
    owe = activity.owe_forgetting

    def stand_still(session, account: int) -> None:
        thread.start()
        assert comes_to_wait(store, thread)
        owe(session, account)

    monkeypatch.setattr(activity, "owe_forgetting", stand_still)
    with store.begin() as session:
        erase(session, vault, person)
    thread.join()
    assert [(one.given, one.unknown) for one in applied] == [(0, 1)]
    assert left(store, person)["consents"] == 0


def test_files_that_cannot_be_cleaned_now_are_left_to_the_clock(store, vault, person, monkeypatch):
    store.run(lambda s: erase(s, vault, person))

    def full(*_: object) -> int:
        raise OSError(28, "no space left")

    with monkeypatch.context() as broken:
        broken.setattr(activity, "forget_refused", full)
        export.forget_files(store, store.settings)
    assert left(store, person)["owed"] == 1
    assert activity.forget_refused(store, store.settings) == 0
    assert left(store, person)["owed"] == 0


def test_the_office_erases_by_the_same_verb(store, vault, person, monkeypatch):
    @contextmanager
    def opened(face: Face) -> Iterator[Database]:
        yield store

    monkeypatch.setattr(Face, "database", opened)
    monkeypatch.setattr(Face, "settings", store.settings)
    with store.connect() as connection:
        connection.execute(
            "INSERT INTO api_answer (id, request, sealed, scope) VALUES (sha256(%s), sha256('r'), 'sealed', %s)",
            (str(person.id).encode(), f"person:{person.id}"),
        )
    done = CliRunner().invoke(erase_command, [str(person.id), "--yes"], obj=Face(profile="demo", chosen_language="en"))
    assert done.output == "erased; 25 credits cancelled, 1 links ended, 2 consents taken back\n", done.output
    assert left(store, person) == {"state": "erased", "consents": 0, "devices": 0, "links": 0, "owed": 0}
    with store.connect() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM api_answer WHERE scope = %s), (SELECT string_agg(DISTINCT ended_by, ',') FROM device WHERE person_id = %s)",
            (f"person:{person.id}", person.id),
        ).fetchone()
    assert row == (0, "staff")
