"""What a person holds and what became of it (Articles 17-22)."""

from typing import Any

from carbonhui import export, issuance, ledger, participants, privacy
from carbonhui.api.fields import (
    Choice,
    Day,
    Flag,
    Handle,
    Instant,
    Many,
    Page,
    Part,
    Pattern,
    Strict,
    Text,
    Whole,
    page_of,
)
from carbonhui.api.operation import Answer, Blueprint, Call, operation
from carbonhui.api.routes.acting import ForWard, acted_for, hidden, named, paged
from carbonhui.core.amounts import LARGEST_AMOUNT

blueprint = Blueprint("credits", __name__, description="A person's balance, statement and single credits.")

_CODE = {"description": "Twenty digits: area, vintage, serial, check digits. It identifies a credit and authorises nothing."}
CODE = r"[0-9]{20}"
PURPOSES = tuple(purpose.name.lower() for purpose in ledger.Purpose)
KINDS = tuple(kind.name.lower() for kind in ledger.Kind)


class PageForWard(Page):
    ward = ForWard._declared_fields["ward"]


PDF = "application/pdf"


class DaysForWard(ForWard):
    first = Day(required=True, data_key="from", attribute="from", metadata={"description": "The first day."})
    until = Day(required=True, metadata={"description": "The last day, at most a year after the first."})


class BalanceSchema(Strict):
    credits = Whole(0, required=True, metadata={"description": "Credits that are yours."})
    held = Whole(0, required=True, metadata={"description": "Of these, credits that you promised."})
    available = Whole(0, required=True, metadata={"description": "Credits that you may use now."})
    carry_mg = Whole(0, required=True, metadata={"description": "Milligrams of CO2e towards your next credit."})


class RunSchema(Strict):
    first_code = Pattern(CODE, required=True, metadata=_CODE)
    last_code = Pattern(CODE, required=True, metadata=_CODE)
    credits = Whole(1, required=True, metadata={"description": "How many credits the run has."})
    vintage = Whole(2018, 2099, required=True, metadata={"description": "The year of the reductions that they were minted from."})


class LineSchema(Strict):
    transfer = Handle(required=True)
    entered_at = Instant(required=True)
    business_date = Day(required=True)
    purpose = Choice(*PURPOSES, required=True)
    sentence = Text(400, required=True, metadata={"description": "What happened, in the language of the request."})
    amount = Whole(-LARGEST_AMOUNT, required=True, metadata={"description": "Credits; negative when you gave them."})
    balance = Whole(0, required=True, metadata={"description": "Credits that were yours after it."})
    counterpart_kind = Choice(*KINDS, required=True)
    counterpart_name = Text(200, required=True, allow_none=True, metadata={"description": "An organisation's or the system's; persons have none here."})
    reference = Text(200, required=True, allow_none=True)
    runs = Many(Part(RunSchema), most=1000, required=True, metadata={"description": "The credits that moved, at most the first thousand runs."})


class SideSchema(Strict):
    kind = Choice(*KINDS, required=True)
    name = Text(200, required=True, allow_none=True)
    is_own = Flag(required=True, metadata={"description": "Whether it is your account."})


class StepSchema(Strict):
    entered_at = Instant(required=True)
    business_date = Day(required=True)
    purpose = Choice(*PURPOSES, required=True)
    source = Part(SideSchema, required=True)
    target = Part(SideSchema, required=True)


class CreditSchema(Strict):
    code = Pattern(CODE, required=True, metadata=_CODE)
    vintage = Whole(2018, 2099, required=True)
    steps = Many(Part(StepSchema), most=100_000, required=True)


def run_told(run: export.Run, area: str) -> dict[str, Any]:
    return {
        "first_code": ledger.code_of(run.first, area), "last_code": ledger.code_of(run.last, area), "credits": run.count,
        "vintage": ledger.vintage_of(run.first),
    }  # fmt: skip


@operation(
    blueprint, "GET", "/v1/me/balance", "readBalance", query=ForWard, answer=BalanceSchema,
    summary="How many credits you have", refuses=(participants.NotGuardian,),
)  # fmt: skip
def read_balance(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    account = acted_for(call, query["ward"]).account_id
    found = ledger.balance_of(call.session, account)
    carry_mg = issuance.carry_of(call.session, account)
    return {"credits": found.posted, "held": found.held, "available": found.available, "carry_mg": carry_mg}


@operation(
    blueprint, "GET", "/v1/me/statement", "readStatement", query=PageForWard, answer=page_of(LineSchema),
    summary="Your movements, newest first, each with the balance after it", refuses=(participants.NotGuardian,),
)  # fmt: skip
def read_statement(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    account, area = acted_for(call, query["ward"]).account_id, call.services.settings.area
    position = call.cursor.read(query["cursor"])
    page = ledger.statement(call.session, account, cursor=position, most=query["limit"])
    sides = export.sides_of(call.session, account, {line.counterpart for line in page.lines})
    numbers = [line.transfer for line in page.lines]
    runs, sentences = export.runs_moved(call.session, numbers), _sentences(call, account, numbers)
    items = [
        {
            "transfer": named(call, "transfer", line.transfer), "entered_at": line.at, "business_date": line.business_date,
            "purpose": line.purpose.name.lower(), "sentence": sentences[line.transfer].text(call.language),
            "amount": line.amount, "balance": line.balance,
            "counterpart_kind": sides[line.counterpart].kind, "counterpart_name": sides[line.counterpart].name,
            "reference": line.reference,
            "runs": [run_told(run, area) for run in runs[line.transfer][:1000]],
        }
        for line in page.lines
    ]  # fmt: skip
    return {"items": items, "next": call.cursor.write(page.cursor) if page.cursor else None}


def _sentences(call: Call, account: int, transfers: list[int]) -> dict[int, export.Sentence]:
    return export.sentences_of(call.session, account, transfers, city=call.services.settings.city)


@operation(
    blueprint, "GET", "/v1/me/statement.pdf", "printStatement", query=DaysForWard, produces=PDF,
    summary="Your statement of some days as a PDF, with opening and closing balance",
    description=(
        "The days are those of entry, Beijing time. Your proven name stands on it, and that it was read is on your record."
        " A statement of today may still grow."
    ),
    refuses=(participants.NotGuardian, export.StatementDaysInvalid, export.StatementTooLong),
)  # fmt: skip
def print_statement(call: Call, query: dict[str, Any]) -> Answer:
    person, services = acted_for(call, query["ward"]), call.services
    city = services.settings.city
    found = export.statement_between(call.session, person.account_id, first=query["from"], last=query["until"], city=city)
    known = privacy.read(call.session, services.vault, person.subject, ["name"], call.reader("statement"))
    printed = export.print_statement(
        found, holder=known.get("name"), number=str(person.handle), made_at=services.clock.now(), language=call.language, city=city,
        demonstration=services.settings.is_demo,
    )
    said = {"Content-Disposition": f'attachment; filename="carbonhui-{query["from"]}-{query["until"]}.pdf"'}
    return Answer(printed, said)


@operation(
    blueprint, "GET", "/v1/me/credits", "listCredits", query=PageForWard, answer=page_of(RunSchema),
    summary="Your credits as runs of codes, oldest vintage first", refuses=(participants.NotGuardian,),
)  # fmt: skip
def list_credits(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    account, area = acted_for(call, query["ward"]).account_id, call.services.settings.area
    after = call.cursor.read(query["cursor"]) or 0
    runs = export.runs_held(call.session, account, after=after, limit=query["limit"] + 1)
    return paged(call, runs, query["limit"], lambda run: run_told(run, area), at="first")


@operation(
    blueprint, "GET", "/v1/me/credits/<string:code>", "readCredit", query=ForWard, answer=CreditSchema,
    summary="The life of one credit that you hold or held, from its mint on", refuses=(participants.NotGuardian,),
)  # fmt: skip
def read_credit(call: Call, code: str, query: dict[str, Any]) -> dict[str, Any]:
    person, area = acted_for(call, query["ward"]), call.services.settings.area
    with hidden(export.CreditNotYours):
        steps = export.life_of(call.session, person.account_id, code, area=area)
    serial = ledger.parse_code(code, area)
    told = [{**vars(step), "entered_at": step.at} for step in steps]
    return {"code": ledger.code_of(serial, area), "vintage": ledger.vintage_of(serial), "steps": told}
