"""What a household avoids by using less water than a year before."""

from carbonhui.methodology.formula import Whole, maximum

LITRES_PER_M3 = 1_000


def reduction_mg(
    used_litres: Whole, days: Whole, baseline_litres: Whole, baseline_days: Whole, mg_per_m3: Whole
) -> Whole:
    """Last year's use, brought to as many days as this year's, less this year's use.

    Both divisions round down, against the household: first the baseline to the
    litre, then the reduction to the milligram. Who used more avoided nothing.
    """
    expected_litres = baseline_litres * days // baseline_days
    saved_litres = maximum(0, expected_litres - used_litres)
    return saved_litres * mg_per_m3 // LITRES_PER_M3
