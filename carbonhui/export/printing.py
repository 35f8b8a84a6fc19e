"""A statement on paper: whose it is, which days, what was there before and after, every movement between."""

from dataclasses import dataclass
from datetime import datetime

from carbonhui import policy
from carbonhui.core.clock import CITY_TIME
from carbonhui.core.pdf import ACCENT, HAIRLINE, MUTED, TINT, Column, Document
from carbonhui.core.typesetting import chinese_marks
from carbonhui.export.statements import Statement, StatementLine


@dataclass(frozen=True)
class Words:
    """What stands on the paper in one language."""

    title: str
    holder: str
    number: str
    days: str
    until: str
    made: str
    opening: str
    received: str
    given: str
    closing: str
    columns: tuple[str, str, str, str]
    of_day: str
    none: str
    ties: str
    about: str


_WORDS = {
    "zh": Words(
        title="个人碳惠对账单", holder="持有人", number="用户标识", days="期间", until="至", made="出具时间",
        opening="期初碳惠", received="转入", given="转出", closing="期末碳惠",
        columns=("记账时间", "事项", "碳惠", "余额"), of_day="业务日期 {day}", none="本期间无变动。",
        ties="期初 {opening} + 转入 {received} − 转出 {given} = 期末 {closing}",
        about="按记账时间(北京时间)列示。碳惠以整数计,每一枚均有编码,可在应用中逐枚查询;本对账单不构成支付凭证。",
    ),
    "en": Words(
        title="Statement of personal credits", holder="Holder", number="Person", days="Days", until="to", made="Made at",
        opening="Opening credits", received="Received", given="Given", closing="Closing credits",
        columns=("Entered", "What happened", "Credits", "Balance"), of_day="business date {day}", none="No movement in these days.",
        ties="opening {opening} + received {received} − given {given} = closing {closing}",
        about="By the time of entry, Beijing time. Credits are whole and each has a code that can be looked up in the application;"
        " this statement authorises no payment.",
    ),
}  # fmt: skip


_DEMONSTRATION = "演示,非真实碳惠 · Demonstration, no real credits"


def print_statement(
    statement: Statement, *, holder: str | None, number: str, made_at: datetime, language: str, city: str, demonstration: bool
) -> bytes:
    """The statement as a PDF in ``"en"`` or ``"zh"``; ``holder`` is the proven name, where there is one.

    A ``demonstration`` says in a band below the title that no credit of it is real.
    """
    said = _WORDS["zh" if language == "zh" else "en"]

    def words(text: str) -> str:
        return chinese_marks(policy.called(text, city))

    made = made_at.astimezone(CITY_TIME)
    paper = Document(words(said.title), made_at=made, foot=f"carbonhui · {number}")
    paper.write(words(said.title), size=19, colour=ACCENT, bold=True)
    if demonstration:
        _band(paper, words(_DEMONSTRATION))
    paper.space(3)
    paper.facts([
        *([(said.holder, holder)] if holder else []), (said.number, number),
        (said.days, f"{statement.first} {said.until} {statement.last}"), (said.made, f"{made:%Y-%m-%d %H:%M}"),
    ])  # fmt: skip
    paper.space(4)
    _sums(paper, statement, tuple(words(text) for text in (said.opening, said.received, said.given, said.closing)))
    time, what, amount, balance = (words(text) for text in said.columns)
    columns = [Column(time, 31), Column(what, 89), Column(amount, 24, "R"), Column(balance, 26, "R")]
    if statement.lines:
        paper.table(columns, [_row(line, said, language) for line in statement.lines])
    else:
        paper.write(said.none, colour=MUTED)
    paper.space(4)
    figures = {name: f"{getattr(statement, name):,}" for name in ("opening", "received", "given", "closing")}
    paper.write(said.ties.format(**figures), size=9)
    paper.write(words(said.about), size=8, colour=MUTED)
    return paper.finish()


def _band(paper: Document, text: str) -> None:
    paper.space(2)
    paper.box(x=paper.margin, y=paper.y, width=paper.width, height=8, line=HAIRLINE, fill=TINT)
    paper.place(text, x=paper.margin, y=paper.y + 1.3, width=paper.width, size=10, colour=ACCENT, align="C", bold=True)
    paper.space(10)


def _sums(paper: Document, statement: Statement, titles: tuple[str, ...]) -> None:
    """The four figures side by side in a tinted box."""
    figures = (statement.opening, statement.received, -statement.given, statement.closing)
    top, width = paper.y, paper.width / 4
    paper.box(x=paper.margin, y=top, width=paper.width, height=17, fill=TINT)
    for at, (title, figure) in enumerate(zip(titles, figures, strict=True)):
        x = paper.margin + at * width + 4
        paper.place(title, x=x, y=top + 2.5, width=width - 5, size=8, colour=MUTED)
        paper.place(_figure(figure), x=x, y=top + 7.5, width=width - 5, size=13, bold=True)
    paper.y = top + 22


def _row(line: StatementLine, said: Words, language: str) -> tuple[str, str, str, str]:
    what = line.sentence.text(language)
    if line.business_date != line.at.date():
        what += f" ({said.of_day.format(day=line.business_date)})"
    return f"{line.at:%Y-%m-%d %H:%M}", what, ("+" if line.amount > 0 else "") + _figure(line.amount), f"{line.balance:,}"


def _figure(number: int) -> str:
    """With a minus sign of a figure's width."""
    return f"{number:,}".replace("-", "−")
