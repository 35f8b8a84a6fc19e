"""What the Python engine reads: the lake's records, links, lists of the store; and what one record is worth."""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from carbonhui.methodology import Methodology, QuantityNotWhole, QuantityOutOfRange
from carbonhui.quantification.versions import Stretch

#: One act or reading, by the lake's names of its columns.
Record = dict[str, Any]
_ROWS_AT_ONCE = 10_000


def records(files: Iterable[str], mode: str | None = None) -> Iterator[Record]:
    """The lake's records of a mode, with the batch that each came with."""
    for file in files:
        batch_id = _batch(Path(file))
        with parquet.ParquetFile(file) as opened:
            for block in opened.iter_batches(_ROWS_AT_ONCE):
                for record in block.to_pylist():
                    if mode is None or record["mode"] == mode:
                        yield record | {"batch_id": batch_id}


def _batch(file: Path) -> int:
    """A lake file lies in its batch's folder: batch=<number>-<digest>."""
    return int(file.parent.name.removeprefix("batch=").split("-")[0])


def lines(path: Path) -> Iterator[list[str]]:
    """The rows of a CSV file without header."""
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.reader(file)


@dataclass(frozen=True)
class _Link:
    account_id: int | None
    valid_from: date
    valid_to: date | None
    since: date | None

    def holds(self, first: date, last: date) -> bool:
        return self.valid_from <= first and (self.valid_to is None or last < self.valid_to)


class Links:
    """Who held which identifiers on which days, and consents from which day on."""

    def __init__(self, of: Mapping[bytes, list[_Link]]) -> None:
        self._of = of

    @classmethod
    def read(cls, path: Path) -> "Links":
        of: dict[bytes, list[_Link]] = {}
        for subject, account_id, start, end, since in lines(path):
            link = _Link(int(account_id) if account_id else None, date.fromisoformat(start), _day(end), _day(since))
            of.setdefault(bytes.fromhex(subject), []).append(link)
        return cls(of)

    def of_accounts(self, accounts: Collection[int]) -> "Links":
        """The links of these accounts only."""
        return Links({subject: [link for link in links if link.account_id in accounts] for subject, links in self._of.items()})

    def holder(self, subject: bytes, first: date, last: date) -> int | None:
        """The account that held the identifier on all of these days and consents to all of them."""
        for link in self._of.get(subject, []):
            if link.holds(first, last) and link.since is not None and link.since <= first:
                return link.account_id
        return None

    def why_nobody(self, subject: bytes, first: date, last: date) -> str:
        """Why there is no holder: who held the identifier does not consent, or nobody held it."""
        held = any(link.holds(first, last) for link in self._of.get(subject, []))
        return "no_consent" if held else "unlinked"


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def declared_acts(path: Path | None) -> set[bytes]:
    """The acts that are used in another mechanism."""
    return {bytes.fromhex(act) for (act,) in lines(path)} if path else set()


def credited_mg(stretch: Stretch, evidence: str, given: Mapping[str, int | None]) -> int | None:
    """What one record is worth by the numbers in force and after all that cuts one record; None: out of range."""
    methodology = stretch.methodology
    most = {cap.field: cap.most for cap in methodology.caps if cap.per == "activity"}
    measured = methodology.fields | methodology.lookback_fields
    cut: dict[str, int] = {}
    for name, value in given.items():
        # A record that says what no record may say is not believed, however little of it would count.
        if value is None or not measured[name].low <= value <= measured[name].high:
            return None
        cut[name] = min(value, most.get(name, value))
    try:
        mg = methodology.formula.answer(cut | stretch.values)
    except (QuantityNotWhole, QuantityOutOfRange):
        return None
    return _weighed(methodology, evidence, min(mg, most.get("mg", mg)))


def _weighed(methodology: Methodology, evidence: str, mg: int) -> int:
    """What of the milligrams counts for evidence of this kind, rounded down to whole units."""
    for weight in methodology.evidence_weights:
        if weight.evidence == evidence:
            share = mg * weight.numerator // weight.denominator
            return share - share % weight.unit_mg
    return mg


def blocks(rows: Iterable[Mapping[str, object]], kinds: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    """Rows as the other engines give them."""
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=pa.schema(list(kinds.items())))
    yield from table.to_batches()
