"""From activity to milligrams avoided (Article 16).

Every act is measured by the approved version in force on its own day, once, and
credited to who held the identifier on that day and consents to it. What is left out
is counted, with the reason.
"""

from carbonhui.quantification.digests import ReductionsDigest, digest_of_reductions
from carbonhui.quantification.engines import ENGINES
from carbonhui.quantification.explaining import Explanation, ParameterInForce, ReductionLine, explain, reductions_of
from carbonhui.quantification.operations import QuantifyReport, quantify
from carbonhui.quantification.origins import methodologies_minted
from carbonhui.quantification.refusals import (
    EngineMissing,
    EngineUnknown,
    MethodologyChanged,
    MethodologyNotApproved,
    MethodologyNotInstalled,
    MethodologyRevised,
    MethodologyUnsupported,
    QuantificationBusy,
    ReductionTextMissing,
    ReductionUnknown,
)
from carbonhui.quantification.writing import Measured

__all__ = [
    "ENGINES",
    "EngineMissing",
    "EngineUnknown",
    "Explanation",
    "Measured",
    "MethodologyChanged",
    "MethodologyNotApproved",
    "MethodologyNotInstalled",
    "MethodologyRevised",
    "MethodologyUnsupported",
    "ParameterInForce",
    "QuantificationBusy",
    "QuantifyReport",
    "ReductionLine",
    "ReductionTextMissing",
    "ReductionUnknown",
    "ReductionsDigest",
    "digest_of_reductions",
    "explain",
    "methodologies_minted",
    "quantify",
    "reductions_of",
]
