"""What bus rides in Wuhan avoid, since May 2025."""

from carbonhui.methodology.formula import Whole


def reduction_mg(trips: Whole, mg_per_trip: Whole) -> Whole:
    """The platform's number, for each trip; exact, so nothing is rounded."""
    return trips * mg_per_trip
