"""A small town's accounts, for the tests of every room that moves credits (Articles 17-22)."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from carbonhui import issuance, ledger, publicfees
from carbonhui.core import embedded, migrations
from carbonhui.core.database import Database, connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings
from carbonhui.ledger import Kind, Purpose

DAY = date(2026, 11, 20)
RATIO = 100_000

_REFERENCES = itertools.count()
_STORES = itertools.count()


def fresh(what: str = "movement") -> str:
    """A reference that nobody used before."""
    return f"{what}-{next(_REFERENCES)}"


def resident(session: Session, credits: int = 0, *, vintage: int = 2026) -> int:
    """A new person's account, with newly minted credits."""
    account = ledger.open_account(session, Kind.PERSON)
    if credits:
        mint_to(session, account, credits, vintage=vintage)
    return account


def organisation(session: Session, kind: Kind, *, asset: int = ledger.CREDIT) -> int:
    """A new account of a merchant, department, charity or organisation."""
    return ledger.open_account(session, kind, name=fresh(kind.name.lower()), asset=asset)


def mint_to(session: Session, account: int, credits: int, *, vintage: int = 2026, ratio: int = RATIO, batch: int = 1) -> None:
    """Credits for a reduction that somebody measured: measuring and minting are other rooms' matters.

    ``batch`` is a number that no batch of the store has, unless its source and its consents are meant.
    """
    connection_of(session).execute(
        """INSERT INTO reduction (account_id, batch_id, mg, mint_id, day, methodology, fingerprint)
           VALUES (%s, %s, %s, 1, %s, 'metro', '')""",
        (account, batch, credits * ratio, date(vintage, 6, 1)),
    )
    ledger.issue(
        session, mint_id=1, vintage=vintage, mg_per_credit=ratio, business_date=DAY, accounts=[account], credits=[credits]
    )


def give(session: Session, source: int, target: int, amount: int, reference: str | None = None) -> ledger.Posted:
    """Move credits, whatever the kinds of the two accounts."""
    return ledger.post(
        session, purpose=Purpose.GIVE, source=source, target=target, amount=amount,
        reference=reference or fresh(), business_date=DAY,
    )


def promise(
    session: Session, source: int, target: int, amount: int, *, reference: str | None = None, seconds: int = 3600
) -> int:
    """Hold credits for somebody; the hold's number."""
    return ledger.hold(
        session, purpose=Purpose.REDEEM, source=source, target=target, amount=amount,
        reference=reference or fresh("promise"), business_date=DAY, seconds=seconds,
    ).id


def keep(session: Session, hold: int, amount: int, *, reference: str | None = None, final: bool = True) -> ledger.Posted:
    """Capture a hold."""
    return ledger.capture(
        session, hold, amount=amount, reference=reference or fresh("capture"), business_date=DAY, final=final
    )


def holds(database: Database, account: int) -> int:
    """What an account holds now, as anybody sees it."""
    with database.begin() as session:
        return ledger.balance_of(session, account).posted


def free(database: Database, account: int) -> int:
    """What an account may spend now."""
    with database.begin() as session:
        return ledger.balance_of(session, account).available


def refusal_of(database: Database, work: Callable[[Session], Any]) -> Refusal:
    """What the books answer to something that they must refuse; the transaction is rolled back."""
    with pytest.raises(Refusal) as caught, database.begin() as session:
        work(session)
    return caught.value


def code_of(database: Database, work: Callable[[Session], Any]) -> str:
    """The code of the refusal, or ``done``."""
    try:
        with database.begin() as session:
            work(session)
    except Refusal as refusal:
        return refusal.code
    return "done"


ALL_CHECKS = (*ledger.CHECKS, *issuance.CHECKS, *publicfees.CHECKS)


def broken(database: Database, *names: str) -> dict[str, list[dict[str, Any]]]:
    """The rows that break each check; only of the named ones when some are named."""
    with database.begin() as session:
        found = ledger.run_checks(session, ALL_CHECKS)
    return {name: [row.row for row in rows] for name, rows in found.items() if rows and (not names or name in names)}


@contextmanager
def breaking(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The owner's own hand in the books, with every trigger asleep."""
    with database.connect_as_owner() as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def approve(session: Session, matter: int, *, paper: str = "Document 1") -> None:
    """Let all three bodies say yes."""
    from carbonhui import approvals

    for body, person in (("expert_committee", "Professor He"), ("city", "Director Liang"), ("province", "Director Huang")):
        approvals.decide(session, matter, body=body, approved=True, decided_by=person, document_number=paper)


def put_in_force(session: Session, name: str, number: int, start: date) -> int:
    """Propose, approve and put in force a number from a day on; its matter."""
    from carbonhui import policy

    matter = policy.propose_number(
        session, name, number=number, start=start, source="Document 1", proposed_by="Clerk Chen", demonstration=False
    )
    approve(session, matter)
    policy.come_into_force(session, matter)
    return matter


@contextmanager
def opened_store(
    server: embedded.Server, server_settings: Settings, *, profile: str = "demo", pool_size: int = 10
) -> Iterator[Database]:
    """A fresh copy of the template, for as many tests as share it."""
    name = f"town_{os.getpid()}_{next(_STORES)}"
    home = Path(tempfile.mkdtemp(prefix="carbonhui-town-"))
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_books")
    parameters = server.parameters(name)
    migrations.bring_up_to_date(parameters, profile=profile)
    settings = replace(
        server_settings, home=home, lake=home / "lake", blind_key_file=home / "blind-index.key",
        pool_size=pool_size, profile=profile,
    )
    opened = Database(parameters=parameters, settings=settings, server=None)
    try:
        yield opened
    finally:
        opened.close()
        with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def town(server: embedded.Server, server_settings: Settings) -> Iterator[Database]:
    """One store for all tests of a file: each opens accounts of its own. Its books are checked at the end."""
    with opened_store(server, server_settings) as opened:
        yield opened
        wrong = broken(opened)
        assert not wrong, wrong
