"""The engines by name. All give the same milligrams; a city chooses by how much there is to measure."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from carbonhui.core.settings import Settings
from carbonhui.quantification.duckdb_engine import DuckdbEngine
from carbonhui.quantification.jobs import Engine
from carbonhui.quantification.python_engine import PythonEngine
from carbonhui.quantification.refusals import EngineUnknown
from carbonhui.quantification.spark_engine import SparkEngine

#: DuckDB for one machine, Spark for a cluster, plain Python for a few records.
ENGINES: dict[str, Callable[[Path], Engine]] = {
    "duckdb": DuckdbEngine,
    "spark": SparkEngine,
    "python": PythonEngine,
}


@contextmanager
def open_engine(name: str, settings: Settings) -> Iterator[tuple[Engine, Path]]:
    """An empty engine and its folder, both gone afterwards. Raises `EngineUnknown`, `EngineMissing`."""
    if name not in ENGINES:
        raise EngineUnknown(engine=ascii(name)[:40], known=", ".join(ENGINES))
    folder = settings.home / "measuring" / secrets.token_hex(8)
    folder.mkdir(parents=True, mode=0o700)
    try:
        engine = ENGINES[name](folder)
        try:
            yield engine, folder
        finally:
            engine.close()
    finally:
        shutil.rmtree(folder)
