"""How low-carbon acts are measured (Articles 14-16).

A methodology is a folder: approved numbers with their dates and sources, one formula
over exact whole numbers, and worked cases. This room reads such folders, refuses what
is not exact or not sourced, and gives the reduction of a record in whole milligrams,
the same from Python and from SQL.
"""

from carbonhui.methodology.checking import check
from carbonhui.methodology.compilers import DUCKDB, Dialect, Formula
from carbonhui.methodology.methodology import Methodology
from carbonhui.methodology.packages import installed
from carbonhui.methodology.parts import (
    Cap,
    Case,
    DatedValue,
    EvidenceWeight,
    Exclusion,
    Field,
    Parameter,
    Period,
)
from carbonhui.methodology.reading import load
from carbonhui.methodology.refusals import DayBeforeFirstDate, QuantitiesDiffer, QuantityNotWhole, QuantityOutOfRange

__all__ = [
    "DUCKDB",
    "Cap",
    "Case",
    "DatedValue",
    "DayBeforeFirstDate",
    "Dialect",
    "EvidenceWeight",
    "Exclusion",
    "Field",
    "Formula",
    "Methodology",
    "Parameter",
    "Period",
    "QuantitiesDiffer",
    "QuantityNotWhole",
    "QuantityOutOfRange",
    "check",
    "installed",
    "load",
]
