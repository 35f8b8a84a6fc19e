"""What people let the platform fetch and use, source by source (Articles 11-12).

A consent is for one source and one purpose, by words whose digest it names, and covers
activity from a day on. It is given by the person, by a guardian, or by an institution
that applies for its users under an agreement; it is withdrawn at any moment, and from
then on nothing of that source is processed. Nothing here is ever rewritten.
"""

from carbonhui.consent.agreements import (
    Agreement,
    Application,
    Applied,
    agreement,
    agreements,
    apply_for_users,
    end_agreement,
    register_agreement,
)
from carbonhui.consent.checks import CHECKS
from carbonhui.consent.demo import DEMO_COVERS_FROM, grant_for_demo
from carbonhui.consent.giving import Consent, consents_of, give, live_consents, withdraw, withdraw_all
from carbonhui.consent.refusals import (
    AgreementDigestDiffers,
    AgreementNeedsOrganisation,
    AgreementNotInForce,
    AgreementUnknown,
    ConsentBusy,
    ConsentCoversFuture,
    ConsentEndsTooEarly,
    ConsentForDemoOnly,
    ConsentNotGiven,
    ConsentSourceInvalid,
    ConsentTextMissing,
    ConsentWordsMissing,
    EvidenceInvalid,
    EvidenceMissing,
    GuardianConsents,
    SensitiveSource,
    TextChanged,
)
from carbonhui.consent.standing import Watch, hold, watch, withdrawn_since, write_consented, write_consented_before
from carbonhui.consent.texts import QUANTIFICATION, ConsentText, digest_of, publish_text, text_in_force, texts

__all__ = [
    "CHECKS",
    "DEMO_COVERS_FROM",
    "QUANTIFICATION",
    "Agreement",
    "AgreementDigestDiffers",
    "AgreementNeedsOrganisation",
    "AgreementNotInForce",
    "AgreementUnknown",
    "Application",
    "Applied",
    "Consent",
    "ConsentBusy",
    "ConsentCoversFuture",
    "ConsentEndsTooEarly",
    "ConsentForDemoOnly",
    "ConsentNotGiven",
    "ConsentSourceInvalid",
    "ConsentText",
    "ConsentTextMissing",
    "ConsentWordsMissing",
    "EvidenceInvalid",
    "EvidenceMissing",
    "GuardianConsents",
    "SensitiveSource",
    "TextChanged",
    "Watch",
    "agreement",
    "agreements",
    "apply_for_users",
    "consents_of",
    "digest_of",
    "end_agreement",
    "give",
    "grant_for_demo",
    "hold",
    "live_consents",
    "publish_text",
    "register_agreement",
    "text_in_force",
    "texts",
    "watch",
    "withdraw",
    "withdraw_all",
    "withdrawn_since",
    "write_consented",
    "write_consented_before",
]
