"""What a household avoids in a day, against its city or against itself."""

from carbonhui.methodology.formula import Whole, maximum, where

WH_PER_KWH = 1_000


def reduction_mg(used_wh: Whole, city_mean_wh: Whole, own_mean_wh: Whole, mg_per_kwh: Whole) -> Whole:
    """Below the city's mean, the difference to it; at or above, the difference to its own mean.

    Rounded down to the milligram, against the household. Who used more than the city
    and more than itself before avoided nothing.
    """
    below_city_wh = maximum(0, city_mean_wh - used_wh)
    below_own_wh = maximum(0, own_mean_wh - used_wh)
    saved_wh = where(used_wh < city_mean_wh, below_city_wh, below_own_wh)
    return saved_wh * mg_per_kwh // WH_PER_KWH
