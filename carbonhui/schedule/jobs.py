"""What the clock does. Each job is what a person does with a command; the clock only never forgets."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from carbonhui import (
    access,
    activity,
    circulation,
    issuance,
    ledger,
    merchants,
    methodology,
    notifications,
    participants,
    quantification,
    supervision,
)
from carbonhui.core.clock import Clock
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings
from carbonhui.schedule.records import trim
from carbonhui.schedule.rules import Daily, Every, Rule

#: Promises let go of in one statement, accounts folded in one job, used payment codes forgotten in one statement.
_EXPIRED_AT_ONCE = 1000
_FOLDED_AT_ONCE = 10_000
_FORGOTTEN_AT_ONCE = 10_000


class Vault(Protocol):
    """What opens the secrets of webhooks."""

    def wrap(self, purpose: str, plain: bytes, /) -> bytes: ...

    def unwrap(self, purpose: str, wrapped: bytes, /) -> bytes: ...


@dataclass(frozen=True)
class Works:
    """What jobs work with."""

    database: Database
    settings: Settings
    vault: Vault
    clock: Clock


@dataclass(frozen=True)
class Ended:
    """How a job's work ended: ``done`` or ``broken``, with a code where something is to be said of it."""

    outcome: str = "done"
    code: str | None = None
    rows: int = 0


def nothing_before(works: Works) -> Ended:
    """The work of a job that is one transaction."""
    return Ended()


def nothing_after(session: Session, works: Works, ended: Ended) -> None:
    """The effect of a job whose work takes effect exactly once by itself."""


@dataclass(frozen=True)
class Job:
    """One thing that the clock does.

    ``work`` may be many transactions, and may be repeated at will: what it does takes
    effect once by itself. ``effect`` runs after it, in the one transaction that notes
    the due point, so it takes effect once for each due point.
    """

    name: str
    #: The commands that do the same by hand.
    command: tuple[str, ...]
    due: Rule
    work: Callable[[Works], Ended] = nothing_before
    effect: Callable[[Session, Works, Ended], object] = nothing_after
    #: A job that is not keyed has no due points of its own; it works whenever it is due, and notes that it is well.
    keyed: bool = True
    #: How many of it may run at a time, and how long it rests after its first failure.
    at_once: int = 1
    rest_s: float = 15.0
    #: Refusals that say that somebody does this very work at the moment.
    busy: tuple[type[Refusal], ...] = ()


def quantify_and_mint(works: Works) -> Ended:
    """Measure what was received through yesterday and make credits of it.

    What waits for a methodology or for its lake is no failure of the clock: the rest
    is measured and minted, and the first of what waits is told as the code.
    """
    yesterday = works.clock.today() - timedelta(days=1)
    waiting: tuple[Refusal, ...]
    try:
        report = quantification.quantify(works.database, works.settings, methodology.installed_versions(), through=yesterday)
        waiting = report.waiting
    except (quantification.MethodologyNotApproved, quantification.MethodologyNotInstalled, activity.LakeOutdated) as refusal:
        waiting = (refusal,)
    issuance.mint(works.database, yesterday, clock=works.clock)
    return Ended(code=waiting[0].code if waiting else None)


def expire(session: Session, works: Works, ended: Ended) -> None:
    """Let go of every promise that ran out."""
    while ledger.expire(session, most=_EXPIRED_AT_ONCE) == _EXPIRED_AT_ONCE:
        pass


def fold(session: Session, works: Works, ended: Ended) -> None:
    """Fold big receivers' receipts."""
    ledger.fold(session, most=_FOLDED_AT_ONCE)


def settle_day(works: Works) -> Ended:
    """Settle what merchants received through yesterday; who is refused is told as a code and tried again the next day."""
    done = merchants.settle_day(works.database, on=works.clock.today())
    return Ended(code=done.refused[0][1] if done.refused else None)


def until_nothing_is_left(step: Callable[[Session, Works], int]) -> Callable[[Works], Ended]:
    """The work of a job that does some at a time, each time in a transaction of its own."""

    def work(works: Works) -> Ended:
        while works.database.run(lambda session: step(session, works)):
            pass
        return Ended()

    return work


def lapse_gifts(session: Session, works: Works) -> int:
    """End gifts and requests that nobody answered in time."""
    return circulation.lapse_gifts(session, on=works.clock.today())


def expire_credits(works: Works) -> Ended:
    """Let credits end that are past the years for which the city lets them live."""
    circulation.expire_all_credits(works.database, on=works.clock.today())
    return Ended()


def conclude_pools(session: Session, works: Works) -> int:
    """End pools whose time is over, and give back what was not used."""
    return circulation.conclude_pools(session, on=works.clock.today())


def close_charges(session: Session, works: Works) -> int:
    """Close charges whose time is over."""
    return merchants.close_expired(session)


def relay(works: Works) -> Ended:
    """Send what is due to the endpoints."""
    notifications.relay(works.database, works.vault, clock=works.clock)
    return Ended()


def free_grown_up(session: Session, works: Works, ended: Ended) -> None:
    """Write down who came of age; their rights follow the date alone."""
    while participants.free_grown_up(session, on=works.clock.today()):
        pass


def verify(works: Works) -> Ended:
    """Run every check over one instant of the books."""
    with works.database.snapshot() as session:
        broken = [verdict for verdict in supervision.verify(session) if not verdict.holds]
    if not broken:
        return Ended()
    names = ":".join(verdict.check.name for verdict in broken)
    return Ended(outcome="broken", code=names, rows=sum(len(verdict.broken) for verdict in broken))


def tell_broken(session: Session, works: Works, ended: Ended) -> None:
    """Tell the staff which checks named rows."""
    if ended.outcome == "broken":
        assert ended.code is not None
        notifications.announce(session, "books.broken", payload={"rows": ended.rows, "checks": ended.code.split(":")})


def purge_files(works: Works) -> Ended:
    """Forget refused rows of erased persons, quarantine files of long ago, and what loaders that died left."""
    activity.forget_refused(works.database, works.settings)
    activity.purge_files(works.database, works.settings, clock=works.clock)
    return Ended()


def purge(session: Session, works: Works, ended: Ended) -> None:
    """Forget expired codes, nonces and tokens, payment codes used before yesterday, and due points of long ago."""
    access.purge(session, works.clock)
    while merchants.forget_used_codes(session, most=_FORGOTTEN_AT_ONCE) == _FORGOTTEN_AT_ONCE:
        pass
    trim(session)


JOBS: tuple[Job, ...] = (
    Job(
        "quantify_and_mint", ("quantify", "mint"), Daily(2, 30), work=quantify_and_mint,
        busy=(quantification.QuantificationBusy, issuance.MintRunning),
    ),
    Job("verify", ("verify",), Daily(4, 0), work=verify, effect=tell_broken),
    Job("expire", ("fold",), Every(60), effect=expire),
    Job("fold", ("fold",), Every(300), effect=fold),
    Job("purge", ("schedule purge",), Every(3600), work=purge_files, effect=purge),
    Job("settle_day", ("settlement day",), Daily(3, 0), work=settle_day),
    Job("lapse_gifts", ("circulation lapse-gifts",), Daily(0, 10), work=until_nothing_is_left(lapse_gifts)),
    Job("expire_credits", ("circulation expire-credits",), Daily(0, 20), work=expire_credits),
    Job("conclude_pools", ("pool conclude",), Every(3600), work=until_nothing_is_left(conclude_pools)),
    Job("close_charges", ("charge close-expired",), Every(60), work=until_nothing_is_left(close_charges)),
    Job("come_of_age", ("person free-grown-up",), Daily(0, 5), effect=free_grown_up),
    # Several passes at a time, so that one that waits for a slow receiver holds back no other endpoint.
    Job("relay", ("webhook relay",), Every(3), work=relay, keyed=False, at_once=4),
)  # fmt: skip


def with_purge(jobs: tuple[Job, ...], more: Callable[[Session, Works], object]) -> tuple[Job, ...]:
    """The same jobs, whose purge also forgets what another face keeps."""

    def both(session: Session, works: Works, ended: Ended) -> None:
        purge(session, works, ended)
        more(session, works)

    return tuple(replace(job, effect=both) if job.name == "purge" else job for job in jobs)
