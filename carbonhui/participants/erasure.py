"""Erasing a person: who they were is destroyed, what was done stays (PIPL art. 47, Article 13)."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications, privacy
from carbonhui.core.database import connection_of
from carbonhui.ledger import Kind, Purpose
from carbonhui.participants.members import end_memberships, owned_alone
from carbonhui.participants.own_links import end_everything
from carbonhui.participants.persons import Person, changed, locked
from carbonhui.participants.refusals import ErasureWaitsForHolds, ErasureWaitsForOrganisations, ErasureWaitsForWards


@dataclass(frozen=True)
class Erased:
    """What an erasure ended: credits that went to the cancellation pool, links, and the consents that its caller withdrew."""

    credits: int
    links: int
    consents: int = 0


def erase_person(session: Session, vault: privacy.Vault, person: Person, *, on: date) -> Erased:
    """Destroy what is known of a person, for good.

    What is left of their credits goes to the cancellation pool, because nobody can
    ask for it any more; what does not fill a credit stays in the books as carry. Links,
    guardianships and memberships end, the account is closed, the data key destroyed.
    The row of the person stays without anything about them.

    The refusals are tried in this order: `PersonErased`, `ErasureWaitsForHolds`,
    `ErasureWaitsForWards`, `ErasureWaitsForOrganisations`.
    """
    found = locked(session, person)
    _refuse_promises(session, found)
    _refuse_lone_wards(session, found, on)
    alone = owned_alone(session, found)
    if alone:
        raise ErasureWaitsForOrganisations(organisations=alone)
    given_up = _abandon(session, found, on)
    links = end_everything(session, found, on)
    _end_guardianships(session, found, on)
    end_memberships(session, found, on)
    ledger.close_account(session, found.account_id)
    notifications.forget(session, found.account_id)
    privacy.erase(session, found.subject)
    changed(session, found, "state = 'erased', guardian_until = NULL, erased_at = clock_timestamp()")
    return Erased(credits=given_up, links=links)


def _refuse_promises(session: Session, person: Person) -> None:
    # The balance row is locked first, so that no promise is made while the promises are counted.
    connection = connection_of(session)
    connection.execute("SELECT FROM balance WHERE account_id = %s FOR NO KEY UPDATE", (person.account_id,))
    row = connection.execute(
        """SELECT (SELECT count(*) FROM hold WHERE account_id = %(account)s AND state = 'open')
                + (SELECT count(*) FROM hold WHERE target = %(account)s AND state = 'open')""",
        {"account": person.account_id},
    ).fetchone()
    assert row is not None
    if row[0]:
        raise ErasureWaitsForHolds(holds=row[0])


_LONE_WARDS = """
SELECT count(*) FROM (
    SELECT w.id FROM guardianship g JOIN person w ON w.id = g.ward_id
    WHERE g.guardian_id = %(guardian)s AND g.until IS NULL AND w.guardian_until > %(on)s
    ORDER BY w.id FOR NO KEY UPDATE OF w) ward
WHERE NOT EXISTS (SELECT FROM guardianship o WHERE o.ward_id = ward.id AND o.until IS NULL AND o.guardian_id <> %(guardian)s)
"""


def _refuse_lone_wards(session: Session, person: Person, on: date) -> None:
    row = connection_of(session).execute(_LONE_WARDS, {"guardian": person.id, "on": on}).fetchone()
    assert row is not None
    if row[0]:
        raise ErasureWaitsForWards(wards=row[0])


def _abandon(session: Session, person: Person, on: date) -> int:
    left = ledger.balance_of(session, person.account_id).available
    if left:
        ledger.post(
            session, purpose=Purpose.ABANDON, source=person.account_id,
            target=ledger.system_account(session, Kind.CANCELLATION_POOL), amount=left,
            reference=f"abandon-{person.handle}", business_date=on,
        )  # fmt: skip
    return left


def _end_guardianships(session: Session, person: Person, on: date) -> None:
    """Of the person as a ward and as a guardian; grown-up wards of theirs are freed with that."""
    connection = connection_of(session)
    connection.execute(
        "UPDATE guardianship SET until = greatest(since, %s) WHERE %s IN (ward_id, guardian_id) AND until IS NULL",
        (on, person.id),
    )
    connection.execute(
        """UPDATE person p SET state = 'active', guardian_until = NULL WHERE guardian_until <= %s AND state <> 'erased'
           AND id IN (SELECT ward_id FROM guardianship WHERE guardian_id = %s)""",
        (on, person.id),
    )
