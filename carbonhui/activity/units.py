"""Units of meters in whole small units, digit by digit and without a float (Article 16)."""

from carbonhui.activity.judging import text

#: How many small units (Wh, litre, dm3) a unit has, as numerator and denominator: a hundred cubic feet
#: is 2831.6846592 dm3 exactly, because a foot is 0.3048 m exactly.
UNITS: dict[tuple[str, str], tuple[int, int]] = {
    ("kWh", "electricity"): (1_000, 1),
    ("Wh", "electricity"): (1, 1),
    ("m3", "water"): (1_000, 1),
    ("litre", "water"): (1, 1),
    ("ccf", "water"): (28_316_846_592, 10_000_000),
    ("m3", "gas"): (1_000, 1),
    ("dm3", "gas"): (1, 1),
    ("ccf", "gas"): (28_316_846_592, 10_000_000),
}
NUMBER = r"[0-9]{1,12}(\.[0-9]{1,30})?"
_DECIMALS = 15


def small_units(column: str, unit: str, commodity: str) -> str:
    """Whole small units of a plain number in this unit; what is finer is dropped, and NULL is no number.

    Dropping is not in anybody's favour: the same meter's month a year ago loses as much.
    """
    numerator, denominator = UNITS[unit, commodity]
    decimals = f"split_part({column}, '.', 2)"
    whole = f"split_part({column}, '.', 1)"
    if denominator == 1:
        places = len(str(numerator)) - 1
        value = f"{whole}::BIGINT * {numerator}"
        if places:
            value += f" + rpad(left({decimals}, {places}), {places}, '0')::BIGINT"
    else:
        # The sixteenth decimal and what follows are dropped before, so that all products fit.
        scaled = f"({whole}::HUGEINT * {10**_DECIMALS} + rpad(left({decimals}, {_DECIMALS}), {_DECIMALS}, '0')::HUGEINT)"
        value = f"({scaled} * {numerator} // {denominator * 10**_DECIMALS}::HUGEINT)::BIGINT"
    return f"CASE WHEN regexp_full_match({column}, {text(NUMBER)}) THEN {value} END"
