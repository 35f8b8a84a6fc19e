"""What was approved, by which documents, and whether what is installed is still the same (Articles 14-15)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import approvals, policy
from carbonhui.methodology.archive import archived, changed_files
from carbonhui.methodology.methodology import Methodology


@dataclass(frozen=True)
class ApprovedVersion:
    """A version in force from ``start`` to before ``end`` (None: open), and the decisions that put it there.

    ``text`` is what was archived, None where nothing was. ``installed`` is the folder
    of that version here, if any, and ``changed`` names its files that differ.
    """

    fingerprint: str
    start: date
    end: date | None
    source: str
    matter: int
    decisions: tuple[approvals.Decision, ...]
    text: Methodology | None
    installed: Methodology | None
    changed: tuple[str, ...]


def approved_versions(session: Session, id: str, installed: Iterable[Methodology]) -> list[ApprovedVersion]:
    """The versions of a methodology that were, are and will be in force, by day, compared with what is installed."""
    folders = [folder for folder in installed if folder.id == id]
    matters = {matter.id: matter for matter in approvals.matters(session, kind="methodology")}
    return [
        _approved(session, value, matters[value.matter].decisions, folders)
        for value in policy.values(session, policy.methodology_name(id))
    ]


def _approved(
    session: Session, value: policy.Value, decisions: tuple[approvals.Decision, ...], folders: list[Methodology]
) -> ApprovedVersion:
    assert value.fingerprint is not None
    text = archived(session, value.fingerprint)
    here = [folder for folder in folders if folder.fingerprint == value.fingerprint]
    here += [folder for folder in folders if text is not None and folder.version == text.version]
    return ApprovedVersion(
        fingerprint=value.fingerprint,
        start=value.start,
        end=value.end,
        source=value.source,
        matter=value.matter,
        decisions=decisions,
        text=text,
        installed=here[0] if here else None,
        changed=tuple(changed_files(session, value.fingerprint, here[0])) if here else (),
    )
