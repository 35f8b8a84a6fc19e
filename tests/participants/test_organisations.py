"""Organisations apply; one member of staff proposes each step and another decides it (Articles 11, 20, 21, 31)."""

import itertools
import threading

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from carbonhui import ledger, participants, privacy
from tests.participants.people import MOBILE, TODAY, Town, sqlstate_of

# The check character ----------------------------------------------------------------------------

#: Codes that their holders publish: Tencent, Huawei Technologies, Ping An Insurance, Alibaba (China).
PUBLISHED = ("9144030071526726XG", "914403001922038216", "91440300100012316L", "91330100799655058B")
EXAMPLE = "91350100M000100Y43"  # the example in GB 32100-2015


@pytest.mark.parametrize("code", [*PUBLISHED, EXAMPLE])
def test_codes_of_known_holders_check(town: Town, code):
    assert participants.credit_code(code) == code
    assert participants.credit_code(f" {code.lower()} ") == code
    assert town.rows(f"SELECT credit_code_is_right('{code}')") == [(True,)]


def test_every_single_wrong_character_is_found_here_and_by_the_store(town: Town):
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    wrong = {
        EXAMPLE[:place] + other + EXAMPLE[place + 1 :]
        for place, other in itertools.product(range(18), alphabet)
        if other != EXAMPLE[place]
    }
    for code in wrong:
        with pytest.raises(participants.CreditCodeInvalid):
            participants.credit_code(code)
    listed = ", ".join(f"('{code}')" for code in wrong)
    assert town.rows(f"SELECT count(*) FROM (VALUES {listed}) AS w (code) WHERE credit_code_is_right(code)") == [(0,)]


@pytest.mark.parametrize("code", ["", "91350100M000100Y4", EXAMPLE + "3", "９1350100M000100Y43", "I1350100M000100Y43", "\x00"])
def test_what_has_not_the_shape_of_a_code_is_refused(code):
    with pytest.raises(participants.CreditCodeInvalid):
        participants.credit_code(code)


# Applying ---------------------------------------------------------------------------------------


def apply(town: Town, **changes: str) -> participants.Organisation:
    words = {"kind": "merchant", "name": "绿叶超市", "credit_code": town.credit_code(), "contact_name": "李娜", "contact_mobile": MOBILE}
    return town.run(lambda s: participants.apply_as_organisation(s, town.vault, **(words | changes), on=TODAY))


def test_an_applicant_has_no_account_and_its_contact_is_in_the_vault(town: Town):
    applicant = apply(town)
    assert (applicant.state, applicant.account_id, applicant.cash_account_id) == ("applied", None, None)
    reader = privacy.Reader(actor="staff:1", role="staff:registrar", purpose="onboarding")
    contact = town.run(lambda s: participants.contact_of(s, town.vault, applicant, reader))
    assert contact == {"contact_name": "李娜", "contact_mobile": "+86" + MOBILE}
    assert town.run(lambda s: participants.organisation_by_handle(s, str(applicant.handle))) == applicant


def test_one_credit_code_applies_once_for_each_kind_until_closed(town: Town):
    first = apply(town)
    with pytest.raises(participants.OrganisationAlreadyThere):
        apply(town, credit_code=first.credit_code)
    assert apply(town, credit_code=first.credit_code, kind="emitter").id != first.id
    town.step(first, "close")
    assert apply(town, credit_code=first.credit_code).state == "applied"


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"kind": "bank"}, participants.OrganisationKindUnknown),
        ({"credit_code": "91350100M000100Y44"}, participants.CreditCodeInvalid),
        ({"name": "绿叶\u202e超市"}, privacy.TextRefused),
        ({"name": ""}, privacy.TextRefused),
        ({"contact_mobile": "12800138000"}, privacy.MobileInvalid),
    ],
)
def test_an_application_with_wrong_words_is_refused(town: Town, change, refusal):
    with pytest.raises(refusal):
        apply(town, **change)


def test_a_new_contact_person_takes_the_place_of_the_former_who_is_erased(town: Town):
    applicant = apply(town)
    assert applicant.subject is not None
    town.run(lambda s: participants.change_contact(s, town.vault, applicant, contact_name="王芳", contact_mobile=MOBILE))
    former = applicant.subject
    assert town.run(lambda s: privacy.is_erased(s, former))


# The four steps -----------------------------------------------------------------------------------

ACCOUNTS = {
    "merchant": ledger.Kind.MERCHANT, "department": ledger.Kind.DEPARTMENT, "charity": ledger.Kind.CHARITY,
    "emitter": ledger.Kind.ORGANISATION, "fund_manager": ledger.Kind.ORGANISATION,
    "institution": None, "exchange": None, "regulator": None,
}  # fmt: skip


@pytest.mark.parametrize(("kind", "account"), ACCOUNTS.items())
def test_approval_opens_the_account_of_the_kind(town: Town, kind, account):
    approved = town.approved(kind)
    assert approved.state == "approved"
    assert (approved.account_id is None) == (account is None)
    assert (approved.cash_account_id is not None) == (kind == "department")
    if account is not None:
        found = town.run(lambda s: ledger.balance_of(s, approved.account_id))
        assert (found.kind, found.asset) == (account, ledger.CREDIT)
        assert town.run(lambda s: participants.organisation_of_account(s, approved.account_id)) == approved


def test_a_departments_purse_is_tied_to_it(town: Town):
    water, power, grocer = town.approved("department"), town.approved("department"), town.approved()
    assert town.run(lambda s: participants.cash_account_of(s, water.account_id)) == water.cash_account_id
    assert water.cash_account_id != power.cash_account_id
    town.step(power, "suspend")
    for account in (power.account_id, grocer.account_id, water.cash_account_id, 10**9):
        with pytest.raises(participants.PurseUnknown):
            town.run(lambda s, account=account: participants.cash_account_of(s, account))


#: From each state, each step: where it leads. What is not here is refused.
LAWFUL = {
    ("applied", "approve"): "approved", ("applied", "close"): "closed",
    ("approved", "suspend"): "suspended", ("approved", "close"): "closed",
    ("suspended", "resume"): "approved", ("suspended", "close"): "closed",
}  # fmt: skip
WAY = {"applied": (), "approved": ("approve",), "suspended": ("approve", "suspend"), "closed": ("close",)}


@pytest.mark.parametrize("state", WAY)
@pytest.mark.parametrize("step", ["approve", "suspend", "resume", "close", "promote"])
def test_every_step_from_every_state_leads_where_the_table_says(town: Town, state, step):
    found = town.applicant("charity")
    for before in WAY[state]:
        found = town.step(found, before)
    if (state, step) in LAWFUL:
        assert town.step(found, step).state == LAWFUL[state, step]
        return
    with pytest.raises(participants.StepNotPossible):
        town.step(found, step)
    registrar = town.staff("registrar")
    statement = f"""INSERT INTO organisation_step (organisation_id, step, reason, proposed_by, proposed_on)
                    VALUES ({found.id}, '{step}', 'by hand', {registrar.id}, '{TODAY}')"""
    assert sqlstate_of(town.database, statement) == "CH003"


def test_a_step_that_is_not_agreed_to_changes_nothing_and_may_be_proposed_again(town: Town):
    applicant = town.applicant()
    assert town.step(applicant, "approve", agreed=False).state == "applied"
    assert town.step(applicant, "approve").state == "approved"
    steps = town.run(lambda s: participants.steps_of(s, applicant))
    assert [(step.step, step.agreed) for step in steps] == [("approve", False), ("approve", True)]


def test_nobody_decides_what_they_proposed(town: Town):
    both, applicant = town.staff("registrar", "approver"), town.applicant()
    step = town.run(lambda s: participants.propose_step(s, applicant, "approve", reason="papers", by=both, on=TODAY))
    with pytest.raises(participants.OwnStep):
        town.run(lambda s: participants.decide_step(s, step.id, agreed=True, by=both, on=TODAY))
    by_hand = f"UPDATE organisation_step SET decided_by = {both.id}, agreed = true, decided_on = '{TODAY}' WHERE id = {step.id}"
    assert sqlstate_of(town.database, by_hand) == "23514"
    assert [found.id for found in town.run(lambda s: participants.open_steps(s, after=step.id - 1))] == [step.id]


def test_proposing_and_deciding_are_two_roles_and_end_with_the_employment(town: Town):
    registrar, approver, applicant = town.staff("registrar"), town.staff("approver"), town.applicant()
    with pytest.raises(participants.RoleMissing):
        town.run(lambda s: participants.propose_step(s, applicant, "approve", reason="papers", by=approver, on=TODAY))
    step = town.run(lambda s: participants.propose_step(s, applicant, "approve", reason="papers", by=registrar, on=TODAY))
    with pytest.raises(participants.RoleMissing):
        town.run(lambda s: participants.decide_step(s, step.id, agreed=True, by=town.staff("registrar"), on=TODAY))
    town.run(lambda s: participants.dismiss_staff(s, staff=approver))
    with pytest.raises(participants.RoleMissing):
        town.run(lambda s: participants.decide_step(s, step.id, agreed=True, by=approver, on=TODAY))


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_step_has_a_reason(town: Town, reason):
    with pytest.raises(participants.StepReasonMissing):
        town.run(
            lambda s: participants.propose_step(
                s, town.applicant(), "approve", reason=reason, by=town.staff("registrar"), on=TODAY
            )
        )


def test_one_step_waits_at_a_time_and_is_decided_once(town: Town):
    registrar, approver, applicant = town.staff("registrar"), town.staff("approver"), town.applicant()
    step = town.run(lambda s: participants.propose_step(s, applicant, "approve", reason="papers", by=registrar, on=TODAY))
    with pytest.raises(participants.StepAlreadyProposed):
        town.run(lambda s: participants.propose_step(s, applicant, "close", reason="papers", by=registrar, on=TODAY))
    outcomes: list[str] = []
    ready = threading.Barrier(4)

    def decide() -> None:
        ready.wait()
        try:
            town.run(lambda s: participants.decide_step(s, step.id, agreed=True, by=approver, on=TODAY))
            outcomes.append("decided")
        except (participants.StepUnknown, participants.StepNotPossible):
            outcomes.append("refused")

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["decided"] + ["refused"] * 3
    assert town.rows(f"SELECT count(*) FROM account WHERE name = 'merchant-{applicant.id}'") == [(1,)]


def test_a_merchant_that_still_has_credits_is_not_closed(town: Town):
    grocer = town.approved()
    assert grocer.account_id is not None
    bank = town.run(lambda s: ledger.system_account(s, ledger.Kind.BANK, asset=ledger.CNY))
    purse = town.approved("department")
    assert purse.cash_account_id is not None
    town.run(
        lambda s: ledger.post(
            s, purpose=ledger.Purpose.FUND_BUDGET, source=bank, target=purse.cash_account_id, amount=1,
            reference="a-fen", business_date=TODAY, asset=ledger.CNY,
        )  # fmt: skip
    )
    with pytest.raises(ledger.AccountNotEmpty):
        town.step(purse, "close")
    assert town.run(lambda s: participants.organisation(s, purse.id)).state == "approved"
    closed = town.step(grocer, "close")
    assert town.run(lambda s: ledger.balance_of(s, grocer.account_id)).closed
    assert closed.subject is not None and town.run(lambda s: privacy.is_erased(s, closed.subject))


def test_a_suspended_organisation_has_no_standing(town: Town):
    grocer = town.approved()
    town.run(lambda s: participants.require_standing(s, grocer.account_id))
    town.step(grocer, "suspend")
    for check in (
        lambda s: participants.require_standing(s, grocer.account_id),
        lambda s: participants.require_approved(s, grocer.id),
    ):
        with pytest.raises(participants.OrganisationNotApproved):
            town.run(check)
    town.run(lambda s: participants.require_standing(s, 10**9))


def test_what_was_decided_is_announced_in_the_same_transaction(town: Town):
    grocer = town.applicant()
    town.step(grocer, "approve", agreed=False)
    for step in ("approve", "suspend", "resume", "close"):
        town.step(grocer, step)
    told = town.rows(f"SELECT topic FROM announcement WHERE payload::jsonb = '{{\"organisation\": {grocer.id}}}' ORDER BY id")
    assert [topic for (topic,) in told] == [f"organisation.{what}" for what in ("applied", "approved", "suspended", "resumed", "closed")]


def test_organisations_are_listed_page_by_page(town: Town):
    first, second = town.applicant("exchange"), town.applicant("exchange")
    page = town.run(lambda s: participants.organisations(s, kind="exchange", state="applied", after=first.id - 1, limit=1))
    assert page == [first]
    assert town.run(lambda s: participants.organisations(s, kind="exchange", after=first.id)) == [second]


def test_the_store_itself_keeps_an_organisation_as_two_decided(town: Town):
    applicant, grocer, institution = town.applicant(), town.approved(), town.approved("institution")
    resumed = town.step(town.step(town.approved(), "suspend"), "resume")
    suspended_by = f"(SELECT id FROM organisation_step WHERE organisation_id = {resumed.id} AND step = 'suspend')"
    for statement, sqlstate in (
        (f"UPDATE organisation SET state = 'approved' WHERE id = {applicant.id}", "CH003"),
        (f"UPDATE organisation SET state = 'suspended' WHERE id = {grocer.id}", "CH003"),
        (f"UPDATE organisation SET state = 'closed', step_id = step_id + 0 WHERE id = {grocer.id}", "CH003"),
        (f"UPDATE organisation SET state = 'suspended', step_id = {suspended_by} WHERE id = {resumed.id}", "CH003"),
        (f"UPDATE organisation SET kind = 'charity' WHERE id = {grocer.id}", "CH001"),
        (f"UPDATE organisation SET account_id = NULL WHERE id = {grocer.id}", "CH001"),
        (f"UPDATE organisation SET account_id = 1 WHERE id = {applicant.id}", "23514"),
        (f"UPDATE organisation SET account_id = {grocer.account_id} WHERE id = {institution.id}", "CH001"),
        (f"UPDATE organisation_step SET agreed = false WHERE organisation_id = {grocer.id}", "CH001"),
        (f"DELETE FROM organisation_step WHERE organisation_id = {grocer.id}", "CH001"),
        (f"DELETE FROM organisation WHERE id = {applicant.id}", "CH001"),
        (
            "INSERT INTO organisation (kind, name, credit_code, applied_on)"
            " VALUES ('charity', 'x', '91350100M000100Y44', '2026-01-01')", "23514",
        ),
        (
            "INSERT INTO organisation (kind, name, credit_code, applied_on, state)"
            " VALUES ('charity', 'x', '91350100M000100Y43', '2026-01-01', 'approved')", "CH003",
        ),
    ):  # fmt: skip
        assert sqlstate_of(town.database, statement) == sqlstate, statement


# Any order of anything ------------------------------------------------------------------------------


def test_whatever_is_proposed_and_decided_in_whatever_order_the_states_follow_the_table(town: Town):
    registrar, approver, both = town.staff("registrar"), town.staff("approver"), town.staff("registrar", "approver")

    class Onboarding(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.organisation = town.applicant("charity")
            self.state = "applied"
            self.open: tuple[int, str, int] | None = None

        @rule(step=st.sampled_from(["approve", "suspend", "resume", "close"]), by=st.sampled_from([registrar, both, approver]))
        def propose(self, step: str, by: participants.Staff) -> None:
            def work():
                return town.run(
                    lambda s: participants.propose_step(s, self.organisation, step, reason="seen", by=by, on=TODAY)
                )

            if by == approver:
                with pytest.raises(participants.RoleMissing):
                    work()
            elif (self.state, step) not in LAWFUL:
                with pytest.raises(participants.StepNotPossible):
                    work()
            elif self.open is not None:
                with pytest.raises(participants.StepAlreadyProposed):
                    work()
            else:
                self.open = (work().id, step, by.id)

        @precondition(lambda self: self.open is not None)
        @rule(agreed=st.booleans(), by=st.sampled_from([approver, both, registrar]))
        def decide(self, agreed: bool, by: participants.Staff) -> None:
            assert self.open is not None
            number, step, proposer = self.open

            def work():
                return town.run(lambda s: participants.decide_step(s, number, agreed=agreed, by=by, on=TODAY))

            if by == registrar:
                with pytest.raises(participants.RoleMissing):
                    work()
            elif by.id == proposer:
                with pytest.raises(participants.OwnStep):
                    work()
            else:
                self.state = LAWFUL[self.state, step] if agreed else self.state
                self.open = None
                found = work()
                assert found.state == self.state
                assert (found.account_id is None) == (found.state == "applied" or self.closed_unapproved(found))

        def closed_unapproved(self, found: participants.Organisation) -> bool:
            steps = town.run(lambda s: participants.steps_of(s, found))
            return found.state == "closed" and not any(step.step == "approve" and step.agreed for step in steps)

    run_state_machine_as_test(Onboarding, settings=hypothesis_settings(max_examples=30, stateful_step_count=15))
