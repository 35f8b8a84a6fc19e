"""Third parties ship methodologies as packages (Article 14)."""

from collections.abc import Callable
from importlib import invalidate_caches
from pathlib import Path

import pytest

from carbonhui.methodology import installed
from carbonhui.methodology.refusals import MethodologyFileMissing, MethodologyIdRepeated, MethodologyPackageMissing

Write = Callable[..., Path]
ALARM = 'raise RuntimeError("a package was run while it was only looked for")\n'


@pytest.fixture
def announce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a distribution, as pip would leave it, with one entry point."""

    def write(entry: str) -> None:
        site = tmp_path / "site"
        facts = site / "harbour-1.0.dist-info"
        facts.mkdir(parents=True, exist_ok=True)
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: harbour\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[carbonhui.methodologies]\n{entry}\n")
        monkeypatch.syspath_prepend(site)
        invalidate_caches()

    return write


def test_an_announced_package_is_found_without_running_it(
    ferry: Write, announce: Callable[[str], None], tmp_path: Path
) -> None:
    for package in ("harbour", "harbour/ways"):
        (tmp_path / "site" / package).mkdir(parents=True)
        (tmp_path / "site" / package / "__init__.py").write_text(ALARM)
    ferry(name="site/harbour/ways/ferry")
    (tmp_path / "site/harbour/ways/ferry/__init__.py").write_text(ALARM)
    announce("ferry = harbour.ways.ferry")
    found = installed()
    assert found["ferry"].title["zh"] == "轮渡出行"
    assert "cycling" in found


def test_a_shipped_methodology_that_is_announced_too_is_one_methodology(announce: Callable[[str], None]) -> None:
    announce("cycling = methodologies.cycling")
    assert installed()["cycling"].id == "cycling"


@pytest.mark.parametrize("package", ["harbour.ways.ferry", "os.path", "this", "methodologies.nowhere"])
def test_an_announcement_that_leads_nowhere_is_refused(announce: Callable[[str], None], package: str) -> None:
    announce(f"ferry = {package}")
    with pytest.raises(MethodologyPackageMissing) as told:
        installed()
    assert told.value.code == "methodology_package_missing"
    assert package in str(told.value)


def test_an_announced_package_without_a_methodology_is_refused(announce: Callable[[str], None]) -> None:
    announce("ferry = json")
    with pytest.raises(MethodologyFileMissing):
        installed()


def test_two_packages_with_one_id_are_refused(ferry: Write) -> None:
    first, second = ferry(name="first"), ferry(name="second")
    with pytest.raises(MethodologyIdRepeated) as told:
        installed(folders=[first, second])
    assert told.value.code == "methodology_id_repeated"
    assert str(first) in str(told.value) and str(second) in str(told.value)


def test_named_folders_are_all_that_is_read(ferry: Write) -> None:
    assert list(installed(folders=[ferry()])) == ["ferry"]
    assert installed(folders=[]) == {}
