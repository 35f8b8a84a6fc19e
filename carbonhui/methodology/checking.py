"""What the committee's secretary runs before a methodology goes on the table."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

from carbonhui.core.refusals import Refusal
from carbonhui.methodology.compilers import Formula
from carbonhui.methodology.engines import ENGINES, Answers, Engine, Record
from carbonhui.methodology.methodology import Methodology
from carbonhui.methodology.reading import files_of, read_files, wrong_cases
from carbonhui.methodology.refusals import EnginesDisagree

#: The ends of the ranges are tried in every combination, up to this many.
_MOST_CORNERS = 1_024


@dataclass(frozen=True)
class Examination:
    """What was found out about a folder.

    ``answers`` holds for each engine that ran what it gives for each worked case, in
    their order; ``not_run`` says of each other engine why not. ``methodology`` is None
    where the folder cannot be read.
    """

    methodology: Methodology | None
    problems: tuple[Refusal, ...]
    answers: Mapping[str, Answers]
    not_run: Mapping[str, str]


def check(folder: Path) -> list[Refusal]:
    """Every problem of the methodology in a folder; none if it may go to the committee."""
    return list(examine(folder).problems)


def examine(folder: Path, engines: Mapping[str, Engine] = ENGINES) -> Examination:
    """The methodology in a folder, its problems, and what each engine gives for its worked cases.

    The rules of the files are told one at a time; of a readable methodology, every wrong
    worked case and every record on which an engine that is here differs from Python.
    """
    methodology = None
    try:
        methodology = read_files(files_of(folder), folder)
        wrong = wrong_cases(methodology)
    except Refusal as problem:
        return Examination(methodology, (problem,), {}, {})
    not_run = {name: reason for name, engine in engines.items() if (reason := engine.why_not())}
    running = {name: engine for name, engine in engines.items() if name not in not_run}
    answers, differing = _asked(methodology, running)
    return Examination(methodology, (*wrong, *differing), answers, not_run)


def _asked(methodology: Methodology, engines: Mapping[str, Engine]) -> tuple[dict[str, Answers], list[EnginesDisagree]]:
    """What each engine gives for the worked cases, and where any differs on them or at the ends of the ranges."""
    answers: dict[str, Answers] = {name: [None] * len(methodology.cases) for name in engines}
    differing: dict[str, EnginesDisagree] = {}
    for evidence in methodology.accepted_evidence:
        places = [place for place, case in enumerate(methodology.cases) if case.evidence == evidence]
        cases = [methodology.cases[place] for place in places]
        worked = [case.quantities | methodology.values_on(case.on) for case in cases]
        formula = methodology.credited(evidence)
        records = worked + _corners(formula)
        for name, engine in engines.items():
            given = engine.answers(formula, records)
            for place, answer in zip(places, given, strict=False):
                answers[name][place] = answer
            for told in _differing(formula, records, name, given):
                differing.setdefault(str(told), told)
    return answers, list(differing.values())


def _differing(formula: Formula, records: list[Record], engine: str, given: Answers) -> list[EnginesDisagree]:
    found = []
    for record, answer in zip(records, given, strict=True):
        python_mg = formula.answer(record)
        if answer != python_mg:
            found.append(EnginesDisagree(record=record, python_mg=python_mg, engine=engine, engine_mg=answer))
    return found


def _corners(formula: Formula) -> list[Record]:
    ends = [(asked.low, asked.high) for asked in formula.quantities]
    names = [asked.name for asked in formula.quantities]
    return [dict(zip(names, corner, strict=True)) for corner in islice(product(*ends), _MOST_CORNERS)]
