"""What the committee reads: the sheet that it signs, and the pages that everybody may open (Articles 7, 14)."""

from collections.abc import Callable
from pathlib import Path

import methodologies
from carbonhui.methodology import GENERATED, examine, installed_versions, load, pages, sheet
from carbonhui.methodology.engines import ENGINES
from carbonhui.methodology.words import WORDS

Write = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "methodologies"
COMMAND = "carbonhui methodology pages --into docs/methodologies"
HERE = {name: ENGINES[name] for name in ("Python", "DuckDB")}


def test_the_pages_of_the_shipped_methodologies_are_up_to_date() -> None:
    folders = sorted(path.parent for path in Path(methodologies.__file__).parent.glob("*/methodology.toml"))
    wanted = pages(installed_versions(folders))
    found = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    stale = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    assert stale == [], f"run: {COMMAND}"


def test_each_version_has_a_page_in_each_language(ferry: Write, household: Write) -> None:
    found = pages([load(ferry()), load(household())])
    assert sorted(found) == [
        "README.md", "ferry-1.en.md", "ferry-1.zh.md", "household-1.en.md", "household-1.zh.md"
    ]  # fmt: skip
    assert all(text.startswith(GENERATED) for text in found.values())
    assert "[轮渡出行](ferry-1.zh.md)" in found["README.md"]
    assert "[轮渡出行](ferry-1.zh.md)" in found["ferry-1.en.md"]


def test_a_page_says_everything_that_was_approved(household: Write) -> None:
    found = load(household())
    english, chinese = (pages([found])[f"household-1.{language}.md"] for language in ("en", "zh"))
    for text in (english, chinese):
        for told in (
            "mg = ((max(0, (baseline_wh - used_wh)) * mg_per_kwh) // 1000)", "min(((max(0,",
            "| 500,000 | mg CO2/kWh | 2017 | 2018-12-20 | 2019-01-01 | S1 | committee minutes 2019-03, table 1 |",
            "`least_coverage_percent` = 95", "| 1/3 | 1,000 |", "| 60 | committee minutes 2019-03, section 6 |",
            "`own_pv`", "`tier_3`", "1,666,000", found.fingerprint,
        ):  # fmt: skip
            assert told in text
    assert "Electricity used |" in english and "用电量" not in english
    assert "用电量 |" in chinese and "自行申报的读数按三分之一计" in chinese
    assert "Electricity used a year before" in chinese


def test_a_bar_or_a_line_break_does_not_break_a_table(ferry: Write) -> None:
    toml = {'says = "Distance travelled"': 'says = """Distance | by\nwater"""'}
    assert "| Distance \\| by water |" in pages([load(ferry(toml=toml))])["ferry-1.en.md"]


def test_the_sheet_shows_what_each_engine_gave_and_has_lines_to_sign(household: Write) -> None:
    told = sheet(examine(household(), HERE))
    assert told.startswith("# 委员会审议单 Committee sheet: 居民用电 / Household electricity")
    assert "理由 Because | Python | DuckDB |" in told
    assert "| 1,666,000 | 5,000,000 mg / 3 = 1,666,666 mg, rounded down to whole grams | 1,666,000 | 1,666,000 |" in told
    assert "全部规则成立" in told
    for body in ("专家委员会 Expert committee", "市 City", "省 Province"):
        assert f"| {body} |  |  |  |  |" in told


def test_the_sheet_of_a_wrong_methodology_says_what_is_wrong(household: Write) -> None:
    told = sheet(examine(household(toml={"mg       = 1_666_000": "mg       = 1_666_666"}), HERE))
    assert "worked_case_wrong: " in told and "says 1666666 mg; the methodology gives 1666000 mg." in told
    assert "全部规则成立" not in told


def test_every_word_is_known_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
