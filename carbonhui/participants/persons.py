"""Persons: a number in the books, a handle for their devices, and fields in the vault."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import ledger, privacy
from carbonhui.core.database import connection_of
from carbonhui.core.settings import Settings
from carbonhui.participants.refusals import MobileTaken, PersonErased, PersonRestricted, PersonUnknown

#: The personal fields of a person, as the vault names them.
FIELDS = ("mobile", "name", "id_number", "born_on")
MOBILE = "mobile"
#: A handle is an identifier too: self-declared activity names it.
HANDLE_SCHEME = "person"


@dataclass(frozen=True)
class Person:
    """Somebody of whom these words tell nothing; ``subject`` leads to the vault.

    ``level`` is ``registered`` or ``real_name``; ``state`` is ``active``,
    ``restricted`` (a minor without a guardian) or ``erased``; ``guardian_until`` is a
    minor's eighteenth birthday.
    """

    id: int
    handle: UUID
    account_id: int
    subject: int
    level: str
    state: str
    language: str
    guardian_until: date | None

    def is_minor(self, on: date) -> bool:
        """Whether this person is known to be under eighteen on a day."""
        return self.guardian_until is not None and on < self.guardian_until

    def is_free(self, on: date) -> bool:
        """Whether this person may act, or be acted for, on a day: active, or grown up since being restricted."""
        return self.state == "active" or (
            self.state == "restricted" and self.guardian_until is not None and not self.is_minor(on)
        )


_COLUMNS = "id, handle, account_id, subject, level, state, language, guardian_until"


def register_person(
    session: Session, vault: privacy.Vault, *, mobile: str, on: date, language: str = "zh"
) -> Person:
    """Somebody proved this mobile number: open their account and keep the number in the vault (Article 11).

    Raises `MobileTaken`, which no stranger may be told, and `privacy.MobileInvalid`.
    """
    number = privacy.mobile_number(mobile)
    subject = privacy.begin_subject(session, vault)
    _index_mobile(session, vault, subject, number)
    privacy.keep(session, vault, subject, mobile=number)
    return enter_person(session, subject=subject, on=on, language=language)


def enter_person(
    session: Session, *, subject: int, on: date, language: str,
    level: str = "registered", guardian_until: date | None = None,
) -> Person:  # fmt: skip
    """A new person's row and account."""
    assert language in ("zh", "en")
    account = ledger.open_account(session, ledger.Kind.PERSON)
    row = connection_of(session).execute(
        f"""INSERT INTO person (account_id, subject, level, language, guardian_until, registered_on)
            VALUES (%s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}""",
        (account, subject, level, language, guardian_until, on),
    ).fetchone()
    assert row is not None
    return Person(*row)


def link_handle(session: Session, settings: Settings, person: Person) -> None:
    """Let self-declared activity, which names the person's handle, find their account from the first day on.

    Done once; doing it again changes nothing. It needs the city's key, so it is apart
    from registering; a face does it before it takes a person's own activity.
    """
    key = privacy.load_or_make_key(settings.blind_key_file)
    connection_of(session).execute(
        """INSERT INTO link (scheme, subject, account_id, valid_from)
           SELECT %(scheme)s, %(subject)s, account_id, registered_on FROM person WHERE id = %(id)s AND state <> 'erased'
           ON CONFLICT DO NOTHING""",
        {"scheme": HANDLE_SCHEME, "subject": privacy.blind_index(key, HANDLE_SCHEME, str(person.handle)), "id": person.id},
    )


def _index_mobile(session: Session, vault: privacy.Vault, subject: int, number: str) -> None:
    try:
        privacy.index_subject(session, vault, subject, MOBILE, number)
    except privacy.IndexTaken:
        raise MobileTaken() from None


def person_by_mobile(session: Session, vault: privacy.Vault, mobile: str) -> Person | None:
    """Who proved this mobile number, or None. Raises `privacy.MobileInvalid`."""
    subject = privacy.subject_with(session, vault, MOBILE, privacy.mobile_number(mobile))
    return None if subject is None else _where(session, "subject", subject)


def person(session: Session, number: int) -> Person:
    """The person with this number. Raises `PersonUnknown`."""
    return _found(_where(session, "id", number))


def person_by_handle(session: Session, handle: UUID | str) -> Person:
    """The person with this handle. Raises `PersonUnknown`, also for what is no handle."""
    try:
        wanted = handle if isinstance(handle, UUID) else UUID(handle)
    except ValueError:
        raise PersonUnknown() from None
    return _found(_where(session, "handle", wanted))


def person_of_account(session: Session, account: int) -> Person:
    """Whose account this is. Raises `PersonUnknown` for any other account."""
    return _found(_where(session, "account_id", account))


def _where(session: Session, column: str, value: Any) -> Person | None:
    row = connection_of(session).execute(f"SELECT {_COLUMNS} FROM person WHERE {column} = %s", (value,)).fetchone()
    return Person(*row) if row else None


def _found(person: Person | None) -> Person:
    if person is None:
        raise PersonUnknown()
    return person


def locked(session: Session, person: Person) -> Person:
    """The same person as they are now, with everybody else waiting to change them. Raises `PersonErased`."""
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM person WHERE id = %s FOR NO KEY UPDATE", (person.id,)
    ).fetchone()
    assert row is not None
    found = Person(*row)
    if found.state == "erased":
        raise PersonErased()
    return found


def require_free(person: Person, on: date) -> None:
    """Refuse an erased person, and a minor without a guardian. Raises `PersonErased`, `PersonRestricted`."""
    if person.state == "erased":
        raise PersonErased()
    if not person.is_free(on):
        raise PersonRestricted()


def profile_of(
    session: Session, vault: privacy.Vault, person: Person, reader: privacy.Reader
) -> dict[str, str]:
    """What the vault holds of a person: mobile, name, ID number, birth date; the read is on record.

    Raises `PersonErased`.
    """
    if person.state == "erased":
        raise PersonErased()
    return privacy.read(session, vault, person.subject, FIELDS, reader)


def change_mobile(session: Session, vault: privacy.Vault, person: Person, *, mobile: str) -> None:
    """The person is reached by another mobile number from now on, which they proved.

    A ward without a number gets their first one so. Raises `MobileTaken`, `PersonErased`,
    `privacy.MobileInvalid`.
    """
    number = privacy.mobile_number(mobile)
    found = locked(session, person)
    _index_mobile(session, vault, found.subject, number)
    privacy.keep(session, vault, found.subject, mobile=number)


def change_language(session: Session, person: Person, language: str) -> Person:
    """The language in which the person is written to, ``zh`` or ``en``. Raises `PersonErased`."""
    assert language in ("zh", "en")
    return changed(session, locked(session, person), "language = %s", language)


def changed(session: Session, person: Person, assignment: str, *values: Any) -> Person:
    """The person after one change of their row."""
    row = connection_of(session).execute(
        f"UPDATE person SET {assignment} WHERE id = %s RETURNING {_COLUMNS}", (*values, person.id)
    ).fetchone()
    assert row is not None
    return Person(*row)
