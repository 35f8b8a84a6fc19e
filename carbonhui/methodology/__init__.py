"""How low-carbon acts are measured (Articles 14-16).

A methodology is a folder: approved numbers with their dates and sources, one formula
over exact whole numbers, and worked cases. This room reads such folders, refuses what
is not exact or not sourced, and gives the reduction of a record in whole milligrams,
the same from Python and from SQL.
"""

from carbonhui.methodology.approved import ApprovedVersion, approved_versions
from carbonhui.methodology.archive import archived, changed_files, propose
from carbonhui.methodology.checking import Examination, check, examine
from carbonhui.methodology.compilers import DUCKDB, SPARK, Dialect, Formula
from carbonhui.methodology.methodology import Methodology
from carbonhui.methodology.packages import installed, installed_versions
from carbonhui.methodology.pages import GENERATED, pages, sheet
from carbonhui.methodology.parts import (
    Cap,
    Case,
    ClaimWindow,
    DatedValue,
    EvidenceWeight,
    Exclusion,
    Field,
    Lookback,
    Parameter,
    Period,
)
from carbonhui.methodology.reading import load
from carbonhui.methodology.refusals import (
    DayBeforeFirstDate,
    EvidenceNotAccepted,
    QuantitiesDiffer,
    QuantityNotWhole,
    QuantityOutOfRange,
)
from carbonhui.methodology.scaffold import scaffold

__all__ = [
    "DUCKDB",
    "GENERATED",
    "SPARK",
    "ApprovedVersion",
    "Cap",
    "Case",
    "ClaimWindow",
    "DatedValue",
    "DayBeforeFirstDate",
    "Dialect",
    "EvidenceNotAccepted",
    "EvidenceWeight",
    "Examination",
    "Exclusion",
    "Field",
    "Formula",
    "Lookback",
    "Methodology",
    "Parameter",
    "Period",
    "QuantitiesDiffer",
    "QuantityNotWhole",
    "QuantityOutOfRange",
    "approved_versions",
    "archived",
    "changed_files",
    "check",
    "examine",
    "installed",
    "installed_versions",
    "load",
    "pages",
    "propose",
    "scaffold",
    "sheet",
]
