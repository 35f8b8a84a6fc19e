"""What a person avoided, and why it is so much: the approved text with the numbers of the day (Articles 14-16)."""

from typing import Any
from uuid import UUID

from carbonhui import participants, quantification
from carbonhui.api.fields import Choice, Day, Flag, Handle, Many, Part, Pattern, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import ForWard, acted_for, hidden, named, numbered, paged
from carbonhui.api.routes.credits import PageForWard
from carbonhui.core.amounts import LARGEST_AMOUNT

blueprint = Blueprint("reductions", __name__, description="What a person avoided, and why.")

_KIND = "reduction"
_TEXT = 10_000
_ANY_WHOLE = {"lowest": -LARGEST_AMOUNT}


class ReductionSchema(Strict):
    reduction = Handle(required=True)
    day = Day(required=True, metadata={"description": "The day of the activity."})
    mg = Whole(1, required=True, metadata={"description": "Milligrams of CO2e avoided."})
    methodology = Text(60, required=True)
    version = Text(60, required=True, allow_none=True)
    fingerprint = Pattern(r"[0-9a-f]{64}", required=True, metadata={"description": "SHA-256 of the approved methodology."})
    minted_credits = Whole(0, required=True, allow_none=True, metadata={
        "description": "Credits of the mint that took it in together with your other reductions; null before that.",
    })  # fmt: skip


class InputSchema(Strict):
    name = Text(100, required=True)
    unit = Text(60, shortest=0, required=True)
    says = Text(_TEXT, required=True)
    lookback = Text(100, required=True, allow_none=True, metadata={"description": "What brings it, when it is not measured."})


class ParameterSchema(Strict):
    name = Text(100, required=True)
    unit = Text(60, shortest=0, required=True)
    says = Text(_TEXT, required=True)
    value = Whole(**_ANY_WHOLE, required=True)
    since = Day(required=True, metadata={"description": "From when on it is in force."})
    source = Text(_TEXT, required=True, metadata={"description": "The paper that it comes from."})
    source_class = Choice("S1", "S2", "S3", "S4", "C", "U", required=True, metadata={
        "description": "S1 the official text, S2 a report that quotes it, S3 a paper, C computed from these, S4 and U unconfirmed.",
    })  # fmt: skip


class LookbackSchema(Strict):
    name = Text(100, required=True)
    says = Text(_TEXT, required=True)
    source = Text(_TEXT, required=True)


class CapSchema(Strict):
    field = Text(100, required=True, metadata={"description": "What is capped: a measured field, or `mg`."})
    per = Text(30, required=True)
    most = Whole(0, required=True)
    says = Text(_TEXT, required=True)
    source = Text(_TEXT, required=True)


class ExplanationSchema(Strict):
    reduction = Part(ReductionSchema, required=True)
    title = Text(_TEXT, required=True)
    document = Text(_TEXT, shortest=0, required=True, metadata={"description": "The number of the approving document."})
    demonstration = Flag(required=True, metadata={"description": "Whether its numbers were made up for a demonstration."})
    formula = Text(100_000, required=True, metadata={"description": "What one act avoids, on paper."})
    credited_formula = Text(100_000, required=True, metadata={"description": "The same with the caps of one act and the weight of the evidence."})
    inputs = Many(Part(InputSchema), most=1000, required=True)
    parameters = Many(Part(ParameterSchema), most=1000, required=True)
    lookbacks = Many(Part(LookbackSchema), most=1000, required=True)
    caps = Many(Part(CapSchema), most=1000, required=True)
    evidence = Text(60, required=True)
    weight_numerator = Whole(0, required=True, metadata={"description": "Evidence of this kind counts numerator / denominator."})
    weight_denominator = Whole(1, required=True)
    claim_window_days = Whole(0, required=True, allow_none=True, metadata={"description": "What came later than this was not measured."})
    exclusions = Many(Text(60), most=1000, required=True, metadata={"description": "Codes of readings that are not measured."})
    activity_source = Text(60, required=True)
    activity_source_says = Text(_TEXT, required=True)
    mg_per_credit = Whole(1, required=True, allow_none=True, metadata={"description": "The exchange ratio of the day."})


@operation(
    blueprint, "GET", "/v1/me/reductions", "listReductions", query=PageForWard, answer=page_of(ReductionSchema),
    summary="What you avoided, the newest entry first", refuses=(participants.NotGuardian,),
)  # fmt: skip
def list_reductions(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    before = call.cursor.read(query["cursor"])
    lines = quantification.reductions_of(call.session, person.account_id, before=before, limit=query["limit"] + 1)
    return paged(call, lines, query["limit"], lambda line: _line(call, line))


@operation(
    blueprint, "GET", "/v1/me/reductions/<uuid:reduction>", "explainReduction", query=ForWard, answer=ExplanationSchema,
    summary="Why you got a reduction: the formula, its numbers and their sources",
    refuses=(quantification.ReductionTextMissing, participants.NotGuardian),
)  # fmt: skip
def explain_reduction(call: Call, reduction: UUID, query: dict[str, Any]) -> dict[str, Any]:
    person, number = acted_for(call, query["ward"]), numbered(call, _KIND, reduction)
    with hidden(quantification.ReductionUnknown):
        found = quantification.explain(call.session, call.services.settings, person.account_id, number)
    return _told(call, found)


def _line(call: Call, line: quantification.ReductionLine) -> dict[str, Any]:
    return {
        "reduction": named(call, _KIND, line.id), "day": line.day, "mg": line.mg, "methodology": line.methodology,
        "version": line.version, "fingerprint": line.fingerprint, "minted_credits": line.minted,
    }  # fmt: skip


def _told(call: Call, found: quantification.Explanation) -> dict[str, Any]:
    language = call.language
    weight, window = found.weight, found.claim_window
    return {
        "reduction": _line(call, found.reduction), "title": found.title.get(language) or found.title["en"],
        "document": found.document, "demonstration": found.demonstration, "formula": found.formula,
        "credited_formula": found.credited_formula,
        "inputs": [{"name": one.name, "unit": one.unit, "says": one.said(language), "lookback": one.by} for one in found.inputs],
        "parameters": [_parameter(one, language) for one in found.parameters],
        "lookbacks": [{"name": one.name, "says": one.said(language), "source": one.source} for one in found.lookbacks],
        "caps": [
            {"field": one.field, "per": one.per, "most": one.most, "says": one.said(language), "source": one.source}
            for one in found.caps
        ],
        "evidence": found.evidence, "weight_numerator": weight.numerator if weight else 1,
        "weight_denominator": weight.denominator if weight else 1, "claim_window_days": window.days if window else None,
        "exclusions": [one.code for one in found.exclusions], "activity_source": found.source,
        "activity_source_says": found.source_says, "mg_per_credit": found.mg_per_credit,
    }  # fmt: skip


def _parameter(one: quantification.ParameterInForce, language: str) -> dict[str, Any]:
    return {
        "name": one.name, "unit": one.unit, "says": one.says_zh or one.says if language == "zh" else one.says,
        "value": one.dated.value, "since": one.dated.start, "source": one.dated.source, "source_class": one.dated.provenance_class,
    }  # fmt: skip
