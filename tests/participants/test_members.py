"""Persons act for organisations; an organisation keeps an owner (Articles 11, 20)."""

import threading
from datetime import date, timedelta

import pytest

from carbonhui import participants
from tests.participants.people import TODAY, Town, sqlstate_of

DAY = timedelta(days=1)


def add(town: Town, organisation: participants.Organisation, person: participants.Person, role: str) -> participants.Member:
    return town.run(lambda s: participants.add_member(s, organisation, person, role=role, on=TODAY))


def end(town: Town, organisation: participants.Organisation, person: participants.Person, on: date = TODAY) -> None:
    town.run(lambda s: participants.end_membership(s, organisation, person, on=on))


def test_members_have_roles_and_act_while_the_organisation_is_approved(town: Town):
    grocer, owner, clerk = town.approved(), town.resident(), town.resident()
    add(town, grocer, owner, "owner")
    add(town, grocer, clerk, "clerk")
    assert [member.role for member in town.run(lambda s: participants.members_of(s, grocer))] == ["owner", "clerk"]
    assert [member.organisation_id for member in town.run(lambda s: participants.memberships_of(s, clerk))] == [grocer.id]
    assert town.run(lambda s: participants.role_in(s, grocer, clerk)) == "clerk"
    assert town.run(lambda s: participants.role_in(s, grocer, town.resident())) is None
    town.step(grocer, "suspend")
    assert town.run(lambda s: participants.role_in(s, grocer, clerk)) is None


def test_a_member_has_one_role_at_a_time(town: Town):
    grocer, owner, clerk = town.approved(), town.resident(), town.resident()
    add(town, grocer, owner, "owner")
    add(town, grocer, clerk, "clerk")
    with pytest.raises(participants.MemberAlready):
        add(town, grocer, clerk, "manager")
    changed = town.run(lambda s: participants.change_role(s, grocer, clerk, role="manager", on=TODAY + DAY))
    assert (changed.role, changed.since) == ("manager", TODAY + DAY)
    end(town, grocer, clerk)
    for leave in (end, lambda *words: town.run(lambda s: participants.change_role(s, grocer, clerk, role="clerk", on=TODAY))):
        with pytest.raises(participants.NotMember):
            leave(town, grocer, clerk)


def test_the_last_owner_neither_leaves_nor_steps_down(town: Town):
    grocer, owner, heir = town.approved(), town.resident(), town.resident()
    add(town, grocer, owner, "owner")
    with pytest.raises(participants.LastOwner):
        end(town, grocer, owner)
    with pytest.raises(participants.LastOwner):
        town.run(lambda s: participants.change_role(s, grocer, owner, role="clerk", on=TODAY))
    add(town, grocer, heir, "owner")
    end(town, grocer, owner)
    with pytest.raises(participants.LastOwner):
        end(town, grocer, heir)


def test_who_never_had_an_owner_may_change_its_clerks(town: Town):
    grocer, clerk = town.applicant(), town.resident()
    add(town, grocer, clerk, "clerk")
    assert town.run(lambda s: participants.change_role(s, grocer, clerk, role="manager", on=TODAY)).role == "manager"
    end(town, grocer, clerk)


def test_of_two_owners_who_leave_at_once_one_stays(town: Town):
    for _ in range(8):
        grocer, owners = town.approved(), [town.resident(), town.resident()]
        for owner in owners:
            add(town, grocer, owner, "owner")
        outcomes: list[str] = []
        ready = threading.Barrier(2)

        def leave(owner, grocer=grocer, outcomes=outcomes, ready=ready) -> None:
            ready.wait()
            try:
                end(town, grocer, owner)
                outcomes.append("left")
            except participants.LastOwner:
                outcomes.append("stayed")

        threads = [threading.Thread(target=leave, args=(owner,)) for owner in owners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["left", "stayed"]


def test_closing_ends_every_membership(town: Town):
    grocer, owner = town.approved(), town.resident()
    add(town, grocer, owner, "owner")
    town.step(grocer, "close")
    assert town.run(lambda s: participants.members_of(s, grocer)) == []
    with pytest.raises(participants.OrganisationClosed):
        add(town, grocer, owner, "owner")


def test_a_restricted_minor_is_no_member(town: Town):
    grocer, child = town.approved(), town.proven(date(2010, 1, 1))
    with pytest.raises(participants.PersonRestricted):
        add(town, grocer, child, "clerk")


def test_the_store_itself_keeps_an_owner(town: Town):
    grocer, owner, child = town.approved(), town.resident(), town.proven(date(2010, 1, 1))
    add(town, grocer, owner, "owner")
    enter = "INSERT INTO member (organisation_id, person_id, role, since) VALUES"
    for statement, sqlstate in (
        (f"UPDATE member SET until = '2026-12-01' WHERE person_id = {owner.id}", "CH003"),
        (f"UPDATE member SET role = 'clerk' WHERE person_id = {owner.id}", "CH001"),
        (f"DELETE FROM member WHERE person_id = {owner.id}", "CH001"),
        (f"{enter} ({grocer.id}, {owner.id}, 'clerk', '2026-12-01')", "23505"),
        (f"{enter} ({grocer.id}, {child.id}, 'clerk', '2026-12-01')", "CH003"),
        (f"{enter} ({grocer.id}, {town.resident().id}, 'chief', '2026-12-01')", "23514"),
    ):
        assert sqlstate_of(town.database, statement) == sqlstate, statement
