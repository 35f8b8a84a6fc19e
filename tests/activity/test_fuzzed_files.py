"""Whatever the bytes of a file are, it is counted row by row or refused as a whole (Articles 12, 16).

Nothing else may happen: no other error, no half of a file, no memory without end.
"""

import gzip
import io
import json
import struct
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from carbonhui import activity
from carbonhui.activity.json_lines import read_json_lines
from carbonhui.activity.lines import ROWS_AT_ONCE, read_blocks
from carbonhui.activity.profile import NEM_COLUMNS
from carbonhui.activity.profile_files import profile_named
from carbonhui.activity.receiving import look_at
from carbonhui.activity.row_refusals import ROW_REFUSALS
from carbonhui.activity.sheets import read_sheet
from carbonhui.activity.staging import stage, staging
from carbonhui.core.refusals import Refusal
from tests.activity.conftest import HEADER, text, trip
from tests.activity.workbook_files import Raw, parts, sheet, workbook, zipped

COLUMNS = HEADER.split(",")
RIDES = [trip(number, number).split(",") for number in range(1, 40)]
CSV = text(*(",".join(ride) for ride in RIDES))
JSON_LINES = b"".join(json.dumps(dict(zip(COLUMNS, ride, strict=True))).encode() + b"\n" for ride in RIDES)
WORKBOOK = workbook([COLUMNS, *RIDES])
DAY = "300,20240102," + "0.5," * 48 + "A,,,20240103000000,"
NEM12 = f"100,NEM12,202401010000,M,R\n200,N1,E1,1,E1,N1,M1,kWh,30,\n{DAY}\n{DAY.replace('A,,,', 'V,,,')}\n400,1,48,A,,\n900\n".encode()
NEM13 = b"100,NEM13,202401010000,M,R\n250,N1,11,1,11,11,M1,E,100,20240101000000,A,,,150.5,20240131000000,A,,,50.5,kWh,,2024\n900\n"


def _parquet() -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table(dict(zip(COLUMNS, map(list, zip(*RIDES, strict=True)), strict=True))), file)
    return file.getvalue()


PARQUET = _parquet()
#: Of each format: the name of the file, the profile, and the bytes of an honest file.
HONEST = {
    "csv": ("rides.csv", "mibici", CSV),
    "csv.gz": ("rides.csv.gz", "mibici", gzip.compress(CSV, mtime=0)),
    "json lines": ("rides.jsonl", "mibici", JSON_LINES),
    "json lines.gz": ("rides.ndjson.gz", "mibici", gzip.compress(JSON_LINES, mtime=0)),
    "workbook": ("rides.xlsx", "mibici", WORKBOOK),
    "parquet": ("rides.parquet", "mibici", PARQUET),
    "nem12": ("meters.csv", "nem12", NEM12),
    "nem13": ("meters.csv", "nem13", NEM13),
}
FORMATS = sorted(HONEST)


def staged(folder: Path, format: str, content: bytes) -> int | None:
    """How many rows were read of these bytes, each with values or a reason; None if the file was refused."""
    name, profile, _ = HONEST[format]
    path = folder / name
    path.write_bytes(content)
    with staging(folder / "staging") as engine:
        try:
            count = stage(engine, look_at(path), profile_named(profile))
        except Refusal as refused:
            assert refused.text("en")
            assert refused.text("zh")
            return None
        rows = engine.execute("SELECT row, code, facts FROM received").fetchall()
    assert len({row for row, *_ in rows}) == len(rows) == count
    for _, code, facts in rows:
        assert code is None or ROW_REFUSALS[code](**json.loads(facts)).text("zh")
    return count


@pytest.mark.parametrize("format", FORMATS)
def test_an_honest_file_is_read(tmp_path, format):
    assert staged(tmp_path, format, HONEST[format][2]) == {"nem12": 2, "nem13": 1}.get(format, 39)


MANY = {"max_examples": 50, "suppress_health_check": list(HealthCheck)}


@limits(**MANY)
@given(format=some.sampled_from(FORMATS), content=some.binary(max_size=300), keep=some.integers(0, 60))
def test_random_bytes_after_an_honest_beginning(tmp_path, format, content, keep):
    staged(tmp_path, format, HONEST[format][2][:keep] + content)


@limits(**MANY)
@given(format=some.sampled_from(FORMATS), part=some.floats(0, 1))
def test_a_file_that_was_cut_anywhere_is_never_taken_for_whole(tmp_path, format, part):
    whole = HONEST[format][2]
    count = staged(tmp_path, format, whole[: int((len(whole) - 1) * part)])
    # Text that is cut between two lines looks whole, and nobody can tell; every other format can.
    assert count is None or format in ("csv", "json lines")


@limits(**MANY | {"max_examples": 120})
@given(format=some.sampled_from(FORMATS), flips=some.lists(some.tuples(some.floats(0, 0.9999), some.integers(1, 255)), min_size=1, max_size=6))
def test_flipped_bits_anywhere(tmp_path, format, flips):
    content = bytearray(HONEST[format][2])
    for part, bits in flips:
        content[int(part * len(content))] ^= bits
    staged(tmp_path, format, bytes(content))


PIECES = some.sampled_from(
    [b"\n", b"\r\n", b"\r", b'"', b'""', b",", b"\0", b"\xff", b"\xef\xbb\xbf", "居".encode("gbk"), "居民".encode(), b"{", b"}", b"[",
     b":", b"null", b"true", b"NaN", b"\\ud800", b"900", b"400,1,48,A", b"=1+1", b"1e999", b"-", b" " * 200_000, b"[" * 50_000]
)  # fmt: skip


@limits(**MANY | {"max_examples": 80})
@given(
    format=some.sampled_from(["csv", "json lines", "nem12", "nem13"]),
    inserted=some.lists(some.tuples(some.floats(0, 1), PIECES), min_size=1, max_size=12),
)
def test_mixed_encodings_line_ends_quotes_and_depths(tmp_path, format, inserted):
    content = HONEST[format][2]
    for part, piece in inserted:
        at = int(part * len(content))
        content = content[:at] + piece + content[at:]
    staged(tmp_path, format, content)


XML = some.sampled_from(
    ["<f>1</f>", "<v>9</v>", "</row>", '<row r="2">', '<c r="ZZZ9999999"/>', '<c t="s"><v>99</v></c>', '<c t="s"><v>-1</v></c>', "&amp;",
     "&#55296;", "&x;", "<!DOCTYPE a>", "<a>" * 100, "<![CDATA[x]]>", "<is><t>x</t></is>", '<c s="999999999999"><v>1</v></c>', "é", "<x:y/>"]
)  # fmt: skip


@limits(**MANY)
@given(
    part=some.sampled_from(["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml", "_rels/.rels"]),
    inserted=some.lists(some.tuples(some.floats(0, 1), XML), min_size=1, max_size=4),
    between=some.booleans(),
)
def test_workbooks_with_strange_xml(tmp_path, part, inserted, between):
    files = parts({"Rides": sheet([COLUMNS, *RIDES[:5]])}, ["a"])
    for place, piece in inserted:
        at = int(place * len(files[part]))
        at = files[part].find(">", at) + 1 if between else at
        files[part] = files[part][:at] + piece + files[part][at:]
    staged(tmp_path, "workbook", zipped(files))


@limits(max_examples=25, suppress_health_check=list(HealthCheck))
@given(format=some.sampled_from(FORMATS), flips=some.lists(some.tuples(some.floats(0, 0.9999), some.integers(1, 255)), max_size=3))
def test_what_is_loaded_adds_up_and_what_is_refused_leaves_nothing(database, clock, tmp_path, stations, format, flips):
    name, profile, content = HONEST[format]
    for part, bits in flips:
        at = int(part * len(content))
        content = content[:at] + bytes([content[at] ^ bits]) + content[at + 1 :]
    path = tmp_path / name
    path.write_bytes(content)
    with database.begin() as session:
        before = [batch.id for batch in activity.batches(session)]
    try:
        report = activity.load(
            database, database.settings, path, profile, received_by="t", stations=stations if profile == "mibici" else None, clock=clock
        )
    except Refusal:
        with database.begin() as session:
            assert [batch.id for batch in activity.batches(session)] == before
        return
    assert report.accepted + report.duplicate + report.refused == report.rows_in
    assert sum(report.refused_by.values()) == report.refused


def in_another_process(folder: Path, make: Callable[[Path], None], name: str, profile: str = "mibici") -> tuple[str, int]:
    """What became of a file, and the most memory (MiB) that reading it took."""
    path = folder / name
    make(path)
    told = subprocess.run(
        [sys.executable, "-c", _READ_ONE, str(path), profile, str(folder / "staging")], capture_output=True, text=True, check=True
    )
    outcome, peak = told.stdout.split()
    return outcome, int(peak)


_READ_ONE = textwrap.dedent("""
    import resource, sys
    from pathlib import Path
    from carbonhui.activity.profile_files import profile_named
    from carbonhui.activity.receiving import look_at
    from carbonhui.activity.staging import stage, staging
    from carbonhui.core.refusals import Refusal
    try:
        with staging(Path(sys.argv[3])) as engine:
            outcome = stage(engine, look_at(Path(sys.argv[1])), profile_named(sys.argv[2]))
    except Refusal as refused:
        outcome = refused.code
    print(outcome, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
""")
MOST_MIB = 1024
GIB = 1024**3


def _one_line_of_zeros(path: Path) -> None:
    """Two gibibytes of zero bytes without a line break, after one honest ride, in 2 MB."""
    zeros = bytes(16 * 1024 * 1024)
    path.write_bytes(gzip.compress(text(trip(1))) + gzip.compress(zeros) * (2 * GIB // len(zeros)) + gzip.compress(b"\n"))


def _bomb_workbook(path: Path) -> None:
    """A gibibyte of spaces in its only sheet, in 1 MB, whose directory says they are a few bytes."""
    files = parts({"Rides": sheet([COLUMNS, *RIDES])})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            with archive.open(name, "w") as member:
                member.write(content.encode())
                for _ in range(64 if "sheet1" in name else 0):
                    member.write(b" " * (15 * 1024 * 1024))
    size = zipfile.ZipFile(path).getinfo("xl/worksheets/sheet1.xml").file_size
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", 5_000)))


def _far_cell(path: Path) -> None:
    """Two cells at the ends of a sheet: the rectangle around them has 17 thousand million."""
    path.write_bytes(zipped(parts({"Rides": sheet([COLUMNS]).replace("</row>", f'</row><row r="1048576"><c r="XFD1048576">{"<v>1</v>"}</c></row>')})))


def test_a_long_text_that_thousands_of_cells_repeat_is_handed_on_in_parts(tmp_path):
    """Thirty bytes of a sheet may stand for a hundred thousand of a text."""
    rows = "".join(f'<row r="{number}"><c t="s"><v>0</v></c></row>' for number in range(2, 3_002))
    header = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in COLUMNS)
    content = f'<worksheet xmlns="x"><sheetData><row r="1">{header}</row>{rows}</sheetData></worksheet>'
    path = tmp_path / "rides.xlsx"
    path.write_bytes(zipped(parts({"Rides": ""}, ["x" * 100_000]) | {"xl/worksheets/sheet1.xml": content}))
    with path.open("rb") as file:
        counts = [len(some) for some in read_sheet(path, file)]
    assert sum(counts) == 3_001
    assert max(counts) * 100_000 < 64 * 1024 * 1024


BOMBS = {
    "zeros.csv.gz": (_one_line_of_zeros, "2"),
    "bomb.xlsx": (_bomb_workbook, "file_damaged"),
    "far.xlsx": (_far_cell, "1"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_made_to_fill_the_memory_does_not(tmp_path, name):
    make, wanted = BOMBS[name]
    outcome, peak = in_another_process(tmp_path, make, name)
    assert outcome == wanted
    assert peak < MOST_MIB


def test_a_block_of_empty_lines_is_handed_on_in_parts():
    """Four megabytes of line breaks are four million rows."""
    for tables in (read_blocks(io.BytesIO(b"\n" * 50_000), 6), read_json_lines(io.BytesIO(b"\n" * 50_000), COLUMNS)):
        counts = [table.num_rows for table in tables]
        assert sum(counts) == 50_000
        assert max(counts) <= ROWS_AT_ONCE


def test_the_columns_of_meter_files_are_those_of_their_profiles():
    assert profile_named("nem12").columns == profile_named("nem13").columns == NEM_COLUMNS


def test_a_formula_that_hides_in_another_namespace_is_found(tmp_path):
    files = workbook([COLUMNS, [Raw('<z:f xmlns:z="any">1</z:f><v>1</v>'), *RIDES[0][1:]]])
    assert staged(tmp_path, "workbook", files) is None
