"""Acts that are used in another mechanism, such as a national market: they are not counted here again (Article 16)."""

from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of


def declared_acts(session: Session, source: str) -> list[bytes]:
    """The blind acts of a source that were declared to be used elsewhere."""
    rows = connection_of(session).execute("SELECT act FROM used_elsewhere WHERE source = %s ORDER BY act", (source,))
    return [act for (act,) in rows]


def write_declared(connection: psycopg.Connection[Any], source: str, path: Path) -> bool:
    """Write the declared acts of a source, in hexadecimal, and their mechanisms as CSV; whether there are any."""
    query = psycopg.sql.SQL(
        "COPY (SELECT encode(act, 'hex'), mechanism FROM used_elsewhere WHERE source = {}) TO STDOUT (FORMAT csv)"
    ).format(psycopg.sql.Literal(source))
    with path.open("wb") as file, connection.cursor().copy(query) as rows:
        for block in rows:
            file.write(block)
    return path.stat().st_size > 0
