"""What the secretary runs: every engine that is here, every worked case, both numbers of a wrong one (Articles 14, 16)."""

from collections.abc import Callable, Sequence
from pathlib import Path

from carbonhui.methodology import Formula, examine
from carbonhui.methodology.engines import ENGINES, Answers, Engine, Record, python_answers

Write = Callable[..., Path]


def one_more(formula: Formula, records: Sequence[Record]) -> Answers:
    return [formula.answer(record) + 1 for record in records]


HERE = {name: ENGINES[name] for name in ("Python", "DuckDB")}
WRONG = Engine(one_more, lambda: None)
ABSENT = Engine(python_answers, lambda: "nobody brought it")


def test_every_engine_gives_every_worked_case(household: Write) -> None:
    examined = examine(household(), HERE)
    assert examined.problems == ()
    assert examined.answers == {name: [5_000_000, 1_666_000, 100_000_000] for name in HERE}
    assert examined.methodology is not None and examined.methodology.id == "household"


def test_an_engine_that_is_not_here_is_named_with_the_reason(household: Write) -> None:
    examined = examine(household(), {**HERE, "Abacus": ABSENT})
    assert (examined.problems, examined.not_run) == ((), {"Abacus": "nobody brought it"})
    assert list(examined.answers) == ["Python", "DuckDB"]


def test_an_engine_that_differs_is_a_problem_with_the_record_and_both_numbers(ferry: Write) -> None:
    examined = examine(ferry(), {**HERE, "Abacus": WRONG})
    assert {problem.code for problem in examined.problems} == {"engines_disagree"}
    first = examined.problems[0].facts
    assert (first["engine"], first["python_mg"], first["engine_mg"]) == ("Abacus", 1_172_000, 1_172_001)
    assert len(examined.problems) > len(examined.answers["Abacus"])


def test_a_wrong_worked_case_is_told_with_both_numbers_and_the_others_are_still_worked(household: Write) -> None:
    examined = examine(household(toml={"mg       = 5_000_000": "mg       = 5_000_001"}), HERE)
    [problem] = examined.problems
    assert str(problem) == "The case 'Ten kilowatt-hours saved' says 5000001 mg; the methodology gives 5000000 mg."
    assert examined.answers["DuckDB"] == [5_000_000, 1_666_000, 100_000_000]


def test_a_folder_that_cannot_be_read_has_one_problem_and_no_answers(tmp_path: Path) -> None:
    examined = examine(tmp_path)
    assert [problem.code for problem in examined.problems] == ["methodology_file_missing"]
    assert (examined.methodology, examined.answers) == (None, {})
