"""A small, right methodology, and a way to spoil it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from carbonhui.core.refusals import Refusal
from carbonhui.methodology import load

RIGHT_TOML = """\
id            = "ferry"
version       = "1"
document      = "committee minutes 2019-01"
articles      = [14, 16]
demonstration = false
activity      = "trip"

[title]
en = "Ferry trip"
zh = "轮渡出行"

[fields.metres]
says = "Distance travelled"
unit = "m"
low  = 0
high = 500_000

[parameters.baseline_mg_per_km]
says = "Emission of the trip that the ferry replaces"
unit = "mg CO2/km"
[[parameters.baseline_mg_per_km.values]]
from   = 2019-01-01
value  = 155_300
source = "committee minutes 2019-01, table 2"
class  = "S1"
[[parameters.baseline_mg_per_km.values]]
from   = 2021-07-01
value  = 141_000
source = "committee minutes 2021-06, table 2"
class  = "S1"

[parameters.ferry_mg_per_km]
says = "Emission of the ferry"
unit = "mg CO2/km"
[[parameters.ferry_mg_per_km.values]]
from   = 2019-03-01
value  = 38_100
source = "committee minutes 2019-02, table 1"
class  = "S1"

[[case]]
name     = "A ride before the revision"
on       = 2021-06-30
activity = { metres = 10_000 }
mg       = 1_172_000
because  = "10 km x (155.3 - 38.1) g/km"

[[case]]
name     = "The same ride after the revision of July 2021"
on       = 2021-07-01
activity = { metres = 10_000 }
mg       = 1_029_000
because  = "10 km x (141.0 - 38.1) g/km"
"""

RIGHT_FORMULA = '''\
"""What a ferry trip avoids."""

from carbonhui.methodology.formula import Whole, maximum

METRES_PER_KM = 1_000


def reduction_mg(metres: Whole, baseline_mg_per_km: Whole, ferry_mg_per_km: Whole) -> Whole:
    """Distance times the difference, rounded down against the rider."""
    avoided = maximum(0, baseline_mg_per_km - ferry_mg_per_km)
    return metres * avoided // METRES_PER_KM
'''

#: A household's methodology that uses every rule of the host.
HOUSEHOLD_TOML = """\
id            = "household"
version       = "1"
document      = "committee minutes 2019-03"
articles      = [14, 16]
demonstration = false
activity      = "reading"
period        = "month"

[title]
en = "Household electricity"
zh = "居民用电"

[fields.used_wh]
says    = "Electricity used"
says_zh = "用电量"
unit    = "Wh"
low     = 0
high    = 100_000_000

[lookback.same_month_last_year]
says   = "The same month of last year"
source = "committee minutes 2019-03, section 2"
least_coverage_percent = 95

[lookback_fields.baseline_wh]
by   = "same_month_last_year"
of   = "used_wh"
says = "Electricity used a year before"
unit = "Wh"
low  = 0
high = 100_000_000

[parameters.mg_per_kwh]
says = "Emission of the grid"
unit = "mg CO2/kWh"
[[parameters.mg_per_kwh.values]]
from        = 2019-01-01
value       = 500_000
source      = "committee minutes 2019-03, table 1"
class       = "S1"
factor_year = 2017
published   = 2018-12-20

[[caps]]
says   = "At most 100 kg a month count"
field  = "mg"
per    = "activity"
most   = 100_000_000
source = "committee minutes 2019-03, section 4"

[[evidence_weights]]
says        = "A reading that is only declared counts a third, in whole grams"
says_zh     = "自行申报的读数按三分之一计,取整到克"
evidence    = "self_declared"
numerator   = 1
denominator = 3
unit_mg     = 1_000
source      = "committee minutes 2019-03, section 5"

[claim_window]
says   = "A reading is handed in within 60 days"
days   = 60
source = "committee minutes 2019-03, section 6"

[[exclusions]]
says   = "Households with their own solar power"
code   = "own_pv"
source = "committee minutes 2019-03, section 7"
[[exclusions]]
says   = "Households in the third tier of that year"
code   = "tier_3"
per    = "year"
source = "committee minutes 2019-03, section 8"

[[case]]
name     = "Ten kilowatt-hours saved"
on       = 2019-03-31
activity = { used_wh = 190_000 }
lookback = { baseline_wh = 200_000 }
mg       = 5_000_000
because  = "10 kWh x 500 g/kWh"

[[case]]
name     = "The same, only declared"
on       = 2019-03-31
evidence = "self_declared"
activity = { used_wh = 190_000 }
lookback = { baseline_wh = 200_000 }
mg       = 1_666_000
because  = "5,000,000 mg / 3 = 1,666,666 mg, rounded down to whole grams"

[[case]]
name     = "More than counts"
on       = 2019-03-31
activity = { used_wh = 0 }
lookback = { baseline_wh = 900_000 }
mg       = 100_000_000
because  = "900 kWh x 500 g/kWh = 450 kg, cut to 100 kg"
"""

HOUSEHOLD_FORMULA = '''\
"""What a household avoids by using less than a year before."""

from carbonhui.methodology.formula import Whole, maximum

WH_PER_KWH = 1_000


def reduction_mg(used_wh: Whole, baseline_wh: Whole, mg_per_kwh: Whole) -> Whole:
    """The saving times the factor, rounded down against the household."""
    return maximum(0, baseline_wh - used_wh) * mg_per_kwh // WH_PER_KWH
'''

Write = Callable[..., Path]


def writer(into: Path, toml: str, formula: str, called: str) -> Write:
    """Writes a right methodology, with some words of its files exchanged for others."""

    def write(toml: dict[str, str] | None = None, formula: dict[str, str] | None = None, name: str = called) -> Path:
        folder = into / name
        folder.mkdir()
        (folder / "methodology.toml").write_text(exchanged(right_toml, toml or {}), encoding="utf-8")
        (folder / "formula.py").write_text(exchanged(right_formula, formula or {}), encoding="utf-8")
        return folder

    right_toml, right_formula = toml, formula
    return write


@pytest.fixture
def household(tmp_path: Path) -> Write:
    """Writes the household's methodology."""
    return writer(tmp_path, HOUSEHOLD_TOML, HOUSEHOLD_FORMULA, "household")


@pytest.fixture
def ferry(tmp_path: Path) -> Write:
    """Writes the ferry's methodology."""
    return writer(tmp_path, RIGHT_TOML, RIGHT_FORMULA, "ferry")


@pytest.fixture
def refusal_of() -> Callable[[Path], Refusal]:
    """The refusal of a folder that must not load."""

    def refusal(folder: Path) -> Refusal:
        with pytest.raises(Refusal) as told:
            load(folder)
        assert told.value.text("zh") != told.value.text("en")
        return told.value

    return refusal


def exchanged(text: str, words: dict[str, str]) -> str:
    """The text with each of the words exchanged once; a word that is not there is a mistake of the test."""
    for old, new in words.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    return text
