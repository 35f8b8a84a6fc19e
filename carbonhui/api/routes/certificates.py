"""Neutralising a footprint, and certificates: one's own, and anybody's by number (Article 22)."""

import uuid
from typing import Any

from carbonhui import ledger, neutralisation, participants, policy, privacy
from carbonhui.api.fields import (
    Choice,
    Day,
    Flag,
    Handle,
    Instant,
    Many,
    Page,
    Part,
    Pattern,
    Strict,
    Text,
    Whole,
    page_of,
)
from carbonhui.api.operation import Answer, Blueprint, Call, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import WARD, acted_for, hidden, paged
from carbonhui.api.routes.credits import RunSchema
from carbonhui.api.routes.footprints import FootprintAsked, FootprintLineSchema, footprint_of
from carbonhui.api.routes.organisations import MANAGERS, own_organisation
from carbonhui.api.routes.paying import POOL_REFUSALS, Payer, payer_of, payer_part
from carbonhui.api.routes.refusals import OrganisationRoleMissing
from carbonhui.neutralisation import Certificate, Record

blueprint = Blueprint("certificates", __name__, description="Neutralisation and its certificates.")

PDF = "application/pdf"
HTML = "text/html"
_CALCULATORS = ("household_month", "commute", "flight", "trip", "event", "measured")
_NUMBER = {"description": "The certificate's number; spaces and small letters are taken too.", "example": "NC26K7MP2QXW9DTR4HVB58"}
_POLICY = f"default-src 'none'; style-src '{neutralisation.STYLE_DIGEST}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
#: What a page and a print are written in, whatever their reader asks for.
_LANGUAGES = {"Content-Language": "zh-CN, en"}
_OWN = "/v1/me/certificates/<string:certificate>"


class CertificateOwner(Strict):
    ward = Handle(load_default=None, metadata={"description": WARD})
    organisation = Handle(load_default=None, metadata={"description": "An organisation for which you act as owner or manager."})


class CertificateOwnerPage(Page):
    ward = CertificateOwner._declared_fields["ward"]
    organisation = CertificateOwner._declared_fields["organisation"]


class NeutralisationAsked(Strict):
    payer = payer_part()
    footprint = Part(FootprintAsked, required=True)
    beneficiary = Text(neutralisation.BENEFICIARY_LONGEST, load_default=None, metadata={
        "description": "For whom, where it is not the payer. It stands on the public page unless it is hidden.",
    })  # fmt: skip
    reason = Text(neutralisation.REASON_LONGEST, required=True, metadata={"description": "What for. It stands on the public page."})
    beneficiary_hidden = Flag(load_default=False, metadata={"description": "Whether the public page keeps the name to itself."})
    credits_max = Whole(1, load_default=None, metadata={"description": "Refuse rather than retire more than these."})


class CertificateVintageSchema(Strict):
    vintage = Whole(2018, 2099, required=True)
    credits = Whole(1, required=True)


class CertificateSchema(Strict):
    certificate = Pattern(r"NC[0-9]{2}[0-9A-Z]{16}[0-9]{2}", required=True, metadata=_NUMBER)
    address = Text(300, required=True, metadata={"description": "The public page."})
    issued_on = Day(required=True)
    issued_at = Instant(required=True)
    footprint_mg = Whole(1, required=True)
    avoided_mg = Whole(1, required=True, metadata={"description": "What the retired credits avoid; at least the footprint."})
    credits = Whole(1, required=True)
    calculator = Choice(*_CALCULATORS, required=True)
    lines = Many(Part(FootprintLineSchema), most=1000, required=True)
    evidence_sha256 = Pattern(r"[0-9a-f]{64}", required=True, allow_none=True)
    methodologies = Many(Text(60), most=1000, required=True, allow_none=True, metadata={
        "description": "By which the reductions were measured; null where they come from too many origins to be listed.",
    })  # fmt: skip
    vintages = Many(Part(CertificateVintageSchema), most=100, required=True)
    runs = Many(Part(RunSchema), most=1_000_000, required=True)
    beneficiary = Text(neutralisation.BENEFICIARY_LONGEST, required=True, allow_none=True, metadata={
        "description": "null: the certificate's holder, a name that is not public, or one that was erased.",
    })  # fmt: skip
    beneficiary_hidden = Flag(required=True)
    reason = Text(neutralisation.REASON_LONGEST, required=True, allow_none=True)
    texts_erased = Flag(required=True, metadata={"description": "Whether what was written is destroyed together with its writer's data."})


class CertificateLineSchema(Strict):
    certificate = Pattern(r"NC[0-9]{2}[0-9A-Z]{16}[0-9]{2}", required=True, metadata=_NUMBER)
    issued_on = Day(required=True)
    credits = Whole(1, required=True)
    footprint_mg = Whole(1, required=True)
    avoided_mg = Whole(1, required=True)
    calculator = Choice(*_CALCULATORS, required=True)
    beneficiary_hidden = Flag(required=True)


class HidingAsked(Strict):
    beneficiary_hidden = Flag(required=True)


def _record(call: Call, found: Certificate, *, owner: bool) -> Record:
    settings = call.services.settings
    return neutralisation.record_of(
        call.session, call.services.vault, found, reader=call.reader("certificate"), area=settings.area,
        public_url=settings.public_url, owner=owner,
    )  # fmt: skip


def _told(record: Record) -> dict[str, Any]:
    same = (
        "address", "issued_on", "issued_at", "footprint_mg", "avoided_mg", "credits", "calculator", "lines", "evidence_sha256",
        "methodologies", "beneficiary", "beneficiary_hidden", "reason", "texts_erased",
    )  # fmt: skip
    return {
        "certificate": record.number, **{name: getattr(record, name) for name in same}, "runs": [vars(run) for run in record.runs],
        "vintages": [{"vintage": year, "credits": count} for year, count in record.vintages.items()],
    }  # fmt: skip


def _holder(call: Call, said: dict[str, Any]) -> int:
    """Whose certificates: the caller's own account, a child's, an organisation's, whatever state that is in."""
    if call.caller.kind == "organisation" and said["organisation"] is None:
        assert call.caller.organisation_id is not None
        organisation = participants.organisation(call.session, call.caller.organisation_id)
    elif said["organisation"] is not None:
        organisation = own_organisation(call, said["organisation"], MANAGERS)
    else:
        return acted_for(call, said["ward"]).account_id
    if organisation.account_id is None:
        raise NotFound
    return organisation.account_id


def _account(payer: Payer) -> int:
    if payer.person is not None:
        return payer.person.account_id
    assert payer.organisation is not None and payer.organisation.account_id is not None
    return payer.organisation.account_id


def _own(call: Call, number: str, query: dict[str, Any]) -> Certificate:
    """A certificate of the caller's. Raises `NotFound` alike for another's and for none."""
    account = _holder(call, query)
    with hidden(neutralisation.CertificateUnknown):
        found = neutralisation.certificate(call.session, number)
        if found.account != account:
            raise neutralisation.CertificateUnknown(number=number)
    return found


@operation(
    blueprint, "POST", "/v1/me/neutralisations", "neutralise", body=NeutralisationAsked, answer=CertificateSchema, status=201,
    summary="Retire credits that cover a footprint, for good, and get the certificate",
    description="The fewest whole credits that cover it, oldest first. Only a measured footprint is taken as told.",
    refuses=(
        participants.NotGuardian, participants.OrganisationNotApproved, OrganisationRoleMissing, privacy.TextRefused,
        neutralisation.FactorMissing, neutralisation.FootprintEmpty, neutralisation.FootprintTooLarge, neutralisation.HeadcountDiffers,
        neutralisation.ReceivedCreditsNotRetired, policy.NotPermitted, policy.RuleNotFound, neutralisation.CreditsDoNotCover,
        neutralisation.MoreCreditsThanAllowed, ledger.NotEnough, ledger.AccountClosed, *POOL_REFUSALS,
    ),
)  # fmt: skip
def neutralise(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    payer = payer_of(call, body["payer"], use="neutralisation")
    beneficiary = body["beneficiary"]
    if beneficiary is None and payer.organisation is not None:
        beneficiary = payer.organisation.name
    made = neutralisation.neutralise(
        call.session, call.services.vault, account=_account(payer), payer=payer.account,
        subject=payer.person.subject if payer.person else None, footprint=footprint_of(call, body["footprint"]),
        beneficiary=beneficiary, reason=body["reason"], hidden=body["beneficiary_hidden"], credits_max=body["credits_max"],
        # The request's own key makes it happen once; this name only has to be nobody else's.
        reference=str(uuid.uuid4()), business_date=call.today,
    )  # fmt: skip
    return _told(_record(call, made, owner=True))


@operation(
    blueprint, "GET", "/v1/me/certificates", "listMyCertificates", query=CertificateOwnerPage, answer=page_of(CertificateLineSchema),
    summary="Your certificates, newest first", refuses=(participants.NotGuardian, OrganisationRoleMissing),
)  # fmt: skip
def list_my_certificates(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    rows = neutralisation.certificates_of(
        call.session, _holder(call, query), before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1
    )
    same = ("credits", "footprint_mg", "avoided_mg", "calculator")
    return paged(call, rows, query["limit"], lambda one: {
        "certificate": one.number, "issued_on": one.business_date, "beneficiary_hidden": one.hidden,
        **{name: getattr(one, name) for name in same},
    })  # fmt: skip


@operation(
    blueprint, "GET", _OWN, "readMyCertificate", query=CertificateOwner, answer=CertificateSchema,
    summary="A certificate of yours, with everything on it", refuses=(participants.NotGuardian, OrganisationRoleMissing),
)  # fmt: skip
def read_my_certificate(call: Call, certificate: str, query: dict[str, Any]) -> dict[str, Any]:
    return _told(_record(call, _own(call, certificate, query), owner=True))


@operation(
    blueprint, "GET", f"{_OWN}.pdf", "printMyCertificate", query=CertificateOwner, produces=PDF,
    summary="A certificate of yours as a PDF, also with a beneficiary whose name is not public",
    refuses=(participants.NotGuardian, OrganisationRoleMissing),
)  # fmt: skip
def print_my_certificate(call: Call, certificate: str, query: dict[str, Any]) -> Answer:
    return _printed(call, _record(call, _own(call, certificate, query), owner=True))


@operation(
    blueprint, "PUT", f"{_OWN}/visibility", "hideBeneficiary", query=CertificateOwner, body=HidingAsked, answer=CertificateSchema,
    summary="Keep the beneficiary's name off the public page, or show it", refuses=(participants.NotGuardian, OrganisationRoleMissing),
)  # fmt: skip
def hide_beneficiary(call: Call, certificate: str, query: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    found = neutralisation.hide_beneficiary(call.session, _own(call, certificate, query), hidden=body["beneficiary_hidden"])
    return _told(_record(call, found, owner=True))


# Anybody ------------------------------------------------------------------------------------------


def _public(call: Call, number: str) -> Record:
    with hidden(neutralisation.CertificateUnknown):
        return _record(call, neutralisation.certificate(call.session, number), owner=False)


@operation(
    blueprint, "GET", "/v1/certificates/<string:certificate>", "readCertificate", answer=CertificateSchema,
    summary="A certificate, by its number",
)  # fmt: skip
def read_certificate(call: Call, certificate: str) -> dict[str, Any]:
    return _told(_public(call, certificate))


@operation(
    blueprint, "GET", "/v1/certificates/<string:certificate>.pdf", "printCertificate", produces=PDF, summary="A certificate as a PDF",
)  # fmt: skip
def print_certificate(call: Call, certificate: str) -> Answer:
    return _printed(call, _public(call, certificate))


@operation(
    blueprint, "GET", "/certificates/<string:certificate>", "showCertificate", produces=HTML,
    summary="The public page of a certificate, to which its QR code leads",
)  # fmt: skip
def show_certificate(call: Call, certificate: str) -> Answer:
    settings = call.services.settings
    headers = {"Content-Type": f"{HTML}; charset=utf-8", "Content-Security-Policy": _POLICY, **_LANGUAGES}
    try:
        record = _public(call, certificate)
    except NotFound:
        return Answer(neutralisation.missing_page(), headers, status=404)
    return Answer(neutralisation.page_of(record, city=settings.city, demonstration=settings.is_demo), headers)


def _printed(call: Call, record: Record) -> Answer:
    said = {"Content-Disposition": f'inline; filename="{record.number}.pdf"', **_LANGUAGES}
    settings = call.services.settings
    return Answer(neutralisation.print_certificate(record, city=settings.city, demonstration=settings.is_demo), said)
