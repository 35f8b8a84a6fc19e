"""The tables, functions and guards of the store, in numbered steps that are never edited once released.

Each step is one SQL file. They are applied when the product starts, under a lock,
so that several processes may start at once; there is no way back, because books
are not unwritten.
"""

from pathlib import Path
from typing import Any

import psycopg

from carbonhui.core.refusals import Refusal

STEPS = Path(__file__).parent / "versions"
#: Any number that no other program takes an advisory lock on in this database.
_LOCK = 440118


class StoreNewer(Refusal):
    """The tables were made by a newer release than this one."""

    code = "store_newer"
    sentence = "The store is at step {found}, which this release does not know; its newest is {head}. Use the newer release."
    sentence_zh = "数据库版本为 {found},本版本未知;本版本最新为 {head}。请使用更新的版本。"


class StoreForbidden(Refusal):
    """The database user may not make the tables or the application's role."""

    code = "store_forbidden"
    sentence = "The database user may not prepare the store: {reason}. It needs CREATE on the database and CREATEROLE once."
    sentence_zh = "数据库用户无权准备数据表:{reason}。首次需要数据库的 CREATE 权限和 CREATEROLE。"


class ProfileDiffers(Refusal):
    """A store belongs to one profile for ever: demonstration credits never mix with real ones."""

    code = "profile_differs"
    sentence = "This store was made for the profile {found}, and {asked} was asked. Use another home or database."
    sentence_zh = "该数据库属于 {found} 配置,而请求的是 {asked}。请使用其他目录或数据库。"


def head() -> str:
    """The newest step that this release knows."""
    return max(path.stem for path in STEPS.glob("[0-9]*.py"))


def bring_up_to_date(parameters: dict[str, Any], *, profile: str | None) -> None:
    """Apply every step that the store lacks; a store at its head is left after one query.

    The store belongs to ``profile`` from then on; None leaves that open.

    Raises `StoreNewer`, `StoreForbidden`, `ProfileDiffers`.
    """
    with psycopg.connect(**parameters, autocommit=True) as connection:
        if _found(connection) != head():
            connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            _apply(connection, parameters)
        if profile is not None:
            _settle_profile(connection, profile)


def _found(connection: psycopg.Connection[Any]) -> str | None:
    row = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
    if not (row and row[0]):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _apply(connection: psycopg.Connection[Any], parameters: dict[str, Any]) -> None:
    found = _found(connection)
    if found == head():
        return
    if found is not None and not (STEPS / f"{found}.py").exists():
        raise StoreNewer(found=found, head=head())
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(**parameters), poolclass=NullPool)
    try:
        with engine.begin() as applied:
            config.attributes["connection"] = applied
            command.upgrade(config, "head")
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise StoreForbidden(reason=str(error.orig).splitlines()[0]) from error
        raise


def _settle_profile(connection: psycopg.Connection[Any], profile: str) -> None:
    row = connection.execute("SELECT profile FROM deployment").fetchone()
    if row is None:
        connection.execute("INSERT INTO deployment (profile) VALUES (%s) ON CONFLICT DO NOTHING", (profile,))
        row = connection.execute("SELECT profile FROM deployment").fetchone()
    assert row is not None
    if row[0] != profile:
        raise ProfileDiffers(found=row[0], asked=profile)


def run_step(name: str) -> None:
    """Execute the SQL file of one step inside the migration's transaction."""
    from alembic import op

    # Straight to the driver: a file may hold many statements and per cent signs.
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute((STEPS / f"{name}.sql").read_text(encoding="utf-8"))
