"""Riders with reductions that wait to be minted, for the tests of minting."""

from datetime import date

from carbonhui import issuance
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database, connection_of
from tests.ledger.books import resident

TODAY = date(2026, 11, 20)
CLOCK = SetClock.on(TODAY)
JUNE = date(2026, 6, 15)


class Killed(Exception):
    """What the test throws into the middle of a mint."""


def measured(database: Database, account: int, *amounts: int, day: date = JUNE) -> None:
    """Reductions as the measuring room leaves them."""
    with database.begin() as session:
        for mg in amounts:
            connection_of(session).execute(
                """INSERT INTO reduction (account_id, batch_id, mg, day, methodology, fingerprint)
                   VALUES (%s, 1, %s, %s, 'metro', '')""",
                (account, mg, day),
            )


def commuter(database: Database, *amounts: int, day: date = JUNE) -> int:
    with database.begin() as session:
        account = resident(session)
    measured(database, account, *amounts, day=day)
    return account


def mint(database: Database, through: date = TODAY, **how: object) -> issuance.MintReport:
    return issuance.mint(database, through, clock=CLOCK, **how)  # type: ignore[arg-type]


def carried(database: Database, account: int) -> int:
    with database.begin() as session:
        return issuance.carry_of(session, account)


def unminted(database: Database) -> int:
    with database.begin() as session:
        row = connection_of(session).execute("SELECT count(*) FROM reduction WHERE mint_id IS NULL").fetchone()
    assert row is not None
    return int(row[0])
