"""A methodology to begin with: an installable package that passes its own check, every number of it to be replaced."""

import keyword
import re
from pathlib import Path

from carbonhui.methodology.packages import GROUP
from carbonhui.methodology.refusals import ScaffoldExists, ScaffoldNameInvalid

_PYPROJECT = '''\
[build-system]
requires      = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name            = "@distribution@"
version         = "1"
description     = "How one low-carbon act is measured"
requires-python = ">=3.11"
dependencies    = ["carbonhui"]

# By this carbonhui finds the folder, without running any of its code.
[project.entry-points."@group@"]
@name@ = "@name@"

[tool.setuptools]
packages = ["@name@"]

[tool.setuptools.package-data]
@name@ = ["*"]
'''

_README = '''\
# @distribution@

A methodology for carbonhui: dated numbers with their sources, one formula over whole numbers, worked cases.

1. Replace every number, source and case in `@name@/methodology.toml`, and the formula in `@name@/formula.py`.
2. `carbonhui methodology check @name@` checks it on every engine and prints the committee's sheet; `--sheet FILE` keeps it.
3. `pip install .` installs it; `carbonhui methodology list` shows it.
4. `carbonhui policy propose-methodology @name@` proposes it. It measures once expert committee, city and province approved it.

Any change of any file in `@name@/` makes it another text, which must be approved again: give it another version.
'''

_INIT = '"""A low-carbon act, to be described in one sentence (Article 14)."""\n'

_FORMULA = '''\
"""What one trip avoids."""

from carbonhui.methodology.formula import Whole

METRES_PER_KM = 1_000


def reduction_mg(metres: Whole, mg_per_km: Whole) -> Whole:
    """Distance times the factor, rounded down against the resident."""
    return metres * mg_per_km // METRES_PER_KM
'''

_TOML = '''\
id            = "@name@"
version       = "1"
document      = "to be replaced by the number of the document"
articles      = [14, 16]
# true as long as any number has the class S4 or U: such a methodology measures in the demonstration only.
demonstration = true
# What the host gives: "trip" (metres, trips, seconds), "reading" (used_wh, used_litres or used_dm3; days;
# with period = "month" or "day" and a lookback), "count" (one number under any name).
activity      = "trip"

[title]
en = "@title@"
zh = "@title@(中文名称待填)"

# What one record brings. The range is a promise: the formula is proven for every number in it.
[fields.metres]
says    = "Distance travelled"
says_zh = "出行距离"
unit    = "m"
low     = 0
high    = 200_000

# What the committee approves. A number is never edited, only followed by another with a later `from`.
[parameters.mg_per_km]
says    = "CO2 avoided per kilometre"
says_zh = "每公里减少的二氧化碳排放"
unit    = "mg CO2/km"
[[parameters.mg_per_km.values]]
from   = 2020-01-01
value  = 100_000
source = "to be replaced by the paper that the number comes from"
# S1 official text, S2 press that quotes it, S3 paper, S4 unconfirmed list, C computed, U unverified
class  = "U"
# factor_year = 2019
# published   = 2019-12-20

# Rules of the host, where the committee decided some; each names its source.
# [[caps]]
# says = "At most 5 kg a day count"
# field = "mg"
# per = "day"
# most = 5_000_000
# source = "..."
# [claim_window]
# says = "A trip may be handed in for 90 days"
# days = 90
# source = "..."
# [[evidence_weights]]
# says = "A trip that is only declared counts half"
# evidence = "self_declared"
# numerator = 1
# denominator = 2
# source = "..."

# Each case is worked on paper first.
[[case]]
name     = "Ten kilometres"
on       = 2020-01-01
activity = { metres = 10_000 }
mg       = 1_000_000
because  = "10 km x 100 g/km"
'''


def scaffold(name: str, into: Path) -> Path:
    """Write the package of a new methodology into a folder, and tell its own folder there.

    Raises `ScaffoldNameInvalid`, `ScaffoldExists`.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name) or keyword.iskeyword(name):
        raise ScaffoldNameInvalid(name=ascii(name)[:80])
    words = {"name": name, "distribution": name.replace("_", "-"), "title": name.replace("_", " ").capitalize(), "group": GROUP}
    folder = into / words["distribution"]
    if folder.exists():
        raise ScaffoldExists(folder=folder)
    files = {
        "pyproject.toml": _PYPROJECT,
        "README.md": _README,
        f"{name}/__init__.py": _INIT,
        f"{name}/formula.py": _FORMULA,
        f"{name}/methodology.toml": _TOML,
    }
    (folder / name).mkdir(parents=True)
    for file, text in files.items():
        (folder / file).write_text(_filled(text, words), encoding="utf-8")
    return folder


def _filled(text: str, words: dict[str, str]) -> str:
    for word, meaning in words.items():
        text = text.replace(f"@{word}@", meaning)
    return text
