"""The engine that measures by default: DuckDB, in this process, within a bound of memory."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from carbonhui.quantification.sql_engine import SqlEngine
from carbonhui.quantification.words import DUCKDB_WORDS, text

#: With the program itself this stays below half a gibibyte.
MEMORY = "300MB"
_ROWS_AT_ONCE = 100_000
# A lake file lies in its batch's folder: batch=<number>-<digest>.
_BATCH = "CAST(regexp_extract(string_split(filename, '/')[-2], '[0-9]+') AS BIGINT) AS batch_id"


class DuckdbEngine(SqlEngine):
    """An empty engine; what does not fit in memory goes to the folder."""

    name = "duckdb"
    words = DUCKDB_WORDS

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._engine = duckdb.connect(
            config={
                "memory_limit": MEMORY,
                "temp_directory": str(folder / "overflow"),
                "autoinstall_known_extensions": False,
            },
        )
        self._engine.execute("SET enable_progress_bar = false")

    def view(self, name: str, files: Sequence[str], *, batch: bool = False) -> None:
        listed = ", ".join(map(text, files))
        batch_id = f", {_BATCH}" if batch else ""
        self._engine.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT *{batch_id}"
            f" FROM read_parquet([{listed}], hive_partitioning = false{', filename = true' if batch else ''})"
        )

    def table(self, name: str, query: str) -> None:
        self._engine.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")

    def read_csv(self, name: str, path: Path, columns: Mapping[str, str]) -> None:
        kinds = ", ".join(f"{text(column)}: {text(kind)}" for column, kind in columns.items())
        self.table(name, f"SELECT * FROM read_csv({text(path)}, header = false, auto_detect = false, columns = {{{kinds}}})")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._engine.execute(query).fetchall()

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        yield from self._engine.sql(query).to_arrow_reader(_ROWS_AT_ONCE)

    def close(self) -> None:
        self._engine.close()
