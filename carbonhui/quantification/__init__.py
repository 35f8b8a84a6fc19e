"""From activity to milligrams avoided (Article 16).

Every act is measured by the approved version in force on its own day, once, and
credited to who held the identifier on that day. What is left out is counted, with
the reason.
"""

from carbonhui.quantification.digests import ReductionsDigest, digest_of_reductions
from carbonhui.quantification.engines import ENGINES
from carbonhui.quantification.operations import QuantifyReport, quantify
from carbonhui.quantification.refusals import (
    EngineMissing,
    EngineUnknown,
    MethodologyChanged,
    MethodologyNotApproved,
    MethodologyNotInstalled,
    MethodologyRevised,
    MethodologyUnsupported,
    QuantificationBusy,
)
from carbonhui.quantification.writing import Measured

__all__ = [
    "ENGINES",
    "EngineMissing",
    "EngineUnknown",
    "Measured",
    "MethodologyChanged",
    "MethodologyNotApproved",
    "MethodologyNotInstalled",
    "MethodologyRevised",
    "MethodologyUnsupported",
    "QuantificationBusy",
    "QuantifyReport",
    "ReductionsDigest",
    "digest_of_reductions",
    "quantify",
]
