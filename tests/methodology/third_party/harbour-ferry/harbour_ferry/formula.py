"""What a ferry trip across the harbour avoids."""

from carbonhui.methodology.formula import Whole

METRES_PER_KM = 1_000


def reduction_mg(metres: Whole, mg_per_km: Whole) -> Whole:
    """Distance times the factor, rounded down against the rider."""
    return metres * mg_per_km // METRES_PER_KM
