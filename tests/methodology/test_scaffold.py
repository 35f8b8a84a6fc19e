"""A methodology is begun with one command, outside the house (Article 14)."""

import tomllib
from pathlib import Path

import pytest

from carbonhui.core.refusals import Refusal
from carbonhui.methodology import check, load, scaffold


def test_what_is_written_passes_its_own_check_and_mints_nothing_real(tmp_path: Path) -> None:
    folder = scaffold("harbour_ferry", tmp_path / "new")
    assert folder == tmp_path / "new" / "harbour-ferry"
    assert check(folder / "harbour_ferry") == []
    found = load(folder / "harbour_ferry")
    assert (found.id, found.demonstration) == ("harbour_ferry", True)
    assert {dated.provenance_class for one in found.parameters.values() for dated in one.values} == {"U"}


def test_what_is_written_is_a_package_that_announces_itself(tmp_path: Path) -> None:
    folder = scaffold("ferry", tmp_path)
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["carbonhui.methodologies"] == {"ferry": "ferry"}
    assert project["tool"]["setuptools"]["package-data"] == {"ferry": ["*"]}
    assert "@" not in "".join(path.read_text() for path in folder.rglob("*.*"))


@pytest.mark.parametrize("name", ["", "Ferry", "9th", "class", "harbour-ferry", "a/b", "..", "x" * 61])
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refusal) as told:
        scaffold(name, tmp_path)
    assert told.value.code == "scaffold_name_invalid"
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder = scaffold("ferry", tmp_path)
    (folder / "ferry" / "formula.py").write_text("mine")
    with pytest.raises(Refusal) as told:
        scaffold("ferry", tmp_path)
    assert told.value.code == "scaffold_exists"
    assert (folder / "ferry" / "formula.py").read_text() == "mine"
