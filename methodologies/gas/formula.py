"""What a household avoids by using less gas than a year before."""

from carbonhui.methodology.formula import Whole, maximum

DM3_PER_M3 = 1_000


def reduction_mg(used_dm3: Whole, days: Whole, baseline_dm3: Whole, baseline_days: Whole, mg_per_m3: Whole) -> Whole:
    """Last year's use, brought to as many days as this year's, less this year's use.

    Both divisions round down, against the household: first the baseline to the
    cubic decimetre, then the reduction to the milligram. Who used more avoided nothing.
    """
    expected_dm3 = baseline_dm3 * days // baseline_days
    saved_dm3 = maximum(0, expected_dm3 - used_dm3)
    return saved_dm3 * mg_per_m3 // DM3_PER_M3
