"""Service institutions deliver activity, each request signed (Article 12)."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from marshmallow import fields

from carbonhui import activity, notifications
from carbonhui.api.bodies import Upload
from carbonhui.api.fields import Many, Page, Pattern, Strict, page_of
from carbonhui.api.operation import Answer, Blueprint, Call, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import numbered, paged
from carbonhui.api.routes.batches import KIND, BatchSchema, Delivered, delivered_batch, delivered_by, told_of
from carbonhui.api.routes.entrusted import agreements_of, require_entrusted
from carbonhui.api.routes.refusals import DeliveredByAnother, ProfileNotEntrusted
from carbonhui.core.refusals import Refusal

blueprint = Blueprint("institutions", __name__, description="What service institutions deliver.")

PROFILE = r"[a-z0-9][a-z0-9-]{0,59}"
#: What a file is called by its form; the reader believes the first bytes too.
SUFFIXES = {
    "text/csv": ".csv",
    "application/gzip": ".csv.gz",
    "application/x-ndjson": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}
_ROWS_MAX = 1000

_WHOLE_FILE = (
    activity.ProfileUnknown, activity.ProfileForDemoOnly, activity.StationsNeeded, activity.ThresholdNotApproved,
    activity.SourceBusy, activity.ColumnsDiffer, ProfileNotEntrusted, DeliveredByAnother,
)  # fmt: skip


class RowsDelivered(Strict):
    profile = Pattern(PROFILE, required=True, metadata={"description": "How the rows are to be read.", "example": "transit-trips"})
    rows = Many(
        fields.Dict(keys=fields.String(), values=fields.String()), fewest=1, most=_ROWS_MAX, required=True,
        metadata={"description": "Each row a text for each column of the profile."},
    )  # fmt: skip


class FileDelivered(Strict):
    profile = Pattern(PROFILE, required=True, metadata={"description": "How the file is to be read."})
    file_name = Pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", longest=100, load_default=None, metadata={
        "description": "What you call the file, without anything personal.",
    })  # fmt: skip


def _received(call: Call, report: activity.BatchReport) -> dict[str, Any]:
    try:
        told = told_of(call, _delivered(call, report.batch_id))
    except NotFound:
        raise DeliveredByAnother() from None
    if report.already_loaded_as is None:
        facts = {"batch": str(told["batch"]), **{name: told[name] for name in ("rows", "accepted", "duplicate", "refused")}}
        notifications.announce(
            call.session, "activity.batch.received", payload=facts, organisation=call.caller.organisation_id
        )
    return told


def _delivered(call: Call, number: int) -> Delivered:
    return delivered_batch(call.session, call.caller.actor, {one.source for one in agreements_of(call)}, number)


@operation(
    blueprint, "POST", "/v1/activities", "deliverActivities", body=RowsDelivered, answer=BatchSchema, status=201,
    summary="Deliver up to a thousand rows of activity",
    description="Each row ends as accepted, duplicate or refused, as a file's would. The same rows again change nothing.",
    refuses=(activity.RowsUnusable, activity.TooManyRows, *_WHOLE_FILE),
)  # fmt: skip
def deliver_activities(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    require_entrusted(call, body["profile"])
    services = call.services
    report = activity.load_rows(
        services.database, services.settings, body["rows"], body["profile"], received_by=call.caller.actor, clock=services.clock
    )
    return _received(call, report)


@operation(
    blueprint, "POST", "/v1/activities/files", "deliverFile", upload=SUFFIXES, query=FileDelivered, answer=BatchSchema, status=201,
    summary="Deliver a file of activity: CSV, CSV in gzip, JSON lines, Parquet or XLSX, as the body itself",
    description="A file is refused as a whole when it cannot be read; otherwise each of its rows ends in exactly one place.",
    refuses=(
        activity.FormatUnknown, activity.FileEmpty, activity.FileTruncated, activity.FileDamaged, activity.FileNotUtf8,
        activity.NotJsonLines, activity.WorkbookUnusable, activity.WorkbookHasFormulas, activity.WorkbookTooLarge, *_WHOLE_FILE,
    ),
)  # fmt: skip
def deliver_file(call: Call, body: Upload, query: dict[str, Any]) -> dict[str, Any]:
    require_entrusted(call, query["profile"])
    services = call.services
    name = (query["file_name"] or "upload").removesuffix(SUFFIXES[body.media_type]) + SUFFIXES[body.media_type]
    with activity.upload_folder(services.settings) as folder, _told_by_name(name):
        path = folder / name
        with path.open("wb") as file:
            shutil.copyfileobj(body.file, file)
        report = activity.load(
            services.database, services.settings, path, query["profile"], received_by=call.caller.actor, clock=services.clock
        )
    return _received(call, report)


@contextmanager
def _told_by_name(name: str) -> Iterator[None]:
    """Refusals name the file as its sender does, not as it lay here for a moment."""
    try:
        yield
    except Refusal as refusal:
        if "path" not in refusal.facts:
            raise
        raise type(refusal)(**{**refusal.facts, "path": name}) from None


# What became of it ---------------------------------------------------------------------------------


@operation(
    blueprint, "GET", "/v1/activities/batches", "listBatches", query=Page, answer=page_of(BatchSchema),
    summary="What you delivered, newest first",
)  # fmt: skip
def list_batches(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    found = delivered_by(
        call.session, call.caller.actor, {one.source for one in agreements_of(call)},
        before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1,
    )  # fmt: skip
    return paged(call, found, query["limit"], lambda batch: told_of(call, batch))


@operation(
    blueprint, "GET", "/v1/activities/batches/<uuid:batch>", "readBatch", answer=BatchSchema,
    summary="What became of one delivery, with the reasons of what was refused",
)  # fmt: skip
def read_batch(call: Call, batch: UUID) -> dict[str, Any]:
    return told_of(call, _delivered(call, numbered(call, KIND, batch)))


@operation(
    blueprint, "GET", "/v1/activities/batches/<uuid:batch>/refused", "readRefusedRows", produces="application/gzip",
    summary="The refused rows as they were received, each with its reason, to be repaired and sent again",
    description=(
        "A CSV file in gzip, kept for 30 days. Its cells are what was received: a spreadsheet may take some for formulas. Rows of"
        " somebody who was erased since are not in it any more."
    ),
    refuses=(NotFound, activity.RefusedRowsGone),
)  # fmt: skip
def read_refused_rows(call: Call, batch: UUID) -> Answer:
    found = _delivered(call, numbered(call, KIND, batch))
    if found.quarantine is None:
        raise NotFound
    path = activity.quarantine_file(call.services.settings.home, found.quarantine)
    return Answer(path.read_bytes(), {"Content-Disposition": f'attachment; filename="{found.quarantine}"'})
