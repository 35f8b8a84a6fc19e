"""Who links an identifier proves that they control it, and it has one living owner (Articles 11-12)."""

import threading
from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from carbonhui import participants, privacy
from carbonhui.participants import ClaimUnknown, CodeProof, ConfirmationProof
from tests.participants.people import NOON, TODAY, Town, self_reader, sqlstate_of

CARD = "card"
DAY = timedelta(days=1)
METRO = privacy.Reader(actor="organisation:1", role="organisation:institution", purpose="link claim")


@pytest.fixture(scope="module")
def metro(town: Town) -> participants.Organisation:
    """An institution that vouches for cards and bicycle passes."""
    return town.institution(CARD, "bike")


def identifier(town: Town) -> str:
    return f"62170000{next(town.numbers):08d}"


def issue(town: Town, keeper: participants.Organisation, card: str, scheme: str = CARD, now=NOON) -> str:
    return town.run(
        lambda s: participants.issue_link_code(
            s, town.vault, town.settings, organisation=keeper, scheme=scheme, identifier=card, on=TODAY, now=now
        )
    ).code


def claim(town: Town, person: participants.Person, card: str, proof, *, scheme: str = CARD, on: date = TODAY, now=NOON):
    return town.run(
        lambda s: participants.claim_link(
            s, town.vault, town.settings, person, scheme=scheme, identifier=card, on=on, now=now, proof=proof
        )
    )


def links(town: Town, person: participants.Person) -> list[participants.PersonLink]:
    return town.run(lambda s: participants.links_of(s, town.vault, person, self_reader(person)))


# By a code ----------------------------------------------------------------------------------------


def test_who_enters_the_delivered_code_is_linked_and_sees_the_last_four(town: Town, metro):
    resident, card = town.resident(), identifier(town)
    claimed = claim(town, resident, card, CodeProof(issue(town, metro, card)))
    assert claimed.refusal is None
    assert links(town, resident) == [participants.PersonLink(claimed.handle, CARD, card[-4:], TODAY, None)]
    key = privacy.load_or_make_key(town.settings.blind_key_file)
    found = town.run(lambda s: participants.accounts_of(s, CARD))
    assert participants.Link(privacy.blind_index(key, CARD, card), resident.account_id, TODAY, None) in found


def test_neither_identifier_nor_code_stands_in_the_store(town: Town, metro):
    resident, card = town.resident(), identifier(town)
    code = issue(town, metro, card)
    claim(town, resident, card, CodeProof(code))
    for table in ("link", "link_code", "link_claim", "personal_field"):
        rows = str(town.rows(f"SELECT {table}::text FROM {table}"))
        assert card not in rows and code not in rows and card[-4:].encode().hex() not in rows


@pytest.mark.parametrize(("text", "tail"), [("6217000012345678", "5678"), ("123456", "56"), ("12", ""), ("", "")])
def test_at_most_a_third_of_an_identifier_is_shown(text, tail):
    assert participants.tail_of(text) == tail


@pytest.mark.parametrize("spelt", [str.lower, lambda code: f" {code[:4]}-{code[4:8]} {code[8:]} "])
def test_a_code_is_understood_as_people_type_it(town: Town, metro, spelt):
    resident, card = town.resident(), identifier(town)
    assert claim(town, resident, card, CodeProof(spelt(issue(town, metro, card)))).link is not None


def test_a_code_proves_once(town: Town, metro):
    first, second, card = town.resident(), town.resident(), identifier(town)
    code = issue(town, metro, card)
    handle = claim(town, first, card, CodeProof(code)).handle
    town.run(lambda s: participants.end_link(s, first, handle, on=TODAY))
    again = claim(town, second, card, CodeProof(code), on=TODAY + DAY)
    assert again.link is None and isinstance(again.refusal, participants.LinkCodeWrong)


def test_a_code_proves_its_own_identifier_in_its_own_scheme(town: Town, metro):
    resident, card, other = town.resident(), identifier(town), identifier(town)
    code = issue(town, metro, card)
    issue(town, metro, other)
    assert claim(town, resident, other, CodeProof(code)).refusal is not None
    assert claim(town, resident, card, CodeProof(code), scheme="bike").refusal is not None
    assert claim(town, resident, card, CodeProof(code)).link is not None


@pytest.mark.parametrize(("after", "linked"), [(timedelta(hours=24, seconds=-1), True), (timedelta(hours=24), False)])
def test_a_code_lives_for_a_day(town: Town, metro, after, linked):
    resident, card = town.resident(), identifier(town)
    code = issue(town, metro, card)
    assert (claim(town, resident, card, CodeProof(code), now=NOON + after).link is not None) is linked


def test_after_five_wrong_tries_the_right_code_is_wrong_too(town: Town, metro):
    resident, lucky, card, other = town.resident(), town.resident(), identifier(town), identifier(town)
    code, counted = issue(town, metro, card), issue(town, metro, other)
    for _ in range(5):
        assert claim(town, resident, card, CodeProof("AAAA" * 3)).refusal is not None
    assert claim(town, resident, card, CodeProof(code)).refusal is not None
    for _ in range(4):
        claim(town, lucky, other, CodeProof(""))
    assert claim(town, lucky, other, CodeProof(counted)).link is not None
    assert claim(town, resident, card, CodeProof(issue(town, metro, card))).link is not None


@pytest.mark.parametrize("code", ["", "\ud800", "\x00", "Ａ" * 12, "A" * 10**5])
def test_a_strange_code_is_a_wrong_code(town: Town, metro, code):
    resident, card = town.resident(), identifier(town)
    issue(town, metro, card)
    assert claim(town, resident, card, CodeProof(code)).refusal is not None


def test_a_newer_code_takes_the_place_of_an_older(town: Town, metro):
    resident, card = town.resident(), identifier(town)
    old, new = issue(town, metro, card), issue(town, metro, card)
    assert claim(town, resident, card, CodeProof(old)).refusal is not None
    assert claim(town, resident, card, CodeProof(new)).link is not None


def test_a_wrong_code_tells_nobody_whether_the_identifier_has_a_holder(town: Town, metro):
    card, stranger = identifier(town), town.resident()
    claim(town, town.resident(), card, CodeProof(issue(town, metro, card)))
    held = claim(town, stranger, card, CodeProof("AAAA" * 3)).refusal
    free = claim(town, stranger, identifier(town), CodeProof("AAAA" * 3)).refusal
    assert str(held) == str(free)


def test_a_second_person_with_a_right_code_is_refused_and_not_told_whose_it_is(town: Town, metro):
    owner, card = town.resident(), identifier(town)
    claim(town, owner, card, CodeProof(issue(town, metro, card)))
    with pytest.raises(participants.IdentifierLinked) as refused:
        claim(town, town.resident(), card, CodeProof(issue(town, metro, card)))
    assert not {card, str(owner.id), str(owner.handle), str(owner.account_id)} & set(str(refused.value).split())


def test_of_many_who_enter_one_code_at_once_one_is_linked(town: Town, metro):
    residents, card = [town.resident() for _ in range(5)], identifier(town)
    code, outcomes = issue(town, metro, card), []
    ready = threading.Barrier(len(residents))

    def attempt(resident: participants.Person) -> None:
        ready.wait()
        outcomes.append(claim(town, resident, card, CodeProof(code)).link is not None)

    threads = [threading.Thread(target=attempt, args=(resident,)) for resident in residents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 4 + [True]


# Who vouches --------------------------------------------------------------------------------------


def test_only_an_approved_organisation_that_keeps_the_scheme_issues_codes(town: Town, metro):
    stranger = town.approved("institution")
    for keeper, scheme in ((stranger, CARD), (metro, "meter"), (metro, "person")):
        with pytest.raises(participants.SchemeNotKept):
            issue(town, keeper, identifier(town), scheme)
    suspended, resident, card = town.institution(CARD), town.resident(), identifier(town)
    code = issue(town, suspended, card)
    town.step(suspended, "suspend")
    with pytest.raises(participants.OrganisationNotApproved):
        issue(town, suspended, identifier(town))
    assert claim(town, resident, card, CodeProof(code)).refusal is not None


def test_a_scheme_is_entrusted_once_and_withdrawn(town: Town):
    keeper, registrar = town.institution("water"), town.staff("registrar")
    with pytest.raises(participants.SchemeAlreadyKept):
        town.run(lambda s: participants.entrust_scheme(s, keeper, "water", by=registrar, on=TODAY))
    assert town.run(lambda s: participants.schemes_of(s, keeper)) == ["water"]
    town.run(lambda s: participants.withdraw_scheme(s, keeper, "water", by=registrar, on=TODAY))
    with pytest.raises(participants.SchemeNotKept):
        issue(town, keeper, identifier(town), "water")
    with pytest.raises(participants.SchemeNotKept):
        town.run(lambda s: participants.withdraw_scheme(s, keeper, "water", by=registrar, on=TODAY))
    with pytest.raises(participants.RoleMissing):
        town.run(lambda s: participants.entrust_scheme(s, keeper, "gas", by=town.staff("operator"), on=TODAY))


# By confirmation ----------------------------------------------------------------------------------


def test_the_institution_confirms_that_name_and_identifier_belong_together(town: Town):
    keeper, resident, card = town.institution(CARD), town.proven(name="欧阳娜娜"), identifier(town)
    asked = claim(town, resident, card, ConfirmationProof(keeper))
    assert (asked.link, asked.refusal) == (None, None)
    assert links(town, resident) == []
    [waiting] = town.run(lambda s: participants.claims_for(s, town.vault, keeper, METRO))
    assert (waiting.name, waiting.identifier, waiting.scheme) == ("欧阳娜娜", card, CARD)
    assert METRO.purpose in [read.purpose for read in town.run(lambda s: privacy.reads_of(s, resident.subject))]
    decide(town, keeper, asked.handle, confirmed=True, on=TODAY + DAY)
    assert links(town, resident) == [participants.PersonLink(asked.handle, CARD, card[-4:], TODAY + DAY, None)]
    assert town.run(lambda s: participants.claims_for(s, town.vault, keeper, METRO)) == []
    assert town.rows(f"SELECT field FROM personal_field WHERE subject = {resident.subject} AND field LIKE 'claim:%'") == []


def decide(town: Town, keeper: participants.Organisation, handle, *, confirmed: bool, on: date = TODAY) -> None:
    town.run(
        lambda s: participants.decide_claim(s, town.vault, keeper, handle, confirmed=confirmed, reader=METRO, on=on)
    )


def test_a_claim_is_decided_once_and_by_the_institution_that_was_asked(town: Town):
    keeper, other = town.institution(CARD), town.institution(CARD)
    asked = claim(town, town.proven(), identifier(town), ConfirmationProof(keeper))
    with pytest.raises(ClaimUnknown):
        decide(town, other, asked.handle, confirmed=True)
    decide(town, keeper, asked.handle, confirmed=False)
    for confirmed in (True, False):
        with pytest.raises(ClaimUnknown):
            decide(town, keeper, asked.handle, confirmed=confirmed)


def test_a_claim_may_be_withdrawn_and_asked_again_but_not_twice_at_once(town: Town, metro):
    resident, card = town.proven(), identifier(town)
    asked = claim(town, resident, card, ConfirmationProof(metro))
    with pytest.raises(participants.ClaimAlreadyAsked):
        claim(town, resident, card, ConfirmationProof(metro))
    with pytest.raises(ClaimUnknown):
        town.run(lambda s: participants.withdraw_claim(s, town.vault, town.resident(), asked.handle))
    town.run(lambda s: participants.withdraw_claim(s, town.vault, resident, asked.handle))
    assert claim(town, resident, card, ConfirmationProof(metro)).handle != asked.handle


def test_confirmation_needs_a_proven_name_and_a_keeper(town: Town, metro):
    with pytest.raises(participants.RealNameNeeded):
        claim(town, town.resident(), identifier(town), ConfirmationProof(metro))
    with pytest.raises(participants.SchemeNotKept):
        claim(town, town.proven(), identifier(town), ConfirmationProof(metro), scheme="meter")
    with pytest.raises(privacy.TextRefused):
        claim(town, town.proven(), "card\u200b1", ConfirmationProof(metro))


def test_a_confirmed_identifier_that_got_a_holder_meanwhile_is_refused(town: Town, metro):
    card, late = identifier(town), town.proven()
    asked = claim(town, late, card, ConfirmationProof(metro))
    claim(town, town.resident(), card, CodeProof(issue(town, metro, card)))
    with pytest.raises(participants.IdentifierLinked):
        decide(town, metro, asked.handle, confirmed=True)


# Minors, restriction ------------------------------------------------------------------------------


def test_a_restricted_minor_links_nothing_until_their_eighteenth_birthday(town: Town, metro):
    child, card = town.proven(date(2008, 11, 21)), identifier(town)
    code = issue(town, metro, card)
    with pytest.raises(participants.PersonRestricted):
        claim(town, child, card, CodeProof(code))
    assert claim(town, child, card, CodeProof(code), on=TODAY + DAY).link is not None


def test_a_guardian_links_for_a_ward(town: Town, metro):
    guardian, card = town.proven(), identifier(town)
    ward = town.ward(guardian, date(2015, 1, 1))
    acting = town.run(lambda s: participants.act_for(s, guardian, ward.handle, on=TODAY))
    claim(town, acting, card, CodeProof(issue(town, metro, card)))
    assert [found.tail for found in links(town, ward)] == [card[-4:]] and links(town, guardian) == []


# Ending -------------------------------------------------------------------------------------------


def test_the_next_owner_begins_on_a_later_day(town: Town, metro):
    first, second, card = town.resident(), town.resident(), identifier(town)
    handle = claim(town, first, card, CodeProof(issue(town, metro, card))).handle
    town.run(lambda s: participants.end_link(s, first, handle, on=TODAY + DAY))
    assert [found.until for found in links(town, first)] == [TODAY + 2 * DAY]
    with pytest.raises(participants.IdentifierLinked):
        claim(town, second, card, CodeProof(issue(town, metro, card)), on=TODAY + DAY)
    assert claim(town, second, card, CodeProof(issue(town, metro, card)), on=TODAY + 2 * DAY).link is not None


def test_one_ends_ones_own_open_links_only(town: Town, metro):
    owner, card = town.resident(), identifier(town)
    handle = claim(town, owner, card, CodeProof(issue(town, metro, card))).handle
    for person, named in ((town.resident(), handle), (owner, uuid4())):
        with pytest.raises(participants.LinkUnknown):
            town.run(lambda s, person=person, named=named: participants.end_link(s, person, named, on=TODAY))
    town.run(lambda s: participants.end_link(s, owner, handle, on=TODAY))
    with pytest.raises(participants.LinkUnknown):
        town.run(lambda s: participants.end_link(s, owner, handle, on=TODAY))


def test_the_store_itself_keeps_codes_and_claims(town: Town, metro):
    resident, other, card = town.proven(), town.resident(), identifier(town)
    claimed = claim(town, resident, card, CodeProof(issue(town, metro, card)))
    asked = claim(town, resident, identifier(town), ConfirmationProof(metro))
    live = identifier(town)
    issue(town, metro, live)
    newest = "(SELECT max(id) FROM link_code)"
    for statement, sqlstate in (
        (f"UPDATE link_code SET tries = 6 WHERE id = {newest}", "23514"),
        (f"UPDATE link_code SET tries = 5 WHERE id = {newest}", "23514"),
        (f"UPDATE link_code SET expires_at = 'infinity' WHERE id = {newest}", "CH001"),
        ("UPDATE link_code SET spent_at = NULL WHERE spent_at IS NOT NULL", "CH001"),
        ("DELETE FROM link_code", "CH001"),
        (f"UPDATE link_claim SET state = 'refused', valid_from = NULL WHERE handle = '{claimed.handle}'", "CH001"),
        (f"UPDATE link_claim SET person_id = {other.id} WHERE handle = '{asked.handle}'", "CH001"),
        (f"UPDATE link_claim SET state = 'confirmed', valid_from = '{TODAY}' WHERE handle = '{asked.handle}'", "CH003"),
        (f"UPDATE link_claim SET state = 'confirmed' WHERE handle = '{asked.handle}'", "CH003"),
        ("DELETE FROM link_claim", "CH001"),
        ("UPDATE scheme_keeper SET scheme = 'meter'", "CH001"),
    ):
        assert sqlstate_of(town.database, statement) == sqlstate, statement


# Any order of anything ------------------------------------------------------------------------------


def test_whoever_claims_and_ends_in_whatever_order_no_day_has_two_owners(town: Town, metro):
    people = [town.resident() for _ in range(3)]

    class Ownership(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.card, self.on = identifier(town), TODAY
            self.owner: tuple[participants.Person, object] | None = None
            self.free_from = TODAY

        @rule(days=st.integers(0, 2))
        def wait(self, days: int) -> None:
            self.on += days * DAY

        @rule(person=st.sampled_from(people))
        def claim(self, person: participants.Person) -> None:
            proof = CodeProof(issue(town, metro, self.card))
            if self.owner is not None or self.on < self.free_from:
                with pytest.raises(participants.IdentifierLinked):
                    claim(town, person, self.card, proof, on=self.on)
            else:
                self.owner = person, claim(town, person, self.card, proof, on=self.on).handle

        @rule(person=st.sampled_from(people))
        def end(self, person: participants.Person) -> None:
            if self.owner is None or self.owner[0] != person:
                return
            handle = self.owner[1]
            town.run(lambda s: participants.end_link(s, person, handle, on=self.on))
            self.owner, self.free_from = None, self.on + DAY

        def teardown(self) -> None:
            key = privacy.load_or_make_key(town.settings.blind_key_file)
            subject = privacy.blind_index(key, CARD, self.card)
            held = [one for one in town.run(lambda s: participants.accounts_of(s, CARD)) if one.subject == subject]
            ends = [one.valid_to or date.max for one in held]
            assert all(end <= after.valid_from for end, after in zip(ends, held[1:], strict=False))
            assert (held[-1:] != [] and held[-1].valid_to is None) == (self.owner is not None)

    run_state_machine_as_test(Ownership, settings=hypothesis_settings(max_examples=20, stateful_step_count=12))
