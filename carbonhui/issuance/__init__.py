"""Making individually coded credits out of measured reductions (Article 17).

Each reduction is consumed exactly once, at the exchange ratio in force on its own
day. What does not fill a credit is carried, to the milligram:
sum(reductions) = credits x ratio + carry, for every person, always.
"""

from carbonhui.issuance.checks import CHECKS
from carbonhui.issuance.operations import MintReport, Part, carry_of, mint, mint_next, parts_through
from carbonhui.issuance.refusals import MintRunning, RatioChanged

__all__ = ["CHECKS", "MintReport", "MintRunning", "Part", "RatioChanged", "carry_of", "mint", "mint_next", "parts_through"]
