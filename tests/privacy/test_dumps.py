"""Data and keys are dumped apart, so that no old backup brings back who was erased (Articles 11-13; PIPL 47)."""

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.orm import Session

from carbonhui import privacy
from carbonhui.core import embedded
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings

MOBILES = ("+8613800138000", "+8613900139000")


@dataclass(frozen=True)
class Backups:
    """Ann, who will be erased, and Bo, who will not; and everything that was dumped before and after."""

    ann: int
    bo: int
    data: Path
    keys: Path
    erased: Path


@pytest.fixture
def backups(database: Database, settings: Settings, vault: privacy.Vault, tmp_path: Path) -> Backups:
    made = Backups(*_ann_and_bo(database, vault), *(tmp_path / name for name in ("data.dump", "keys.csv", "erased.csv")))
    privacy.dump_data(database.parameters, settings, made.data)
    with database.begin() as session:
        assert privacy.dump_keys(session, made.keys) == 4
        # Begun after the dump of the data, so that only a later dump of keys knows her.
        privacy.begin_subject(session, vault)
        privacy.erase(session, made.ann)
    with database.begin() as session:
        assert privacy.dump_erased(session, made.erased) == 1
    return made


def _ann_and_bo(database: Database, vault: privacy.Vault) -> tuple[int, int]:
    with database.begin() as session:
        ann, bo = (privacy.begin_subject(session, vault) for _ in range(2))
        for subject, name, mobile in ((ann, "Ann", MOBILES[0]), (bo, "Bo", MOBILES[1])):
            privacy.keep(session, vault, subject, name=name)
            privacy.index_subject(session, vault, subject, "mobile", mobile)
    return ann, bo


@pytest.fixture
def restored(server: embedded.Server, settings: Settings, backups: Backups) -> Iterator[Database]:
    """Another store into which the old dump of the data was brought back."""
    name = f"restored_{os.getpid()}"
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    where = ["--host", server.parameters()["host"], "--port", str(server.parameters()["port"]), "--username", server.parameters()["user"]]
    command = [server.bin / "pg_restore", *where, "--dbname", name, "--single-transaction", backups.data]
    subprocess.run(command, check=True, capture_output=True)
    opened = Database(parameters=server.parameters(name), settings=settings, server=None)
    yield opened
    opened.close()
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_an_old_backup_of_the_data_cannot_bring_back_the_erased(
    database: Database, restored: Database, vault: privacy.Vault, support: privacy.Reader, backups: Backups, tmp_path: Path
):
    with restored.begin() as session:
        for subject in (backups.ann, backups.bo):
            with pytest.raises(privacy.DataKeyMissing):
                privacy.read(session, vault, subject, ["name"], support)
        assert [privacy.subject_with(session, vault, "mobile", mobile) for mobile in MOBILES] == [None, None]
    _restore_what_was_dumped_after_the_erasure(database, restored, vault, backups, tmp_path)
    with restored.begin() as session:
        told = privacy.restore_keys(session, vault, keys=backups.keys, erased=backups.erased)
    assert told == privacy.Restored(keys=1, indexes=1, refused=1, unknown=0)
    with restored.begin() as session:
        assert privacy.restore_keys(session, vault, keys=backups.keys, erased=backups.erased).keys == 0
        assert privacy.read(session, vault, backups.bo, ["name"], support) == {"name": "Bo"}
        assert privacy.is_erased(session, backups.ann)
        with pytest.raises(privacy.SubjectErased):
            privacy.read(session, vault, backups.ann, ["name"], support)
        assert [privacy.subject_with(session, vault, "mobile", mobile) for mobile in MOBILES] == [None, backups.bo]
    with restored.connect() as connection:
        assert connection.execute("SELECT count(*) FROM personal_field WHERE subject = %s", (backups.ann,)).fetchone() == (0,)
        for truth in privacy.CHECK_QUERIES:
            assert connection.execute(truth.query).fetchall() == [], truth.says


def _restore_what_was_dumped_after_the_erasure(
    database: Database, restored: Database, vault: privacy.Vault, backups: Backups, tmp_path: Path
) -> None:
    """It holds no key of hers, and says itself that she was erased. Nothing of it stays."""
    later, nobody = tmp_path / "later.csv", tmp_path / "nobody.csv"
    nobody.write_text("end,0,,,,\n")
    with database.begin() as session:
        privacy.dump_keys(session, later)
    with undone(restored) as session:
        told = privacy.restore_keys(session, vault, keys=later, erased=nobody)
        assert told == privacy.Restored(keys=1, indexes=1, refused=0, unknown=1)
        assert privacy.is_erased(session, backups.ann)


def test_keys_come_back_under_their_own_key_only(
    database: Database, settings: Settings, vault: privacy.Vault, tmp_path: Path
):
    old, keys, erased = vault.keeper.current(), tmp_path / "keys.csv", tmp_path / "erased.csv"
    _ann_and_bo(database, vault)
    with database.begin() as session:
        privacy.dump_keys(session, keys)
        privacy.dump_erased(session, erased)
    privacy.new_kek(vault)
    vault.keyring.rewrap()
    with undone(database) as session:
        privacy.rotate_kek(session, vault)
        privacy.retire_kek(session, vault, old)
        with pytest.raises(privacy.KeyMissing, match="retired"):
            privacy.restore_keys(session, vault, keys=keys, erased=erased)
    (settings.keys / "kek-1.key").unlink()
    with undone(database) as session, pytest.raises(privacy.KeyMissing, match=old):
        privacy.restore_keys(session, privacy.open_vault(settings), keys=keys, erased=erased)


@contextmanager
def undone(database: Database) -> Iterator[Session]:
    """A transaction of which nothing stays."""
    with Session(database.engine) as session:
        yield session
        session.rollback()


def test_dumps_are_closed_to_others_and_hold_nothing_personal(server: embedded.Server, backups: Backups):
    for path in (backups.data, backups.keys, backups.erased):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        content = path.read_bytes()
        for secret in (b"Ann", b"13800138000", b"Ann".hex().encode()):
            assert secret not in content
    assert not [path for path in backups.data.parent.iterdir() if path.name.endswith(".part")]
    listed = subprocess.run([server.bin / "pg_restore", "--list", backups.data], check=True, capture_output=True, text=True)
    held = {line.split()[-2] for line in listed.stdout.splitlines() if " TABLE DATA " in line}
    assert {"data_subject", "personal_field", "personal_read", "retired_key", "transfer"} <= held
    assert not held & {"data_key", "personal_index"}


def test_a_dump_that_is_cut_short_or_something_else_is_refused_whole(
    database: Database, vault: privacy.Vault, tmp_path: Path
):
    (_, bo), keys, erased = _ann_and_bo(database, vault), tmp_path / "keys.csv", tmp_path / "erased.csv"
    with database.begin() as session:
        privacy.dump_keys(session, keys)
        privacy.dump_erased(session, erased)
    whole = keys.read_text()
    lines = whole.splitlines(keepends=True)
    broken = {
        "its end is missing": ["", "".join(lines[:-1]), "".join(lines[1:])],
        "it is not a dump": ["张三\n", "a,b\n", whole + lines[0], "\0" * 10],
        "a line is not one": [whole.replace("key,", "key,x", 1), f"key,{bo},zz,kek,a,b\nend,1,,,,\n"],
    }
    path = tmp_path / "broken.csv"
    for reason, contents in broken.items():
        for content in contents:
            path.write_text(content)
            with pytest.raises(privacy.DumpUnusable, match=reason), database.begin() as session:
                privacy.restore_keys(session, vault, keys=path, erased=erased)
    with pytest.raises(privacy.DumpUnusable, match="No such file"), database.begin() as session:
        privacy.restore_keys(session, vault, keys=tmp_path / "missing", erased=erased)


def test_a_dump_that_cannot_be_written_is_refused(database: Database, settings: Settings, tmp_path: Path):
    with pytest.raises(privacy.DumpUnusable):
        privacy.dump_data(database.parameters, settings, tmp_path / "missing" / "data.dump")
    with pytest.raises(privacy.DumpUnusable), database.begin() as session:
        privacy.dump_keys(session, tmp_path / "missing" / "keys.csv")
    with pytest.raises(privacy.DumpUnusable) as refused:
        privacy.dump_data({**database.parameters, "dbname": "nowhere", "password": "hush"}, settings, tmp_path / "data.dump")
    assert "hush" not in str(refused.value)
    assert list(tmp_path.glob("*.dump")) == []
