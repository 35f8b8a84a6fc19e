"""Rows that came without a file, such as over the API, made ready for the same way as a file's."""

import hashlib
import json
from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

from carbonhui.activity.loading import Incoming
from carbonhui.activity.profile import QUARANTINE_COLUMNS, Profile
from carbonhui.activity.refusals import RowsUnusable, TooManyRows

MOST_ROWS = 10_000


def incoming_rows(rows: Sequence[Mapping[str, str]], profile: Profile) -> Incoming:
    """The rows as one delivery; its digest is that of their JSON text with sorted keys. Raises `RowsUnusable`, `TooManyRows`."""
    if len(rows) > MOST_ROWS:
        raise TooManyRows(found=len(rows), most=MOST_ROWS)
    if not rows:
        raise RowsUnusable(row=0, reason="there is no row", reason_zh="没有任何行")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping) or not all(isinstance(value, str) for pair in row.items() for value in pair):
            raise RowsUnusable(row=number, reason="it is not a text for each column", reason_zh="不是每列一个文本")
    # Escaped, so that half a character has bytes too.
    canonical = json.dumps([dict(row) for row in rows], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode("ascii")).digest()
    return Incoming("rows", digest, lambda engine: _stage(engine, rows, profile), answered_at_once=True)


def _stage(engine: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, str]], profile: Profile) -> int:
    columns: dict[str, list[object]] = {name: [] for name in ("row", "code", "facts", "as_received")}
    columns |= {f"c{number}": [] for number in range(len(profile.columns))}
    for number, row in enumerate(rows, start=1):
        for name, value in _staged(number, row, profile).items():
            columns[name].append(value)
    kinds = {name: pa.int64() if name == "row" else pa.string() for name in columns}
    engine.register("block", pa.table({name: pa.array(values, kinds[name]) for name, values in columns.items()}))
    engine.execute("CREATE TABLE received AS SELECT * FROM block")
    engine.unregister("block")
    return len(rows)


def _staged(number: int, row: Mapping[str, str], profile: Profile) -> dict[str, object]:
    own = {name: value for name, value in row.items() if name not in QUARANTINE_COLUMNS}
    values = {f"c{at}": _text(own.get(name, "")) for at, name in enumerate(profile.columns)}
    code, facts = _defect(own, profile)
    whole = json.dumps(dict(row)) if code else None
    return {"row": number, "code": code, "facts": json.dumps(facts) if code else None, "as_received": whole, **values}


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode()


def _defect(row: Mapping[str, str], profile: Profile) -> tuple[str | None, dict[str, object]]:
    missing = [name for name in profile.columns if name not in row]
    if missing:
        return "keys_missing", {"missing": ", ".join(missing)}
    if len(row) > len(profile.columns):
        return "keys_unknown", {"found": len(row) - len(profile.columns)}
    broken = next((name for name, value in row.items() if _text(value) != value), None)
    return ("not_unicode", {"column": broken}) if broken is not None else (None, {})
