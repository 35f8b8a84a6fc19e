"""What became of a delivery, as it is told to who sent it."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from carbonhui.activity.batches import Batch
from carbonhui.activity.quarantine import RefusedRow
from carbonhui.core.settings import Settings


@dataclass(frozen=True, kw_only=True)
class BatchReport:
    """What became of one delivery: accepted + duplicate + refused = rows_in, and ``acts`` of the accepted rows.

    ``already_loaded_as`` is the batch of the same bytes, if they came before: then all
    rows are duplicates and nothing changed. ``moved_years`` were added to all dates.
    ``refused_rows`` are told only where no quarantine file has them: number, code, English
    and Chinese sentence.
    """

    batch_id: int
    source: str
    profile: str
    file_name: str
    rows_in: int
    accepted: int
    duplicate: int
    refused: int
    refused_by: dict[str, int]
    acts: int
    first_day: date | None
    last_day: date | None
    moved_years: int
    evidence: str
    limits: dict[str, int]
    quarantine: Path | None
    seconds: float
    already_loaded_as: int | None = None
    refused_rows: tuple[RefusedRow, ...] = ()


def report_of(batch: Batch, settings: Settings, seconds: float, named: tuple[RefusedRow, ...] = ()) -> BatchReport:
    return BatchReport(
        batch_id=batch.id,
        source=batch.source,
        profile=batch.profile,
        file_name=batch.file_name,
        rows_in=batch.rows_in,
        accepted=batch.accepted,
        duplicate=batch.duplicate,
        refused=batch.refused,
        refused_by=batch.refused_by,
        acts=batch.acts,
        first_day=batch.first_day,
        last_day=batch.last_day,
        moved_years=batch.moved_years,
        evidence=batch.evidence,
        limits=batch.limits,
        quarantine=settings.home / "quarantine" / batch.quarantine if batch.quarantine else None,
        seconds=seconds,
        refused_rows=named,
    )


def report_again(before: Batch, settings: Settings, seconds: float) -> BatchReport:
    """The same bytes came before: all rows are duplicates, and nothing changes."""
    all_of_it = {"accepted": 0, "duplicate": before.rows_in, "refused": 0, "refused_by": {}, "acts": 0}
    first = vars(report_of(before, settings, seconds))
    return BatchReport(**{**first, **all_of_it, "already_loaded_as": before.id})


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What would become of a file; nothing was recorded.

    ``first_refused`` are the first refused rows: number, code, English and Chinese
    sentence, none of which repeats the subject.
    """

    profile: str
    rows_in: int
    accepted: int
    duplicate: int
    refused_by: dict[str, int]
    acts: int
    first_refused: tuple[RefusedRow, ...]
