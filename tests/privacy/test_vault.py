"""The vault of personal fields (Articles 11-13): sealed, read with a trace, looked up blindly, erased."""

import random
import threading
from dataclasses import replace

import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from carbonhui import privacy
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.privacy.vault import Vault
from tests.waiting import comes_to_wait

MOBILE = "+8613800138000"


def begun(database: Database, vault: privacy.Vault, **fields: str) -> int:
    """A subject of whom this much is known."""
    with database.begin() as session:
        subject = privacy.begin_subject(session, vault)
        privacy.keep(session, vault, subject, **fields)
        if "mobile" in fields:
            privacy.index_subject(session, vault, subject, "mobile", fields["mobile"])
        return subject


def test_what_is_kept_is_read_and_the_reading_is_seen(database: Database, vault: privacy.Vault, support: privacy.Reader):
    subject = begun(database, vault, name="张三", mobile=MOBILE)
    with database.begin() as session:
        wanted = {"name": "张三", "mobile": MOBILE}
        assert privacy.read(session, vault, subject, ["name", "mobile", "email"], support) == wanted
        privacy.keep(session, vault, subject, name="李四", mobile=None)
        assert privacy.read(session, vault, subject, ["name", "mobile"], support) == {"name": "李四"}
        reads = privacy.reads_of(session, subject)
    assert [read.fields for read in reads] == [("name",), ("mobile", "name")]
    assert (reads[0].actor, reads[0].role, reads[0].purpose, reads[0].request) == (
        support.actor, support.role, support.purpose, support.request
    )  # fmt: skip


def test_nothing_personal_stands_in_the_store_as_it_is(database: Database, vault: privacy.Vault, support: privacy.Reader):
    subject = begun(database, vault, name="Zaphod", mobile=MOBILE)
    with database.begin() as session:
        privacy.read(session, vault, subject, ["name", "mobile"], support)
    with database.connect_as_owner() as connection:
        for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            rows = " ".join(str(row) for row in connection.execute(f"SELECT t::text FROM {table} t"))
            for secret in ("Zaphod", "13800138000", b"Zaphod".hex(), b"13800138000".hex()):
                assert secret not in rows, table


def test_the_vault_keeps_any_whole_text_byte_for_byte(
    database: Database, vault: privacy.Vault, support: privacy.Reader
):
    texts = {f"note.{number}": text for number, text in enumerate(["", "\0", "x" * 10_000, "张" * 100, "📱", "\u202e"])}
    subject = begun(database, vault, **texts)
    with database.begin() as session:
        assert privacy.read(session, vault, subject, list(texts), support) == texts


def test_half_a_character_and_a_document_are_refused_and_not_repeated(database: Database, vault: privacy.Vault):
    with database.begin() as session:
        subject = privacy.begin_subject(session, vault)
        for text in ("a\ud800b", "x" * 10_001):
            with pytest.raises(privacy.TextRefused) as refused:
                privacy.keep(session, vault, subject, note=text)
            assert refused.value.__cause__ is None
            assert text not in str(refused.value)


@pytest.mark.parametrize("exchange", ["subject", "field", "algorithm"])
def test_a_field_in_the_place_of_another_is_refused(
    database: Database, vault: privacy.Vault, support: privacy.Reader, exchange: str
):
    ann, bo = (begun(database, vault, name=name, nickname=name * 2) for name in ("Ann", "Bo"))
    statement = {
        "subject": "UPDATE personal_field SET sealed = (SELECT sealed FROM personal_field WHERE subject = %(bo)s AND field = 'name')"
        " WHERE subject = %(ann)s AND field = 'name'",
        "field": "UPDATE personal_field SET sealed = (SELECT sealed FROM personal_field WHERE subject = %(ann)s AND field = 'nickname')"
        " WHERE subject = %(ann)s AND field = 'name'",
        "algorithm": "UPDATE personal_field SET algorithm = 'sm4-gcm' WHERE subject = %(ann)s AND field = 'name'",
    }[exchange]
    with database.connect_as_owner() as connection:
        connection.execute(statement, {"ann": ann, "bo": bo})
    with database.begin() as session, pytest.raises(privacy.SealBroken) as refused:
        privacy.read(session, vault, ann, ["name"], support)
    assert str(ann) in str(refused.value)
    assert "Bo" not in str(refused.value)


def test_the_data_key_of_another_person_opens_nothing(database: Database, vault: privacy.Vault, support: privacy.Reader):
    ann, bo = (begun(database, vault, name=name) for name in ("Ann", "Bo"))
    with database.connect_as_owner() as connection:
        connection.execute(
            "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE subject = %s) WHERE subject = %s", (bo, ann)
        )
    with database.begin() as session, pytest.raises(privacy.SealBroken):
        privacy.read(session, vault, ann, ["name"], support)


def test_both_kinds_are_read_after_a_change_of_the_setting(
    database: Database, settings: Settings, support: privacy.Reader
):
    international = privacy.open_vault(settings)
    guomi = privacy.open_vault(replace(settings, cryptography="guomi"))
    old, new = begun(database, international, name="Ann", mobile=MOBILE), begun(database, guomi, name="Bo")
    with database.begin() as session:
        privacy.keep(session, guomi, old, email="ann@example.org")
        for vault in (international, guomi):
            assert privacy.read(session, vault, old, ["name", "email"], support) == {"name": "Ann", "email": "ann@example.org"}
            assert privacy.read(session, vault, new, ["name"], support) == {"name": "Bo"}
            assert privacy.subject_with(session, vault, "mobile", MOBILE) == old
    with database.connect() as connection:
        named = connection.execute("SELECT subject, algorithm FROM personal_field ORDER BY subject, field").fetchall()
        assert named == [(old, "sm4-gcm"), (old, "aes-256-gcm"), (old, "aes-256-gcm"), (new, "sm4-gcm")]
        assert connection.execute("SELECT algorithm FROM data_key ORDER BY subject").fetchall() == [("aes-256-gcm",), ("sm4-gcm",)]


# The record of reads ------------------------------------------------------------------------------


def test_there_is_one_row_for_each_subject_that_was_decrypted(
    database: Database, vault: privacy.Vault, support: privacy.Reader, monkeypatch: pytest.MonkeyPatch
):
    chance = random.Random(7)
    names = ("name", "mobile", "email")
    subjects = [begun(database, vault, **{name: "x" for name in names if chance.random() < 0.6 and name != "mobile"}) for _ in range(12)]
    decrypted: list[tuple[int, str]] = []
    opened = Vault.open_field

    def counted(self: Vault, subject: int, field: str, *rest: bytes) -> str:
        decrypted.append((subject, field))
        return opened(self, subject, field, *rest)

    monkeypatch.setattr(Vault, "open_field", counted)
    readings = 0
    for _ in range(60):
        chosen = chance.sample(subjects, chance.randint(1, 5))
        with database.begin() as session:
            before = len(decrypted)
            found = privacy.read_many(session, vault, chosen, chance.sample(names, chance.randint(1, 3)), support)
            readings += sum(map(bool, found.values()))
            assert len(decrypted) - before == sum(map(len, found.values()))
    with database.connect() as connection:
        rows = connection.execute("SELECT subject, unnest(fields) FROM personal_read").fetchall()
        assert sorted(rows) == sorted(decrypted)
        assert connection.execute("SELECT count(*) FROM personal_read").fetchone() == (readings,)


def test_a_reading_that_is_rolled_back_leaves_no_row(database: Database, vault: privacy.Vault, support: privacy.Reader):
    subject = begun(database, vault, name="Ann")

    def read_and_fail() -> None:
        with database.begin() as session:
            privacy.read(session, vault, subject, ["name"], support)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read_and_fail()
    with database.begin() as session:
        assert privacy.reads_of(session, subject) == []


def test_the_record_of_reads_is_turned_by_pages_and_never_rewritten(
    database: Database, vault: privacy.Vault, support: privacy.Reader
):
    subject = begun(database, vault, name="Ann")
    with database.begin() as session:
        for number in range(5):
            privacy.read(session, vault, subject, ["name"], replace(support, request=f"r-{number}"))
        first = privacy.reads_of(session, subject, limit=3)
        rest = privacy.reads_of(session, subject, before=first[-1].id, limit=3)
    assert [read.request for read in (*first, *rest)] == ["r-4", "r-3", "r-2", "r-1", "r-0"]
    with database.connect_as_owner(autocommit=True) as connection:
        for statement in ("UPDATE personal_read SET actor = 'nobody'", "DELETE FROM personal_read", "TRUNCATE personal_read"):
            with pytest.raises(psycopg.Error, match="never changed or removed"):
                connection.execute(statement)


@pytest.mark.parametrize("word", ["actor", "role", "purpose", "request"])
def test_nobody_reads_without_saying_who_and_why(
    unchecked_database: Database, vault: privacy.Vault, support: privacy.Reader, word: str
):
    subject = begun(unchecked_database, vault, name="Ann")
    with pytest.raises(psycopg.errors.CheckViolation), unchecked_database.begin() as session:
        privacy.read(session, vault, subject, ["name"], replace(support, **{word: ""}))


# Indexes ------------------------------------------------------------------------------------------


def test_an_index_leads_to_one_subject(database: Database, vault: privacy.Vault):
    ann, bo = begun(database, vault, mobile=MOBILE), begun(database, vault)
    with database.begin() as session:
        with pytest.raises(privacy.IndexTaken) as refused:
            privacy.index_subject(session, vault, bo, "mobile", MOBILE)
        assert "138" not in str(refused.value)
        assert refused.value.__cause__ is None
        assert privacy.subject_with(session, vault, "mobile", MOBILE) == ann
        assert privacy.subject_with(session, vault, "id-number", MOBILE) is None
        privacy.unindex_subject(session, ann, "mobile")
        assert privacy.subject_with(session, vault, "mobile", MOBILE) is None
        privacy.index_subject(session, vault, bo, "mobile", MOBILE)
        assert privacy.subject_with(session, vault, "mobile", MOBILE) == bo


def test_the_newer_text_of_a_scheme_takes_the_place_of_the_older(database: Database, vault: privacy.Vault):
    ann = begun(database, vault, mobile=MOBILE)
    with database.begin() as session:
        for text in ("+8613900139000", "+8613900139000"):
            privacy.index_subject(session, vault, ann, "mobile", text)
        assert privacy.subject_with(session, vault, "mobile", MOBILE) is None
        assert privacy.subject_with(session, vault, "mobile", "+8613900139000") == ann


def test_a_refused_index_leaves_the_former_one(database: Database, vault: privacy.Vault):
    ann, bo = begun(database, vault, mobile=MOBILE), begun(database, vault, mobile="+8613900139000")
    with database.begin() as session:
        with pytest.raises(privacy.IndexTaken):
            privacy.index_subject(session, vault, bo, "mobile", MOBILE)
        assert privacy.subject_with(session, vault, "mobile", "+8613900139000") == bo
        assert privacy.subject_with(session, vault, "mobile", MOBILE) == ann


# Erasure ------------------------------------------------------------------------------------------


def test_an_erased_subject_is_gone_for_good(database: Database, vault: privacy.Vault, support: privacy.Reader):
    subject = begun(database, vault, name="张三", mobile=MOBILE)
    with database.begin() as session:
        assert not privacy.is_erased(session, subject)
        privacy.read(session, vault, subject, ["name"], support)
        privacy.erase(session, subject)
        privacy.erase(session, subject)
        assert privacy.is_erased(session, subject)
        assert privacy.subject_with(session, vault, "mobile", MOBILE) is None
        assert privacy.read_many(session, vault, [subject], ["name"], support) == {}
        assert len(privacy.reads_of(session, subject)) == 1, "the record of reads stays"
        for attempt in (
            lambda: privacy.read(session, vault, subject, ["name"], support),
            lambda: privacy.keep(session, vault, subject, name="张三"),
            lambda: privacy.index_subject(session, vault, subject, "mobile", MOBILE),
        ):
            with pytest.raises(privacy.SubjectErased):
                attempt()
        newcomer = privacy.begin_subject(session, vault)
        privacy.index_subject(session, vault, newcomer, "mobile", MOBILE)
    with database.connect() as connection:
        for table in ("data_key", "personal_field", "personal_index"):
            assert connection.execute(f"SELECT count(*) FROM {table} WHERE subject = %s", (subject,)).fetchone() == (0,)


def test_a_subject_that_never_was_is_unknown(database: Database, vault: privacy.Vault, support: privacy.Reader):
    with database.begin() as session:
        for attempt in (
            lambda: privacy.read(session, vault, 99, ["name"], support),
            lambda: privacy.keep(session, vault, 99, name="x"),
            lambda: privacy.index_subject(session, vault, 99, "mobile", MOBILE),
            lambda: privacy.erase(session, 99),
            lambda: privacy.is_erased(session, 99),
        ):
            with pytest.raises(privacy.SubjectUnknown):
                attempt()


def test_an_erasure_is_never_taken_back_not_even_by_the_owner(database: Database, vault: privacy.Vault):
    subject = begun(database, vault, name="Ann")
    with database.begin() as session:
        privacy.erase(session, subject)
    attempts = {
        "UPDATE data_subject SET erased_at = NULL WHERE id = %s": "never changed",
        "UPDATE data_subject SET erased_at = now() WHERE id = %s": "never changed",
        "DELETE FROM data_subject WHERE id = %s": "never changed",
        "INSERT INTO data_key (subject, wrapped, kek, algorithm) VALUES (%s, zeroed, '1', 'x')": "subject",
        "INSERT INTO personal_field (subject, field, sealed, algorithm) VALUES (%s, 'name', zeroed, 'x')": "subject",
    }
    zeroed = "decode(repeat('00', 60), 'hex')"
    with database.connect_as_owner(autocommit=True) as connection:
        for statement, said in attempts.items():
            with pytest.raises(psycopg.Error, match=said):
                connection.execute(statement.replace("zeroed", zeroed), (subject,))


def test_who_writes_while_an_erasure_goes_on_waits_and_is_refused(database: Database, vault: privacy.Vault):
    subject = begun(database, vault, name="Ann")
    outcomes: list[str] = []

    def write(work) -> None:
        try:
            with database.begin() as other:
                work(other)
            outcomes.append("written")
        except privacy.SubjectErased:
            outcomes.append("refused")

    works = (
        lambda s: privacy.keep(s, vault, subject, name="Bo"),
        lambda s: privacy.index_subject(s, vault, subject, "mobile", MOBILE),
    )
    writers = [threading.Thread(target=write, args=(work,)) for work in works]
    with database.begin() as session:
        privacy.erase(session, subject)
        for writer in writers:
            writer.start()
        assert comes_to_wait(database, *writers)
    for writer in writers:
        writer.join()
    assert outcomes == ["refused", "refused"]


@hypothesis_settings(max_examples=4)
@given(st.randoms(use_true_random=False))
def test_writers_and_erasers_at_once_leave_nothing_of_the_erased(
    database: Database, vault: privacy.Vault, chance: random.Random
):
    subjects = [begun(database, vault, name="x") for _ in range(3)]

    def work(seed: int) -> None:
        own = random.Random(seed)
        for _ in range(6):
            subject = own.choice(subjects)
            try:
                with database.begin() as session:
                    if own.random() < 0.3:
                        privacy.erase(session, subject)
                    else:
                        privacy.index_subject(session, vault, subject, "mobile", f"{seed}-{own.random()}")
                        privacy.keep(session, vault, subject, name="y", email=None)
            except privacy.SubjectErased:
                continue

    threads = [threading.Thread(target=work, args=(chance.randrange(10**6),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.connect() as connection:
        for truth in privacy.CHECK_QUERIES:
            assert connection.execute(truth.query).fetchall() == [], truth.says
