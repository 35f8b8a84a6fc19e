"""Pools: many put credits together for one purpose (汇集, Articles 18 and 22)."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from carbonhui import ledger, participants, policy, privacy
from carbonhui.circulation.pool_refusals import (
    PoolAlreadyOver,
    PoolDaysWrong,
    PoolsTooMany,
    PoolTargetWrong,
    PoolUnknown,
)
from carbonhui.circulation.pool_rules import DAYS_LONGEST, OPEN_MOST, PURPOSES, TARGETS, TITLE_LONGEST
from carbonhui.core.amounts import Credits, checked_amount
from carbonhui.core.database import connection_of
from carbonhui.core.words import in_chinese
from carbonhui.ledger import Kind


@dataclass(frozen=True)
class Pool:
    """A pool as anybody may see it; its ``title`` is an organisation's, a person's lies in the vault.

    ``own_account`` is where what was put in lies, ``use_until`` the last day on which its owner may use it.
    """

    id: int
    handle: UUID
    owner: int
    own_account: int
    purpose: str
    target: int | None
    title: str | None
    goal_credits: int
    contributed: int
    contributors: int
    returned: int
    state: str
    opened_on: date
    deadline: date
    use_until: date | None
    first_used_on: date | None

    @property
    def missing(self) -> int:
        """Credits that are missing to the goal."""
        return self.goal_credits - self.contributed


COLUMNS = (
    "id, handle, owner, own_account, purpose, target, title, goal_credits, contributed, contributors, returned, state, "
    "opened_on, deadline, use_until, first_used_on"
)


def open_pool(
    session: Session, vault: privacy.Vault, *, owner: int, title: str, goal_credits: Credits, purpose: str,
    target: int | None, deadline: date, on: date,
) -> Pool:  # fmt: skip
    """Ask others to put credits together until ``deadline``; ``owner`` is a person's or an organisation's account.

    The refusals are tried in this order: the city's rule (`policy.NotPermitted`,
    `policy.RuleNotFound`), the owner (`participants.PersonUnknown`, `PersonErased`, `PersonRestricted`,
    `participants.OrganisationNotApproved`), the words (`AmountOutOfRange`, `PoolDaysWrong`,
    `PoolTargetWrong`, `privacy.TextRefused`), then how many they have (`PoolsTooMany`).
    """
    assert purpose in PURPOSES
    policy.require(session, policy.CREDITS_TRANSFERABLE, on)
    person = able_person(session, owner, on)
    if person is None:
        participants.require_approved(session, _organisation(session, owner))
    checked_amount(goal_credits)
    if not on <= deadline <= on + timedelta(days=DAYS_LONGEST):
        raise PoolDaysWrong(opened_on=on, latest=on + timedelta(days=DAYS_LONGEST), deadline=deadline)
    _require_target(session, purpose, target)
    plain = privacy.clean_text(title, field="title", longest=TITLE_LONGEST)
    _require_few(session, owner)
    handle = uuid4()
    if person is not None:
        privacy.keep(session, vault, person.subject, **{title_field(handle): plain})
    row = connection_of(session).execute(
        f"""INSERT INTO pool (handle, owner, own_account, purpose, target, title, goal_credits, opened_on, deadline)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {COLUMNS}""",
        (
            handle, owner, ledger.open_account(session, Kind.CAMPAIGN, name=f"pool-{handle}"), purpose, target,
            None if person else plain, goal_credits, on, deadline,
        ),
    ).fetchone()  # fmt: skip
    assert row is not None
    return Pool(*row)


def title_field(handle: UUID) -> str:
    """The name of a pool's title in its owner's part of the vault."""
    return f"pool_title:{handle}"


def able_person(session: Session, account: int, on: date) -> participants.Person | None:
    """The person with this account, if they may act; None for an organisation's.

    Raises `participants.PersonUnknown`, `participants.PersonErased`, `participants.PersonRestricted`.
    """
    if ledger.balance_of(session, account).kind != Kind.PERSON:
        return None
    found = participants.person_of_account(session, account)
    participants.require_free(found, on)
    return found


def _organisation(session: Session, account: int) -> int:
    return participants.organisation_of_account(session, account).id


def _require_target(session: Session, purpose: str, target: int | None) -> None:
    wanted = TARGETS.get(purpose)
    if (target is None) != (wanted is None):
        kind = wanted.name.lower() if wanted else None
        raise PoolTargetWrong(
            purpose=purpose,
            wanted=f"an approved {kind}" if kind else "nobody",
            wanted_zh=f"经批准的{in_chinese(kind)}" if kind else "无",
        )
    if target is not None and wanted is not None:
        ledger.require_kind(session, target, wanted)
        participants.require_approved(session, _organisation(session, target))


def _require_few(session: Session, owner: int) -> None:
    # Whoever opens two at once waits for himself.
    ledger.lock_accounts(session, owner)
    row = connection_of(session).execute(
        "SELECT count(*) FROM pool WHERE owner = %s AND state = 'open'", (owner,)
    ).fetchone()
    assert row is not None
    if row[0] >= OPEN_MOST:
        raise PoolsTooMany(most=OPEN_MOST)


def cancel_pool(session: Session, pool: int, *, owner_account: int, on: date) -> Pool:
    """Its owner calls a pool off: everybody gets back what they put in, and of one that was used in part what is left.

    What goes back goes by `conclude_pools`. Raises `PoolUnknown`, also for another's, and `PoolAlreadyOver`.
    """
    found = locked_pool(session, pool)
    if found.owner != owner_account:
        raise PoolUnknown()
    if found.state not in ("open", "reached"):
        raise PoolAlreadyOver(state=found.state)
    row = connection_of(session).execute(
        f"""UPDATE pool SET state = CASE WHEN first_used_on IS NULL THEN 'cancelled' ELSE 'ended' END, concluded_on = %s
            WHERE id = %s RETURNING {COLUMNS}""",
        (on, pool),
    ).fetchone()
    assert row is not None
    return Pool(*row)


# Reading ------------------------------------------------------------------------------------------


def locked_pool(session: Session, number: int) -> Pool:
    """The pool as it is now, with everybody else waiting to change it. Raises `PoolUnknown`."""
    return _found(session, "id = %s FOR NO KEY UPDATE", number)


def pool_numbered(session: Session, number: int) -> Pool:
    """The pool with this number. Raises `PoolUnknown`."""
    return _found(session, "id = %s", number)


def pool_by_handle(session: Session, handle: UUID) -> Pool:
    """The pool with this handle. Raises `PoolUnknown`."""
    return _found(session, "handle = %s", handle)


def _found(session: Session, condition: str, value: int | UUID) -> Pool:
    row = connection_of(session).execute(f"SELECT {COLUMNS} FROM pool WHERE {condition}", (value,)).fetchone()
    if row is None:
        raise PoolUnknown()
    return Pool(*row)


def pools(
    session: Session, *, owner: int | None = None, state: str | None = None, purpose: str | None = None,
    before: int | None = None, limit: int = 50,
) -> list[Pool]:  # fmt: skip
    """Pools, the newest first; ``before`` is the number of the last one of the page before."""
    asked = {"owner": owner, "state": state, "purpose": purpose}
    # Only what is asked for stands in the statement, so that each has a plan, and an index, of its own.
    where = " AND ".join(f"{name} = %({name})s" for name, value in asked.items() if value is not None)
    rows = connection_of(session).execute(
        f"""SELECT {COLUMNS} FROM pool WHERE id < coalesce(%(before)s, 9223372036854775807) {where and f"AND {where}"}
            ORDER BY id DESC LIMIT %(limit)s""",
        {**asked, "before": before, "limit": limit},
    )
    return [Pool(*row) for row in rows]


def pool_titles(session: Session, vault: privacy.Vault, found: list[Pool], reader: privacy.Reader) -> dict[int, str]:
    """Each pool's title by the pool's number; the reading of a person's is on record. An erased person's is gone."""
    told = {pool.id: pool.title for pool in found if pool.title is not None}
    for pool in found:
        if pool.title is None:
            subject, field = participants.person_of_account(session, pool.owner).subject, title_field(pool.handle)
            texts = privacy.read_many(session, vault, [subject], [field], reader).get(subject, {})
            if field in texts:
                told[pool.id] = texts[field]
    return told
