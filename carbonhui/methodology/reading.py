"""Reading a methodology's folder, and refusing whatever is not as it should be."""

from collections.abc import Mapping
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from carbonhui.methodology.formula import Quantity, quantity
from carbonhui.methodology.formula_file import read_formula
from carbonhui.methodology.methodology import Methodology
from carbonhui.methodology.parts import (
    ACTIVITIES,
    LOOKBACKS,
    PROVENANCE_CLASSES,
    UNCONFIRMED_CLASSES,
    Cap,
    Case,
    DatedValue,
    EvidenceWeight,
    Exclusion,
    Field,
    Parameter,
)
from carbonhui.methodology.refusals import (
    FormulaFileUnreadable,
    MethodologyFileMissing,
    MethodologyNamesClash,
    ValueDateRepeated,
    ValueDatesNotRising,
    ValueUnconfirmed,
    ValueWithoutSource,
    WorkedCaseWrong,
)
from carbonhui.methodology.tables import Table, read_toml

_PERIODS = ("activity", "day", "month", "year")


def load(folder: Path) -> Methodology:
    """The methodology in a folder, if every rule holds and every worked case comes out."""
    methodology = read(folder)
    for problem in wrong_cases(methodology):
        raise problem
    return methodology


def read(folder: Path) -> Methodology:
    """The methodology in a folder, its worked cases not yet worked."""
    files = _files(folder)
    for name in ("methodology.toml", "formula.py"):
        if name not in files:
            raise MethodologyFileMissing(folder=folder, file=name)
    return _methodology(read_toml(files["methodology.toml"]), files, folder)


def wrong_cases(methodology: Methodology) -> list[WorkedCaseWrong]:
    """The worked cases whose written result is not the formula's."""
    wrong = []
    for case in methodology.cases:
        computed_mg = methodology.reduction_mg(case.on, **case.quantities)
        if computed_mg != case.mg:
            wrong.append(WorkedCaseWrong(case=case.name, written_mg=case.mg, computed_mg=computed_mg))
    return wrong


def fingerprint(files: dict[str, bytes]) -> str:
    """The SHA-256 of a folder's files, each with its name and length, in the order of their names."""
    digest = sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()


def _files(folder: Path) -> dict[str, bytes]:
    """The folder's files by relative name, without hidden ones and what Python leaves behind."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in inside.parts):
            found[inside.as_posix()] = path.read_bytes()
    return found


def _methodology(top: Table, files: dict[str, bytes], folder: Path) -> Methodology:
    demonstration = top.truth("demonstration")
    fields = _fields(top)
    lookback = top.one_of("lookback", LOOKBACKS) if top.has("lookback") else None
    lookback_fields = _lookback_fields(top, fields) if lookback or top.has("lookback_fields") else {}
    parameters = _parameters(top, demonstration)
    quantities = _quantities(fields, lookback_fields, parameters)
    methodology = Methodology(
        id=top.name("id"),
        title=_title(top.table("title")),
        version=top.text("version"),
        document=top.text("document"),
        articles=tuple(top.numbers_listed("articles", lowest=1)),
        demonstration=demonstration,
        activity=top.one_of("activity", ACTIVITIES),
        fields=fields,
        lookback=lookback,
        lookback_fields=lookback_fields,
        parameters=parameters,
        caps=_caps(top, fields),
        evidence_weights=_evidence_weights(top),
        exclusions=_exclusions(top),
        cases=tuple(_case(one, bool(lookback)) for one in top.tables("case")),
        formula=read_formula(_decoded(files["formula.py"]), quantities),
        fingerprint=fingerprint(files),
        folder=folder,
    )
    top.finish()
    return methodology


def _title(table: Table) -> dict[str, str]:
    title = {language: table.text(language) for language in ("en", "zh")}
    table.finish()
    return title


def _fields(top: Table) -> dict[str, Field]:
    return {name: _field(name, table) for name, table in top.named_tables("fields")}


def _lookback_fields(top: Table, fields: dict[str, Field]) -> dict[str, Field]:
    # A list of fields without a way of finding them is as wrong as the reverse.
    top.one_of("lookback", LOOKBACKS)
    return {name: _field(name, table, tuple(fields)) for name, table in top.named_tables("lookback_fields")}


def _field(name: str, table: Table, of: tuple[str, ...] = ()) -> Field:
    field = Field(
        name=name,
        says=table.text("says"),
        unit=table.text("unit"),
        low=table.number("low"),
        high=table.number("high"),
        of=table.one_of("of", of) if of else None,
    )
    table.finish()
    return field


def _parameters(top: Table, demonstration: bool) -> dict[str, Parameter]:
    return {name: _parameter(name, table, demonstration) for name, table in top.named_tables("parameters")}


def _parameter(name: str, table: Table, demonstration: bool) -> Parameter:
    values = tuple(_dated_value(name, one, demonstration) for one in table.tables("values"))
    for earlier, later in pairwise(values):
        if later.start == earlier.start:
            raise ValueDateRepeated(parameter=name, day=later.start)
        if later.start < earlier.start:
            raise ValueDatesNotRising(parameter=name, day=later.start, previous=earlier.start)
    parameter = Parameter(name=name, says=table.text("says"), unit=table.text("unit"), values=values)
    table.finish()
    return parameter


def _dated_value(parameter: str, table: Table, demonstration: bool) -> DatedValue:
    value = table.number("value")
    if not table.has("source"):
        raise ValueWithoutSource(parameter=parameter, value=value)
    dated = DatedValue(
        start=table.day("from"),
        value=value,
        source=table.text("source"),
        provenance_class=table.one_of("class", PROVENANCE_CLASSES),
        factor_year=table.number("factor_year", 1900) if table.has("factor_year") else None,
        published=table.day("published") if table.has("published") else None,
    )
    if dated.provenance_class in UNCONFIRMED_CLASSES and not demonstration:
        raise ValueUnconfirmed(parameter=parameter, value=value, provenance_class=dated.provenance_class)
    table.finish()
    return dated


def _quantities(
    fields: dict[str, Field], lookback_fields: dict[str, Field], parameters: dict[str, Parameter]
) -> list[Quantity]:
    """Every quantity of the formula with its range; a parameter ranges over its dated values."""
    groups: dict[str, Mapping[str, Field | Parameter]]
    groups = {"fields": fields, "lookback_fields": lookback_fields, "parameters": parameters}
    seen: dict[str, str] = {}
    ranged = []
    for group, members in groups.items():
        for name, member in members.items():
            if name in seen:
                raise MethodologyNamesClash(name=name, first=seen[name], second=group)
            seen[name] = group
            ranged.append(quantity(name, member.low, member.high))
    return ranged


def _case(table: Table, looks_back: bool) -> Case:
    looked_back = table.numbers("lookback") if looks_back else {}
    case = Case(
        name=table.text("name"),
        on=table.day("on"),
        quantities=table.numbers("activity") | looked_back,
        mg=table.number("mg", 0),
        because=table.text("because"),
    )
    table.finish()
    return case


def _caps(top: Table, fields: dict[str, Field]) -> tuple[Cap, ...]:
    caps = []
    for one in top.tables("caps") if top.has("caps") else []:
        field, per = one.one_of("field", tuple(fields)), one.one_of("per", _PERIODS)
        caps.append(Cap(one.text("says"), field, per, one.number("most", 0), one.text("source")))
        one.finish()
    return tuple(caps)


def _evidence_weights(top: Table) -> tuple[EvidenceWeight, ...]:
    weights = []
    for one in top.tables("evidence_weights") if top.has("evidence_weights") else []:
        says, evidence, source = one.text("says"), one.name("evidence"), one.text("source")
        numerator = one.number("numerator", 0)
        denominator = one.number("denominator", max(1, numerator))
        weights.append(EvidenceWeight(says, evidence, numerator, denominator, source))
        one.finish()
    return tuple(weights)


def _exclusions(top: Table) -> tuple[Exclusion, ...]:
    exclusions = []
    for one in top.tables("exclusions") if top.has("exclusions") else []:
        exclusions.append(Exclusion(one.text("says"), one.name("code"), one.text("source")))
        one.finish()
    return tuple(exclusions)


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise FormulaFileUnreadable(reason=str(error)) from error
