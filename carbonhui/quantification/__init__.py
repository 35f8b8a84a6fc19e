"""From activity to milligrams avoided (Article 16).

Every act is measured by the approved version in force on its own day, once, and
credited to who held the identifier on that day. What is left out is counted, with
the reason.
"""

from carbonhui.quantification.operations import QuantifyReport, quantify
from carbonhui.quantification.refusals import (
    MethodologyChanged,
    MethodologyNotApproved,
    MethodologyNotInstalled,
    MethodologyUnsupported,
    QuantificationBusy,
)
from carbonhui.quantification.writing import Measured

__all__ = [
    "Measured",
    "MethodologyChanged",
    "MethodologyNotApproved",
    "MethodologyNotInstalled",
    "MethodologyUnsupported",
    "QuantificationBusy",
    "QuantifyReport",
    "quantify",
]
