"""Nothing is spent twice, whoever is quick: the last credits, one code, one bill, one stock (Articles 18-22).

Each race is begun by all its phones at once, by threads with connections of their own. ``CARBONHUI_RACES`` says how
many races of each kind there are.
"""

import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy.orm import Session

from carbonhui import (
    circulation,
    donation,
    export,
    ledger,
    merchants,
    neutralisation,
    participants,
    policy,
    privacy,
    publicfees,
)
from carbonhui.core.amounts import Credits, Fen
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.ledger import Kind
from tests.ledger.books import broken, fresh, mint_to, opened_store, organisation, put_in_force
from tests.participants.people import NOON, TODAY, Town

RACES = int(os.environ.get("CARBONHUI_RACES", "500"))
PHONES = 16
CLOCK = SetClock.on(TODAY)
Work = Callable[[Session], Any]


@dataclass
class Track:
    """A town, and as many phones as race in it."""

    town: Town
    phones: ThreadPoolExecutor
    shops: list[participants.Organisation]
    department: int
    charity: int
    friend: participants.Person

    def race(self, works: list[Work], *, ahead: int | None = None) -> list[str]:
        """Let all begin at once, or the one ``ahead`` end before the others begin; how each ended, ``done`` or its refusal's code."""
        line, gone = threading.Barrier(len(works)), threading.Event()

        def run(work: Work) -> str:
            line.wait()
            if ahead is not None and work is not works[ahead]:
                gone.wait()
            try:
                return ended(work)
            finally:
                if ahead is not None and work is works[ahead]:
                    gone.set()

        def ended(work: Work) -> str:
            try:
                outcome = self.town.run(work)
            except Refusal as refusal:
                return refusal.code
            declined = getattr(outcome, "declined", None)
            return declined.code if declined else "again" if getattr(outcome, "again", False) else "done"

        return list(self.phones.map(run, works))

    def resident(self, credits: int) -> int:
        account = self.town.resident().account_id
        if credits:
            self.town.run(lambda session: mint_to(session, account, credits))
        return account

    def holds(self, account: int) -> tuple[int, int]:
        found = self.town.run(lambda session: ledger.balance_of(session, account))
        return found.posted, found.held

    def code(self, payer: int, number: int = 0) -> str:
        """Each phone shows a code of its own second."""
        return merchants.payment_code(self.town.vault, account=payer, now=NOON - timedelta(seconds=number)).code

    def charge(self, payer: int, number: int, credits: int, **words: Any) -> Work:
        told: dict[str, Any] = {"payment_code": self.code(payer, number), "credits": credits, **words}
        shop, trade = self.shops[number % len(self.shops)], fresh("trade")
        return lambda session: merchants.authorise(
            session, self.town.vault, **{"organisation": shop.id, "out_trade_no": trade, "on": TODAY, "now": NOON, **told}
        )


@pytest.fixture(scope="module")
def track(server, server_settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Track]:
    patient = replace(server_settings, lock_timeout_ms=120_000, statement_timeout_ms=300_000)
    with opened_store(server, patient, pool_size=PHONES) as database, ThreadPoolExecutor(PHONES) as phones:
        yield laid_out(database, phones)
        assert broken(database) == {}


def laid_out(database: Database, phones: ThreadPoolExecutor) -> Track:
    with database.begin() as session:
        put_in_force(session, policy.PAR, 1000, date(2020, 1, 1))
        put_in_force(session, policy.OFFSET_CAP, 10, date(2020, 1, 1))
    town = Town(database, privacy.open_vault(database.settings), database.settings)
    with database.begin() as session:
        department = organisation(session, Kind.DEPARTMENT)
    charity = town.approved("charity").account_id
    assert charity is not None
    return Track(town, phones, [town.approved("merchant") for _ in range(4)], department, charity, town.resident())


# The last credits ---------------------------------------------------------------------------------


def pays(track: Track, payer: int, number: int, credits: int) -> Work:
    return track.charge(payer, number, credits)


def promises(track: Track, payer: int, number: int, credits: int) -> Work:
    return track.charge(payer, number, credits, capture=False)


def gives(track: Track, payer: int, number: int, credits: int) -> Work:
    return lambda session: circulation.give(
        session, giver=payer, receiver=track.friend.account_id, credits=Credits(credits), reference=fresh("gift"), business_date=TODAY
    )


def donates(track: Track, payer: int, number: int, credits: int) -> Work:
    return lambda session: donation.donate(
        session, donor=payer, charity=track.charity, credits=Credits(credits), reference=fresh("donation"), business_date=TODAY
    )


def retires(track: Track, payer: int, number: int, credits: int) -> Work:
    return lambda session: neutralisation.retire(
        session, owner=payer, credits=Credits(credits), reference=fresh("retirement"), business_date=TODAY
    )


def offsets(track: Track, payer: int, number: int, credits: int) -> Work:
    return lambda session: publicfees.offset_bill(
        session, resident=payer, department=track.department, bill=fresh("bill"), bill_fen=Fen(credits * 10), credits=Credits(credits),
        reference=fresh("offset"), business_date=TODAY,
    )  # fmt: skip


USES = (pays, promises, gives, donates, retires, offsets)
SHORT = {"not_enough", "payer_cannot_pay"}


def test_the_last_credits_are_spent_once_by_however_many_phones(track: Track):
    """Each phone wants the same number of credits, in a way of its own; as many get it as there are credits for."""
    chance, ended = random.Random(5), Counter[str]()
    for _ in range(RACES):
        phones, credits = chance.randint(2, PHONES), chance.randint(1, 9)
        enough_for = chance.randint(1, phones - 1)
        payer = track.resident(enough_for * credits + chance.randrange(credits))
        before, _ = track.holds(payer)
        told = track.race([chance.choice(USES)(track, payer, number, credits) for number in range(phones)])
        assert told.count("done") == enough_for and set(told) <= {"done", *SHORT}, told
        posted, held = track.holds(payer)
        assert posted - held == before - enough_for * credits
        ended.update(told)
    assert ended["done"] and all(ended[code] for code in SHORT)


# One code -----------------------------------------------------------------------------------------


def test_one_code_pays_at_one_of_two_tills(track: Track):
    chance = random.Random(6)
    for _ in range(RACES // 5):
        payer = track.resident(100)
        code = track.code(payer)
        tills = [track.charge(payer, number, chance.randint(1, 9), payment_code=code) for number in (0, 1)]
        told = track.race(tills)
        assert sorted(told) == ["done", "payment_code_used"], told
        posted, _ = track.holds(payer)
        assert 91 <= posted <= 99


# One bill -----------------------------------------------------------------------------------------


def test_one_bill_is_offset_once_in_total(track: Track):
    for _ in range(RACES):
        payers, bill = [track.resident(50) for _ in range(2)], fresh("bill")

        def offset(session: Session, payer: int, bill: str = bill) -> Any:
            return publicfees.offset_bill(
                session, resident=payer, department=track.department, bill=bill, bill_fen=Fen(500), credits=Credits(50),
                reference=fresh("offset"), business_date=TODAY,
            )  # fmt: skip

        told = track.race([partial(offset, payer=payer) for payer in payers])
        assert sorted(told) == ["bill_offset_before", "done"], told
        assert sorted(track.holds(payer)[0] for payer in payers) == [0, 50]



# Who leaves, and what ends by itself --------------------------------------------------------------


def test_who_leaves_while_others_give_takes_nothing_along_and_nothing_is_lost(track: Track):
    """An erasure, a refund, a gift that waits and one that comes at once meet in one account; each is told what became of it.

    In the first four rounds each of them goes ahead once; then who is quick.
    """
    town = track.town
    for number in range(RACES // 10):
        leaving, friend = town.resident(), town.resident()
        for person in (leaving, friend):
            town.run(lambda session, person=person: mint_to(session, person.account_id, 20))
        charge = town.run(track.charge(leaving.account_id, 0, 10)).charge
        mobile = town.run(lambda session, leaving=leaving: privacy.read(
            session, town.vault, leaving.subject, ["mobile"], privacy.Reader("office", "test", "test")
        ))["mobile"]  # fmt: skip
        gift = town.run(lambda session, friend=friend, mobile=mobile: circulation.give_to_mobile(
            session, town.vault, giver=friend, mobile=mobile, credits=Credits(5), reference=fresh("gift"), on=TODAY
        ))  # fmt: skip
        told = track.race([
            partial(export.erase, vault=town.vault, person=leaving, on=TODAY, clock=CLOCK, by=f"person:{leaving.id}"),
            partial(merchants.refund, charge=charge, out_refund_no=fresh("refund"), credits=10, on=TODAY),
            partial(circulation.accept_gift, handle=gift.handle, receiver=leaving, on=TODAY),
            partial(
                circulation.give, giver=friend.account_id, receiver=leaving.account_id, credits=Credits(2), reference=fresh("gift"),
                business_date=TODAY,
            ),
        ], ahead=number if number < 4 else None)  # fmt: skip
        left, refunded, accepted, given = told
        assert left == "done", told
        assert refunded in ("done", "payer_cannot_receive"), told
        assert accepted in ("done", "gift_not_waiting", "person_erased", "account_closed"), told
        assert given in ("done", "account_closed", "person_erased"), told
        assert track.holds(leaving.account_id) == (0, 0)
        assert track.holds(friend.account_id) == (20 - 5 * (accepted == "done") - 2 * (given == "done"), 0)
        if number == 0:
            assert "done" not in told[1:], told
        elif number < 4:
            assert told[number] == "done", told


def test_credits_at_the_end_of_their_years_are_spent_or_expire_and_never_both(track: Track):
    town, ended = track.town, Counter[str]()
    with town.database.begin() as session:
        put_in_force(session, policy.CREDIT_LIFE_YEARS, 1, date(2026, 1, 1))
    for _ in range(RACES // 10):
        payer = town.resident().account_id
        town.run(lambda session, payer=payer: mint_to(session, payer, 10, vintage=2024))
        told = track.race([
            partial(circulation.expire_credits, on=TODAY), partial(circulation.expire_credits, on=TODAY), track.charge(payer, 0, 7),
        ])  # fmt: skip
        assert told[:2] == ["done", "done"] and told[2] in ("done", "payer_cannot_pay"), told
        town.run(partial(circulation.expire_credits, on=TODAY))
        assert track.holds(payer) == (0, 0)
        moved = town.rows(f"SELECT purpose, sum(amount) FROM transfer WHERE debit = {payer} GROUP BY purpose ORDER BY purpose")
        assert moved == ([(3, 7), (13, 3)] if told[2] == "done" else [(13, 10)])
        ended[told[2]] += 1
    assert sum(ended.values()) == RACES // 10
