"""Reading how a reduction is credited: caps, weights of evidence, the claim window, exclusions."""

from collections.abc import Iterable
from itertools import islice

from carbonhui.methodology.compilers import Formula
from carbonhui.methodology.formula import Whole, exchanged, minimum
from carbonhui.methodology.hosting import CAP_PERIODS, EXCLUSION_PERIODS, MG
from carbonhui.methodology.parts import Cap, ClaimWindow, EvidenceWeight, Exclusion, Field
from carbonhui.methodology.refusals import CapNotApplicable, ExclusionNotApplicable, MethodologyRuleRepeated
from carbonhui.methodology.tables import Table


def read_caps(top: Table, fields: dict[str, Field]) -> tuple[Cap, ...]:
    """The caps: of one record a field or its milligrams, of a person's day, month or year the milligrams."""
    caps = []
    for one in top.tables("caps") if top.has("caps") else []:
        cap = _cap(one, fields)
        if cap.per != "activity" and cap.field != MG:
            raise CapNotApplicable(field=cap.field, per=cap.per)
        caps.append(cap)
    _refuse_repeated("cap", (f"{cap.field} per {cap.per}" for cap in caps))
    return tuple(caps)


def _cap(table: Table, fields: dict[str, Field]) -> Cap:
    name = table.one_of("field", (*fields, MG))
    cap = Cap(
        **table.said(),
        field=name,
        per=table.one_of("per", CAP_PERIODS),
        # Cut to less than the field's lowest, a record would leave the range of the proof.
        most=table.number("most", fields[name].low if name in fields else 0),
        source=table.text("source"),
    )
    table.finish()
    return cap


def read_evidence_weights(top: Table) -> tuple[EvidenceWeight, ...]:
    """How much counts for each kind of evidence: never more than the whole."""
    weights = []
    for one in top.tables("evidence_weights") if top.has("evidence_weights") else []:
        numerator = one.number("numerator", 0)
        weights.append(EvidenceWeight(
            **one.said(), evidence=one.name("evidence"), numerator=numerator,
            denominator=one.number("denominator", max(1, numerator)), source=one.text("source"),
            unit_mg=one.number("unit_mg", 1) if one.has("unit_mg") else 1,
        ))  # fmt: skip
        one.finish()
    _refuse_repeated("evidence weight", (weight.evidence for weight in weights))
    return tuple(weights)


def read_claim_window(top: Table) -> ClaimWindow | None:
    """How late an activity may come in, where the methodology says it."""
    if not top.has("claim_window"):
        return None
    table = top.table("claim_window")
    window = ClaimWindow(**table.said(), days=table.number("days", 0), source=table.text("source"))
    table.finish()
    return window


def read_exclusions(top: Table, activity: str) -> tuple[Exclusion, ...]:
    """Whose readings are not measured; only readings carry flags."""
    exclusions = []
    for one in top.tables("exclusions") if top.has("exclusions") else []:
        per = one.one_of("per", EXCLUSION_PERIODS) if one.has("per") else "period"
        exclusion = Exclusion(**one.said(), code=one.name("code"), source=one.text("source"), per=per)
        if activity != "reading":
            raise ExclusionNotApplicable(exclusion=exclusion.code, activity=activity)
        exclusions.append(exclusion)
        one.finish()
    _refuse_repeated("exclusion", (exclusion.code for exclusion in exclusions))
    return tuple(exclusions)


def credited(formula: Formula, caps: Iterable[Cap], weight: EvidenceWeight | None) -> Formula:
    """The formula for one record as it is credited: its fields cut, its milligrams cut, then weighed.

    The weight rounds down, against the resident. It is one expression, so that every
    engine credits the same milligram.
    """
    most = {cap.field: cap.most for cap in caps if cap.per == "activity"}
    cut = {asked.name: minimum(asked, most[asked.name]) for asked in formula.quantities if asked.name in most}
    result = exchanged(formula.result, cut)
    if MG in most:
        result = minimum(result, most[MG])
    return Formula(_weighed(result, weight) if weight else result, formula.quantities)


def _weighed(mg: Whole, weight: EvidenceWeight) -> Whole:
    if weight.numerator != weight.denominator:
        mg = mg * weight.numerator // weight.denominator
    return mg if weight.unit_mg == 1 else mg // weight.unit_mg * weight.unit_mg


def _refuse_repeated(what: str, names: Iterable[str]) -> None:
    listed = list(names)
    for place, name in enumerate(listed):
        if name in islice(listed, place):
            raise MethodologyRuleRepeated(what=what, name=name)
