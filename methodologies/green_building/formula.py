"""What a year in a green building would avoid, if its factor were known."""

from carbonhui.methodology.formula import Whole


def reduction_mg(square_metres: Whole, mg_per_square_metre: Whole) -> Whole:
    """The demonstration's number, for each square metre; exact, so nothing is rounded."""
    return square_metres * mg_per_square_metre
