"""Consents: one for each source and purpose, given and taken back by the person (Articles 11-12; PIPL articles 14-16, 29)."""

import re
from typing import Any

from carbonhui import consent, ledger, participants
from carbonhui.api.fields import Choice, Day, Flag, Instant, Pattern, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import ForWard, acted_for, tell, whole_list

blueprint = Blueprint("consents", __name__, description="What a person lets the platform fetch and use, source by source.")

SOURCE = r"[a-z0-9][a-z0-9._-]{0,59}"
PURPOSE = r"[a-z][a-z_]{0,39}"
DIGEST = r"[0-9a-f]{64}"


class ConsentTextSchema(Strict):
    source = Pattern(SOURCE, required=True, metadata={"description": "Where the activity comes from."})
    purpose = Pattern(PURPOSE, required=True)
    version = Whole(1, required=True)
    sensitive = Flag(required=True, metadata={"description": "Whether it tells where people were (PIPL article 28)."})
    zh = Text(100_000, required=True)
    en = Text(100_000, required=True)
    text_digest = Pattern(DIGEST, required=True, metadata={"description": "SHA-256 of source, purpose, version and both texts, each on a line."})
    published_on = Day(required=True)


class ConsentGiven(Strict):
    source = Pattern(SOURCE, required=True, metadata={"example": "transit-trips"})
    purpose = Pattern(PURPOSE, load_default=consent.QUANTIFICATION)
    text_digest = Pattern(DIGEST, required=True, metadata={"description": "Of the text that you read: the newest version's."})
    covers_from = Day(load_default=None, metadata={"description": "The first activity day that may be used; today unless you name an earlier one."})


class ConsentSchema(Strict):
    source = Pattern(SOURCE, required=True)
    purpose = Pattern(PURPOSE, required=True)
    version = Whole(1, required=True)
    text_digest = Pattern(DIGEST, required=True)
    sensitive = Flag(required=True)
    live = Flag(required=True, metadata={"description": "Whether activity is used by it now."})
    covers_from = Day(required=True)
    given_on = Day(required=True)
    given_at = Instant(required=True)
    channel = Choice("app", "agency", "guardian", "demo", required=True)
    ended_on = Day(required=True, allow_none=True)
    ended_because = Choice("withdrawn", "renewed", required=True, allow_none=True)


class SourceAsked(Strict):
    source = Pattern(SOURCE, load_default=None)


class PurposeAsked(Strict):
    purpose = Pattern(PURPOSE, load_default=consent.QUANTIFICATION)
    ward = ForWard._declared_fields["ward"]


def _told(one: consent.Consent) -> dict[str, Any]:
    return {**vars(one), "text_digest": one.digest.hex()}


@operation(
    blueprint, "GET", "/v1/consent-texts", "listConsentTexts", query=SourceAsked, answer=page_of(ConsentTextSchema),
    summary="The words that consent is asked for by: the newest version for each source and purpose",
)  # fmt: skip
def list_consent_texts(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    newest = {(text.source, text.purpose): text for text in consent.texts(call.session, query["source"])}
    return whole_list([{**vars(text), "text_digest": text.digest.hex()} for text in newest.values()])


@operation(
    blueprint, "GET", "/v1/me/consents", "listConsents", query=ForWard, answer=page_of(ConsentSchema),
    summary="Every consent that was ever given in your name, newest first", refuses=(participants.NotGuardian,),
)  # fmt: skip
def list_consents(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    return whole_list([_told(one) for one in consent.consents_of(call.session, person.account_id)])


@operation(
    blueprint, "POST", "/v1/me/consents", "giveConsent", query=ForWard, body=ConsentGiven, answer=ConsentSchema, status=201,
    summary="Let one source be used for one purpose", description="For a child, the guardian consents.",
    refuses=(
        consent.ConsentTextMissing, consent.TextChanged, consent.ConsentCoversFuture, consent.GuardianConsents,
        participants.NotGuardian, ledger.AccountClosed,
    ),
)  # fmt: skip
def give_consent(call: Call, body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    given = consent.give(
        call.session, account=person.account_id, source=body["source"], purpose=body["purpose"],
        text_digest=bytes.fromhex(body["text_digest"]), covers_from=body["covers_from"], on=call.today, by=call.caller.actor,
        channel="app" if query["ward"] is None else "guardian",
    )  # fmt: skip
    tell(call, person, "consent.given", source=given.source)
    return _told(given)


@operation(
    blueprint, "DELETE", "/v1/me/consents/<string:source>", "withdrawConsent", query=PurposeAsked, status=204,
    summary="Take a consent back, at once",
    description=(
        "From this moment nothing more of the source is used, of earlier days neither. Credits that were minted stay yours"
        " (PIPL articles 15, 16)."
    ),
    refuses=(consent.ConsentNotGiven, consent.ConsentBusy, participants.NotGuardian),
)  # fmt: skip
def withdraw_consent(call: Call, source: str, query: dict[str, Any]) -> None:
    if not re.fullmatch(SOURCE, source):
        raise NotFound
    person = acted_for(call, query["ward"])
    ended = consent.withdraw(
        call.session, account=person.account_id, source=source, purpose=query["purpose"], by=call.caller.actor, on=call.today
    )
    tell(call, person, "consent.withdrawn", source=ended.source)
