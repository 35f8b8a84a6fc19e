"""People of a small town, and what is put before them."""

import hashlib
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import consent, ledger
from carbonhui.core.database import Database, connection_of

TODAY = date(2026, 11, 20)
METRO = "metro-card"
METER = "power-meter"


def publish(database: Database, source: str = METRO, *, en: str = "I agree.", **more: object) -> consent.ConsentText:
    words: dict[str, object] = {"sensitive": source == METRO, "zh": "同意。", "on": TODAY, "published_by": "office", **more}
    with database.begin() as session:
        return consent.publish_text(session, source=source, en=en, **words)  # type: ignore[arg-type]


def resident(database: Database) -> int:
    with database.begin() as session:
        return ledger.open_account(session, ledger.Kind.PERSON)


def give(database: Database, account: int, source: str = METRO, **more: object) -> consent.Consent:
    """A person consents in the app to the newest words."""
    purpose = str(more.get("purpose", "quantification"))
    with database.begin() as session:
        digest = consent.text_in_force(session, source, purpose).digest
        words = {"text_digest": digest, "on": TODAY, "by": f"person:{account}", **more}
        return consent.give(session, account=account, source=source, **words)  # type: ignore[arg-type]


def withdraw(database: Database, account: int, source: str = METRO, on: date = TODAY) -> consent.Consent:
    with database.begin() as session:
        return consent.withdraw(session, account=account, source=source, by=f"person:{account}", on=on)


def live(database: Database, account: int) -> list[str]:
    with database.begin() as session:
        return [one.source for one in consent.live_consents(session, account)]


def operator(database: Database, credit_code: str = "91350100M000100Y43") -> int:
    """An institution as the onboarding leaves it; how it gets there is another room's matter."""
    with database.connect_as_owner() as owner:
        owner.execute("SET LOCAL session_replication_role = replica")
        row = owner.execute(
            """INSERT INTO organisation (kind, name, credit_code, state, applied_on, step_id)
               VALUES ('institution', 'Metro', %s, 'approved', '2026-01-01', -currval('organisation_id_seq')) RETURNING id""",
            (credit_code,),
        ).fetchone()
    assert row is not None
    return int(row[0])


def minor(database: Database, until: date) -> int:
    """A person whom a guardian answers for; how persons register is another room's matter."""
    account = resident(database)
    with database.connect_as_owner() as owner:
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute(
            """INSERT INTO person (account_id, subject, level, language, guardian_until, registered_on)
               VALUES (%s, %s, 'real_name', 'zh', %s, '2026-01-01')""",
            (account, account, until),
        )
    return account


def agreed(database: Database, organisation: int, source: str = METRO, **more: object) -> consent.Agreement:
    """An agreement from 2026 on that does not run out: whether it still holds is judged by the store's clock, not by ``TODAY``."""
    text = "The operator may apply for its users."
    words: dict[str, object] = {
        "text": text, "digest": hashlib.sha256(text.encode()).digest(), "from_": date(2026, 1, 1), "until": date(2099, 1, 1),
        "by": "office", **more,
    }  # fmt: skip
    with database.begin() as session:
        return consent.register_agreement(session, organisation=organisation, source=source, **words)  # type: ignore[arg-type]


def held_by(session: Session, account: int, subject: bytes, scheme: str = "card") -> None:
    connection_of(session).execute(
        "INSERT INTO link (scheme, subject, account_id, valid_from) VALUES (%s, %s, %s, '2026-01-01')", (scheme, subject, account)
    )
