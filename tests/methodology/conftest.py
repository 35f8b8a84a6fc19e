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

Write = Callable[..., Path]


@pytest.fixture
def ferry(tmp_path: Path) -> Write:
    """Write the right methodology, with some words of its files exchanged for others."""

    def write(toml: dict[str, str] | None = None, formula: dict[str, str] | None = None, name: str = "ferry") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "methodology.toml").write_text(exchanged(RIGHT_TOML, toml or {}), encoding="utf-8")
        (folder / "formula.py").write_text(exchanged(RIGHT_FORMULA, formula or {}), encoding="utf-8")
        return folder

    return write


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
