"""What one trip by battery-electric bus in Shenzhen avoids."""

from carbonhui.methodology.formula import Whole

METRES_PER_KM = 1_000


def reduction_mg(metres: Whole, mg_per_km: Whole) -> Whole:
    """Distance times the factor, in milligrams.

    Rounded down to the milligram, against the passenger, so that no part of a milligram
    is credited that was not avoided.
    """
    return metres * mg_per_km // METRES_PER_KM
