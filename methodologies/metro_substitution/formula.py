"""What metro trips avoid, by the method of substitution."""

from carbonhui.methodology.formula import Whole


def reduction_mg(trips: Whole, mg_per_trip: Whole) -> Whole:
    """The published mean of one trip, for each trip; exact, so nothing is rounded."""
    return trips * mg_per_trip
