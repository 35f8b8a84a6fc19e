"""The certificate on paper: one calm page, and an annex with every serial and every factor."""

from carbonhui import policy
from carbonhui.core.pdf import ACCENT, HAIRLINE, INK, MUTED, PAGE_HEIGHT, PAGE_WIDTH, Column, Document
from carbonhui.core.typesetting import chinese_marks
from carbonhui.neutralisation.numbers import grouped
from carbonhui.neutralisation.telling import (
    CALCULATORS,
    DEMONSTRATION,
    Record,
    mass,
    methodology_named,
    neutralised_en,
    quantity,
    unit,
)

_MIDDLE = PAGE_WIDTH / 2
_QR_MM = 27.0
_BAND, _WARNING = (253, 246, 227), (146, 84, 0)
#: The room for the beneficiary's name on the first page.
_NAME_MM = 32.0
#: Where the names at the bottom of the first page begin, above which the reason has to end.
_CLOSING = 236.0


def print_certificate(record: Record, *, city: str, demonstration: bool) -> bytes:
    """The certificate as a PDF; the same record gives the same bytes.

    ``city`` is whose profile names the credit; one of the ``demonstration`` says so on every page.
    """
    profile = policy.city_profile(city)
    name = profile.credit_zh
    foot = f"碳中和证书 Carbon neutralisation certificate {grouped(record.number)}"
    band = chinese_marks(policy.called(DEMONSTRATION, city)) if demonstration else None
    if band:
        foot = f"碳中和证书 {grouped(record.number)} · {band}"
    paper = Document(f"碳中和证书 {record.number}", made_at=record.issued_at, margin=26, foot=foot)
    _frame(paper)
    _heading(paper, profile.zh, profile.en, band)
    _statement(paper, record, name, profile.credit_en)
    continued = _facts(paper, record)
    _closing(paper, record, name)
    _annex(paper, record, name, continued)
    return paper.finish()


def _frame(paper: Document) -> None:
    paper.box(x=11, y=11, width=PAGE_WIDTH - 22, height=PAGE_HEIGHT - 22, line=ACCENT, thickness=0.7)
    paper.box(x=13, y=13, width=PAGE_WIDTH - 26, height=PAGE_HEIGHT - 26, line=HAIRLINE, thickness=0.2)


def _heading(paper: Document, city_zh: str, city_en: str, band: str | None) -> None:
    paper.y = 33
    paper.write("  ".join(f"{city_zh}市碳普惠制"), size=11, colour=MUTED, align="C")
    paper.y = 45
    paper.write(" ".join("碳中和证书"), size=30, colour=ACCENT, align="C", bold=True, leading=1.3)
    paper.write(f"Certificate of Carbon Neutralisation · {city_en}", size=10.5, colour=MUTED, align="C", leading=1.9)
    y = paper.y + 5
    if band:
        paper.box(x=paper.margin, y=y - 2.2, width=paper.width, height=6.4, fill=_BAND)
        paper.place(band, x=paper.margin, y=y - 2, width=paper.width, size=10.5, colour=_WARNING, align="C", bold=True)
    else:
        paper.box(x=_MIDDLE - 14, y=y, width=28, height=0.6, fill=ACCENT)
    paper.y = y + 10


def _statement(paper: Document, record: Record, credit_zh: str, credit_en: str) -> None:
    name = _beneficiary(record)
    size = _size_for(paper, name)
    paper.write(name if size else "受益人见附页 see the annex", size=size or 15, align="C", leading=1.45)
    paper.space(4)
    emitted = mass(record.footprint_mg)
    paper.write(f"产生的 {emitted} 二氧化碳当量排放", size=11.5, align="C", leading=1.7)
    covered = chinese_marks(f"已由 {record.credits:,} 个{credit_zh}中和,对应减碳 {mass(record.avoided_mg)}")
    paper.write(covered, size=11.5, align="C", leading=1.7)
    paper.write(neutralised_en(record, credit_en), size=9, colour=MUTED, align="C", leading=1.8)
    paper.space(7)


def _size_for(paper: Document, name: str) -> float | None:
    """The largest type in which a name fits above the facts; None when it has to go to the annex."""
    sizes = (size for size in (19.0, 15.0, 12.0, 10.0) if paper.height_of(name, size=size, width=paper.width, leading=1.45) <= _NAME_MM)
    return next(sizes, None)


def _beneficiary(record: Record) -> str:
    if record.beneficiary is not None:
        return record.beneficiary
    if record.texts_erased:
        return "受益人信息已删除"
    return "受益人姓名不公开" if record.beneficiary_hidden else "证书持有人"


def _facts(paper: Document, record: Record) -> bool:
    """The facts of the first page; tells whether the reason was too long for it."""
    zh, en = CALCULATORS[record.calculator]
    vintages = chinese_marks(",".join(f"{year} 年 {count:,} 个" for year, count in record.vintages.items()))
    pairs = [
        ("证书编号 Number", grouped(record.number)),
        ("出具日期 Date", f"{record.issued_on:%Y-%m-%d}"),
        ("排放依据 Basis", f"{zh} {en}"),
        ("减碳年份 Vintage", vintages if len(record.vintages) <= 6 else "见附页 see the annex"),
        ("编码段 Serials", _serials(record)),
    ]
    if record.methodologies:
        named = "、".join(methodology_named(one) for one in record.methodologies)
        pairs.append(("方法学 Methodology", named if len(named) <= 120 else "见附页 see the annex"))
    paper.rule()
    paper.space(2.5)
    paper.facts(pairs, size=10, label_width=38)
    reason = "(已删除 erased)" if record.texts_erased or record.reason is None else record.reason
    room = _CLOSING - 4 - paper.y
    fits = paper.height_of(reason, size=10, width=paper.width - 38, leading=1.7) <= room
    paper.facts([("事由 Reason", reason if fits else "见附页 see the annex")], size=10, label_width=38)
    return not fits


def _serials(record: Record) -> str:
    if len(record.runs) == 1:
        run = record.runs[0]
        return run.first_code if run.credits == 1 else f"{run.first_code} – {run.last_code}"
    return chinese_marks(f"{len(record.runs):,} 段,见附页 {len(record.runs):,} runs, see the annex")


def _closing(paper: Document, record: Record, credit_zh: str) -> None:
    y = _CLOSING
    paper.y = y
    paper.rule()
    x = paper.margin + paper.width - _QR_MM
    paper.qr(record.address, x=x, y=y + 6, side=_QR_MM, colour=INK)
    paper.link(record.address, x=x, y=y + 6, width=_QR_MM, height=_QR_MM)
    beside = paper.width - _QR_MM - 10
    below = paper.place(
        chinese_marks(f"上述{credit_zh}已永久注销,不再流通,任何人不得再次使用。"), x=paper.margin, y=y + 6, width=beside, size=10, leading=1.6
    )
    below = paper.place(
        "These credits are retired for good. They never move again, and nobody can use them a second time.",
        x=paper.margin, y=below + 0.5, width=beside, size=8.5, colour=MUTED, leading=1.5,
    )  # fmt: skip
    below = paper.place("扫码或访问以下地址核验 · Verify here", x=paper.margin, y=below + 3, width=beside, size=8.5, colour=MUTED)
    paper.place(record.address, x=paper.margin, y=below, width=beside, size=8, colour=ACCENT)


def _annex(paper: Document, record: Record, credit_zh: str, continued: bool) -> None:
    paper.new_page()
    paper.write("附页 Annex", size=15, colour=ACCENT, bold=True)
    paper.space(3)
    if _size_for(paper, _beneficiary(record)) is None:
        _section(paper, "受益人 Beneficiary")
        paper.write(_beneficiary(record), size=9.5, leading=1.7)
    if continued and record.reason is not None:
        _section(paper, "事由 Reason")
        paper.write(record.reason, size=9.5, leading=1.7)
    _section(paper, "排放的计算 How the emission was worked out")
    if record.evidence_sha256:
        paper.write(f"实测值 {record.footprint_mg:,} mg CO2e", size=9)
        paper.write("证据文件的 SHA-256 SHA-256 of the evidence:", size=9)
        paper.write(record.evidence_sha256, size=9)
    else:
        _lines(paper, record)
    _section(paper, f"注销的{credit_zh} Retired credits")
    if record.methodologies is None:
        told = chinese_marks("来源过多,未逐一列出方法学。 From too many origins for their methodologies to be listed.")
        paper.write(told, size=8.5, colour=MUTED)
    elif record.methodologies:
        paper.write("方法学 Methodologies: " + "、".join(methodology_named(one) for one in record.methodologies), size=8.5, colour=MUTED)
    columns = [Column("首个编码 First", 54), Column("末个编码 Last", 54), Column("年份 Vintage", 22, "R"), Column("数量 Credits", 28, "R")]
    paper.table(columns, ((run.first_code, run.last_code, str(run.vintage), f"{run.credits:,}") for run in record.runs), size=8.5)


def _section(paper: Document, title: str) -> None:
    paper.space(5)
    paper.room_for(20)
    paper.write(title, size=11, colour=INK, bold=True)
    paper.space(1.5)


def _lines(paper: Document, record: Record) -> None:
    columns = [Column("项目 What", 54), Column("数量 Quantity", 32, "R"), Column("因子 Factor", 36, "R"), Column("排放 Emission", 36, "R")]
    rows = [
        (chinese_marks(line["zh"]), quantity(line), f"{mass(line['mg_per_unit'])}/{unit(line)}", mass(line["mg"])) for line in record.lines
    ]
    paper.table(columns, [*rows, ("合计 Total", "", "", mass(record.footprint_mg))], size=8)
    paper.space(2)
    sources = [
        f"{chinese_marks(line['zh'])} {line['en']}: {line['publisher']}, {line['region']} {line['year']}. {line['source']}."
        for line in record.lines
    ]
    for told in dict.fromkeys([*sources, *(str(line["licence"]) for line in record.lines)]):
        paper.write(told, size=7, colour=MUTED, leading=1.5)
