"""What walking avoids."""

from carbonhui.methodology.formula import Whole


def reduction_mg(steps: Whole, mg_per_step: Whole) -> Whole:
    """The platform's number, for each step; exact, so nothing is rounded."""
    return steps * mg_per_step
