"""What is printed: Chinese and English, the same bytes for the same words, and nothing dropped in silence."""

from datetime import UTC, datetime, timedelta
from importlib import resources

import pypdfium2
import pytest
import segno

from carbonhui.core.pdf import ACCENT, Column, Document
from carbonhui.core.typesetting import characters, drawable, lines_of

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
#: Names that people really have: a surname beyond the first two levels, extension A, extension B.
RARE = "龑㛃䶮𬍛𬭸"
#: In no edition of the type that is bundled.
LACKED = "𠮷𪚥"


def text_of(printed: bytes) -> list[str]:
    """The text of each page, as a reader's program copies it."""
    paper = pypdfium2.PdfDocument(printed)
    try:
        return [page.get_textpage().get_text_range() for page in paper]
    finally:
        paper.close()


def document(**options: object) -> Document:
    return Document("对账单", made_at=NOON, **options)  # type: ignore[arg-type]


def test_chinese_and_english_are_drawn_and_can_be_copied() -> None:
    paper = document()
    paper.write(f"广州市碳普惠制 credits {RARE}")
    assert f"广州市碳普惠制 credits {RARE}" in text_of(paper.finish())[0]


def test_the_type_holds_every_character_of_gb_2312_and_gbk_and_its_licence_lies_beside_it() -> None:
    def encoded(codec: str) -> set[int]:
        found = set()
        for number in range(0x4E00, 0xA000):
            try:
                chr(number).encode(codec)
            except UnicodeEncodeError:
                continue
            found.add(number)
        return found

    assert len(encoded("gb2312")) == 6763 and len(encoded("gbk")) == 20902
    assert encoded("gbk") <= characters()
    assert "SIL Open Font License" in (resources.files("carbonhui.core") / "fonts" / "OFL.txt").read_text(encoding="utf-8")


def test_a_character_that_the_type_lacks_is_shown_by_its_number_and_told_below() -> None:
    paper = document()
    paper.write(f"王{LACKED}")
    text = "".join(text_of(paper.finish())[0].split())
    assert "王〓[U+20BB7]〓[U+2A6A5]" in text
    assert "电子记录保留原字:U+20BB7,U+2A6A5" in text
    assert drawable(f"王{LACKED}") == ("王〓[U+20BB7]〓[U+2A6A5]", list(LACKED))


def test_nothing_is_told_below_when_nothing_is_lacked() -> None:
    paper = document()
    paper.write("王")
    assert "〓" not in text_of(paper.finish())[0]


@pytest.mark.parametrize("trap", ["\u202e", "\u200b", "\x00", "\t", "\ud800", "\U0001f600", "\ufeff", "\uffff"])
def test_what_cannot_be_seen_is_shown_and_not_obeyed(trap: str) -> None:
    assert drawable(f"a{trap}b") == (f"a〓[U+{ord(trap):04X}]b", [trap])
    paper = Document(f"title {trap}", made_at=NOON, foot=trap)
    paper.write(f"a{trap}b")
    paper.table([Column(trap, 40)], [[trap]])
    assert paper.finish().startswith(b"%PDF")


def test_the_same_words_give_the_same_bytes_and_another_hour_others() -> None:
    def printed(made_at: datetime) -> bytes:
        paper = Document("对账单", made_at=made_at)
        paper.table([Column("日期", 30), Column("碳惠", 30, "R")], [("2026-11-20", "12")] * 90)
        paper.qr("https://example.org/1", x=20, y=20, side=20)
        return paper.finish()

    assert printed(NOON) == printed(NOON)
    assert printed(NOON) != printed(NOON + timedelta(seconds=1))


def test_a_table_goes_on_over_pages_with_its_heading_and_loses_no_row() -> None:
    paper = document(foot="脚注")
    paper.table([Column("编号", 30), Column("说明", 100), Column("碳惠", 30, "R")], [(f"row-{n}", "说明" * (n % 60), str(n)) for n in range(200)])
    pages = text_of(paper.finish())
    told = "".join(pages)
    assert len(pages) > 3
    assert all(f"row-{n}" in told for n in range(200))
    assert all("编号" in page and "脚注" in page for page in pages)
    assert all(f"{number} / {len(pages)}" in page for number, page in enumerate(pages, start=1))


def test_words_that_fpdf_would_understand_stay_words() -> None:
    paper = document()
    paper.write("{nb} **bold** __under__ <b>html</b> \\n (text) %PDF")
    assert "{nb} **bold** __under__ <b>html</b> \\n (text) %PDF" in text_of(paper.finish())[0]


def test_lines_break_between_characters_and_words_but_not_before_a_full_stop() -> None:
    def measure(text: str) -> float:
        return float(len(text))

    assert lines_of("碳惠credits给您。", 8, measure) == ["碳惠", "credits给", "您。"]
    assert lines_of("一二三四五。", 5, measure) == ["一二三四", "五。"]
    assert lines_of("abcdefghijkl", 5, measure) == ["abcde", "fghij", "kl"]
    assert lines_of("", 5, measure) == [""]
    assert "".join(lines_of("本办法自印发之日起实施,有效期 3 年。" * 9, 7, measure)).replace(" ", "") == (
        "本办法自印发之日起实施,有效期 3 年。" * 9
    ).replace(" ", "")


def test_what_is_placed_stays_on_its_page_and_moves_nothing() -> None:
    paper = document()
    before = paper.y
    below = paper.place("字" * 200, x=20, y=200, width=50, colour=ACCENT)
    assert paper.y == before and below > 200
    assert len(text_of(paper.finish())) == 1


def test_the_qr_code_is_drawn_module_by_module() -> None:
    paper = document()
    paper.qr("https://example.org/certificates/1", x=50, y=50, side=29 * 2)
    found = pypdfium2.PdfDocument(paper.finish())
    picture = found[0].render(scale=4 * 25.4 / 72).to_pil().convert("L")  # four pixels a millimetre
    found.close()
    modules = [list(row) for row in segno.make("https://example.org/certificates/1", error="m", micro=False).matrix]
    each = 58 / len(modules)
    middles = [round(4 * (50 + (at + 0.5) * each)) for at in range(len(modules))]
    seen = [[picture.getpixel((x, y)) < 128 for x in middles] for y in middles]
    assert seen == [[bool(module) for module in row] for row in modules]
