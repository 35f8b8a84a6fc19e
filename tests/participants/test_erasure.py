"""Erasing a person destroys who they were and leaves the books whole (PIPL art. 47; Articles 13, 18)."""

import threading
from datetime import date, timedelta

import pytest

from carbonhui import ledger, notifications, participants, privacy
from carbonhui.core.database import connection_of
from carbonhui.participants import CodeProof
from tests.ledger.books import give, mint_to, promise
from tests.participants.people import NOON, TODAY, Town, self_reader, sqlstate_of

CHILD = date(2015, 1, 1)
DAY = timedelta(days=1)


def erase(town: Town, person: participants.Person, on: date = TODAY) -> participants.Erased:
    return town.run(lambda s: participants.erase_person(s, town.vault, person, on=on))


def rich(town: Town, credits: int) -> participants.Person:
    resident = town.proven()
    town.run(lambda s: mint_to(s, resident.account_id, credits))
    return resident


def test_remaining_credits_go_to_the_pool_and_the_account_is_closed(town: Town):
    resident = rich(town, 25)
    pool = town.run(lambda s: ledger.system_account(s, ledger.Kind.CANCELLATION_POOL))
    before = town.run(lambda s: ledger.balance_of(s, pool)).posted
    assert erase(town, resident) == participants.Erased(credits=25, links=0)
    assert town.run(lambda s: ledger.balance_of(s, pool)).posted == before + 25
    account = town.credits(resident)
    assert (account.posted, account.closed) == (0, True)
    last = town.run(lambda s: ledger.statement(s, resident.account_id)).lines[0]
    assert (last.purpose, last.amount) == (ledger.Purpose.ABANDON, -25)


def test_who_has_nothing_moves_nothing(town: Town):
    resident = town.resident()
    assert erase(town, resident) == participants.Erased(credits=0, links=0)
    found = town.now(resident)
    assert (found.state, found.account_id, found.handle) == ("erased", resident.account_id, resident.handle)


def test_what_does_not_fill_a_credit_stays_in_the_books(town: Town):
    resident = rich(town, 1)
    town.run(lambda s: connection_of(s).execute("INSERT INTO carry VALUES (%s, 99999)", (resident.account_id,)))
    erase(town, resident)
    assert town.rows(f"SELECT carry_mg FROM carry WHERE account_id = {resident.account_id}") == [(99_999,)]


def test_nothing_of_an_erased_person_can_be_read_found_or_done(town: Town):
    resident = town.proven(name="司马相如")
    mobile = town.run(lambda s: participants.profile_of(s, town.vault, resident, self_reader(resident)))["mobile"]
    erase(town, resident)
    gone = town.now(resident)
    assert town.run(lambda s: participants.person_by_mobile(s, town.vault, mobile)) is None
    assert town.rows(f"SELECT FROM personal_field WHERE subject = {resident.subject}") == []
    for act in (
        lambda s: participants.profile_of(s, town.vault, gone, self_reader(gone)),
        lambda s: participants.change_mobile(s, town.vault, resident, mobile=town.mobile()),
        lambda s: participants.change_language(s, resident, "en"),
        lambda s: participants.require_free(gone, TODAY),
        lambda s: participants.erase_person(s, town.vault, resident, on=TODAY),
    ):
        with pytest.raises(participants.PersonErased):
            town.run(act)
    with pytest.raises(privacy.SubjectErased):
        town.run(lambda s: participants.profile_of(s, town.vault, resident, self_reader(resident)))


def test_the_same_human_being_may_register_and_prove_anew(town: Town):
    resident, number, mobile = town.resident(), town.id_number(), town.mobile()

    def prove(session, person):
        return participants.prove_real_name(session, town.vault, person, name="张伟", id_number=number, on=TODAY)

    town.run(lambda s: participants.change_mobile(s, town.vault, resident, mobile=mobile))
    town.run(lambda s: prove(s, resident))
    erase(town, resident)
    again = town.run(lambda s: participants.register_person(s, town.vault, mobile=mobile, on=TODAY))
    assert again.id != resident.id
    assert town.run(lambda s: prove(s, again)).level == "real_name"


def test_links_claims_memberships_and_messages_end(town: Town):
    resident, keeper, grocer = town.proven(), town.institution("card"), town.approved()
    town.run(lambda s: participants.link_handle(s, town.settings, resident))
    code = town.run(
        lambda s: participants.issue_link_code(
            s, town.vault, town.settings, organisation=keeper, scheme="card", identifier="62170001", on=TODAY,
            now=NOON,
        )  # fmt: skip
    ).code
    for identifier, proof in (("62170001", CodeProof(code)), ("62170002", participants.ConfirmationProof(keeper))):
        town.run(
            lambda s, identifier=identifier, proof=proof: participants.claim_link(
                s, town.vault, town.settings, resident, scheme="card", identifier=identifier, on=TODAY, now=NOON,
                proof=proof,
            )  # fmt: skip
        )
    town.run(lambda s: participants.add_member(s, grocer, resident, role="clerk", on=TODAY))
    town.run(lambda s: notifications.announce(s, "person.proven", payload={}, account=resident.account_id))
    assert erase(town, resident).links == 2
    held = town.rows(f"SELECT valid_to FROM link WHERE account_id = {resident.account_id}")
    assert held == [(TODAY + DAY,)] * 2
    assert town.rows(f"SELECT state FROM link_claim WHERE person_id = {resident.id} ORDER BY id") == [
        ("confirmed",), ("withdrawn",),
    ]  # fmt: skip
    assert town.run(lambda s: participants.memberships_of(s, resident)) == []
    assert town.run(lambda s: notifications.messages_of(s, resident.account_id)) == []
    reader = privacy.Reader(actor="organisation:1", role="organisation:institution", purpose="link claim")
    assert town.run(lambda s: participants.claims_for(s, town.vault, keeper, reader)) == []


# What an erasure waits for --------------------------------------------------------------------------


def test_an_open_promise_is_kept_or_let_go_first(town: Town):
    payer, shop = rich(town, 10), rich(town, 1)
    held = town.run(lambda s: promise(s, payer.account_id, shop.account_id, 3))
    for waiting in (payer, shop):
        with pytest.raises(participants.ErasureWaitsForHolds, match="1 open"):
            erase(town, waiting)
    assert town.now(payer).state == "active" and town.credits(payer).posted == 10
    town.run(lambda s: ledger.release(s, held))
    assert erase(town, payer).credits == 10


def test_a_lone_guardians_wards_are_taken_over_or_erased_first(town: Town):
    mother, father, number = town.proven(), town.proven(), town.id_number(CHILD)
    younger = town.ward(mother, CHILD)
    elder = town.run(
        lambda s: participants.register_ward(s, town.vault, guardian=mother, name="张小明", id_number=number, on=TODAY)
    )
    with pytest.raises(participants.ErasureWaitsForWards, match="2 minors"):
        erase(town, mother)
    erase(town, younger)
    with pytest.raises(participants.ErasureWaitsForWards, match="1 minors"):
        erase(town, mother)
    town.run(
        lambda s: participants.become_guardian(
            s, town.vault, guardian=father, ward=elder, name="张小明", id_number=number, on=TODAY
        )
    )
    erase(town, mother)
    assert town.now(elder).state == "active"
    assert town.run(lambda s: participants.guardians_of(s, elder, on=TODAY)) == [father]


@pytest.mark.parametrize("days", [-1, 0])
def test_a_ward_who_is_eighteen_holds_nobody_back(town: Town, days):
    guardian = town.proven()
    ward = town.ward(guardian, date(2008, 12, 1))
    eighteen = date(2026, 12, 1)
    if days < 0:
        with pytest.raises(participants.ErasureWaitsForWards):
            erase(town, guardian, eighteen - DAY)
        return
    erase(town, guardian, eighteen)
    freed = town.now(ward)
    assert (freed.state, freed.guardian_until) == ("active", None)


def test_the_birthday_of_an_erased_ward_is_forgotten(town: Town):
    ward = town.ward(town.proven(), CHILD)
    erase(town, ward)
    assert (town.now(ward).state, town.now(ward).guardian_until) == ("erased", None)


def test_an_only_owner_hands_over_first(town: Town):
    grocer, owner, heir = town.approved(), town.resident(), town.resident()
    town.run(lambda s: participants.add_member(s, grocer, owner, role="owner", on=TODAY))
    with pytest.raises(participants.ErasureWaitsForOrganisations, match="1 organisations"):
        erase(town, owner)
    town.run(lambda s: participants.add_member(s, grocer, heir, role="owner", on=TODAY))
    erase(town, owner)
    with pytest.raises(participants.ErasureWaitsForOrganisations):
        erase(town, heir)
    town.step(grocer, "close")
    erase(town, heir)


# All at once ----------------------------------------------------------------------------------------


def test_a_payment_during_an_erasure_comes_before_or_not_at_all(town: Town):
    for _ in range(4):
        payer, friend = rich(town, 10), town.resident()
        paid: list[int] = []
        ready = threading.Barrier(3)

        def pay(payer=payer, friend=friend, paid=paid, ready=ready) -> None:
            ready.wait()
            try:
                town.run(lambda s: give(s, payer.account_id, friend.account_id, 4))
                paid.append(4)
            except (ledger.NotEnough, ledger.AccountClosed):
                pass

        threads = [threading.Thread(target=pay) for _ in range(2)]
        for thread in threads:
            thread.start()
        ready.wait()
        given_up = erase(town, payer).credits
        for thread in threads:
            thread.join()
        assert given_up + sum(paid) == 10
        assert town.credits(friend).posted == sum(paid)


def test_of_many_who_erase_one_person_at_once_one_does(town: Town):
    resident = rich(town, 7)
    outcomes: list[int] = []
    ready = threading.Barrier(4)

    def attempt() -> None:
        ready.wait()
        try:
            outcomes.append(erase(town, resident).credits)
        except participants.PersonErased:
            outcomes.append(0)

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [0, 0, 0, 7]


def test_the_store_itself_lets_nobody_return(town: Town):
    resident, guardian = town.resident(), town.proven()
    ward = town.ward(guardian, CHILD)
    erase(town, resident)
    for statement, sqlstate in (
        (f"UPDATE person SET state = 'active', erased_at = NULL WHERE id = {resident.id}", "CH001"),
        (f"UPDATE person SET language = 'en' WHERE id = {resident.id}", "CH001"),
        (f"UPDATE person SET state = 'erased', erased_at = now() WHERE id = {guardian.id}", "CH003"),
        (
            f"UPDATE account SET closed_at = now() WHERE id = {guardian.account_id};"
            f"UPDATE person SET state = 'erased', erased_at = now() WHERE id = {guardian.id}", "CH003",
        ),
        (f"INSERT INTO guardianship (ward_id, guardian_id, since) VALUES ({ward.id}, {resident.id}, '2026-11-20')", "CH003"),
        (f"INSERT INTO member (organisation_id, person_id, role, since) VALUES (1, {resident.id}, 'clerk', '2026-11-20')", "CH003"),
    ):  # fmt: skip
        assert sqlstate_of(town.database, statement) == sqlstate, statement
