"""What a household avoids by using less electricity than a year before."""

from carbonhui.methodology.formula import Whole, maximum

WH_PER_KWH = 1_000


def reduction_mg(used_wh: Whole, days: Whole, baseline_wh: Whole, baseline_days: Whole, mg_per_kwh: Whole) -> Whole:
    """Last year's use, brought to as many days as this year's, less this year's use.

    Both divisions round down, against the household: first the baseline to the
    watt-hour, then the reduction to the milligram. Who used more avoided nothing.
    """
    expected_wh = baseline_wh * days // baseline_days
    saved_wh = maximum(0, expected_wh - used_wh)
    return saved_wh * mg_per_kwh // WH_PER_KWH
