"""The engine for a city's many records: Apache Spark, on this machine or on a cluster.

Only paths and statements go to Spark. Its workers read the lake and write what they
make themselves, so on a cluster the lake and the home lie where all of them reach
these folders under the same names.
"""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from carbonhui.core.spark import spark_session, why_no_spark
from carbonhui.methodology import SPARK
from carbonhui.quantification.refusals import EngineMissing
from carbonhui.quantification.sql_engine import SqlEngine
from carbonhui.quantification.words import Words

_ROWS_AT_ONCE = 100_000
# A lake file lies in its batch's folder: batch=<number>-<digest>.
_BATCH = "CAST(regexp_extract(_metadata.file_path, 'batch=([0-9]+)[^/]*/[^/]*$', 1) AS BIGINT) AS batch_id"

SPARK_WORDS = Words(
    formula=SPARK,
    seconds="unix_seconds(CAST({0} AS TIMESTAMP))",
    days_between="datediff({1}, {0})",
    day_after="date_add({0}, {1})",
)


class SparkEngine(SqlEngine):
    """An empty engine; each table that it makes is a folder of Parquet files in its own. Raises `EngineMissing`."""

    name = "spark"
    words = SPARK_WORDS

    def __init__(self, folder: Path) -> None:
        super().__init__()
        reason = why_no_spark()
        if reason is not None:
            raise EngineMissing(engine=self.name, reason=reason)
        from pyspark.sql import SparkSession

        self._found = SparkSession.getActiveSession()
        self._spark = spark_session(folder / "spark")
        self._folder = folder / "tables"
        self._folder.mkdir()
        self._files: dict[str, Path] = {}
        self._views: set[str] = set()
        self._numbers = count()

    def view(self, name: str, files: Sequence[str], *, batch: bool = False) -> None:
        # Else Spark would take the folder's name for a column, and patterns for what stands in it.
        rows = self._spark.read.option("recursiveFileLookup", "true").parquet(*map(_only, files))
        self._name(name, rows.selectExpr("*", _BATCH) if batch else rows)

    def table(self, name: str, query: str) -> None:
        rows = self._spark.sql(query)
        path = self._write(name, rows)
        # Spark need not look into the files for what it wrote itself.
        self._name(name, self._spark.read.schema(rows.schema).parquet(_only(path)))
        self._replace(name, path)

    def read_csv(self, name: str, path: Path, columns: Mapping[str, str]) -> None:
        kinds = ", ".join(f"{column} {'STRING' if kind == 'VARCHAR' else kind}" for column, kind in columns.items())
        # The file may be gone before its rows are asked for.
        kept = self._new(name)
        shutil.copyfile(path, kept)
        self._name(name, self._spark.read.csv(_only(kept), schema=kinds, header=False, nullValue="", mode="FAILFAST"))
        self._replace(name, kept)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._spark.sql(query).collect()]

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        path = self._write("answer", self._spark.sql(query))
        try:
            # Spark numbers the parts of an ordered answer in its order.
            for part in sorted(path.glob("part-*.parquet")):
                with parquet.ParquetFile(part) as opened:
                    yield from opened.iter_batches(_ROWS_AT_ONCE)
        finally:
            shutil.rmtree(path)

    def close(self) -> None:
        """Let go of what this engine made; a session that was there before it stays."""
        for name in self._views:
            self._spark.catalog.dropTempView(name)
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._found is None:
            self._spark.stop()

    def _new(self, name: str) -> Path:
        return self._folder / f"{next(self._numbers)}-{name}"

    def _write(self, name: str, rows: Any) -> Path:
        path = self._new(name)
        rows.write.parquet(_address(path))
        return path

    def _replace(self, name: str, path: Path) -> None:
        """Let go of the files that had the name before."""
        replaced = self._files.pop(name, None)
        self._files[name] = path
        if replaced is not None and replaced.is_dir():
            shutil.rmtree(replaced)
        elif replaced is not None:
            replaced.unlink()

    def _name(self, name: str, rows: Any) -> None:
        rows.createOrReplaceTempView(name)
        self._views.add(name)


def _address(path: str | Path) -> str:
    """A file or folder of the file system, whatever other one Spark prefers."""
    return f"file://{Path(path).absolute()}"


def _only(path: str | Path) -> str:
    """The same for reading, where Spark would take some letters for patterns."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", _address(path))
