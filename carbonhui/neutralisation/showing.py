"""The public page of a certificate: one document, no script, nothing from elsewhere."""

import base64
import hashlib
from html import escape

from carbonhui import policy
from carbonhui.core.typesetting import chinese_marks
from carbonhui.neutralisation.numbers import grouped
from carbonhui.neutralisation.telling import (
    CALCULATORS,
    DEMONSTRATION,
    Record,
    Run,
    mass,
    methodology_named,
    neutralised_en,
    quantity,
)

_STYLE = (
    "body{font:16px/1.7 'Noto Sans SC','PingFang SC','Microsoft YaHei',system-ui,sans-serif;color:#1f2a2a;background:#f3f8f6;margin:0}"
    "main{max-width:46rem;margin:2.5rem auto;padding:2.5rem;background:#fff;border:1px solid #ced9d5;border-top:4px solid #186854}"
    "h1{color:#186854;font-size:1.9rem;letter-spacing:.2em;text-align:center;margin:.2rem 0 0}"
    "h2{font-size:1.05rem;margin:2rem 0 .5rem}.q{color:#687575;text-align:center;margin:0}"
    ".who{font-size:1.5rem;text-align:center;margin:1.6rem 0 .4rem;overflow-wrap:anywhere}.sum{text-align:center}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.2rem;border-top:1px solid #ced9d5;padding-top:1rem}"
    "dt{color:#687575}dd{margin:0;overflow-wrap:anywhere}.w{overflow-x:auto}"
    "table{border-collapse:collapse;width:100%;font-size:.85rem}th{text-align:left;color:#687575;font-weight:400}"
    "th,td{padding:.35rem .5rem;border-bottom:1px solid #ced9d5;vertical-align:top}.n,th.n{text-align:right}td.n{white-space:nowrap}"
    ".l td{border:0;padding-bottom:0}small{color:#687575}a{color:#186854}"
    ".demo{background:#fdf6e3;color:#925400;text-align:center;font-weight:600;padding:.3rem}"
    "@media(max-width:40rem){main{margin:0;padding:1.5rem 1.1rem;border-width:4px 0 0}dl{display:block}dd{margin:0 0 .6rem}"
    "h1{font-size:1.6rem}.who{font-size:1.3rem}}"
)
#: For the header Content-Security-Policy: the one style that the page may have.
STYLE_DIGEST = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def page_of(record: Record, *, city: str, demonstration: bool) -> bytes:
    """The page in Chinese and English. Whatever people wrote is escaped; one of the ``demonstration`` says so."""
    profile = policy.city_profile(city)
    band = f'<p class="demo">{escape(chinese_marks(policy.called(DEMONSTRATION, city)))}</p>' if demonstration else ""
    said = _statement(record, profile.credit_zh, profile.credit_en)
    body = "".join((_heading(profile.zh), band, said, _facts(record), _lines(record), _runs(record)))
    return _document(f"碳中和证书 {grouped(record.number)}", body)


def missing_page() -> bytes:
    """What anybody is shown who asks for a certificate that is not there."""
    said = '<p class="who">没有这张证书</p><p class="q">There is no such certificate. Please check its number.</p>'
    return _document("没有这张证书", f"<h1>碳中和证书</h1>{said}")


def _document(title: str, body: str) -> bytes:
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    ).encode()


def _heading(city_zh: str) -> str:
    return f'<p class="q">{escape(city_zh)}市碳普惠制</p><h1>碳中和证书</h1><p class="q">Certificate of Carbon Neutralisation</p>'


def _statement(record: Record, credit_zh: str, credit_en: str) -> str:
    emitted, avoided = mass(record.footprint_mg), mass(record.avoided_mg)
    told = chinese_marks(f"产生的 {emitted} 二氧化碳当量排放,已由 {record.credits:,} 个{credit_zh}中和,对应减碳 {avoided}。这些{credit_zh}已永久注销,不再流通。")
    return (
        f'<p class="who">{escape(_beneficiary(record))}</p><p class="sum">{escape(told)}<br>'
        f"<small>{escape(neutralised_en(record, credit_en))}, retired for good.</small></p>"
    )


def _beneficiary(record: Record) -> str:
    if record.beneficiary is not None:
        return record.beneficiary
    if record.texts_erased:
        return "受益人信息已删除 (erased)"
    return "受益人姓名不公开 (not public)" if record.beneficiary_hidden else "证书持有人 (its holder)"


def _facts(record: Record) -> str:
    zh, en = CALCULATORS[record.calculator]
    pairs = [
        ("证书编号 Number", grouped(record.number)),
        ("出具日期 Date", f"{record.issued_on:%Y-%m-%d}"),
        ("排放依据 Basis", f"{zh} {en}"),
        ("足迹 Footprint", f"{record.footprint_mg:,} mg CO2e"),
        ("减碳年份 Vintages", "、".join(f"{year}: {count:,}" for year, count in record.vintages.items())),
        ("事由 Reason", record.reason if record.reason is not None and not record.texts_erased else "(已删除 erased)"),
    ]
    if record.methodologies:
        pairs.append(("方法学 Methodologies", "、".join(methodology_named(one) for one in record.methodologies)))
    if record.evidence_sha256:
        pairs.append(("证据 SHA-256", record.evidence_sha256))
    rows = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in pairs)
    path = f"/v1/certificates/{record.number}"
    return f'<dl>{rows}</dl><p><a href="{path}.pdf">PDF</a> · <a href="{path}">JSON</a></p>'


def _lines(record: Record) -> str:
    if not record.lines:
        return ""
    rows = "".join(
        f'<tr class="l"><td>{escape(chinese_marks(line["zh"]))}</td><td class="n">{escape(quantity(line))}</td>'
        f'<td class="n">{mass(line["mg"])}</td></tr>'
        f'<tr><td colspan="3"><small>{escape(line["en"])}. {escape(line["publisher"])}, {escape(line["region"])} {line["year"]}: '
        f'{escape(line["source"])}. {escape(line["licence"])}</small></td></tr>'
        for line in record.lines
    )
    return (
        '<h2>排放的计算 How the emission was worked out</h2><div class="w"><table><tr><th>项目 What</th><th class="n">数量 Quantity</th>'
        f'<th class="n">排放 Emission</th></tr>{rows}</table></div>'
    )


def _codes(run: Run) -> str:
    return run.first_code if run.credits == 1 else f"{run.first_code} – {run.last_code}"


def _runs(record: Record) -> str:
    shown = record.runs[:1000]
    rows = "".join(
        f'<tr><td>{_codes(run)}</td><td class="n">{run.vintage}</td><td class="n">{run.credits:,}</td></tr>'
        for run in shown
    )
    rest = chinese_marks(f"共 {len(record.runs):,} 段,其余见 JSON 与 PDF。") + " The rest stands in the JSON and the PDF."
    more = f"<p><small>{rest}</small></p>" if len(shown) < len(record.runs) else ""
    return (
        '<h2>注销的编码 Retired serials</h2><div class="w"><table><tr><th>首末编码 First and last</th><th class="n">年份 Vintage</th>'
        f'<th class="n">数量 Credits</th></tr>{rows}</table></div>{more}'
    )
