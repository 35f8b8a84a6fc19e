"""The words that people consent to, version by version."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui.consent.locks import hold_rules
from carbonhui.consent.refusals import ConsentSourceInvalid, ConsentTextMissing, ConsentWordsMissing, SensitiveSource
from carbonhui.core.database import connection_of

#: What consent is asked for, unless another purpose is named: measuring activity for reductions.
QUANTIFICATION = "quantification"


@dataclass(frozen=True)
class ConsentText:
    """One version of the words for a source and a purpose; ``digest`` is the SHA-256 that a consent names.

    ``sensitive`` data (where people were) has a text of its own. After a ``material`` version
    nothing is processed until it is consented to as well.
    """

    id: int
    source: str
    purpose: str
    version: int
    sensitive: bool
    material: bool
    zh: str
    en: str
    digest: bytes
    published_on: date
    published_by: str


def publish_text(
    session: Session,
    *,
    source: str,
    sensitive: bool,
    zh: str,
    en: str,
    on: date,
    published_by: str,
    purpose: str = QUANTIFICATION,
    material: bool = False,
) -> ConsentText:
    """Publish the next version of a text (Articles 11-12); the same words again are the version that there is.

    A first version, and one that asks for more or makes data sensitive, is material whatever is said.
    Raises `ConsentSourceInvalid`, `ConsentWordsMissing`, `SensitiveSource`, and `ConsentBusy` while the source is measured.
    """
    _refuse_unusable(session, source, purpose, sensitive, {"zh": zh, "en": en, "publisher": published_by})
    hold_rules(session, source)
    newest = _newest(session, source, purpose)
    if newest is not None and (newest.zh, newest.en, newest.sensitive) == (zh, en, sensitive):
        return newest
    version = newest.version + 1 if newest else 1
    material = material or newest is None or (sensitive and not newest.sensitive)
    row = connection_of(session).execute(
        f"""INSERT INTO consent_text (source, purpose, version, sensitive, material, zh, en, digest, published_on, published_by)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}""",
        (source, purpose, version, sensitive, material, zh, en, digest_of(source, purpose, version, zh, en), on, published_by),
    ).fetchone()
    assert row is not None
    return ConsentText(*row)


def digest_of(source: str, purpose: str, version: int, zh: str, en: str) -> bytes:
    """The SHA-256 of a text: source, purpose, version, the Chinese and the English words, each on a line of its own.

    >>> digest_of("metro", "quantification", 1, "同意", "I agree").hex()[:12]
    'ad29085bcedf'
    """
    return hashlib.sha256("\n".join([source, purpose, str(version), zh, en]).encode()).digest()


def _refuse_unusable(session: Session, source: str, purpose: str, sensitive: bool, words: dict[str, str]) -> None:
    for name, form in ((source, r"[a-z0-9][a-z0-9._-]{0,59}"), (purpose, r"[a-z][a-z_]{0,39}")):
        if not re.fullmatch(form, name):
            raise ConsentSourceInvalid(name=ascii(name)[:60])
    for field, text in words.items():
        if not text.strip():
            raise ConsentWordsMissing(field=field)
    if not sensitive and connection_of(session).execute(_TRIPS, (source,)).fetchone():
        raise SensitiveSource(source=source)


_TRIPS = "SELECT 1 FROM batch WHERE source = %s AND kind = 'trip' LIMIT 1"


def text_in_force(session: Session, source: str, purpose: str = QUANTIFICATION) -> ConsentText:
    """The newest version, which is the one to be consented to. Raises `ConsentTextMissing`."""
    newest = _newest(session, source, purpose)
    if newest is None:
        raise ConsentTextMissing(source=ascii(source)[1:61].strip("'"), purpose=ascii(purpose)[1:41].strip("'"))
    return newest


def texts(session: Session, source: str | None = None) -> list[ConsentText]:
    """Every version of one source's texts or of all, by source, purpose and version."""
    rows = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM consent_text WHERE %(source)s::text IS NULL OR source = %(source)s ORDER BY source, purpose, version",
        {"source": source},
    )
    return [ConsentText(*row) for row in rows]


_COLUMNS = "id, source, purpose, version, sensitive, material, zh, en, digest, published_on, published_by"


def _newest(session: Session, source: str, purpose: str) -> ConsentText | None:
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM consent_text WHERE source = %s AND purpose = %s ORDER BY version DESC LIMIT 1", (source, purpose)
    ).fetchone()
    return ConsentText(*row) if row else None
