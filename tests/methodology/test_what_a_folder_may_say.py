"""A methodology names its numbers, their dates and their papers (Articles 14-15)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from carbonhui.core.refusals import Refusal
from carbonhui.methodology import check, load

Write = Callable[..., Path]
RefusalOf = Callable[[Path], Refusal]

SOURCE = 'source = "committee minutes 2019-02, table 1"\n'
LAST = 'because  = "10 km x (141.0 - 38.1) g/km"\n'


def parameter(name: str) -> str:
    """One more number, before the title."""
    dated = f'[[parameters.{name}.values]]\nfrom = 2019-01-01\nvalue = 1\nsource = "x"\nclass = "S1"'
    return f'[parameters.{name}]\nsays = "x"\nunit = "x"\n{dated}\n\n[title]'


def test_the_right_methodology_loads_and_has_no_problem(ferry: Write) -> None:
    folder = ferry()
    assert load(folder).id == "ferry"
    assert check(folder) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("value  = 38_100", "value  = 38_100.5", "methodology_number_not_whole"),
        ("value  = 38_100", "value  = 38.1e3", "methodology_number_not_whole"),
        ("value  = 38_100", "value  = inf", "methodology_number_not_whole"),
        ("high = 500_000", "high = 500.0", "methodology_number_not_whole"),
        ("value  = 38_100", "value  = true", "methodology_key_wrong"),
        ("value  = 38_100", 'value  = "38_100"', "methodology_key_wrong"),
        ("value  = 38_100", "value  = 9_223_372_036_854_775_808", "methodology_key_wrong"),
        ("value  = 38_100", "value  = 1" + "0" * 5_000, "methodology_file_unreadable"),
        (SOURCE, "", "value_without_source"),
        (SOURCE, 'source = "  "\n', "methodology_key_wrong"),
        ("from   = 2021-07-01", "from   = 2019-01-01", "value_date_repeated"),
        ("from   = 2021-07-01", "from   = 2018-12-31", "value_dates_not_rising"),
        ("from   = 2021-07-01", "from   = 2021-07-01T00:00:00", "methodology_key_wrong"),
        ("from   = 2021-07-01\n", "", "methodology_key_missing"),
        ("from   = 2021-07-01", "from   = 2021-06-31", "methodology_file_unreadable"),
        ('class  = "S1"', 'class  = "S4"', "value_unconfirmed"),
        ('class  = "S1"', 'class  = "U"', "value_unconfirmed"),
        ('class  = "S1"', 'class  = "rumour"', "methodology_key_wrong"),
        ('en = "Ferry trip"\n', "", "methodology_key_missing"),
        ('zh = "轮渡出行"\n', "", "methodology_key_missing"),
        ('zh = "轮渡出行"', 'zh = ""', "methodology_key_wrong"),
        ('zh = "轮渡出行"', 'zh = "轮渡出行"\nfr = "Trajet"', "methodology_key_unknown"),
        ("demonstration = false", "demonstration = false\nauthor = 'x'", "methodology_key_unknown"),
        ("low  = 0", "low  = 0\nmost = 3", "methodology_key_unknown"),
        ("mg       = 1_172_000", "mg       = 1_172_000\nkg = 1", "methodology_key_unknown"),
        ("demonstration = false\n", "", "methodology_key_missing"),
        ("demonstration = false", "demonstration = 0", "methodology_key_wrong"),
        ("articles      = [14, 16]", "articles      = []", "methodology_key_wrong"),
        ("articles      = [14, 16]", 'articles      = ["14"]', "methodology_key_wrong"),
        ('activity      = "trip"', 'activity      = "flight"', "methodology_key_wrong"),
        ('activity      = "trip"', 'activity      = "trip"\nlookback = "city_mean"', "methodology_key_wrong"),
        ('activity      = "trip"', 'activity      = "trip"\nperiod = "month"', "methodology_key_unknown"),
        ('version       = "1"', 'version       = "1/2"', "methodology_key_wrong"),
        ('version       = "1"', 'version       = ""', "methodology_key_wrong"),
        ('says = "Distance travelled"', 'says = "Distance travelled"\nsays_zh = ""', "methodology_key_wrong"),
        ('says = "Distance travelled"', 'says_zh = "出行距离"', "methodology_key_missing"),
        ('id            = "ferry"', 'id            = "Ferry 2"', "methodology_key_wrong"),
        ('id            = "ferry"', 'id            = "ferry', "methodology_file_unreadable"),
        ("[fields.metres]", "[fields.kilometres]", "activity_fields_wrong"),
        ("[fields.metres]", "[fields.seconds]", "formula_arguments_differ"),
        ("[title]", parameter("Ferry"), "formula_name_not_allowed"),
        ("[title]", parameter("on"), "formula_name_not_allowed"),
        ("[title]", parameter("seconds"), "methodology_name_taken"),
        ("[title]", parameter("subject"), "methodology_name_taken"),
        ("[title]", parameter("evidence"), "methodology_name_taken"),
        ("low  = 0\nhigh = 500_000", "low  = 9\nhigh = 8", "formula_range_empty"),
        ("high = 500_000", "high = 9_000_000_000_000_000", "formula_too_wide"),
        ("high = 500_000", "high = 78_000_000_000_000", "formula_result_out_of_range"),
        ("mg       = 1_029_000", "mg       = 1_029_001", "worked_case_wrong"),
        ("mg       = 1_029_000", "mg       = -1", "methodology_key_wrong"),
        ("metres = 10_000 }\nmg       = 1_172", "metres = 500_001 }\nmg       = 1_172", "quantity_out_of_range"),
        ("metres = 10_000 }\nmg       = 1_172", "miles = 10_000 }\nmg       = 1_172", "quantities_differ"),
        ("metres = 10_000 }\nmg       = 1_172", "metres = true }\nmg       = 1_172", "methodology_key_wrong"),
        ("on       = 2021-06-30", "on       = 2019-02-28", "day_before_first_date"),
        (LAST, LAST + "[caps]\n", "methodology_key_wrong"),
    ],
)
def test_a_spoilt_methodology_is_refused(
    ferry: Write, refusal_of: RefusalOf, old: str, new: str, code: str
) -> None:
    folder = ferry(toml={old: new})
    assert refusal_of(folder).code == code
    assert [problem.code for problem in check(folder)] == [code]


BODY = "return metres * avoided // METRES_PER_KM"
STAR_IMPORT = "import Whole, maximum"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (BODY, "return metres * avoided / METRES_PER_KM", "formula_line_refused"),
        (BODY, "return metres * avoided // 1000.0", "formula_line_refused"),
        (BODY, "return metres * 0.5", "formula_line_refused"),
        (BODY, "return metres ** 2", "formula_line_refused"),
        (BODY, "return metres if metres > 3 else 0", "formula_line_refused"),
        (BODY, "return maximum(0, metres).low", "formula_line_refused"),
        (BODY, "return metres.__class__", "formula_line_refused"),
        (BODY, "return eval('1')", "formula_line_refused"),
        (BODY, "return int(metres)", "formula_line_refused"),
        (BODY, "return __builtins__", "formula_line_refused"),
        (BODY, "return maximum(one=metres, other=3)", "formula_line_refused"),
        (BODY, "return maximum(*metres)", "formula_line_refused"),
        (BODY, "return (lambda: metres)()", "formula_line_refused"),
        (BODY, "return [metres for _ in metres]", "formula_line_refused"),
        (BODY, "return 0 < metres < 5", "formula_line_refused"),
        (BODY, "return metres > 3 and metres < 5", "formula_line_refused"),
        (BODY, "return True", "formula_line_refused"),
        (BODY, "return unheard_of", "formula_line_refused"),
        (BODY, "return", "formula_line_refused"),
        (BODY, "metres = 3\n    return metres", "formula_line_refused"),
        (BODY, "maximum = 3\n    return metres", "formula_line_refused"),
        (BODY, "metres.high = 3\n    return metres", "formula_line_refused"),
        (BODY, "a = b = 3\n    return metres", "formula_line_refused"),
        (BODY, "import os\n    return metres", "formula_line_refused"),
        (BODY, "for step in metres:\n        pass\n    return metres", "formula_line_refused"),
        (BODY, "while metres:\n        pass", "formula_line_refused"),
        (BODY, "return metres\n    return avoided", "formula_line_refused"),
        (BODY, "return maximum(metres)", "formula_file_unreadable"),
        (BODY, "return metres > 3", "formula_value_not_whole"),
        (BODY, "return metres // (avoided - avoided)", "formula_divisor_not_positive"),
        (BODY, "return metres * 9_000_000_000_000_000_000", "formula_too_wide"),
        (BODY, "return metres * (ferry_mg_per_km - baseline_mg_per_km)", "formula_result_out_of_range"),
        (BODY, "return metres +", "formula_file_unreadable"),
        (BODY, "return " + "-" * 15_000 + "metres", "formula_file_unreadable"),
        (BODY, "return " + "+".join(["metres"] * 60), "formula_too_large"),
        (BODY, "return metres  #" + "-" * 20_000, "formula_file_unreadable"),
        (STAR_IMPORT, "import *", "formula_line_refused"),
        (STAR_IMPORT, "import Whole, maximum, quantity", "formula_line_refused"),
        (STAR_IMPORT, "import Whole, maximum as where", "formula_line_refused"),
        ("from carbonhui.methodology.formula", "from os", "formula_line_refused"),
        ("METRES_PER_KM = 1_000", "import os\nMETRES_PER_KM = 1_000", "formula_line_refused"),
        ("METRES_PER_KM = 1_000", "METRES_PER_KM = 1_000.0", "formula_line_refused"),
        ("METRES_PER_KM = 1_000", "METRES_PER_KM = maximum(1, 2)", "formula_line_refused"),
        ("METRES_PER_KM = 1_000", "METRES_PER_KM = [1_000]", "formula_line_refused"),
        ("METRES_PER_KM = 1_000", "print(1)\nMETRES_PER_KM = 1_000", "formula_line_refused"),
        ("METRES_PER_KM = 1_000", "class Whole: pass\nMETRES_PER_KM = 1_000", "formula_line_refused"),
        ("METRES_PER_KM = 1_000", "def helper(): return 1\nMETRES_PER_KM = 1_000", "formula_line_refused"),
        ("def reduction_mg(", "def _reduction_mg(", "formula_line_refused"),
        ("def reduction_mg(", "@where\ndef reduction_mg(", "formula_line_refused"),
        ("def reduction_mg(", "async def reduction_mg(", "formula_line_refused"),
        ("ferry_mg_per_km: Whole)", "ferry_mg_per_km: Whole = 3)", "formula_line_refused"),
        ("metres: Whole,", "*metres: Whole,", "formula_line_refused"),
        ("metres: Whole,", "metres: eval('1'),", "formula_line_refused"),
        ("metres: Whole,", "maximum: Whole,", "formula_line_refused"),
        ("metres: Whole, ", "", "formula_line_refused"),
        ("ferry_mg_per_km: Whole)", "ferry_mg_per_km: Whole, fare: Whole)", "formula_arguments_differ"),
    ],
)
def test_a_formula_file_with_anything_else_in_it_is_refused(
    ferry: Write, refusal_of: RefusalOf, old: str, new: str, code: str
) -> None:
    assert refusal_of(ferry(formula={old: new})).code == code


def test_a_refused_line_is_named_by_its_number(ferry: Write, refusal_of: RefusalOf) -> None:
    assert "Line 11 of formula.py has a division /" in str(refusal_of(ferry(formula={"//": "/"})))
    spoilt = ferry(toml={"value  = 38_100": "value  = 38.1"}, name="other")
    assert "Line 37 of methodology.toml has the number 38.1" in str(refusal_of(spoilt))
    unclosed = ferry(toml={"low  = 0": "low  = "}, name="third")
    assert "line 15" in str(refusal_of(unclosed))


def test_a_wrong_worked_case_is_refused_with_both_numbers(ferry: Write) -> None:
    folder = ferry(toml={"1_029_000": "1_029_001", "1_172_000": "1_171_999"})
    told = [str(problem) for problem in check(folder)]
    assert len(told) == 2
    assert "1171999" in told[0] and "1172000" in told[0]
    assert "1029001" in told[1] and "1029000" in told[1]


def test_a_file_without_a_function_is_refused(ferry: Write, refusal_of: RefusalOf) -> None:
    folder = ferry()
    (folder / "formula.py").write_text('"""Nothing."""\n')
    assert refusal_of(folder).code == "formula_file_unreadable"


def test_a_file_that_is_not_text_is_refused(ferry: Write, refusal_of: RefusalOf) -> None:
    folder = ferry()
    (folder / "formula.py").write_bytes(b"\xff\xfe")
    assert refusal_of(folder).code == "formula_file_unreadable"
    (folder / "methodology.toml").write_bytes(b"\xff\xfe")
    assert refusal_of(folder).code == "methodology_file_unreadable"


def test_a_folder_without_its_files_is_refused(ferry: Write, refusal_of: RefusalOf, tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "nowhere").code == "methodology_file_missing"
    folder = ferry()
    (folder / "formula.py").unlink()
    assert "formula.py" in str(refusal_of(folder))


def test_a_name_stands_for_one_quantity(refusal_of: RefusalOf, household: Write) -> None:
    folder = household(toml={"[lookback_fields.baseline_wh]": "[lookback_fields.mg_per_kwh]"})
    assert refusal_of(folder).code == "methodology_names_clash"


def test_a_case_that_looks_back_where_nothing_does_is_refused(ferry: Write, refusal_of: RefusalOf) -> None:
    folder = ferry(toml={"mg       = 1_172_000": "lookback = { metres = 1 }\nmg = 1_172_000"})
    assert refusal_of(folder).code == "methodology_key_unknown"


def test_looked_back_fields_need_a_way_of_finding_them(ferry: Write, refusal_of: RefusalOf) -> None:
    looked_back = '[lookback_fields.past]\nof = "metres"\nsays = "x"\nunit = "m"\nlow = 0\nhigh = 9\n\n[title]'
    assert refusal_of(ferry(toml={"[title]": looked_back})).code == "methodology_key_missing"
