"""Which approved numbers measure which days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import methodology, policy
from carbonhui.methodology import Dialect, Methodology
from carbonhui.quantification.refusals import (
    MethodologyChanged,
    MethodologyNotApproved,
    MethodologyNotInstalled,
    MethodologyUnsupported,
)


@dataclass(frozen=True)
class Stretch:
    """Days from ``start`` to before ``end`` (None: open) measured by one version with one set of numbers."""

    start: date
    end: date | None
    methodology: Methodology
    values: dict[str, int]

    def covers(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)

    def sql(self, columns: str, rows: str, given: Mapping[str, str], evidence: str, dialect: Dialect) -> str:
        """The columns of a table or subquery, with ``mg`` by the numbers in force here; NULL: out of range.

        ``given`` says for each field by which column of the rows the host gives it. No
        quantity bears the name of a column that the lake has.
        """
        numbers = {name: f"CAST({value} AS BIGINT)" for name, value in self.values.items()}
        quantities = [f"{told} AS {dialect.column.format(name)}" for name, told in {**given, **numbers}.items()]
        mg = self.methodology.credited_sql(evidence, dialect)
        return f"SELECT {columns}, {mg} AS mg FROM (SELECT {', '.join([columns, *quantities])} FROM {rows} AS told) AS asked"


def stretches(
    session: Session, ids: Sequence[str], installed: Iterable[Methodology], *, touched: tuple[date, date] | None
) -> list[Stretch]:
    """The days that can be measured by methodologies that are listed in order of preference.

    Of several that are in force on a day the first measures it: one act counts once.
    ``touched`` are the first and last day of the activity; a version in force among
    them must be there as it was approved, and with None only one in force at the end.

    Raises `MethodologyNotInstalled`, `MethodologyNotApproved`, `MethodologyChanged`.
    """
    folders = [folder for folder in installed if folder.id in ids]
    found: list[Stretch] = []
    approved = False
    for id in ids:
        versions = policy.versions_in_force(session, id)
        approved = approved or bool(versions)
        for version in versions:
            folder = _folder(session, id, version, folders, touched)
            for stretch in _stretches(version, folder) if folder else []:
                found += _without(stretch, found)
    if not approved:
        if not folders:
            raise MethodologyNotInstalled(methodology=", ".join(ids))
        raise MethodologyNotApproved(methodology=", ".join(ids))
    return sorted(found, key=lambda stretch: stretch.start)


def _folder(
    session: Session, id: str, version: policy.Version, folders: list[Methodology], touched: tuple[date, date] | None
) -> Methodology | None:
    """The approved text: as it is installed, or as it was archived when another version took its place.

    A folder that says it is this version and is not, byte for byte, is never passed over.
    """
    for folder in folders:
        if folder.fingerprint == version.fingerprint:
            return folder
    archived = methodology.archived(session, version.fingerprint)
    changed = [folder for folder in folders if folder.id == id and (archived is None or folder.version == archived.version)]
    if archived is not None and not changed:
        return archived
    if not _touches(version, touched):
        return None
    names = methodology.changed_files(session, version.fingerprint, changed[0]) if archived is not None else []
    raise MethodologyChanged(
        methodology=id,
        start=version.start,
        approved=version.fingerprint[:12],
        installed=", ".join(sorted(folder.fingerprint[:12] for folder in folders if folder.id == id)) or "-",
        files=", ".join(names) or "-",
    )


def _touches(version: policy.Version, days: tuple[date, date] | None) -> bool:
    if days is None:
        return version.end is None
    return version.start <= days[1] and (version.end is None or version.end > days[0])


def _stretches(version: policy.Version, folder: Methodology) -> list[Stretch]:
    found = []
    for period in folder.periods():
        start = max(version.start, period.start)
        end = min((day for day in (version.end, period.end) if day is not None), default=None)
        if end is None or start < end:
            found.append(Stretch(start, end, folder, period.values))
    return found


def _without(stretch: Stretch, taken: list[Stretch]) -> list[Stretch]:
    """What is left of a stretch on the days that no earlier one covers."""
    left = [stretch]
    for other in taken:
        left = [part for piece in left for part in _cut_out(piece, other)]
    return left


def _cut_out(piece: Stretch, other: Stretch) -> list[Stretch]:
    if (other.end is not None and other.end <= piece.start) or (piece.end is not None and piece.end <= other.start):
        return [piece]
    parts = []
    if piece.start < other.start:
        parts.append(replace(piece, end=other.start))
    if other.end is not None and (piece.end is None or other.end < piece.end):
        parts.append(replace(piece, start=other.end))
    return parts


def refuse_unsupported(folder: Methodology, kind: str) -> None:
    """What a methodology asks for is applied or refused, never passed over. Raises `MethodologyUnsupported`."""
    asked = {
        f"{folder.activity} activity": folder.activity != kind,
        "no lookback": kind == "reading" and not folder.lookbacks,
        "a cap over several readings": kind == "reading" and any(cap.per != "activity" for cap in folder.caps),
    }
    for what, wanted in asked.items():
        if wanted:
            raise MethodologyUnsupported(methodology=folder.id, what=what, kind=kind)
