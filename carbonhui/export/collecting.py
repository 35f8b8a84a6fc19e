"""Everything about one person, matter by matter, row by row (PIPL article 45).

A matter's rows are read while they are written, a page at a time, so a long history
needs no more memory than a short one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from carbonhui import (
    access,
    activity,
    consent,
    issuance,
    ledger,
    notifications,
    participants,
    policy,
    privacy,
    quantification,
)
from carbonhui.core.settings import Settings
from carbonhui.export.about import About, Row, plain
from carbonhui.export.holdings import runs_held, runs_moved, sides_of
from carbonhui.export.sentences import sentences_of
from carbonhui.export.using import USING
from carbonhui.participants import Person

_PAGE = 1000
_LONGEST = timedelta(days=30)

Item = TypeVar("Item")


@dataclass(frozen=True)
class Matter:
    """One kind of thing that is kept: what it is, in both languages (the Chinese in the city's words), and its rows."""

    name: str
    says: str
    says_zh: str
    columns: tuple[str, ...]
    rows: Iterator[Row]


def matters(
    session: Session, vault: privacy.Vault, settings: Settings, person: Person, reader: privacy.Reader
) -> Iterator[Matter]:
    """Everything that is kept about a person; each matter is read through before the next.

    What is sealed is opened, and that is on the person's record of readings. Raises
    `privacy.SubjectErased` for who was erased.
    """
    about = About(session, vault, settings, person, reader)
    for name, says, says_zh, columns, rows in _ALL:
        yield Matter(name, says, policy.called(says_zh, settings.city), columns, rows(about))


# Who somebody is ----------------------------------------------------------------------------------


def _person(about: About) -> Iterator[Row]:
    return about.asked("SELECT handle::text, level, state, language, guardian_until, registered_on FROM person WHERE id = %(id)s")


def _fields(about: About) -> Iterator[Row]:
    names = [str(name) for (name,) in about.asked("SELECT field FROM personal_field WHERE subject = %(subject)s ORDER BY field")]
    yield from sorted(privacy.read(about.session, about.vault, about.person.subject, names, about.reader).items())


_GUARDIANSHIP = """
SELECT p.handle::text, g.since, g.until FROM guardianship g JOIN person p ON p.id = g.{other}
WHERE g.{own} = %(id)s ORDER BY g.id
"""


def _guardians(about: About) -> Iterator[Row]:
    return about.asked(_GUARDIANSHIP.format(own="ward_id", other="guardian_id"))


def _wards(about: About) -> Iterator[Row]:
    return about.asked(_GUARDIANSHIP.format(own="guardian_id", other="ward_id"))


def _memberships(about: About) -> Iterator[Row]:
    return about.asked(
        """SELECT o.name, o.kind, m.role, m.since, m.until FROM member m JOIN organisation o ON o.id = m.organisation_id
           WHERE m.person_id = %(id)s ORDER BY m.id"""
    )


def _devices(about: About) -> Iterator[Row]:
    labels = {
        str(one.handle): one.label for one in access.devices_of(about.session, about.vault, about.person, about.reader)
    }
    rows = about.asked(
        "SELECT handle::text, signed_in_at, seen_at, ended_at, ended_by FROM device WHERE person_id = %(id)s ORDER BY id"
    )
    for handle, *rest in rows:
        yield handle, labels.get(str(handle)), *rest


def _links(about: About) -> Iterator[Row]:
    return about.asked("SELECT scheme, valid_from, valid_to, made_at FROM link WHERE account_id = %(account)s ORDER BY scheme, valid_from")


def _claims(about: About) -> Iterator[Row]:
    tails = {
        str(one.handle): one.tail for one in participants.links_of(about.session, about.vault, about.person, about.reader)
    }
    rows = about.asked(
        """SELECT c.handle::text, c.scheme, c.proof, o.name, c.state, c.asked_on, c.valid_from
           FROM link_claim c JOIN organisation o ON o.id = c.organisation_id WHERE c.person_id = %(id)s ORDER BY c.id"""
    )
    for handle, *rest in rows:
        yield *rest, tails.get(str(handle))


def _consents(about: About) -> Iterator[Row]:
    for one in consent.consents_of(about.session, about.person.account_id):
        yield (
            one.source, one.purpose, one.version, plain(one.digest), one.sensitive, plain(one.covers_from), plain(one.given_at),
            one.channel, one.live, plain(one.ended_at), one.ended_because,
        )  # fmt: skip


# What somebody did --------------------------------------------------------------------------------


def _acts(about: About) -> Iterator[Row]:
    links = activity.subjects_of(about.session, about.person.account_id)
    months = about.asked("SELECT DISTINCT month FROM batch_file ORDER BY month DESC")
    for (month,) in months if links else ():
        first = date.fromisoformat(str(month))
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        for act in _acts_between(about, links, first, last):
            yield (
                act.source, act.mode, plain(act.day), plain(act.started_at), plain(act.ended_at), act.metres, act.trips,
                act.seconds, act.used, act.minutes, act.quantity, act.evidence,
            )  # fmt: skip


def _acts_between(about: About, links: Any, first: date, last: date) -> Iterator[activity.Act]:
    """All acts of these days: where there are more than one reading tells, of each half apart."""
    found = activity.acts_of(about.settings, about.session, subjects=links, first=first, last=last, limit=_PAGE)
    if len(found) < _PAGE or first == last:
        yield from found
        return
    middle = first + (last - first) // 2
    yield from _acts_between(about, links, middle + timedelta(days=1), last)
    yield from _acts_between(about, links, first, middle)


def _reductions(about: About) -> Iterator[Row]:
    for line in _paged(lambda before: quantification.reductions_of(
        about.session, about.person.account_id, before=before, limit=_PAGE
    )):  # fmt: skip
        yield plain(line.day), line.mg, line.methodology, line.version, line.fingerprint, line.minted is not None


# What somebody holds ------------------------------------------------------------------------------


def _balance(about: About) -> Iterator[Row]:
    found = ledger.balance_of(about.session, about.person.account_id)
    yield found.posted, found.held, found.available, issuance.carry_of(about.session, about.person.account_id)


def _statement(about: About) -> Iterator[Row]:
    account, area, cursor = about.person.account_id, about.settings.area, None
    while True:
        page = ledger.statement(about.session, account, cursor=cursor, most=_PAGE)
        numbers = [line.transfer for line in page.lines]
        moved, sentences = runs_moved(about.session, numbers), sentences_of(about.session, account, numbers, city=about.settings.city)
        sides = sides_of(about.session, account, {line.counterpart for line in page.lines})
        for line in page.lines:
            runs = ", ".join(f"{ledger.code_of(run.first, area)} x {run.count}" for run in moved[line.transfer])
            other, told = sides[line.counterpart], sentences[line.transfer]
            yield (
                plain(line.at), plain(line.business_date), line.purpose.name.lower(), line.amount, line.balance, other.kind,
                other.name, line.reference, runs, told.en, told.zh,
            )  # fmt: skip
        cursor = page.cursor
        if cursor is None:
            return


def _credits(about: About) -> Iterator[Row]:
    area, after = about.settings.area, 0
    while runs := runs_held(about.session, about.person.account_id, after=after, limit=_PAGE):
        for run in runs:
            yield ledger.code_of(run.first, area), ledger.code_of(run.last, area), run.count, ledger.vintage_of(run.first)
        after = runs[-1].first


def _promises(about: About) -> Iterator[Row]:
    return about.asked(
        "SELECT purpose.name, amount, state, reference, hold.at, expires_at FROM hold JOIN purpose ON purpose.id = hold.purpose"
        " WHERE account_id = %(account)s ORDER BY hold.id"
    )


# What somebody was told, and who looked -----------------------------------------------------------


def _messages(about: About) -> Iterator[Row]:
    for message in _paged(lambda before: notifications.messages_of(
        about.session, about.person.account_id, before=before, limit=_PAGE
    )):  # fmt: skip
        text = policy.called(message.text(about.person.language), about.settings.city)
        yield plain(message.at), message.code, text, plain(message.read_at)


def _reads(about: About) -> Iterator[Row]:
    for read in _paged(lambda before: privacy.reads_of(about.session, about.person.subject, before=before, limit=_PAGE)):
        yield plain(read.at), plain(read.fields), read.actor, read.role, read.purpose


def _paged(page: Callable[[int | None], list[Any]]) -> Iterator[Any]:
    """All rows of a list that is read newest first, a page at a time."""
    before: int | None = None
    while rows := page(before):
        yield from rows
        before = rows[-1].id


_ALL: tuple[tuple[str, str, str, tuple[str, ...], Callable[[About], Iterator[Row]]], ...] = (
    ("person", "Your row in the register of persons.", "您在用户登记中的记录。",
     ("handle", "level", "state", "language", "guardian_until", "registered_on"), _person),
    ("personal_fields", "What is sealed in the vault: your number, name, ID number, names of devices, ends of identifiers.",
     "保险库中加密保存的内容:手机号、姓名、证件号、设备名称、标识末位。", ("field", "value"), _fields),
    ("guardians", "Who answers or answered for you, by handle.", "您的监护人(以用户标识表示)。", ("guardian", "since", "until"), _guardians),
    ("wards", "For whom you answer or answered, by handle.", "由您监护的未成年人(以用户标识表示)。", ("ward", "since", "until"), _wards),
    ("memberships", "Organisations for which you act or acted.", "您代表或曾代表的机构。",
     ("organisation", "kind", "role", "since", "until"), _memberships),
    ("devices", "Devices on which you were signed in during the last six months.", "近六个月内您登录过的设备。",
     ("device", "label", "signed_in_at", "seen_at", "ended_at", "ended_by"), _devices),
    ("links", "Kinds of identifiers that count or counted for you; the platform itself cannot read them.",
     "归属于您的标识类别;平台本身无法读取标识。", ("scheme", "since", "until", "made_at"), _links),
    ("link_claims", "How you proved or asked for identifiers.", "您证明或申请关联标识的记录。",
     ("scheme", "proof", "institution", "state", "asked_on", "since", "last_characters"), _claims),
    ("consents", "Every consent in your name.", "以您名义给予的全部授权。",
     ("source", "purpose", "version", "text_digest", "sensitive", "covers_from", "given_at", "channel", "live", "ended_at",
      "ended_because"), _consents),
    ("activities", "What was received of you: rides, meter readings, steps.", "收到的您的活动:出行、表计读数、步数。",
     ("source", "mode", "day", "started_at", "ended_at", "metres", "trips", "seconds", "used", "minutes", "quantity", "evidence"),
     _acts),
    ("reductions", "What you avoided, in milligrams of CO2e, and by which approved methodology.", "您的减排量(毫克二氧化碳当量)及所依据的方法学。",
     ("day", "mg", "methodology", "version", "fingerprint", "minted"), _reductions),
    ("balance", "What you hold now; carry_mg counts towards your next credit.", "您当前持有的碳惠;carry_mg 计入下一个碳惠。",
     ("credits", "held", "available", "carry_mg"), _balance),
    ("statement", "Every movement of your credits, newest first; amounts that you gave are negative.", "您的碳惠的全部变动,最新在前;转出为负数。",
     ("entered_at", "business_date", "purpose", "amount", "balance", "counterpart_kind", "counterpart", "reference", "codes",
      "sentence", "sentence_zh"),
     _statement),
    ("credits", "Your credits as runs of codes.", "您的碳惠编码区间。", ("first_code", "last_code", "credits", "vintage"), _credits),
    ("promises", "Credits that you promised, and what became of it.", "您预留的碳惠及其结果。",
     ("purpose", "credits", "state", "reference", "made_at", "expires_at"), _promises),
    *USING,
    ("messages", "What the platform told you.", "平台发给您的消息。", ("at", "topic", "text", "read_at"), _messages),
    ("reads", "Who read your personal data, and what for.", "您的个人信息的查看记录。", ("at", "fields", "reader", "role", "purpose"), _reads),
)  # fmt: skip
#: The names of all matters, in their order.
MATTERS = tuple(name for name, *_ in _ALL)
