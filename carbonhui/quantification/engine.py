"""The engine that measures, with a folder for what does not fit in memory."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from sqlalchemy.orm import Session

from carbonhui import participants
from carbonhui.core.settings import Settings

#: With the program itself this stays below half a gibibyte.
MEMORY = "350MB"


@contextmanager
def measuring_engine(settings: Settings) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """An empty engine and its folder, both gone afterwards."""
    folder = settings.home / "measuring" / secrets.token_hex(8)
    folder.mkdir(parents=True, mode=0o700)
    engine = duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "temp_directory": str(folder / "overflow"),
            "autoinstall_known_extensions": False,
        },
    )
    engine.execute("SET enable_progress_bar = false")
    try:
        yield engine, folder
    finally:
        engine.close()
        shutil.rmtree(folder)


def read_links(engine: duckdb.DuckDBPyConnection, session: Session, scheme: str, folder: Path) -> None:
    """Fill ``links`` with every link of a scheme, as it stands now."""
    path = folder / "links.csv"
    participants.write_links(session, scheme=scheme, to=path)
    engine.execute(
        "CREATE OR REPLACE TABLE links AS SELECT unhex(subject) AS subject, account_id, valid_from, valid_to"
        " FROM read_csv($path, header = false, auto_detect = false, columns ="
        " {'subject': 'VARCHAR', 'account_id': 'BIGINT', 'valid_from': 'DATE', 'valid_to': 'DATE'})",
        {"path": str(path)},
    )
    path.unlink()
