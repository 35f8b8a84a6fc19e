"""Finding the installed methodologies without running any of their code."""

import re
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from carbonhui.methodology.methodology import Methodology
from carbonhui.methodology.reading import load
from carbonhui.methodology.refusals import MethodologyIdRepeated, MethodologyPackageMissing

GROUP = "carbonhui.methodologies"
SHIPPED = "methodologies"


def installed(folders: Iterable[Path] | None = None) -> dict[str, Methodology]:
    """The newest installed version of every methodology, by its id.

    The newest is the one whose numbers begin last; of those that begin on one day, the
    one with the highest version.
    """
    return {methodology.id: methodology for methodology in installed_versions(folders)}


def installed_versions(folders: Iterable[Path] | None = None) -> list[Methodology]:
    """Every installed version of every methodology, by id and then from the oldest to the newest.

    Without ``folders`` these are the shipped folders and those that installed packages
    announce in the entry point group ``carbonhui.methodologies``. The shipped folders are
    listed as they lie, so that a checkout that is not installed has them too.
    """
    found: dict[tuple[str, str], Methodology] = {}
    for folder in folders if folders is not None else _all_folders():
        methodology = load(folder)
        key = methodology.id, methodology.version
        if key in found:
            raise MethodologyIdRepeated(methodology=" ".join(key), first=found[key].folder, second=folder)
        found[key] = methodology
    return sorted(found.values(), key=lambda one: (one.id, one.first_day, _in_order(one.version)))


def _in_order(version: str) -> list[tuple[int, str]]:
    """Version 10 follows version 9."""
    return [(int(digits or 0), letters) for digits, letters in re.findall(r"(\d+)|(\D+)", version)]


def _all_folders() -> list[Path]:
    announced = [_announced_folder(entry) for entry in entry_points(group=GROUP)]
    # A shipped folder may be announced as well; it is one folder all the same.
    return sorted({folder.resolve() for folder in [*_shipped_folders(), *announced]})


def _shipped_folders() -> Iterator[Path]:
    for location in _locations(SHIPPED):
        yield from (path.parent for path in Path(location).glob("*/methodology.toml"))


def _announced_folder(entry: EntryPoint) -> Path:
    for location in _locations(entry.module):
        if Path(location).is_dir():
            return Path(location)
    raise MethodologyPackageMissing(entry=entry.name, package=entry.module)


def _locations(package: str) -> list[str]:
    """The folders of a dotted package, found part by part: importing a parent would run it."""
    top, *inner = package.split(".")
    spec = find_spec(top)
    name = top
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return []
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    return list(spec.submodule_search_locations or []) if spec else []
