"""What is done fast for millions of rows gives what the plain way gives (Articles 12, 16)."""

import io
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from carbonhui import activity
from carbonhui.activity import lines, settling
from carbonhui.activity.judging import local_time, offset_minutes, time_pattern
from carbonhui.activity.lines import LONGEST_LINE_BYTES, Cut, read_blocks
from carbonhui.activity.settling import OF_TRIPS, prepare, settle_overlaps
from carbonhui.activity.staging import staging, write_rows
from tests.activity.conftest import text, trip

PIECES = some.sampled_from([b"a", b"7", b",", b",", b"\n", b"\n", b"\r\n", b"\r", b'"', b'""', b"\0", b"\xff", "居民".encode(), b" ", b"=1"])


def read(content: bytes) -> list[dict[str, object]] | None:
    """The rows of a text, or None if it ends inside a line."""
    try:
        return [row for table in read_blocks(io.BytesIO(content), 2) for row in table.to_pylist()]
    except Cut:
        return None


@limits(max_examples=300, suppress_health_check=list(HealthCheck))
@given(pieces=some.lists(PIECES, max_size=40), block=some.integers(8, 60))
def test_the_fast_and_the_careful_reader_give_the_same_rows(monkeypatch, pieces, block):
    content = b"".join(pieces) + b"\n"
    with monkeypatch.context() as patched:
        patched.setattr(lines, "BLOCK_BYTES", block)
        patched.setattr(lines, "LONGEST_LINE_BYTES", 40)
        both = read(content)
        patched.setattr(lines, "_fast", lambda block, width: None)
        assert read(content) == both


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("before", [0, 1, 65_535, 65_536, 100_000])
def test_a_line_of_the_greatest_length_is_read_and_one_byte_more_is_refused(before: int, over: int):
    long = b"x" * (LONGEST_LINE_BYTES - 2 + over) + b",y"
    rows = read(b"k,v\n" * (before // 4) + long + b"\nk,v\n")
    assert rows is not None
    assert [row["code"] for row in rows if row["code"]] == (["line_too_long"] if over > 0 else [])


def test_what_was_read_ahead_stays_in_order():
    content = b"".join(b"%d,%s\n" % (number, b'"a\nb"' if number % 50_000 == 0 else b"x" * (number % 90)) for number in range(400_000))
    rows = read(content)
    assert rows is not None
    assert [row["c0"] for row in rows] == [str(number) for number in range(400_000)]


ENGINE = duckdb.connect()
OFFSETS = some.one_of(
    some.just("Z"), some.tuples(some.sampled_from("+-"), some.integers(0, 15), some.integers(0, 61)).map(lambda o: f"{o[0]}{o[1]:02}:{o[2]:02}")
)


@limits(max_examples=300, suppress_health_check=list(HealthCheck))
@given(wall=some.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda at: at.replace(microsecond=0)), offset=OFFSETS)
def test_an_offset_is_what_its_digits_say(wall: datetime, offset: str):
    said = f"{wall.year:04}-{wall:%m-%dT%H:%M:%S}{offset}"
    read = local_time("said", time_pattern("offset"))
    question = f"SELECT wall, {offset_minutes('said', 'wall', 'offset')} FROM (SELECT said, {read} AS wall FROM (SELECT ? AS said))"
    found = ENGINE.execute(question, [said]).fetchall()
    hours, minutes = (int(offset[1:3]), int(offset[4:6])) if offset != "Z" else (0, 0)
    if hours > 14 or minutes > 59:
        assert found == [(None, None)]
    else:
        assert found == [(wall, (hours * 60 + minutes) * (-1 if offset[0] == "-" else 1))]


ACTS = some.lists(some.tuples(some.integers(1, 3), some.integers(0, 40), some.integers(0, 12), some.booleans()), max_size=14)


@limits(max_examples=200, suppress_health_check=list(HealthCheck))
@given(acts=ACTS)
def test_overlaps_are_those_that_a_walk_through_everybodys_acts_finds(tmp_path_factory, acts):
    """The lake's acts (known) stay; of the others, in order, one that touches a known or an accepted one is refused."""
    new = [(number, who, begin, begin + long) for number, (who, begin, long, known) in enumerate(acts) if not known]
    known = _apart([(who, begin, begin + long) for who, begin, long, known in acts if known])
    refused, kept = set(), []
    for row, who, begin, end in sorted(new, key=lambda act: (act[1], act[2], act[0])):
        among_known = any(who == whose and _in_the_way(begin, end, at, to) for whose, at, to in known)
        if among_known or any(who == whose and begin < to for whose, to in kept):
            refused.add(row)
        else:
            kept.append((who, end))
    assert _settled(tmp_path_factory.mktemp("lake"), new, known) == refused


def _in_the_way(begin: int, end: int, at: int, to: int) -> bool:
    """A known act that begins first (or at once) reaches into this one, or this one into a known that begins later."""
    return begin < to if at <= begin else end > at


def _apart(acts: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Those of the lake do not overlap each other."""
    kept: list[tuple[int, int, int]] = []
    for who, begin, end in sorted(acts):
        if not any(who == whose and begin < to for whose, _, to in kept) and (who, begin) not in {(w, b) for w, b, _ in kept}:
            kept.append((who, begin, end))
    return kept


def _settled(folder: Path, new: list[tuple[int, int, int, int]], known: list[tuple[int, int, int]]) -> set[int]:
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE candidate (row BIGINT, subject_id UUID, from_s BIGINT, to_s BIGINT, utc_offset_minutes INTEGER)")
        for row, who, begin, end in new:
            engine.execute("INSERT INTO candidate VALUES (?, ?, ?, ?, 0)", [row, UUID(int=who), begin, end])
        start = datetime(1970, 1, 1)
        lake = pa.table({
            "subject": pa.array([UUID(int=who).bytes for who, _, _ in known], pa.binary()),
            "started_at": pa.array([start + timedelta(seconds=begin) for _, begin, _ in known], pa.timestamp("us")),
            "utc_offset_minutes": pa.array([0] * len(known), pa.int16()),
            "seconds": pa.array([end - begin for _, begin, end in known], pa.int64()),
        })  # fmt: skip
        parquet.write_table(lake, folder / "lake.parquet")
        prepare(engine)
        settle_overlaps(engine, OF_TRIPS, [str(folder / "lake.parquet")])
        return {row for (row,) in engine.execute("SELECT row FROM settled").fetchall()}


def test_the_lake_is_sorted_by_day_subject_and_act(load, lake_rows):
    load(text(*(trip(number, number % 97, day=f"2015-03-{1 + number % 28:02}", start=f"{number % 20:02}:00:00", end=f"{number % 20:02}:10:00") for number in range(1, 400))))
    found = [(row["day"], row["subject"], row["act"]) for row in lake_rows()]
    assert len(found) > 300
    assert found == sorted(found)


def test_rows_are_shown_as_they_were_written_whether_their_values_repeat_or_not(tmp_path):
    rows = {"row": list(range(2, 1_002)), "code": [None] * 1_000, "facts": [None] * 1_000, "as_received": [None] * 1_000}
    rows |= {"c0": [str(number) for number in range(1_000)], "c1": ["metro", "bus", "", "居"] * 250}
    names = [name for name in rows if name != "row"]
    table = pa.table({name: pa.array(values, pa.int64() if name == "row" else pa.string()) for name, values in rows.items()})
    with staging(tmp_path / "with a 'quote' and *") as engine:
        write_rows(engine, iter([table, table.slice(0, 0)]), 2)
        shown = engine.execute("SELECT * FROM received ORDER BY row").fetchall()
    assert shown == list(zip(*(rows[name] for name in ["row", *names]), strict=True))


def test_a_row_whose_subject_is_only_strange_spaces_is_refused_and_the_others_stay(load):
    report = load(text(trip(1), trip(2, "\u3000"), trip(3, "\u00a0"), trip(4, 4)))
    assert (report.accepted, report.refused) == (2, 2)
    assert set(report.refused_by) <= set(activity.ROW_REFUSALS)


def test_acts_that_are_said_again_are_found_in_whatever_share_they_fall(load, monkeypatch):
    monkeypatch.setattr(settling, "_ACTS_A_SHARE", 3)
    once = [trip(number, number) for number in range(1, 41)]
    report = load(text(*once, *once[::-1], trip(40, 40, end="08:20:00")))
    assert (report.accepted, report.duplicate, report.refused_by) == (40, 40, {"key_reused": 1})
