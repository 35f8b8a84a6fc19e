"""Changing keys while everything stays readable: a new key beside the old, then entry by entry, then the old one goes.

Each verb does one batch in one transaction and may be repeated; a rotation that
died half-way is simply started again. Processes that do not know the new key yet
go on with the old one until it is retired, and then begin again with the new.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.privacy.keepers import FileKeeper, Wrapped
from carbonhui.privacy.reading import Reader, read_many
from carbonhui.privacy.refusals import KeyInUse, KeyNotInFile
from carbonhui.privacy.vault import Vault

#: Subjects of one transaction.
BATCH = 5_000


@dataclass(frozen=True)
class Batch:
    """How many entries came under the newest key, who could not, and behind which subject to go on (None: the end)."""

    done: int
    last: int | None
    astray: tuple[int, ...] = ()


# Key-encryption keys ------------------------------------------------------------------------------


def new_kek(vault: Vault) -> str:
    """A new key-encryption key beside the old; from now on it wraps. Raises `KeyNotInFile`."""
    return _files_of(vault).make_next()


def rotate_kek(session: Session, vault: Vault, *, after: int = 0, most: int = BATCH) -> Batch:
    """Wrap the next data keys, behind the subject ``after``, by the current key-encryption key.

    The fields stay as they are, because the data keys themselves do not change. The
    product's own key files come first, at the first batch.

    Raises `SealBroken`, `KeyMissing`.
    """
    if after == 0:
        vault.keyring.rewrap()
    connection, current = connection_of(session), vault.keeper.current()
    rows = connection.execute(_OLD_KEYS, (after, current, most)).fetchall()
    wrapped = [_rewrapped(vault, *row) for row in rows]
    connection.cursor().executemany(_REWRAP, wrapped)
    return Batch(done=len(rows), last=rows[-1][0] if len(rows) == most else None)


_OLD_KEYS = """
SELECT subject, wrapped, kek, algorithm FROM data_key
WHERE subject > %s AND kek <> %s ORDER BY subject LIMIT %s FOR NO KEY UPDATE
"""
_REWRAP = "UPDATE data_key SET wrapped = %s, kek = %s, algorithm = %s WHERE subject = %s"


def _rewrapped(vault: Vault, subject: int, sealed: bytes, kek: str, algorithm: str) -> tuple[bytes, str, str, int]:
    key = vault.open_key(subject, Wrapped(kek=kek, algorithm=algorithm, sealed=sealed))
    anew = vault.seal_key(subject, key)
    return anew.sealed, anew.kek, anew.algorithm, subject


def retire_kek(session: Session, vault: Vault, kek: str) -> None:
    """From now on nothing may be wrapped by this key, and nothing is; its file may go once this is committed.

    Raises `KeyInUse` while a data key or a key file needs it.
    """
    _retire(session, f"kek {kek}")
    row = connection_of(session).execute("SELECT count(*) FROM data_key WHERE kek = %s", (kek,)).fetchone()
    assert row is not None
    count = row[0] + vault.keyring.wrapped_by(kek) + (kek == vault.keeper.current())
    if count:
        raise KeyInUse(key=f"kek {kek}", count=count)


def drop_kek(session: Session, vault: Vault, kek: str) -> None:
    """Destroy the file of a retired key. Raises `KeyInUse`, `KeyMissing`, `KeyNotInFile`."""
    files = _files_of(vault)
    _must_be_retired(session, f"kek {kek}")
    files.remove(kek)


def _files_of(vault: Vault) -> FileKeeper:
    if not isinstance(vault.keeper, FileKeeper):
        raise KeyNotInFile(keeper=type(vault.keeper).__name__)
    return vault.keeper


# Index keys ---------------------------------------------------------------------------------------


def new_index_key(vault: Vault, scheme: str) -> int:
    """A new key of a scheme beside the old; new entries get a row by each, and look-ups find both."""
    newest = vault.index_keys(scheme)[0].version
    vault.keyring.make(f"index-{scheme}", newest + 1, vault.suite.digest)
    return newest + 1


def rotate_index(
    session: Session, vault: Vault, scheme: str, *, field: str, reader: Reader, after: int = 0, most: int = BATCH
) -> Batch:
    """Index the next subjects, behind ``after``, by the newest key of a scheme too.

    The text comes from the subject's sealed ``field``, which is a reading like any
    other and is recorded. A subject whose field does not give the digest that stands
    in its old row is left as it is and told as astray.

    Raises `SealBroken`, `KeyMissing`.
    """
    connection, newest = connection_of(session), vault.index_keys(scheme)[0].version
    words = {"scheme": scheme, "newest": newest, "after": after, "most": most}
    old = {subject: (version, digest) for subject, version, digest in connection.execute(_OLD_ROWS, words)}
    texts = read_many(session, vault, list(old), [field], reader)
    rows, astray = [], []
    for subject, (version, digest) in old.items():
        found = {key.version: (key, made) for key, made in vault.versioned_digests(scheme, texts.get(subject, {}).get(field, ""))}
        if version not in found or found[version][1] != digest:
            astray.append(subject)
            continue
        key, made = found[newest]
        rows.append((scheme, made, newest, key.algorithm, subject))
    connection.cursor().executemany(_ALSO, rows)
    return Batch(done=len(rows), last=max(old) if len(old) == most else None, astray=tuple(astray))


_OLD_ROWS = """
SELECT DISTINCT ON (subject) subject, key_version, digest FROM personal_index o
WHERE scheme = %(scheme)s AND subject > %(after)s AND key_version < %(newest)s
  AND NOT EXISTS (SELECT FROM personal_index n
                  WHERE n.subject = o.subject AND n.scheme = o.scheme AND n.key_version = %(newest)s)
ORDER BY subject, key_version DESC LIMIT %(most)s
"""
_ALSO = """
INSERT INTO personal_index (scheme, digest, key_version, algorithm, subject) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""


def retire_index_key(session: Session, vault: Vault, scheme: str, version: int) -> None:
    """From now on nobody is indexed by this key, and nobody needs it to be found.

    Raises `KeyInUse` while somebody has no row by the newest key.
    """
    name, newest = f"index {scheme} {version}", vault.index_keys(scheme)[0].version
    _retire(session, name)
    row = connection_of(session).execute(_ONLY_BY, {"scheme": scheme, "version": version, "newest": newest}).fetchone()
    assert row is not None
    if count := row[0] + (version == newest):
        raise KeyInUse(key=name, count=count)


_ONLY_BY = """
SELECT count(*) FROM personal_index o WHERE scheme = %(scheme)s AND key_version = %(version)s
  AND NOT EXISTS (SELECT FROM personal_index n
                  WHERE n.subject = o.subject AND n.scheme = o.scheme AND n.key_version = %(newest)s)
"""


def drop_index_key(session: Session, vault: Vault, scheme: str, version: int, *, most: int = BATCH) -> int:
    """Remove the next rows of a retired key, and its file with the last of them; how many rows went.

    Raises `KeyInUse`.
    """
    _must_be_retired(session, f"index {scheme} {version}")
    gone = connection_of(session).execute(_FORGET, (scheme, version, most)).rowcount
    if gone == 0 and version in vault.keyring.versions(f"index-{scheme}"):
        vault.keyring.remove(f"index-{scheme}", version)
    return gone


_FORGET = """
DELETE FROM personal_index WHERE (scheme, key_version, digest) IN
    (SELECT scheme, key_version, digest FROM personal_index WHERE scheme = %s AND key_version = %s LIMIT %s)
"""


def new_service_key(vault: Vault) -> int:
    """A new key for the secrets of services; what older ones wrapped stays readable.

    `Vault.renew` brings a secret under the newest key; the old files stay until every
    room has done so.
    """
    name = "service"
    newest = vault.keyring.live(name, vault.suite.cipher)[0].version
    vault.keyring.make(name, newest + 1, vault.suite.cipher)
    return newest + 1


# Retiring -----------------------------------------------------------------------------------------


def _retire(session: Session, name: str) -> None:
    """Wait for whoever is writing with this key, and let nobody write with it after them."""
    connection = connection_of(session)
    # Fifteen million rows take longer to count than a payment may.
    connection.execute("SET LOCAL statement_timeout = 0")
    connection.execute("SELECT pg_advisory_xact_lock(440120, hashtext(%s))", (name,))
    connection.execute("INSERT INTO retired_key (name) VALUES (%s) ON CONFLICT DO NOTHING", (name,))


def _must_be_retired(session: Session, name: str) -> None:
    row = connection_of(session).execute("SELECT 1 FROM retired_key WHERE name = %s", (name,)).fetchone()
    if row is None:
        raise KeyInUse(key=name, count=1)


@dataclass(frozen=True)
class KeyState:
    """One key that is here or was, and how many rows are under it."""

    name: str
    entries: int
    retired: bool
    algorithms: tuple[str, ...]


def keys_in_use(session: Session) -> list[KeyState]:
    """Which keys the rows of this database are under, by name."""
    connection_of(session).execute("SET LOCAL statement_timeout = 0")
    return [KeyState(row[0], row[1], row[2], tuple(row[3])) for row in connection_of(session).execute(_IN_USE)]


_IN_USE = """
WITH used AS (
    SELECT 'kek ' || kek AS name, count(*) AS entries, array_agg(DISTINCT algorithm) AS algorithms FROM data_key GROUP BY kek
    UNION ALL
    SELECT 'index ' || scheme || ' ' || key_version, count(*), array_agg(DISTINCT algorithm)
    FROM personal_index GROUP BY scheme, key_version
)
SELECT name, coalesce(entries, 0), r.name IS NOT NULL, coalesce(algorithms, '{}')
FROM used FULL JOIN retired_key r USING (name) ORDER BY name
"""
