"""XLSX workbooks made by hand, part by part, so that a test can put anything into them."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
#: The cell styles of these workbooks.
GENERAL, MOMENT, DAY, CLOCK, CHINESE = range(5)
STYLES = f"""<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/>
<numFmt numFmtId="165" formatCode="[$-804]yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/></numFmts>
<cellStyleXfs><xf numFmtId="164"/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/><xf numFmtId="21"/><xf numFmtId="165"/></cellXfs></styleSheet>"""


@dataclass(frozen=True)
class Raw:
    """A cell exactly as it is written: its attributes and what stands inside."""

    inside: str
    attributes: str = ""


def styled(number: object, style: int) -> Raw:
    return Raw(f"<v>{number}</v>", f's="{style}"')


def letters(column: int) -> str:
    return chr(65 + column) if column < 26 else chr(64 + column // 26) + chr(65 + column % 26)


def sheet(rows: Sequence[Sequence[object]], shared: list[str] | None = None, first: int = 1) -> str:
    """A sheet; texts stand in their cells, or in ``shared``."""
    written = "".join(
        f'<row r="{number}">{"".join(_cell(value, column, number, shared) for column, value in enumerate(row))}</row>'
        for number, row in enumerate(rows, start=first)
    )
    return f'<worksheet xmlns="{MAIN}"><sheetData>{written}</sheetData></worksheet>'


def _cell(value: object, column: int, row: int, shared: list[str] | None) -> str:
    at = f'r="{letters(column)}{row}"'
    if value is None:
        return ""
    if isinstance(value, Raw):
        return f"<c {at} {value.attributes}>{value.inside}</c>"
    if isinstance(value, str) and shared is not None:
        shared.append(value)
        return f'<c {at} t="s"><v>{len(shared) - 1}</v></c>'
    if isinstance(value, str):
        return f'<c {at} t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c {at}><v>{value!r}</v></c>"


def parts(sheets: dict[str, str], texts: Sequence[str] = (), workbook: str = "") -> dict[str, str]:
    """The parts of a workbook with these sheets, by their names in the zip."""
    names = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>' for number, name in enumerate(sheets, start=1)
    )
    relations = [
        *(f'Id="rId{number}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"' for number in range(1, len(sheets) + 1)),
        f'Id="a" Type="{OFFICE}/styles" Target="styles.xml"',
        f'Id="b" Type="{OFFICE}/sharedStrings" Target="/xl/sharedStrings.xml"',
    ]
    told = "".join(text if text.startswith("<si>") else f"<si><t>{escape(text)}</t></si>" for text in texts)
    return {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="x" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{workbook}<sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{"".join(f"<Relationship {one}/>" for one in relations)}</Relationships>',
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{told}</sst>',
        **{f"xl/worksheets/sheet{number}.xml": text for number, text in enumerate(sheets.values(), start=1)},
    }


def zipped(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def workbook(rows: Sequence[Sequence[object]], **more: str) -> bytes:
    """A workbook of one sheet."""
    return zipped(parts({"Rides": sheet(rows)}) | more)
