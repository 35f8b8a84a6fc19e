"""Reading a methodology's folder, and refusing whatever is not as it should be."""

from hashlib import sha256
from pathlib import Path

from carbonhui.methodology.crediting import read_caps, read_claim_window, read_evidence_weights, read_exclusions
from carbonhui.methodology.formula_file import read_formula
from carbonhui.methodology.hosting import ACTIVITIES, PERIODS
from carbonhui.methodology.measured import (
    quantities_of,
    read_fields,
    read_lookback_fields,
    read_lookbacks,
    read_parameters,
)
from carbonhui.methodology.methodology import Methodology
from carbonhui.methodology.parts import VERIFIED, Case
from carbonhui.methodology.refusals import (
    FormulaFileUnreadable,
    MethodologyFileMissing,
    WorkedCaseWrong,
)
from carbonhui.methodology.tables import Table, read_toml

Files = dict[str, bytes]


def load(folder: Path) -> Methodology:
    """The methodology in a folder, if every rule holds and every worked case comes out."""
    return load_files(files_of(folder), folder)


def load_files(files: Files, folder: Path | None) -> Methodology:
    """The same of files that were read from ``folder`` or, with None, from the archive."""
    methodology = read_files(files, folder)
    for problem in wrong_cases(methodology):
        raise problem
    return methodology


def read_files(files: Files, folder: Path | None) -> Methodology:
    """The methodology that the files are; its worked cases, and with them its weights, are not yet worked."""
    for name in ("methodology.toml", "formula.py"):
        if name not in files:
            raise MethodologyFileMissing(folder=folder, file=name)
    return _methodology(read_toml(files["methodology.toml"]), files, folder)


def wrong_cases(methodology: Methodology) -> list[WorkedCaseWrong]:
    """The worked cases whose written result is not what would be credited."""
    wrong = []
    for case in methodology.cases:
        computed_mg = methodology.credited_mg(case.on, case.evidence, **case.quantities)
        if computed_mg != case.mg:
            wrong.append(WorkedCaseWrong(case=case.name, written_mg=case.mg, computed_mg=computed_mg))
    return wrong


def fingerprint(files: Files) -> str:
    """The SHA-256 of a folder's files, each with its name and length, in the order of their names."""
    digest = sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()


def files_of(folder: Path) -> Files:
    """The folder's files by relative name, without hidden ones and what Python leaves behind."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in inside.parts):
            found[inside.as_posix()] = path.read_bytes()
    return found


def _methodology(top: Table, files: Files, folder: Path | None) -> Methodology:
    demonstration = top.truth("demonstration")
    activity = top.one_of("activity", ACTIVITIES)
    period = _period(top, activity)
    fields = read_fields(top, activity)
    lookbacks = read_lookbacks(top, activity, period)
    lookback_fields = read_lookback_fields(top, fields, lookbacks)
    parameters = read_parameters(top, demonstration)
    quantities = quantities_of(fields, lookback_fields, parameters)
    methodology = Methodology(
        id=top.name("id"),
        title=_title(top.table("title")),
        version=top.version("version"),
        document=top.text("document"),
        articles=tuple(top.numbers_listed("articles", lowest=1)),
        demonstration=demonstration,
        activity=activity,
        period=period,
        fields=fields,
        lookbacks=lookbacks,
        lookback_fields=lookback_fields,
        parameters=parameters,
        caps=read_caps(top, fields),
        evidence_weights=read_evidence_weights(top),
        claim_window=read_claim_window(top),
        exclusions=read_exclusions(top, activity),
        cases=tuple(_case(one, bool(lookbacks)) for one in top.tables("case")),
        formula=read_formula(_decoded(files["formula.py"]), quantities),
        fingerprint=fingerprint(files),
        files=files,
        folder=folder,
    )
    top.finish()
    return methodology


def _period(top: Table, activity: str) -> str | None:
    """Only a reading is brought to a period, and it always is."""
    return top.one_of("period", PERIODS) if activity == "reading" else None


def _title(table: Table) -> dict[str, str]:
    title = {language: table.text(language) for language in ("en", "zh")}
    table.finish()
    return title


def _case(table: Table, looks_back: bool) -> Case:
    looked_back = table.numbers("lookback") if looks_back else {}
    case = Case(
        name=table.text("name"),
        on=table.day("on"),
        quantities=table.numbers("activity") | looked_back,
        mg=table.number("mg", 0),
        because=table.text("because"),
        evidence=table.name("evidence") if table.has("evidence") else VERIFIED,
    )
    table.finish()
    return case


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise FormulaFileUnreadable(reason=str(error)) from error
