"""Workbooks: each cell in the words a CSV file would have, and nothing that nobody typed (Articles 12, 16)."""

import io
import struct
import zipfile
from pathlib import Path

import pytest

from carbonhui import activity
from carbonhui.activity import shared_texts, sheets, workbooks
from tests.activity.conftest import HEADER, quarantined, text, trip
from tests.activity.workbook_files import (
    CHINESE,
    CLOCK,
    DAY,
    MAIN,
    MOMENT,
    STYLES,
    Raw,
    parts,
    sheet,
    styled,
    workbook,
    zipped,
)

COLUMNS = HEADER.split(",")
#: 2 March 2015, 8:00:00 and 8:10:00, as days since the end of 1899.
EIGHT, TEN_PAST = "42065.333333333336", "42065.34027777778"


def ride(number: object, user: object = 1, *more: object) -> list[object]:
    return [number, user, styled(EIGHT, MOMENT), styled(TEN_PAST, MOMENT), 1, "2", *more]


def quarantined_cells(load, cells: list[object]) -> list[dict[str, str]]:
    """What the quarantine shows of rides that began at no time, and whose users are in these cells."""
    rows = [[number, cell, "soon", *ride(1)[3:]] for number, cell in enumerate(cells)]
    return quarantined(load(workbook([COLUMNS, *rows]), name="rides.xlsx"))


def test_a_workbook_says_the_same_as_csv(load, lake_rows):
    assert load(text(*(trip(number, number) for number in range(1, 30)))).accepted == 29
    before = lake_rows()
    again = load(workbook([COLUMNS, *(ride(number, number) for number in range(1, 30))]), name="rides.xlsx")
    assert (again.rows_in, again.duplicate) == (29, 29)
    assert lake_rows() == before


@pytest.mark.parametrize("writer", ["xlsxwriter", "openpyxl"])
def test_workbooks_of_two_common_writers_are_read(load, lake_rows, writer):
    """Six rides from midnight on, by the hour; the fourth's user has signs that XML must escape."""
    report = load(Path(__file__).parent / "workbooks" / f"{writer}.xlsx")
    assert (report.accepted, report.refused_by) == (5, {"identifier_unreadable": 1})
    assert quarantined(report)[0]["user_id"] == "user <3> & 居民"
    load(text(*(trip(n, f"user-{n}", f"0{n}:00:00", f"0{n}:10:0{n}") for n in (0, 1, 2, 4, 5))), name="same.csv")
    assert [row["seconds"] for row in sorted(lake_rows(), key=lambda row: row["started_at"])] == [600, 601, 602, 604, 605]


def test_shared_texts_are_read_with_their_runs_and_without_their_phonetic_guides(load):
    rich = "<si><r><t>use</t></r><r><t>r-1</t></r><rPh><t>never</t></rPh></si>"
    row = [Raw("<v>0</v>", 't="s"'), Raw("<v>1</v>", 't="s"'), *ride(1)[2:]]
    content = zipped(parts({"Rides": sheet([COLUMNS, row])}, [rich, "u_x0041_"]))
    assert load(content, name="rides.xlsx").accepted == 1
    assert load(text(trip("user-1", "uA")), name="same.csv").duplicate == 1


SHOWN = [
    (12, "12"),
    (12.0, "12"),
    (Raw("<v>0.30000000000000004</v>"), "0.30000000000000004"),
    (Raw("<v>5.4999999999999997E-3</v>"), "0.0055"),
    (Raw("<v>9.9999999999999995E-8</v>"), "0.0000001"),
    (Raw("<v>-0</v>"), "0"),
    (Raw(f"<v>{2**53 - 1}</v>"), "9007199254740991"),
    (Raw("<v>1.2345678901234567E+15</v>"), "1234567890123456.8"),
    ("007", "007"),
    (styled("42065", DAY), "2015-03-02"),
    (styled("42065", MOMENT), "2015-03-02 00:00:00"),
    (styled("42065.5", DAY), "2015-03-02 12:00:00"),
    (styled("42065", CHINESE), "2015-03-02"),
    (styled("42065.3402662037", MOMENT), "2015-03-02 08:09:59"),
    (styled("42065.999999999", MOMENT), "2015-03-03 00:00:00"),
    (styled("42065.3333362", MOMENT), "2015-03-02 08:00:00.248"),
    (styled("0.5", CLOCK), "12:00:00"),
    (Raw("<v>2015-03-02T08:00:00</v>", 't="d"'), "2015-03-02T08:00:00"),
]


def test_a_cell_is_the_shortest_text_that_says_its_value(load):
    told = quarantined_cells(load, [cell for cell, _ in SHOWN])
    assert [row["user_id"] for row in told] == [shown for _, shown in SHOWN]


WRONG = [
    (Raw("<v>1</v>", 't="b"'), "value_not_text"),
    (Raw("<v>#DIV/0!</v>", 't="e"'), "value_not_text"),
    (Raw("<v>twelve</v>"), "value_not_text"),
    (Raw("<v>nan</v>"), "value_not_text"),
    (Raw("<v>1_000</v>"), "value_not_text"),
    (Raw(f"<v>{2**53}</v>"), "number_not_exact"),
    (Raw("<v>1e999</v>"), "number_not_exact"),
    (Raw("<v>-1e300</v>"), "number_not_exact"),
    (styled("60", MOMENT), "value_not_text"),
    (styled("-1", DAY), "value_not_text"),
    (styled("2957000", DAY), "value_not_text"),
]


def test_a_cell_that_is_neither_text_nor_an_exact_number_refuses_its_row(load):
    told = quarantined_cells(load, [cell for cell, _ in WRONG])
    assert [row["code"] for row in told] == [code for _, code in WRONG]
    assert all("user_id" in row["sentence"] and "user_id" in row["sentence_zh"] for row in told)
    assert "true or false" in told[0]["sentence"]
    assert "an error of the spreadsheet" in told[1]["sentence"]


def test_a_cell_that_the_profile_does_not_name_may_hold_anything(load):
    rows = [[*COLUMNS, "sentence"], ride(1, 1, Raw("<v>1</v>", 't="b"'))]
    assert load(workbook(rows), name="rides.xlsx").accepted == 1


def test_since_1904_is_counted_where_the_workbook_says_so(load, lake_rows):
    row = [1, 1, styled(42065 - 1462 + 1 / 3, MOMENT), styled(42065 - 1462 + 1 / 3 + 10 / 1440, MOMENT), 1, 2]
    content = zipped(parts({"Rides": sheet([COLUMNS, row])}, workbook='<workbookPr date1904="1"/>'))
    assert load(content, name="rides.xlsx").accepted == 1
    assert str(lake_rows()[0]["started_at"]) == "2025-03-02 08:00:00"


def test_rows_keep_their_numbers_and_empty_rows_are_none(load):
    rows = [[], COLUMNS, [], ride(1), [None, Raw("", 's="1"')], ride(2, None), ride(3, 3, "note")]
    report = load(workbook(rows), name="rides.xlsx")
    assert (report.rows_in, report.accepted) == (3, 1)
    assert [(row["row"], row["code"]) for row in quarantined(report)] == [("6", "subject_missing"), ("7", "columns_too_many")]


def test_a_formula_anywhere_refuses_the_workbook_and_is_named(load):
    for inside in ("<f>A1+1</f><v>7</v>", '<f t="shared" si="0"/>', "<x:f xmlns:x='other'>1</x:f><v>1</v>"):
        with pytest.raises(activity.WorkbookHasFormulas, match="B3"):
            load(workbook([COLUMNS, ride(1), ride(2, Raw(inside))]), name="rides.xlsx")
    far = zipped(parts({"Rides": sheet([COLUMNS, ride(1), [None] * 30 + [Raw("<f>1</f>")]])}))
    with pytest.raises(activity.WorkbookHasFormulas, match="AE3"):
        load(far, name="rides.xlsx")


def test_only_the_first_sheet_may_hold_anything(load):
    empty, notes = sheet([]), sheet([["a note"]])
    assert load(zipped(parts({"Rides": sheet([COLUMNS, ride(1)]), "Sheet2": empty})), name="one.xlsx").accepted == 1
    with pytest.raises(activity.WorkbookHasMoreSheets, match="Notes"):
        load(zipped(parts({"Rides": sheet([COLUMNS, ride(1)]), "Sheet2": empty, "Notes": notes})), name="two.xlsx")


def test_the_header_must_be_the_profiles(load):
    with pytest.raises(activity.ColumnsDiffer):
        load(workbook([["row", *COLUMNS[1:]], ride(1)]), name="rides.xlsx")
    with pytest.raises(activity.ColumnsDiffer):
        load(workbook([ride(1), ride(2)]), name="rides.xlsx")
    with pytest.raises(activity.FileEmpty):
        load(workbook([]), name="rides.xlsx")
    with pytest.raises(activity.FileEmpty):
        load(workbook([COLUMNS]), name="rides.xlsx")


def test_rows_and_cells_stand_in_their_order(load):
    good = sheet([COLUMNS, ride(1), ride(2, 2)])
    for broken in (
        good.replace('<row r="3">', '<row r="2">'),
        good.replace('r="B3"', 'r="A3"'),
        good.replace('r="B3"', 'r="B9"'),
        good.replace('<row r="3">', '<row r="1048577">'),
        good[:-20],
        good.replace('<c r="B3">', "<v>"),
    ):
        with pytest.raises(activity.FileDamaged):
            load(zipped(parts({"Rides": broken})), name="rides.xlsx")
    # Places may be left out: then each cell follows the one before.
    assert load(zipped(parts({"Rides": good.replace('r="3"', "").replace('r="B3"', "")})), name="rides.xlsx").accepted == 2


ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def test_what_is_no_plain_workbook_is_refused_with_the_reason(load):
    good = workbook([COLUMNS, ride(1)])
    flagged = bytearray(good)
    flagged[good.index(b"PK\x01\x02") + 8] |= 1
    with_macros = zipped(parts({"Rides": sheet([COLUMNS])}) | {"xl/vbaProject.bin": "x"})
    for name, content, reason in (
        ("secret.xlsx", ENCRYPTED, "password"),
        ("flagged.xlsx", bytes(flagged), "encrypted"),
        ("macros.xlsm", good, "macros"),
        ("hidden-macros.xlsx", with_macros, "macros"),
        ("other.xlsx", zipped({"a.txt": "hello"}), "no XLSX workbook"),
        ("no-sheet.xlsx", zipped(parts({})), "no sheet"),
        ("many.xlsx", zipped({str(number): "" for number in range(1_001)}), "parts"),
    ):
        with pytest.raises(activity.WorkbookUnusable, match=reason):
            load(content, name=name)


def test_a_cut_or_damaged_workbook_is_refused(load):
    good = workbook([COLUMNS, ride(1)])
    with pytest.raises(activity.FileTruncated):
        load(good[: len(good) // 2], name="cut.xlsx")
    at = good.index(b"sheet1.xml") + 30
    with pytest.raises(activity.FileDamaged):
        load(good[:at] + bytes(40) + good[at + 40 :], name="damaged.xlsx")


def doctored(text: str) -> bytes:
    return zipped(parts({"Rides": sheet([COLUMNS, ride(1)])}) | {"xl/worksheets/sheet1.xml": text})


def test_xml_that_is_made_to_blow_up_is_refused(load):
    start = f'<worksheet xmlns="{MAIN}">'
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    for content in (
        f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>{start}&l9;</worksheet>',
        f'<!DOCTYPE x SYSTEM "file:///etc/passwd">{start}</worksheet>',
        f"{start}{'<a>' * 1_000}{'</a>' * 1_000}</worksheet>",
        f'{start}<a b="{"x" * 3_000_000}"/></worksheet>',
        f"{start}<!--{'x' * 3_000_000}--></worksheet>",
        f'<?xml version="1.0" encoding="utf-7"?>{start}</worksheet>',
        "not xml",
    ):
        with pytest.raises(activity.FileDamaged):
            load(doctored(content), name="rides.xlsx")


def test_one_text_repeated_without_end_costs_its_rows_only(load):
    long = "x" * 200_000
    rows = [[Raw("<v>0</v>", 't="s"')] * 6 for _ in range(50)]
    content = zipped(parts({"Rides": sheet([COLUMNS, *rows, ride(1)])}, [long]))
    report = load(content, name="rides.xlsx")
    assert (report.accepted, report.refused_by) == (1, {"line_too_long": 50})


def test_cells_that_say_more_than_any_sheet_are_refused(load, monkeypatch):
    monkeypatch.setattr(sheets, "MOST_UNPACKED_BYTES", 2**20)
    rows = [[Raw("<v>0</v>", 't="s"')] for _ in range(20)]
    with pytest.raises(activity.WorkbookTooLarge, match="cells"):
        load(zipped(parts({"Rides": sheet([COLUMNS, *rows])}, ["x" * 100_000])), name="rides.xlsx")


def test_texts_beyond_what_is_held_in_memory_are_refused(load, monkeypatch):
    monkeypatch.setattr(shared_texts, "MOST_BYTES", 1_000_000)
    with pytest.raises(activity.WorkbookTooLarge, match="texts"):
        load(zipped(parts({"Rides": sheet([COLUMNS, ride(1)])}, ["x" * 1_100_000])), name="rides.xlsx")


def test_sizes_are_judged_by_the_directory_before_anything_is_unpacked(load, monkeypatch):
    monkeypatch.setattr(workbooks, "_HARMLESS_BYTES", 100_000)
    bomb = doctored(sheet([COLUMNS, ride(1)]) + " " * 5_000_000)
    with pytest.raises(activity.WorkbookTooLarge, match="times its size"):
        load(bomb, name="bomb.xlsx")
    at = bomb.index(b"PK\x01\x02", bomb.index(b"PK\x01\x02") + 1)
    with pytest.raises(activity.WorkbookTooLarge, match="MiB"):
        load(bomb[: at + 24] + struct.pack("<I", 2**31) + bomb[at + 28 :], name="huge.xlsx")


def test_a_directory_that_lies_about_a_size_unpacks_no_further_than_it_says(load):
    """The part says 100 bytes and has 5 MB: what is read is those 100, which are no sheet."""
    bomb = doctored(sheet([COLUMNS, ride(1)]) + " " * 5_000_000)
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    lying = bomb.replace(struct.pack("<I", size), struct.pack("<I", 100))
    with pytest.raises(activity.FileDamaged):
        load(lying, name="rides.xlsx")


def test_styles_that_are_not_the_cells_own_do_not_count(load):
    assert STYLES.index("cellStyleXfs") < STYLES.index("cellXfs")
    [told] = quarantined_cells(load, [Raw("<v>42065</v>", 's="0"')])
    assert told["user_id"] == "42065"


@pytest.mark.parametrize("then", [workbook([COLUMNS, ride(2)]), b"PK\x03\x04 and no more"])
def test_a_workbook_that_changes_while_it_is_read_is_refused(load, tmp_path, then):
    path = tmp_path / "rides.xlsx"
    path.write_bytes(workbook([COLUMNS, ride(1)]))

    def change_it(step: str, rows: int) -> None:
        if step == "reading":
            path.write_bytes(then)

    with pytest.raises(activity.FileChanged):
        load(path, progress=change_it)
