"""What used clothes handed in for recycling avoid."""

from carbonhui.methodology.formula import Whole

GRAMS_PER_KG = 1_000


def reduction_mg(grams: Whole, mg_per_kg: Whole) -> Whole:
    """Weight times the factor, in milligrams.

    Rounded down to the milligram, against the giver, so that no part of a milligram
    is credited that was not avoided.
    """
    return grams * mg_per_kg // GRAMS_PER_KG
