"""Service institutions deliver activity and vouch for identifiers, each request signed (Articles 11, 12)."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from marshmallow import fields

from carbonhui import activity, consent, notifications, participants, privacy
from carbonhui.api.bodies import Upload
from carbonhui.api.fields import Day, Flag, Handle, Instant, Many, Page, Part, Pattern, Strict, Text, Whole, page_of
from carbonhui.api.operation import Answer, Blueprint, Call, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import hidden, named, numbered, paged, whole_list
from carbonhui.api.routes.batches import KIND, BatchSchema, Delivered, delivered_batch, delivered_by, told_of
from carbonhui.api.routes.links import Scheme
from carbonhui.api.routes.refusals import ProfileNotEntrusted
from carbonhui.core.database import connection_of
from carbonhui.core.refusals import Refusal

blueprint = Blueprint("institutions", __name__, description="What service institutions deliver and confirm.")

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
_USERS_MAX = 10_000

_WHOLE_FILE = (
    activity.ProfileUnknown, activity.ProfileForDemoOnly, activity.StationsNeeded, activity.ThresholdNotApproved,
    activity.SourceBusy, activity.ColumnsDiffer, ProfileNotEntrusted,
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


# Who delivers what --------------------------------------------------------------------------------


def _organisation(call: Call) -> participants.Organisation:
    assert call.caller.organisation_id is not None
    return participants.require_approved(call.session, call.caller.organisation_id)


def _agreements(call: Call) -> list[consent.Agreement]:
    return consent.agreements(call.session, call.caller.organisation_id)


def _in_force(call: Call, one: consent.Agreement) -> bool:
    ends = [day for day in (one.valid_to, one.ended_on) if day is not None]
    return one.valid_from <= call.today and all(call.today < day for day in ends)


def _require_entrusted(call: Call, profile: str) -> None:
    """Refuse a profile whose source no agreement in force entrusts to the caller; an unknown one in the same words."""
    sources = {one.source for one in _agreements(call) if _in_force(call, one)}
    try:
        found = activity.profile_named(profile, call.services.settings.profiles_folder)
    except activity.ProfileUnknown:
        raise ProfileNotEntrusted() from None
    if found.source not in sources:
        raise ProfileNotEntrusted()


def _received(call: Call, report: activity.BatchReport) -> dict[str, Any]:
    told = told_of(call, _delivered(call, report.batch_id))
    if report.already_loaded_as is None:
        facts = {"batch": str(told["batch"]), **{name: told[name] for name in ("rows", "accepted", "duplicate", "refused")}}
        notifications.announce(
            call.session, "activity.batch.received", payload=facts, organisation=call.caller.organisation_id
        )
    return told


def _delivered(call: Call, number: int) -> Delivered:
    return delivered_batch(call.session, call.caller.actor, {one.source for one in _agreements(call)}, number)


@operation(
    blueprint, "POST", "/v1/activities", "deliverActivities", body=RowsDelivered, answer=BatchSchema, status=201,
    summary="Deliver up to a thousand rows of activity",
    description="Each row ends as accepted, duplicate or refused, as a file's would. The same rows again change nothing.",
    refuses=(activity.RowsUnusable, activity.TooManyRows, *_WHOLE_FILE),
)  # fmt: skip
def deliver_activities(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    _require_entrusted(call, body["profile"])
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
    _require_entrusted(call, query["profile"])
    services = call.services
    name = (query["file_name"] or "upload").removesuffix(SUFFIXES[body.media_type]) + SUFFIXES[body.media_type]
    with tempfile.TemporaryDirectory(prefix="carbonhui-") as folder, _told_by_name(name):
        path = Path(folder) / name
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
        call.session, call.caller.actor, {one.source for one in _agreements(call)},
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
    description="A CSV file in gzip. Its cells are what was received: a spreadsheet may take some for formulas.",
)  # fmt: skip
def read_refused_rows(call: Call, batch: UUID) -> Answer:
    found = _delivered(call, numbered(call, KIND, batch))
    path = call.services.settings.home / "quarantine" / (found.quarantine or "none")
    if found.quarantine is None or not path.is_file():
        raise NotFound
    return Answer(path.read_bytes(), {"Content-Disposition": f'attachment; filename="{found.quarantine}"'})


# Vouching for identifiers -------------------------------------------------------------------------


class LinkCodeAsked(Strict):
    scheme = Scheme(required=True)
    identifier = Text(100, required=True, metadata={"description": "Whose holder the code is delivered to."})


class LinkCodeSchema(Strict):
    code = Text(40, required=True, metadata={"description": "To be delivered to the holder; it is told this once."})
    expires_at = Instant(required=True)


@operation(
    blueprint, "POST", "/v1/link-codes", "issueLinkCode", body=LinkCodeAsked, answer=LinkCodeSchema, status=201,
    summary="A code by which the holder of an identifier proves it; the code before it is worth nothing any more",
    refuses=(participants.SchemeNotKept, participants.OrganisationNotApproved, privacy.IdentifierEmpty),
)  # fmt: skip
def issue_link_code(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    services = call.services
    issued = participants.issue_link_code(
        call.session, services.vault, services.settings, organisation=_organisation(call), on=call.today,
        now=services.clock.now(), **body,
    )  # fmt: skip
    return {"code": issued.code, "expires_at": issued.expires_at}


class OpenClaimSchema(Strict):
    claim = Handle(required=True)
    scheme = Scheme(required=True)
    name = Text(60, required=True, metadata={"description": "The person's proven name."})
    identifier = Text(100, required=True)
    asked_on = Day(required=True)


class ClaimDecided(Strict):
    confirmed = Flag(required=True, metadata={"description": "Whether name and identifier belong together."})


@operation(
    blueprint, "GET", "/v1/link-claims", "listLinkClaims", answer=page_of(OpenClaimSchema),
    summary="The claims that wait for your confirmation, oldest first; at most a hundred",
    description="Each person sees that you read their name and identifier.",
    refuses=(participants.OrganisationNotApproved,),
)  # fmt: skip
def list_link_claims(call: Call) -> dict[str, Any]:
    claims = participants.claims_for(
        call.session, call.services.vault, _organisation(call), call.reader("link_confirmation"), limit=100
    )
    return whole_list([{**vars(claim), "claim": claim.handle} for claim in claims])


@operation(
    blueprint, "POST", "/v1/link-claims/<uuid:claim>/decision", "decideLinkClaim", body=ClaimDecided, status=204,
    summary="Confirm that a name and an identifier belong together, or do not",
    refuses=(
        participants.SchemeNotKept, participants.OrganisationNotApproved, participants.IdentifierLinked,
        participants.PersonErased, participants.PersonRestricted,
    ),
)  # fmt: skip
def decide_link_claim(call: Call, claim: UUID, body: dict[str, Any]) -> None:
    with hidden(participants.ClaimUnknown):
        participants.decide_claim(
            call.session, call.services.vault, _organisation(call), claim, confirmed=body["confirmed"],
            reader=call.reader("link_confirmation"), on=call.today,
        )  # fmt: skip


# Applying for users -------------------------------------------------------------------------------

_AGREEMENT = "agreement"


class AgreementSchema(Strict):
    agreement = Handle(required=True)
    source = Text(60, required=True)
    digest = Pattern(r"[0-9a-f]{64}", required=True, metadata={"description": "SHA-256 of its text."})
    valid_from = Day(required=True)
    valid_to = Day(required=True, allow_none=True, metadata={"description": "The first day on which it no longer holds."})
    ended_on = Day(required=True, allow_none=True)
    in_force = Flag(required=True)


class UserApplied(Strict):
    identifier = Text(100, required=True, metadata={"description": "The user's identifier at your institution."})
    evidence = Pattern(r"[A-Za-z0-9][A-Za-z0-9._:/ -]{0,199}", longest=200, load_default=None, metadata={
        "description": "The number under which you keep the user's own consent, nothing personal; needed for sensitive data.",
        "example": "form 2026-1187",
    })  # fmt: skip
    covers_from = Day(load_default=None)


class UsersApplied(Strict):
    users = Many(Part(UserApplied), fewest=1, most=_USERS_MAX, required=True)


class AppliedSchema(Strict):
    given = Whole(0, required=True, metadata={"description": "Users who consent from now on."})
    standing = Whole(0, required=True, metadata={"description": "Users who did already."})
    withdrawn = Whole(0, required=True, metadata={"description": "Users who took theirs back, which only they undo."})
    minors = Whole(0, required=True, metadata={"description": "Users whose guardian consents."})
    unlinked = Whole(0, required=True, metadata={"description": "Identifiers that count for nobody, and repetitions."})


@operation(
    blueprint, "GET", "/v1/agreements", "listAgreements", answer=page_of(AgreementSchema),
    summary="The agreements by which you deliver sources and apply for users",
)  # fmt: skip
def list_agreements(call: Call) -> dict[str, Any]:
    return whole_list([
        {**vars(one), "agreement": named(call, _AGREEMENT, one.id), "digest": one.digest.hex(), "in_force": _in_force(call, one)}
        for one in _agreements(call)
    ])  # fmt: skip


@operation(
    blueprint, "POST", "/v1/agreements/<uuid:agreement>/users", "applyForUsers", body=UsersApplied, answer=AppliedSchema,
    summary="Apply for users of your own: each consents under the newest text from now on",
    refuses=(
        consent.AgreementNotInForce, consent.ConsentTextMissing, consent.EvidenceMissing, consent.ConsentCoversFuture,
        participants.OrganisationNotApproved,
    ),
)  # fmt: skip
def apply_for_users(call: Call, agreement: UUID, body: dict[str, Any]) -> dict[str, Any]:
    _organisation(call)
    number = numbered(call, _AGREEMENT, agreement)
    found = next((one for one in _agreements(call) if one.id == number), None)
    if found is None:
        raise NotFound
    accounts = _accounts(call, found.source, [user["identifier"] for user in body["users"]])
    applications = [
        consent.Application(accounts.get(user["identifier"], 0), user["evidence"], user["covers_from"]) for user in body["users"]
    ]
    applied = consent.apply_for_users(call.session, number, applications, on=call.today, by=call.caller.actor)
    return {**vars(applied), "unlinked": applied.unknown}


def _accounts(call: Call, source: str, identifiers: list[str]) -> dict[str, int]:
    """Whose accounts these identifiers of a source's scheme count for today."""
    settings = call.services.settings
    profiles = [activity.profile_named(name, settings.profiles_folder) for name in activity.profile_names(settings.profiles_folder)]
    scheme = next((profile.scheme for profile in profiles if profile.source == source), None)
    if scheme is None:
        return {}
    key = privacy.load_or_make_key(settings.blind_key_file)
    blind = {privacy.blind_index(key, scheme, text): text for text in identifiers if text.strip()}
    rows = connection_of(call.session).execute(
        """SELECT subject, account_id FROM link WHERE scheme = %s AND subject = ANY (%s)
           AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)""",
        (scheme, list(blind), call.today, call.today),
    )
    return {blind[bytes(subject)]: account for subject, account in rows}
