"""Which approved numbers measure which days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import policy
from carbonhui.methodology import Methodology
from carbonhui.quantification.refusals import MethodologyChanged, MethodologyNotApproved, MethodologyUnsupported


@dataclass(frozen=True)
class Stretch:
    """Days from ``start`` to before ``end`` (None: open) measured by one version with one set of numbers."""

    start: date
    end: date | None
    methodology: Methodology
    values: dict[str, int]

    def covers(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)

    def sql(self, columns: str, rows: str) -> str:
        """The columns of a table or subquery, with ``mg`` by the numbers in force here; NULL: out of range."""
        numbers = "".join(f', {value}::BIGINT AS "{name}"' for name, value in self.values.items())
        mg = f"CASE WHEN {self.methodology.in_range_sql()} THEN {self.methodology.sql()} END"
        return f"SELECT {columns}, {mg} AS mg FROM (SELECT *{numbers} FROM {rows})"


def stretches(
    session: Session, id: str, installed: Iterable[Methodology], *, touched: tuple[date, date] | None
) -> list[Stretch]:
    """The days that can be measured by a methodology.

    A version in force within ``touched`` (first and last day) whose folder is not
    installed is refused; with None, only the lack of every approved folder is.

    Raises `MethodologyNotApproved`, `MethodologyChanged`.
    """
    versions = policy.versions_in_force(session, id)
    if not versions:
        raise MethodologyNotApproved(methodology=id)
    folders = {folder.fingerprint: folder for folder in installed if folder.id == id}
    missing = [version for version in versions if version.fingerprint not in folders]
    for version in missing:
        if len(missing) == len(versions) or _touches(version, touched):
            shown = ", ".join(sorted(fingerprint[:12] for fingerprint in folders))
            raise MethodologyChanged(
                methodology=id, start=version.start, approved=version.fingerprint[:12], installed=shown
            )
    known = [version for version in versions if version.fingerprint in folders]
    return [stretch for version in known for stretch in _stretches(version, folders[version.fingerprint])]


def _touches(version: policy.Version, days: tuple[date, date] | None) -> bool:
    if days is None:
        return False
    return version.start <= days[1] and (version.end is None or version.end > days[0])


def _stretches(version: policy.Version, folder: Methodology) -> list[Stretch]:
    found = []
    for period in folder.periods():
        start = max(version.start, period.start)
        end = min((day for day in (version.end, period.end) if day is not None), default=None)
        if end is None or start < end:
            found.append(Stretch(start, end, folder, period.values))
    return found


def refuse_unsupported(folder: Methodology, kind: str) -> None:
    """A methodology's cap, weight, exclusion or lookback is applied or refused, never passed over.

    Raises `MethodologyUnsupported`.
    """
    lookback = {"trip": None, "reading": "same_month_last_year"}[kind]
    lacking = {
        f"{folder.activity} activity": folder.activity != kind,
        f"the lookback {folder.lookback}": folder.lookback != lookback,
        "a cap": bool(folder.caps),
        "an evidence weight": bool(folder.evidence_weights),
        "an exclusion": bool(folder.exclusions),
    }
    for what, wanted in lacking.items():
        if wanted:
            raise MethodologyUnsupported(methodology=folder.id, what=what, kind=kind)
