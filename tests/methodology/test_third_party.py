"""A third party's package is found once pip installed it, and nothing of it is ever run (Article 14)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from carbonhui.methodology import check

PACKAGE = Path(__file__).parent / "third_party" / "harbour-ferry"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip installed the package: built from a copy, because a build leaves files beside its sources."""
    folder = tmp_path_factory.mktemp("third-party")
    source = folder / "harbour-ferry"
    for path in PACKAGE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            target = source / path.relative_to(PACKAGE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    pip = [sys.executable, "-m", "pip", "install", *offline, "--target", str(folder / "site"), str(source)]
    installed = subprocess.run(pip, capture_output=True, check=False, text=True)
    assert installed.returncode == 0, installed.stderr
    return folder / "site"


def carbonhui(site: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line, in a program of its own whose path leads to what pip installed."""
    root = Path(__file__).resolve().parents[2]
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(root)]), "CARBONHUI_HOME": str(home),
        "CARBONHUI_PROFILE": "demo", "COLUMNS": "200",
    }  # fmt: skip
    program = [sys.executable, "-c", "from carbonhui.cli import main; main()", *words]
    return subprocess.run(program, env=environment, cwd=home, capture_output=True, check=False, text=True)


def test_the_example_package_has_no_problem() -> None:
    assert check(PACKAGE / "harbour_ferry") == []


def test_an_installed_package_is_listed_beside_the_shipped_ones(site: Path, tmp_path: Path) -> None:
    told = carbonhui(site, tmp_path, "methodology", "list")
    assert told.returncode == 0, told.stderr
    assert "harbour_ferry" in told.stdout and "Harbour ferry trip" in told.stdout
    assert "cycling" in told.stdout


def test_without_the_package_it_is_not_there(tmp_path: Path) -> None:
    told = carbonhui(tmp_path, tmp_path, "methodology", "list")
    assert told.returncode == 0, told.stderr
    assert "harbour_ferry" not in told.stdout


def test_an_installed_package_measures(site: Path, tmp_path: Path) -> None:
    words = ("methodology", "quantify", "harbour_ferry", "metres=2500", "--on", "2026-03-01", "--evidence", "self_declared")
    told = carbonhui(site, tmp_path, *words)
    assert told.returncode == 0, told.stderr
    assert "reduction_mg: 200000\n" in told.stdout
    assert "credited_mg: 100000\n" in told.stdout
