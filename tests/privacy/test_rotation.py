"""Keys are changed while everything stays readable, and the old ones go (Article 13)."""

import threading
from dataclasses import replace

import psycopg
import pytest

from carbonhui import privacy
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings

SUBJECTS = 7


@pytest.fixture
def subjects(database: Database, vault: privacy.Vault) -> list[int]:
    """Seven persons with a name and a mobile number each."""
    made = []
    with database.begin() as session:
        for number in range(SUBJECTS):
            subject = privacy.begin_subject(session, vault)
            privacy.keep(session, vault, subject, name=f"name {number}", mobile=_mobile(number))
            privacy.index_subject(session, vault, subject, "mobile", _mobile(number))
            made.append(subject)
    return made


def _mobile(number: int) -> str:
    return f"+861380013800{number}"


def rewrap_all(database: Database, vault: privacy.Vault, most: int = 3) -> list[int]:
    """How many keys each batch wrapped anew."""
    counts, after = [], 0
    while True:
        batch = database.run(lambda s, after=after: privacy.rotate_kek(s, vault, after=after, most=most))
        counts.append(batch.done)
        if batch.last is None:
            return counts
        after = batch.last


def reindex_all(database: Database, vault: privacy.Vault, reader: privacy.Reader, most: int = 3) -> tuple[int, list[int]]:
    done, astray, after = 0, [], 0
    while True:
        batch = database.run(
            lambda s, after=after: privacy.rotate_index(s, vault, "mobile", field="mobile", reader=reader, after=after, most=most)
        )
        done, astray = done + batch.done, astray + list(batch.astray)
        if batch.last is None:
            return done, astray
        after = batch.last


def all_is_read(database: Database, vault: privacy.Vault, reader: privacy.Reader, subjects: list[int]) -> bool:
    with database.begin() as session:
        found = privacy.read_many(session, vault, subjects, ["name"], reader)
        return found == {subject: {"name": f"name {number}"} for number, subject in enumerate(subjects)}


# The key-encryption key ---------------------------------------------------------------------------


def test_every_data_key_comes_under_the_new_key_and_the_old_one_goes(
    database: Database, settings: Settings, vault: privacy.Vault, support: privacy.Reader, subjects: list[int]
):
    old, secret = vault.keeper.current(), vault.wrap("totp", b"seed")
    running = privacy.open_vault(settings)
    new = privacy.new_kek(vault)
    assert all_is_read(database, running, support, subjects)
    assert rewrap_all(database, vault) == [3, 3, 1]
    assert rewrap_all(database, vault) == [0]
    database.run(lambda s: privacy.retire_kek(s, vault, old))
    database.run(lambda s: privacy.drop_kek(s, vault, old))
    assert sorted(path.name for path in settings.keys.glob("kek-*")) == ["kek-2.key"]
    for opened in (privacy.open_vault(settings), running):
        assert all_is_read(database, opened, support, subjects)
        assert opened.keeper.current() == new
        assert opened.unwrap("totp", secret) == b"seed"
        with database.begin() as session:
            assert privacy.subject_with(session, opened, "mobile", _mobile(3)) == subjects[3]
            privacy.begin_subject(session, opened)
    with database.connect() as connection:
        assert connection.execute("SELECT DISTINCT kek FROM data_key").fetchall() == [(new,)]


def test_a_rotation_that_died_half_way_is_started_again(
    database: Database, vault: privacy.Vault, support: privacy.Reader, subjects: list[int]
):
    old = vault.keeper.current()
    privacy.new_kek(vault)
    database.run(lambda s: privacy.rotate_kek(s, vault, most=4))
    assert all_is_read(database, vault, support, subjects)
    with pytest.raises(privacy.KeyInUse, match="3 entries"):
        database.run(lambda s: privacy.retire_kek(s, vault, old))
    assert sum(rewrap_all(database, vault)) == 3
    database.run(lambda s: privacy.retire_kek(s, vault, old))


def test_the_key_that_wraps_is_not_dropped_and_no_key_before_it_is_retired(
    database: Database, vault: privacy.Vault, subjects: list[int]
):
    old = vault.keeper.current()
    with pytest.raises(privacy.KeyInUse):
        database.run(lambda s: privacy.retire_kek(s, vault, old))
    privacy.new_kek(vault)
    rewrap_all(database, vault)
    with pytest.raises(privacy.KeyInUse):
        database.run(lambda s: privacy.drop_kek(s, vault, old))


def test_nothing_new_is_wrapped_by_a_retired_key(database: Database, vault: privacy.Vault, subjects: list[int]):
    old = vault.keeper.current()
    late = vault.seal_key(subjects[0], bytes(32))
    privacy.new_kek(vault)
    rewrap_all(database, vault)
    database.run(lambda s: privacy.retire_kek(s, vault, old))
    with database.connect() as connection, pytest.raises(psycopg.errors.SerializationFailure):
        connection.execute(
            "UPDATE data_key SET wrapped = %s, kek = %s WHERE subject = %s", (late.sealed, late.kek, subjects[0])
        )


def test_a_rotation_brings_keys_to_the_other_cipher(
    database: Database, settings: Settings, support: privacy.Reader, subjects: list[int]
):
    guomi = privacy.open_vault(replace(settings, cryptography="guomi"))
    privacy.new_kek(guomi)
    rewrap_all(database, guomi)
    assert all_is_read(database, guomi, support, subjects)
    with database.begin() as session:
        states = {state.name: state for state in privacy.keys_in_use(session)}
    assert states[f"kek {guomi.keeper.current()}"].algorithms == ("sm4-gcm",)
    assert states[f"kek {guomi.keeper.current()}"].entries == SUBJECTS


def test_persons_are_erased_and_begun_while_keys_are_rewrapped(
    database: Database, vault: privacy.Vault, support: privacy.Reader, subjects: list[int]
):
    privacy.new_kek(vault)
    stop = threading.Event()

    def live() -> None:
        while not stop.is_set():
            subject = database.run(lambda s: privacy.begin_subject(s, vault))
            database.run(lambda s, subject=subject: privacy.keep(s, vault, subject, name="x"))
            database.run(lambda s, subject=subject: privacy.erase(s, subject))

    city = threading.Thread(target=live)
    city.start()
    try:
        for _ in range(20):
            rewrap_all(database, vault, most=2)
    finally:
        stop.set()
        city.join()
    assert all_is_read(database, vault, support, subjects)
    with database.connect() as connection:
        assert connection.execute("SELECT DISTINCT kek FROM data_key").fetchall() == [(vault.keeper.current(),)]


# Index keys ---------------------------------------------------------------------------------------


def test_while_an_index_key_changes_both_find_everybody_and_then_the_old_one_goes(
    database: Database, settings: Settings, vault: privacy.Vault, support: privacy.Reader, subjects: list[int]
):
    running = privacy.open_vault(settings)
    old_digest = vault.digest("mobile", _mobile(0))
    assert privacy.new_index_key(vault, "mobile") == 2
    assert vault.digests("mobile", _mobile(0))[1] == old_digest == running.digests("mobile", _mobile(0))[1]

    def everybody_is_found() -> bool:
        with database.begin() as session:
            return [privacy.subject_with(session, v, "mobile", _mobile(n)) for n in range(SUBJECTS) for v in (vault, running)] == [
                subject for subject in subjects for _ in range(2)
            ]

    assert everybody_is_found()
    database.run(lambda s: privacy.rotate_index(s, vault, "mobile", field="mobile", reader=support, most=4))
    assert everybody_is_found()
    with pytest.raises(privacy.KeyInUse, match="3 entries"):
        database.run(lambda s: privacy.retire_index_key(s, vault, "mobile", 1))
    assert reindex_all(database, vault, support) == (3, [])
    database.run(lambda s: privacy.retire_index_key(s, vault, "mobile", 1))
    gone = 0
    while dropped := database.run(lambda s: privacy.drop_index_key(s, vault, "mobile", 1, most=3)):
        gone += dropped
    assert gone == SUBJECTS
    assert everybody_is_found()
    assert not (settings.keys / "index-mobile-1.key").exists()
    assert len(running.digests("mobile", _mobile(0))) == 1


def test_a_reindexing_is_a_reading_that_persons_see(
    database: Database, vault: privacy.Vault, support: privacy.Reader, subjects: list[int]
):
    privacy.new_index_key(vault, "mobile")
    reindex_all(database, vault, replace(support, purpose="index_rotation"))
    with database.begin() as session:
        for subject in subjects:
            assert [(read.purpose, read.fields) for read in privacy.reads_of(session, subject)] == [("index_rotation", ("mobile",))]


def test_two_of_one_number_are_refused_even_while_the_key_changes(
    database: Database, vault: privacy.Vault, subjects: list[int]
):
    privacy.new_index_key(vault, "mobile")
    with database.begin() as session:
        newcomer = privacy.begin_subject(session, vault)
        with pytest.raises(privacy.IndexTaken):
            privacy.index_subject(session, vault, newcomer, "mobile", _mobile(0))
        privacy.index_subject(session, vault, newcomer, "mobile", _mobile(9))
        assert privacy.subject_with(session, vault, "mobile", _mobile(9)) == newcomer
    with database.connect() as connection:
        versions = connection.execute("SELECT key_version FROM personal_index WHERE subject = %s ORDER BY 1", (newcomer,)).fetchall()
        assert versions == [(1,), (2,)]


def test_who_is_astray_is_told_and_keeps_the_old_key(
    database: Database, vault: privacy.Vault, support: privacy.Reader, subjects: list[int]
):
    with database.begin() as session:
        privacy.keep(session, vault, subjects[2], mobile=_mobile(8))
        privacy.keep(session, vault, subjects[4], mobile=None)
    privacy.new_index_key(vault, "mobile")
    assert reindex_all(database, vault, support) == (SUBJECTS - 2, [subjects[2], subjects[4]])
    with pytest.raises(privacy.KeyInUse, match="2 entries"):
        database.run(lambda s: privacy.retire_index_key(s, vault, "mobile", 1))
    with database.begin() as session:
        assert privacy.subject_with(session, vault, "mobile", _mobile(2)) == subjects[2]


def test_a_process_that_does_not_know_the_new_key_yet_begins_again_with_it(
    database: Database, settings: Settings, vault: privacy.Vault, support: privacy.Reader, subjects: list[int]
):
    stale = vault.versioned_digests("mobile", _mobile(9))[0]
    privacy.new_index_key(vault, "mobile")
    reindex_all(database, vault, support)
    database.run(lambda s: privacy.retire_index_key(s, vault, "mobile", 1))
    with database.connect() as connection, pytest.raises(psycopg.errors.SerializationFailure):
        connection.execute(
            "INSERT INTO personal_index (scheme, digest, key_version, algorithm, subject) VALUES ('mobile', %s, 1, %s, %s)",
            (stale[1], stale[0].algorithm, subjects[0]),
        )


def test_the_newest_index_key_is_not_retired(database: Database, vault: privacy.Vault, subjects: list[int]):
    with pytest.raises(privacy.KeyInUse):
        database.run(lambda s: privacy.retire_index_key(s, vault, "mobile", 1))
    with pytest.raises(privacy.KeyInUse):
        database.run(lambda s: privacy.drop_index_key(s, vault, "mobile", 1))
