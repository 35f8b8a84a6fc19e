"""What bus rides avoid, by the points of Hubei's platform."""

from carbonhui.methodology.formula import Whole


def reduction_mg(trips: Whole, mg_per_trip: Whole) -> Whole:
    """The platform's points of one gram each, for each trip; exact, so nothing is rounded."""
    return trips * mg_per_trip
