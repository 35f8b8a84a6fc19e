"""What became of deliveries of activity, as it is told."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import activity
from carbonhui.api.fields import Choice, Day, Handle, Instant, Many, Part, Pattern, Strict, Text, Whole
from carbonhui.api.operation import Call
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import named
from carbonhui.core.database import connection_of

KIND = "batch"


class RefusedRowsSchema(Strict):
    code = Text(80, required=True)
    rows = Whole(1, required=True)
    sentence = Text(1000, required=True, metadata={"description": "Why, with names in braces for what differs from row to row."})


class BatchSchema(Strict):
    batch = Handle(required=True)
    profile = Text(60, required=True)
    source = Text(60, required=True)
    file_name = Text(200, required=True)
    received_at = Instant(required=True)
    rows = Whole(0, required=True, metadata={"description": "accepted + duplicate + refused = rows."})
    accepted = Whole(0, required=True)
    duplicate = Whole(0, required=True, metadata={"description": "Rows that were known already."})
    refused = Whole(0, required=True)
    refused_by = Many(Part(RefusedRowsSchema), most=1000, required=True)
    acts = Whole(0, required=True, metadata={"description": "How many acts the accepted rows make."})
    first_day = Day(required=True, allow_none=True)
    last_day = Day(required=True, allow_none=True)
    evidence = Choice("verified", "self_declared", required=True)
    digest = Pattern(r"[0-9a-f]{64}", required=True, metadata={"description": "SHA-256 of what was sent."})


@dataclass(frozen=True)
class Delivered:
    """One batch as who delivered it may know it."""

    id: int
    source: str
    profile: str
    file_name: str
    digest: bytes
    received_at: datetime
    rows_in: int
    accepted: int
    duplicate: int
    refused: int
    refused_by: dict[str, int]
    acts: int
    first_day: date | None
    last_day: date | None
    evidence: str
    quarantine: str | None


_DELIVERED = """
SELECT id, source, profile, file_name, digest, received_at, rows_in, accepted, duplicate, refused, refused_by, acts,
       first_day, last_day, evidence, quarantine
FROM batch WHERE received_by = %(by)s AND source = ANY (%(sources)s) AND (%(id)s::bigint IS NULL OR id = %(id)s)
  AND id < coalesce(%(before)s, 9223372036854775807) ORDER BY id DESC LIMIT %(limit)s
"""


def delivered_by(
    session: Session, who: str, sources: Collection[str], *, id: int | None = None, before: int | None = None, limit: int = 1
) -> list[Delivered]:
    """What somebody delivered of these sources, newest first."""
    words = {"by": who, "sources": sorted(sources), "id": id, "before": before, "limit": limit}
    return [Delivered(*row) for row in connection_of(session).execute(_DELIVERED, words)]


def delivered_batch(session: Session, who: str, sources: Collection[str], number: int) -> Delivered:
    """One batch of somebody's own. Raises `NotFound`."""
    found = delivered_by(session, who, sources, id=number)
    if not found:
        raise NotFound
    return found[0]


def refused_rows(refused_by: dict[str, int], language: str) -> list[dict[str, Any]]:
    """How many rows were refused for each reason, with its sentence."""
    return [{"code": code, "rows": rows, "sentence": _sentence(code, language)} for code, rows in sorted(refused_by.items())]


def _sentence(code: str, language: str) -> str:
    refusal = activity.ROW_REFUSALS[code]
    return refusal.sentence_zh if language == "zh" else refusal.sentence


def told_of(call: Call, batch: Delivered) -> dict[str, Any]:
    return {
        **vars(batch), "batch": named(call, KIND, batch.id), "rows": batch.rows_in, "digest": batch.digest.hex(),
        "refused_by": refused_rows(batch.refused_by, call.language),
    }  # fmt: skip
