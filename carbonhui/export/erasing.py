"""Erasing a person everywhere, the last of their rights here (PIPL articles 15, 47; Article 13)."""

import contextlib
from dataclasses import replace
from datetime import date

import psycopg
from sqlalchemy.orm import Session

from carbonhui import access, activity, circulation, consent, merchants, participants, privacy, publicfees
from carbonhui.core.clock import Clock
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings
from carbonhui.participants import Erased, Person


def erase(session: Session, vault: privacy.Vault, person: Person, *, on: date, clock: Clock, by: str) -> Erased:
    """End everything that a person has here, and destroy what is known of them, in one transaction.

    The person's row is locked first, so that whoever signs in, links, or consents at the
    same time comes before or not at all. Consents are taken back, devices signed out, gifts
    and requests that wait are ended, the list of bills and the limits of payments forgotten,
    then `participants.erase_person`. Pools of theirs are called off by the next
    `circulation.conclude_pools`, and what others put in goes back to them. Files cannot roll back, so what they hold of the
    person is noted as owed: a face calls `forget_files` once this is committed, and its
    own room's memory of the person goes with this transaction.

    Raises `consent.ConsentBusy` and what `participants.erase_person` raises.
    """
    found = participants.locked(session, person)
    consents = consent.withdraw_all(session, account=found.account_id, by=by, on=on)
    access.sign_out_everywhere(session, vault, found, clock=clock, by="person" if by.startswith("person:") else "staff")
    circulation.end_waiting(session, found, on=on)
    publicfees.forget_bills(session, found.account_id)
    merchants.limit_payments(session, found.account_id, merchants.PaymentLimits())
    activity.owe_forgetting(session, found.account_id)
    erased = participants.erase_person(session, vault, found, on=on)
    return replace(erased, consents=consents)


def forget_files(database: Database, settings: Settings) -> None:
    """Do what erasures owe in files, now that they are committed. What cannot be done now the clock does within the hour."""
    with contextlib.suppress(Refusal, psycopg.Error, OSError):
        activity.forget_refused(database, settings)
