"""Who may do what: one table, operation by operation. What it does not name is refused.

Roles are ``anonymous``, ``person``, ``staff:<role>`` and ``organisation:<kind>``, as
``access.Caller.roles`` says them. An operation without a row fails at the start of
the server.
"""

from collections.abc import Mapping

STAFF = ("operator", "registrar", "approver", "auditor", "support", "regulator")
ORGANISATIONS = (
    "merchant", "department", "charity", "emitter", "institution", "fund_manager", "exchange", "regulator",
)  # fmt: skip

ANYBODY_SIGNED_IN = frozenset(
    {"person", *(f"staff:{role}" for role in STAFF), *(f"organisation:{kind}" for kind in ORGANISATIONS)}
)
ANYBODY = ANYBODY_SIGNED_IN | {"anonymous"}
PERSON = frozenset({"person"})
ANY_STAFF = frozenset(f"staff:{role}" for role in STAFF)
ANY_ORGANISATION = frozenset(f"organisation:{kind}" for kind in ORGANISATIONS)
INSTITUTION = frozenset({"organisation:institution"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    # The service itself.
    "readIndex": ANYBODY,
    "readSigningKeys": ANYBODY,
    "readOpenApi": ANYBODY,
    "readProblem": ANYBODY,
    # Signing in and out.
    "requestCode": ANYBODY,
    "signIn": ANYBODY,
    "refreshSession": ANYBODY,
    "signOut": PERSON,
    "staffSignIn": ANYBODY,
    "staffSignOut": ANY_STAFF,
    # A person's own particulars, devices and children.
    "readMe": PERSON,
    "changeMe": PERSON,
    "changeMobile": PERSON,
    "proveRealName": PERSON,
    "listDevices": PERSON,
    "signOutDevice": PERSON,
    "signOutEverywhere": PERSON,
    "listWards": PERSON,
    "registerWard": PERSON,
    "takeOverWard": PERSON,
    "endGuardianship": PERSON,
    # Consents and links.
    "listConsentTexts": ANYBODY,
    "listConsents": PERSON,
    "giveConsent": PERSON,
    "withdrawConsent": PERSON,
    "listLinks": PERSON,
    "linkIdentifier": PERSON,
    "endLink": PERSON,
    "askForLink": PERSON,
    "withdrawLinkClaim": PERSON,
    # What a person did, avoided and holds.
    "listActivities": PERSON,
    "declareActivities": PERSON,
    "listReductions": PERSON,
    "explainReduction": PERSON,
    "readBalance": PERSON,
    "readStatement": PERSON,
    "listCredits": PERSON,
    "readCredit": PERSON,
    # What is kept about a person.
    "listReadings": PERSON,
    "listMessages": PERSON,
    "markMessagesRead": PERSON,
    "exportMe": PERSON,
    "exportMeAsWorkbook": PERSON,
    "eraseMe": PERSON,
    # Organisations, by their members or by their own signature.
    "applyAsOrganisation": PERSON,
    "listMyOrganisations": PERSON,
    "readOrganisation": PERSON | ANY_ORGANISATION,
    "changeOrganisation": PERSON,
    "listMembers": PERSON,
    "addMember": PERSON,
    "changeMember": PERSON,
    "endMembership": PERSON,
    "listApiKeys": PERSON,
    "issueApiKey": PERSON,
    "revokeApiKey": PERSON,
    "listWebhooks": PERSON | ANY_ORGANISATION,
    "addWebhook": PERSON | ANY_ORGANISATION,
    "rotateWebhookSecret": PERSON | ANY_ORGANISATION,
    "pingWebhook": PERSON | ANY_ORGANISATION,
    "resumeWebhook": PERSON | ANY_ORGANISATION,
    "removeWebhook": PERSON | ANY_ORGANISATION,
    "listDeadLetters": PERSON | ANY_ORGANISATION,
    "replayDeadLetter": PERSON | ANY_ORGANISATION,
    # Service institutions.
    "deliverActivities": INSTITUTION,
    "deliverFile": INSTITUTION,
    "listBatches": INSTITUTION,
    "readBatch": INSTITUTION,
    "readRefusedRows": INSTITUTION,
    "issueLinkCode": INSTITUTION,
    "listLinkClaims": INSTITUTION,
    "decideLinkClaim": INSTITUTION,
    "listAgreements": INSTITUTION,
    "applyForUsers": INSTITUTION,
    # Staff.
    "listOrganisations": ANY_STAFF,
    "listOrganisationSteps": ANY_STAFF,
    "listOpenSteps": ANY_STAFF,
    "proposeStep": frozenset({"staff:registrar"}),
    "decideStep": frozenset({"staff:approver"}),
    "readPerson": frozenset({"staff:support"}),
}
