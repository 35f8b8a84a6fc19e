"""Retiring credits against one's own emissions, for good (Article 22).

A footprint is worked out from published factors, or measured; the fewest whole
credits that cover it are retired, oldest first; the certificate says both, and
anybody can look it up by its number.
"""

from carbonhui.neutralisation.certificates import (
    BENEFICIARY_LONGEST,
    REASON_LONGEST,
    Certificate,
    Texts,
    certificate,
    certificates_of,
    hide_beneficiary,
    lines_of,
    neutralise,
    numbers_of,
    texts_of,
)
from carbonhui.neutralisation.checks import CHECKS
from carbonhui.neutralisation.factors import Factor, Value, factors
from carbonhui.neutralisation.footprints import (
    CABINS,
    HOTELS,
    MODES,
    Flight,
    Footprint,
    Journey,
    Line,
    commute,
    event,
    flight,
    household_month,
    measured,
    trip,
)
from carbonhui.neutralisation.numbers import checked_number, grouped
from carbonhui.neutralisation.operations import retire
from carbonhui.neutralisation.printing import print_certificate
from carbonhui.neutralisation.refusals import (
    CertificateUnknown,
    CreditsDoNotCover,
    FactorMissing,
    FootprintEmpty,
    FootprintTooLarge,
    HeadcountDiffers,
    MoreCreditsThanAllowed,
    ReceivedCreditsNotRetired,
)
from carbonhui.neutralisation.showing import STYLE_DIGEST, missing_page, page_of
from carbonhui.neutralisation.telling import Record, Run, record_of

__all__ = [
    "BENEFICIARY_LONGEST",
    "CABINS",
    "CHECKS",
    "HOTELS",
    "MODES",
    "REASON_LONGEST",
    "STYLE_DIGEST",
    "Certificate",
    "CertificateUnknown",
    "CreditsDoNotCover",
    "Factor",
    "FactorMissing",
    "Flight",
    "Footprint",
    "FootprintEmpty",
    "FootprintTooLarge",
    "HeadcountDiffers",
    "Journey",
    "Line",
    "MoreCreditsThanAllowed",
    "ReceivedCreditsNotRetired",
    "Record",
    "Run",
    "Texts",
    "Value",
    "certificate",
    "certificates_of",
    "checked_number",
    "commute",
    "event",
    "factors",
    "flight",
    "grouped",
    "hide_beneficiary",
    "household_month",
    "lines_of",
    "measured",
    "missing_page",
    "neutralise",
    "numbers_of",
    "page_of",
    "print_certificate",
    "record_of",
    "retire",
    "texts_of",
    "trip",
]
