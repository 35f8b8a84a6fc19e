"""The archive of proposed texts: what was approved can be read for ever, whatever is installed later (Articles 14-15)."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import policy
from carbonhui.core.database import connection_of
from carbonhui.methodology.methodology import Methodology
from carbonhui.methodology.reading import Files, fingerprint, load_files
from carbonhui.methodology.refusals import ArchiveDiffers


def propose(session: Session, found: Methodology, *, start: date, source: str, proposed_by: str) -> int:
    """Archive the text of a methodology and propose it from a day on; the matter to be decided.

    The text is read once more, so that whatever `load` refuses is never put to the
    committee. The same text may be proposed again; it is archived once.

    Raises what `load` raises, `policy.DemonstrationOnly` outside the demonstration
    profile, `policy.TextMissing`, `ArchiveDiffers`.
    """
    text = load_files(found.files, found.folder)
    assert text.fingerprint == found.fingerprint
    _refuse_demonstration(session, text)
    _archive(session, text)
    return policy.propose_fingerprint(
        session, text.id, fingerprint=text.fingerprint, start=start, source=source, proposed_by=proposed_by,
        demonstration=text.demonstration,
    )  # fmt: skip


def archived(session: Session, fingerprint: str) -> Methodology | None:
    """The methodology that was proposed under a fingerprint; None where its text was never archived.

    Raises what `load` raises, `ArchiveDiffers`.
    """
    files = _archived_files(session, fingerprint)
    return load_files(files, None) if files else None


def changed_files(session: Session, fingerprint: str, found: Methodology) -> list[str]:
    """The files of a methodology that differ from the archived ones, were added or are missing.

    None is named where nothing is archived under the fingerprint.
    """
    kept = _archived_files(session, fingerprint)
    if not kept:
        return []
    return sorted(name for name in kept.keys() | found.files.keys() if kept.get(name) != found.files.get(name))


def _refuse_demonstration(session: Session, text: Methodology) -> None:
    row = connection_of(session).execute("SELECT profile FROM deployment").fetchone()
    profile = row[0] if row else None
    if text.demonstration and profile != "demo":
        raise policy.DemonstrationOnly(matter=f"{policy.methodology_name(text.id)} {text.version}", profile=profile)


def _archive(session: Session, text: Methodology) -> None:
    with connection_of(session).cursor() as cursor:
        cursor.executemany(
            "INSERT INTO methodology_file (fingerprint, name, content) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [(text.fingerprint, name, content) for name, content in sorted(text.files.items())],
        )
    _archived_files(session, text.fingerprint)


def _archived_files(session: Session, wanted: str) -> Files:
    rows = connection_of(session).execute(
        "SELECT name, content FROM methodology_file WHERE fingerprint = %s ORDER BY name", (wanted,)
    )
    files: Files = {name: bytes(content) for name, content in rows}
    if files and fingerprint(files) != wanted:
        raise ArchiveDiffers(fingerprint=wanted[:12], files=", ".join(files))
    return files
