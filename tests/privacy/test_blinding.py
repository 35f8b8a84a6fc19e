"""Blind indexes and their key (Articles 11-12)."""

import hashlib
import hmac
import stat
import threading
from pathlib import Path

import duckdb
import pytest

from carbonhui import privacy

KEY = bytes(range(32))


def test_the_index_is_hmac_sha256_of_scheme_and_identifier_cut_to_16_bytes():
    wanted = hmac.new(KEY, b"card\x00123", hashlib.sha256).digest()[:16]
    assert privacy.blind_index(KEY, "card", "123") == wanted


def test_purposes_are_apart_and_no_boundary_can_be_moved():
    assert privacy.blind_index(KEY, "card", "123") != privacy.blind_index(KEY, "phone", "123")
    assert privacy.blind_index(KEY, "card1", "23") != privacy.blind_index(KEY, "card", "123")


def test_another_key_gives_another_index():
    assert privacy.blind_index(KEY, "card", "123") != privacy.blind_index(bytes(32), "card", "123")


@pytest.mark.parametrize("spelling", ["123", "１２３", " 123\n", "１2３"])
def test_one_identifier_in_another_spelling_is_the_same_person(spelling):
    assert privacy.blind_index(KEY, "card", spelling) == privacy.blind_index(KEY, "card", "123")


@pytest.mark.parametrize("nothing", ["", "  ", "\u3000"])
def test_an_empty_identifier_is_refused(nothing):
    with pytest.raises(privacy.IdentifierEmpty) as refused:
        privacy.blind_index(KEY, "card", nothing)
    assert "card" in refused.value.text("zh")


def test_the_engine_gives_the_same_index():
    identifiers = ["1", "abc-123", "x" * 200]
    query = f"SELECT {privacy.blind_index_sql('i')} FROM unnest($identifiers) AS t (i)"
    with duckdb.connect() as engine:
        found = engine.execute(query, privacy.sql_words(KEY, "trip.act") | {"identifiers": identifiers}).fetchall()
    assert [index for (index,) in found] == [privacy.blind_index(KEY, "trip.act", one) for one in identifiers]


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path):
    path = tmp_path / "deep" / "blind.key"
    key = privacy.load_or_make_key(path)
    assert len(key) == privacy.KEY_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert privacy.load_or_make_key(path) == key
    assert [found.name for found in path.parent.iterdir()] == ["blind.key"]


def test_several_makers_at_once_get_one_key(tmp_path: Path):
    path, keys, ready = tmp_path / "blind.key", [], threading.Barrier(8)

    def make() -> None:
        ready.wait()
        keys.append(privacy.load_or_make_key(path))

    makers = [threading.Thread(target=make) for _ in range(8)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_key_that_others_can_read_is_refused(tmp_path: Path):
    path = tmp_path / "blind.key"
    privacy.load_or_make_key(path)
    path.chmod(0o640)
    with pytest.raises(privacy.KeyFileOpen, match="0640"):
        privacy.load_or_make_key(path)


@pytest.mark.parametrize("length", [0, 31, 33, 5000])
def test_a_key_of_another_length_is_refused_and_kept(tmp_path: Path, length: int):
    path = tmp_path / "blind.key"
    path.write_bytes(b"k" * length)
    path.chmod(0o600)
    with pytest.raises(privacy.KeyFileWrong, match=f"holds {length} bytes"):
        privacy.load_or_make_key(path)
    assert path.stat().st_size == length


def test_a_folder_in_the_place_of_the_key_is_refused(tmp_path: Path):
    with pytest.raises(privacy.KeyFileUnreadable):
        privacy.load_or_make_key(tmp_path)
    fifo = tmp_path / "file"
    fifo.write_bytes(b"")
    with pytest.raises(privacy.KeyFileUnreadable):
        privacy.load_or_make_key(fifo / "blind.key")
    assert list(tmp_path.iterdir()) == [fifo]
