"""Whatever is done to keys is done by hand, through the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from carbonhui import privacy
from carbonhui.cli.context import Face
from carbonhui.cli.vault import COMMANDS
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings


class OpenFace(Face):
    """A face whose store is open already."""

    def __init__(self, opened: Database, settings: Settings) -> None:
        super().__init__(profile="demo", chosen_language=None)
        self.opened = opened
        self.__dict__["settings"] = settings

    @contextmanager
    def database(self) -> Iterator[Database]:
        yield self.opened


@pytest.fixture
def run(database: Database, settings: Settings):
    """Run one of the commands ``vault ...`` and answer what it printed."""

    def run_it(*words: object) -> str:
        answer = CliRunner().invoke(click.Group(commands=COMMANDS), [str(word) for word in words], obj=OpenFace(database, settings))
        if isinstance(answer.exception, Refusal):
            raise answer.exception
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    return run_it


def test_keys_are_rotated_dumped_and_restored_by_hand(
    run, database: Database, vault: privacy.Vault, support: privacy.Reader, tmp_path: Path
):
    with database.begin() as session:
        ann, bo = (privacy.begin_subject(session, vault) for _ in range(2))
        for subject, mobile in ((ann, "+8613800138000"), (bo, "+8613900139000")):
            privacy.keep(session, vault, subject, mobile=mobile)
            privacy.index_subject(session, vault, subject, "mobile", mobile)
    old = vault.keeper.current()
    assert "2 data keys wrapped by kek 2." in run("vault", "rotate-kek")
    assert "0 data keys wrapped by kek 2." in run("vault", "rotate-kek", "--resume")
    assert run("vault", "drop-kek", old) == f"dropped: kek {old}\n"
    with pytest.raises(Refusal, match="cannot be dropped"):
        run("vault", "drop-kek", vault.keeper.current())
    assert "2 subjects indexed by mobile 2" in run("vault", "rotate-index", "mobile", "--by", "staff:1")
    assert run("vault", "drop-index-key", "mobile", 1) == "dropped: index mobile 1\n"
    assert run("vault", "new-service-key") == "service 2\n"
    shown = run("vault", "keys")
    assert "index mobile 2" in shown
    assert "retired" in shown
    assert "written" in run("vault", "dump-data", tmp_path / "data")
    assert "4 rows" in run("vault", "dump-keys", tmp_path / "keys.csv")
    with database.begin() as session:
        privacy.erase(session, ann)
    assert "1 erased" in run("vault", "dump-erased", tmp_path / "erased")
    told = run("vault", "restore-keys", tmp_path / "keys.csv", "--erased", tmp_path / "erased")
    assert "0 data keys and 0 indexes restored\n1 refused" in told
    with database.begin() as session:
        assert privacy.read(session, vault, bo, ["mobile"], support) == {"mobile": "+8613900139000"}


def test_who_is_astray_is_printed(run, database: Database, vault: privacy.Vault):
    with database.begin() as session:
        subject = privacy.begin_subject(session, vault)
        privacy.index_subject(session, vault, subject, "mobile", "+8613800138000")
    assert f"astray, because their field does not give their index: {subject}" in run("vault", "rotate-index", "mobile", "--by", "staff:1")
    assert "astray" in run("vault", "rotate-index", "mobile", "--by", "staff:1", "--resume", "--field", "number")
    assert vault.index_keys("mobile")[0].version == 2
