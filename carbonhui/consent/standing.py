"""Whose activity may be processed now, a city at a time."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.orm import Session

from carbonhui.consent.locks import hold_withdrawals, pass_withdrawals, share_rules
from carbonhui.consent.texts import QUANTIFICATION
from carbonhui.core.database import connection_of


def write_consented(session: Session, *, scheme: str, source: str, to: Path, purpose: str = QUANTIFICATION) -> None:
    """Write every link of a scheme, with the day from which its holder lets the source be processed.

    A CSV file without header: subject in hexadecimal, account, first day, first day after (empty: still
    holds), first consented day. Of who consents to nothing now the last is empty, and so is the account:
    their acts can be counted as left out, and nobody is told whose they are.
    """
    _copy_out(session, _LIVE, to, scheme=scheme, source=source, purpose=purpose)


_LIVE = """
COPY (SELECT encode(l.subject, 'hex'), c.account_id, l.valid_from, l.valid_to,
             CASE WHEN c.covers_from > l.valid_from THEN c.covers_from WHEN c.account_id IS NOT NULL THEN l.valid_from END
      FROM link l LEFT JOIN (
          SELECT account_id, covers_from FROM consent
          WHERE source = {source} AND purpose = {purpose} AND ended_at IS NULL
            AND text_id IN (SELECT t.id FROM consent_text t WHERE t.source = {source} AND t.purpose = {purpose} AND t.version >=
                            (SELECT max(version) FROM consent_text WHERE source = {source} AND purpose = {purpose} AND material))
            AND (agreement_id IS NULL OR agreement_id IN (
                 SELECT id FROM agreement WHERE ended_at IS NULL
                 AND (valid_to IS NULL OR valid_to > (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date)))
      ) c ON c.account_id = l.account_id
      WHERE l.scheme = {scheme}) TO STDOUT (FORMAT csv)
"""


def write_consented_before(
    session: Session, *, scheme: str, source: str, first: datetime, last: datetime, to: Path, purpose: str = QUANTIFICATION
) -> None:
    """Write by whose consents acts were processed that were measured between two instants, withdrawn since or not.

    For comparison only, so that one act counts once: who withdraws is not credited for it a second time.
    The same columns as `write_consented`; a link appears once for each consent that covered some of its days.
    """
    _copy_out(
        session, _BEFORE, to, scheme=scheme, source=source, purpose=purpose, first=first.isoformat(), last=last.isoformat()
    )


_BEFORE = """
COPY (SELECT encode(l.subject, 'hex'), l.account_id, greatest(l.valid_from, s.covers_from), least(l.valid_to, s.last_day + 1),
             greatest(l.valid_from, s.covers_from)
      FROM link l JOIN consent_span s ON s.account_id = l.account_id AND s.source = {source} AND s.purpose = {purpose}
      WHERE l.scheme = {scheme} AND s.given_at <= {last}::timestamptz AND coalesce(s.ended_at > {first}::timestamptz, true)
        AND coalesce(s.covers_from < l.valid_to, true) AND coalesce(l.valid_from <= s.last_day, true)) TO STDOUT (FORMAT csv)
"""


def _copy_out(session: Session, statement: str, to: Path, **words: str) -> None:
    query = sql.SQL(statement).format(**{name: sql.Literal(word) for name, word in words.items()})
    connection = connection_of(session)
    # Fifteen million links take longer than any request may.
    connection.execute("SET LOCAL statement_timeout = 0")
    with to.open("wb") as file, connection.cursor().copy(query) as rows:
        for block in rows:
            file.write(block)


@dataclass(frozen=True)
class Watch:
    """What was withdrawn of a source when somebody began to process it: everything up to ``ending``."""

    source: str
    purpose: str
    ending: int


def watch(connection: psycopg.Connection[Any], source: str, purpose: str = QUANTIFICATION) -> Watch:
    """Begin to process a source in this transaction: its texts and agreements stay, and withdrawals are watched.

    Consents are read after this. Withdrawals that are under way are waited for, so each that follows has a later number.
    """
    share_rules(connection, source)
    pass_withdrawals(connection, source)
    row = connection.execute(
        "SELECT coalesce(max(ending), 0) FROM consent WHERE source = %s AND purpose = %s AND ending IS NOT NULL", (source, purpose)
    ).fetchone()
    assert row is not None
    return Watch(source, purpose, row[0])


def withdrawn_since(connection: psycopg.Connection[Any], watched: Watch) -> set[int]:
    """The accounts that withdrew after the watch began."""
    rows = connection.execute(
        "SELECT account_id FROM consent WHERE source = %s AND purpose = %s AND ending > %s AND ended_because = 'withdrawn'",
        (watched.source, watched.purpose, watched.ending),
    )
    return {account for (account,) in rows}


def hold(connection: psycopg.Connection[Any], watched: Watch) -> None:
    """Nobody withdraws between here and the commit; who asks meanwhile waits, and withdraws after it."""
    hold_withdrawals(connection, watched.source)
