"""What is retired covers what was emitted, and the certificate says so for good (Article 22)."""

import threading
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from carbonhui import ledger, neutralisation, notifications, participants, privacy
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import DAY, breaking, fresh, give, holds, mint_to
from tests.neutralisation.emitters import EVIDENCE, READER, Emitters


def code_of(emitters: Emitters, owner: Any, mg: int, **words: Any) -> str:
    with pytest.raises(Refusal) as caught:
        emitters.neutralise(owner, mg, **words)
    return caught.value.code


# How many ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mg", "credits"), [(1, 1), (100_000, 1), (100_001, 2), (999_999, 10), (1_000_000, 10)])
def test_the_fewest_whole_credits_that_cover_the_footprint_are_retired(emitters: Emitters, mg: int, credits: int) -> None:
    rider = emitters.person(10)
    made = emitters.neutralise(rider, mg)
    assert (made.credits, made.avoided_mg, made.footprint_mg) == (credits, credits * 100_000, mg)
    assert holds(emitters.database, rider.account_id) == 10 - credits


def test_one_milligram_more_than_all_credits_avoid_is_refused_with_the_numbers(emitters: Emitters) -> None:
    rider = emitters.person(10)
    with pytest.raises(neutralisation.CreditsDoNotCover) as caught:
        emitters.neutralise(rider, 1_000_001)
    assert caught.value.facts == {"footprint_mg": 1_000_001, "credits": 10, "avoided_mg": 1_000_000}
    assert holds(emitters.database, rider.account_id) == 10


def test_promised_credits_neutralise_nothing(emitters: Emitters) -> None:
    rider, shop = emitters.person(10), emitters.person()
    emitters.database.run(lambda s: ledger.hold(
        s, purpose=Purpose.GIVE, source=rider.account_id, target=shop.account_id, amount=4, reference=fresh(), business_date=DAY, seconds=60
    ))  # fmt: skip
    assert code_of(emitters, rider, 700_000) == "not_enough"
    assert emitters.neutralise(rider, 600_000).credits == 6


def test_no_more_is_retired_than_who_asks_allows(emitters: Emitters) -> None:
    rider = emitters.person(10)
    assert code_of(emitters, rider, 500_001, credits_max=5) == "more_credits_than_allowed"
    assert emitters.neutralise(rider, 500_000, credits_max=5).credits == 5


def test_credits_of_several_ratios_and_years_are_counted_at_their_own(emitters: Emitters) -> None:
    rider = emitters.person(2, vintage=2024, ratio=50_000)
    emitters.database.run(lambda s: mint_to(s, rider.account_id, 5, vintage=2026, ratio=200_000))
    made = emitters.neutralise(rider, 100_001)
    assert (made.credits, made.avoided_mg) == (3, 300_000)
    assert emitters.record(made).vintages == {2024: 2, 2026: 1}


# Whose --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["emitter", "charity"])
def test_organisations_and_charities_neutralise_and_are_told_by_webhook(emitters: Emitters, kind: str) -> None:
    owner = emitters.organisation(kind, 10)
    made = emitters.neutralise(owner, 800_000, beneficiary="珠江碳普惠论坛")
    assert (made.credits, made.account) == (8, owner.account_id)
    told = emitters.people.rows(f"SELECT organisation, account_id FROM announcement WHERE payload->>'certificate' = '{made.number}'")
    assert told == [(owner.id, None)]


@pytest.mark.parametrize("kind", ["merchant", "department"])
def test_what_merchants_and_departments_received_goes_to_the_pool_instead(emitters: Emitters, kind: str) -> None:
    owner = emitters.organisation(kind, 10)
    assert code_of(emitters, owner, 100_000) == "received_credits_not_retired"
    assert holds(emitters.database, owner.account_id or 0) == 10


def test_a_pool_neutralises_for_its_owner(emitters: Emitters) -> None:
    owner, giver = emitters.person(), emitters.person(10)
    pool = emitters.database.run(lambda s: ledger.open_account(s, Kind.CAMPAIGN))
    emitters.database.run(lambda s: give(s, giver.account_id, pool, 10))
    made = emitters.neutralise(owner, 1_000_000, payer=pool)
    assert (made.account, made.payer, made.credits) == (owner.account_id, pool, 10)
    assert holds(emitters.database, pool) == 0


# The record ---------------------------------------------------------------------------------------


def test_the_certificate_names_every_serial_and_they_are_retired(emitters: Emitters) -> None:
    rider = emitters.person(4, vintage=2025)
    emitters.database.run(lambda s: mint_to(s, rider.account_id, 8))
    made = emitters.neutralise(rider, 950_000, beneficiary="张三与李四的婚礼", reason="中和婚礼的排放")
    told = emitters.record(made)
    assert [(run.credits, run.vintage) for run in told.runs] == [(4, 2025), (6, 2026)]
    assert (told.beneficiary, told.reason, told.evidence_sha256) == ("张三与李四的婚礼", "中和婚礼的排放", EVIDENCE.hex())
    assert told.methodologies == ["metro"]
    assert told.address == f"https://carbon.example/certificates/{made.number}"
    with emitters.database.begin() as session:
        for run in told.runs:
            [*_, last] = ledger.history_of(session, ledger.parse_code(run.first_code, "4401"))
            assert (last.purpose, last.transfer) == (Purpose.RETIRE, made.transfer)


def test_the_person_finds_it_in_their_inbox_without_what_they_wrote(emitters: Emitters) -> None:
    rider = emitters.person(1)
    made = emitters.neutralise(rider, 1, reason="出差")
    with emitters.database.begin() as session:
        newest = notifications.messages_of(session, rider.account_id)[0]
    assert (newest.code, newest.facts) == ("certificate.issued", {"certificate": made.number, "credits": 1})


def test_many_origins_are_not_listed_one_by_one(emitters: Emitters, monkeypatch: pytest.MonkeyPatch) -> None:
    from carbonhui.neutralisation import certificates

    monkeypatch.setattr(certificates, "ORIGINS_MAX", 1)
    rider = emitters.person(1, vintage=2025)
    emitters.database.run(lambda s: mint_to(s, rider.account_id, 1))
    assert emitters.neutralise(rider, 200_000).methodologies is None


def test_numbers_are_unguessable_checked_and_taken_as_they_are_typed(emitters: Emitters) -> None:
    made = emitters.neutralise(emitters.person(1), 1)
    assert made.number[:4] == "NC26" and len(made.number) == 22
    assert neutralisation.checked_number(neutralisation.grouped(made.number).lower()) == made.number
    for at in range(4, 22):
        # A letter for a digit changes how many figures are divided, and one in 97 of these is not noticed.
        other = next(one for one in ("78" if made.number[at].isdigit() else "YZ") if one != made.number[at])
        with pytest.raises(neutralisation.CertificateUnknown):
            neutralisation.checked_number(made.number[:at] + other + made.number[at + 1 :])
    for text in ("", "NC26", made.number + "0", "../etc/passwd", "NC26' OR 1=1 --", "N" * 10_000, made.number[:20] + "01"):
        with pytest.raises(neutralisation.CertificateUnknown):
            neutralisation.checked_number(text)


def test_an_accounts_certificates_are_listed_newest_first(emitters: Emitters) -> None:
    rider = emitters.person(3)
    made = [emitters.neutralise(rider, 1).number for _ in range(3)]
    with emitters.database.begin() as session:
        first = neutralisation.certificates_of(session, rider.account_id, limit=2)
        rest = neutralisation.certificates_of(session, rider.account_id, before=first[-1].id)
    assert [one.number for one in (*first, *rest)] == made[::-1]


# What people write --------------------------------------------------------------------------------


def test_texts_lie_in_the_vault_and_nowhere_else(emitters: Emitters) -> None:
    made = emitters.neutralise(emitters.person(1), 1, beneficiary="欧阳秘密", reason="只有我知道的事由")
    with emitters.database.connect_as_owner() as connection:
        tables = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        for table in tables:
            for word in ("欧阳秘密", "只有我知道的事由"):
                query = f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s'
                found = connection.execute(query, (f"%{word}%",))  # type: ignore[arg-type]
                assert found.fetchone() == (0,), table
    assert emitters.record(made).beneficiary == "欧阳秘密"


def test_a_hidden_beneficiary_is_told_to_the_owner_only_and_can_be_shown_again(emitters: Emitters) -> None:
    made = emitters.neutralise(emitters.person(1), 1, beneficiary="张三", hidden=True)
    assert (emitters.record(made, owner=False).beneficiary, emitters.record(made, owner=True).beneficiary) == (None, "张三")
    shown = emitters.database.run(lambda s: neutralisation.hide_beneficiary(s, made, hidden=False))
    assert emitters.record(shown, owner=False).beneficiary == "张三"
    again = emitters.database.run(lambda s: neutralisation.hide_beneficiary(s, shown, hidden=True))
    assert emitters.record(again, owner=False).beneficiary is None


def test_erasing_a_person_takes_the_texts_off_their_certificates_and_leaves_the_rest(emitters: Emitters) -> None:
    rider = emitters.person(5)
    made = emitters.neutralise(rider, 100_000, beneficiary="张三", reason="回家过年")
    emitters.database.run(lambda s: participants.erase_person(s, emitters.vault, rider, on=DAY))
    told = emitters.record(made, owner=False)
    assert (told.beneficiary, told.reason, told.texts_erased) == (None, None, True)
    assert (told.credits, len(told.runs)) == (1, 1)
    page = neutralisation.page_of(told, city="guangzhou", demonstration=False).decode()
    assert "张三" not in page and "回家过年" not in page and "受益人信息已删除" in page


def test_another_contact_of_an_organisation_leaves_its_certificates_as_they_are(emitters: Emitters) -> None:
    owner = emitters.organisation("emitter", 1)
    made = emitters.neutralise(owner, 1, beneficiary="年会")
    emitters.database.run(lambda s: participants.change_contact(s, emitters.vault, owner, contact_name="王五", contact_mobile="13800138001"))
    assert emitters.record(made).beneficiary == "年会"


def test_reading_a_certificates_texts_stands_on_the_writers_record(emitters: Emitters) -> None:
    rider = emitters.person(1)
    made = emitters.neutralise(rider, 1)
    emitters.record(made)
    with emitters.database.begin() as session:
        newest = privacy.reads_of(session, rider.subject)[0]
    assert (newest.actor, newest.purpose, newest.fields) == (READER.actor, "certificate", (f"certificate:{made.id}:reason",))


@pytest.mark.parametrize(
    "words",
    [{"reason": ""}, {"reason": "字" * 501}, {"reason": "两\n行"}, {"reason": "\u202e反"}, {"beneficiary": "名" * 201}, {"beneficiary": " 张三"}],
)
def test_texts_that_are_not_what_they_look_like_are_refused_before_anything_moves(emitters: Emitters, words: dict[str, str]) -> None:
    rider = emitters.person(1)
    assert code_of(emitters, rider, 1, **words) == "text_refused"
    assert holds(emitters.database, rider.account_id) == 1


@pytest.mark.parametrize("reason", ["字" * 500, "𠮷" * 500, "𪚥𬺈" * 250, "W" * 500])
def test_a_reason_of_500_characters_of_any_kind_is_kept_whole_and_printed(emitters: Emitters, reason: str) -> None:
    made = emitters.neutralise(emitters.person(1), 1, beneficiary=reason[:200], reason=reason)
    told = emitters.record(made)
    assert (told.reason, told.beneficiary) == (reason, reason[:200])
    assert neutralisation.print_certificate(told, city="guangzhou", demonstration=False).startswith(b"%PDF")
    assert reason in neutralisation.page_of(told, city="guangzhou", demonstration=False).decode()


# Once, and for good -------------------------------------------------------------------------------


def test_a_repetition_gets_the_first_certificate_and_other_words_are_refused(emitters: Emitters) -> None:
    rider = emitters.person(10)
    asked = {"reference": fresh("once"), "beneficiary": "张三"}
    first = emitters.neutralise(rider, 300_000, **asked)
    assert emitters.neutralise(rider, 300_000, **asked) == first
    assert holds(emitters.database, rider.account_id) == 7
    for mg, words in ((300_001, {}), (300_000, {"beneficiary": "李四"}), (300_000, {"reason": "别的"}), (300_000, {"hidden": True})):
        assert code_of(emitters, rider, mg, **asked | words) == "reference_reused"
    assert code_of(emitters, emitters.person(10), 300_000, **asked) == "reference_reused"


def test_the_same_wish_at_once_from_many_phones_is_done_once(emitters: Emitters) -> None:
    rider, asked, found = emitters.person(30), {"reference": fresh("once"), "footprint": None}, []
    del asked["footprint"]

    def phone() -> None:
        found.append(emitters.neutralise(rider, 300_000, **asked).number)

    phones = [threading.Thread(target=phone) for _ in range(6)]
    for one in phones:
        one.start()
    for one in phones:
        one.join()
    assert len(found) == 6 and len(set(found)) == 1
    assert holds(emitters.database, rider.account_id) == 27


def test_many_phones_never_retire_more_than_there_is(emitters: Emitters) -> None:
    rider, done, refused = emitters.person(10), [], []

    def phone() -> None:
        try:
            done.append(emitters.neutralise(rider, 290_000).credits)
        except Refusal as refusal:
            refused.append(refusal.code)

    phones = [threading.Thread(target=phone) for _ in range(8)]
    for one in phones:
        one.start()
    for one in phones:
        one.join()
    assert (done, set(refused), holds(emitters.database, rider.account_id)) == ([3, 3, 3], {"credits_do_not_cover"}, 1)


def test_older_credits_that_reach_an_organisation_between_count_and_transfer_still_leave_it_covered(
    emitters: Emitters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an organisation receives waits for no lock: of another year and ratio, it changes what the transfer takes."""
    owner, giver, came = emitters.organisation("emitter", 10), emitters.person(5, vintage=2024, ratio=50_000), []
    counted = ledger.credits_covering

    def counting(*words: Any) -> ledger.Covering:
        found = counted(*words)
        if not came:
            came.append(emitters.database.run(lambda s: give(s, giver.account_id, owner.account_id or 0, 5)))
        return found

    monkeypatch.setattr(ledger, "credits_covering", counting)
    made = emitters.neutralise(owner, 800_000)
    assert (made.credits, made.avoided_mg) == (5 + 6, 5 * 50_000 + 6 * 100_000)
    assert holds(emitters.database, owner.account_id or 0) == 4


def test_a_certificate_is_never_changed_or_removed(emitters: Emitters) -> None:
    made = emitters.neutralise(emitters.person(1), 1)
    for statement in (
        "UPDATE certificate SET footprint_mg = 2 WHERE id = %s",
        "UPDATE certificate SET lines = '[]', hidden = NOT hidden, credits = 2 WHERE id = %s",
        "DELETE FROM certificate WHERE id = %s",
    ):  # fmt: skip
        with pytest.raises(psycopg.Error, match="never changed or removed"), emitters.database.connect_as_owner() as connection:
            connection.execute(statement, (made.id,))
    with pytest.raises(psycopg.Error, match="never changed or removed"), emitters.database.connect_as_owner() as connection:
        connection.execute("TRUNCATE certificate")


def test_the_check_names_a_certificate_that_tells_more_than_was_retired(emitters: Emitters) -> None:
    made = emitters.neutralise(emitters.person(3), 300_000)

    def named() -> list[int]:
        with emitters.database.begin() as session:
            return [row.row["certificate"] for row in ledger.run_checks(session, neutralisation.CHECKS)["I16"]]

    told = (("credits", 4, 3), ("avoided_mg", 300_001, 300_000), ("payer", made.payer + 1, made.payer), ("transfer_id", 0, made.transfer))
    for column, wrong, right in told:
        assert named() == []
        with breaking(emitters.database) as connection:
            connection.execute(f"UPDATE certificate SET {column} = %s WHERE id = %s", (wrong, made.id))
        assert named() == [made.id], column
        with breaking(emitters.database) as connection:
            connection.execute(f"UPDATE certificate SET {column} = %s WHERE id = %s", (right, made.id))


def test_a_certificate_needs_no_policy_but_a_charitys_does(emitters: Emitters, monkeypatch: pytest.MonkeyPatch) -> None:
    from carbonhui import policy
    from tests.ledger.books import put_in_force

    charity = emitters.organisation("charity", 2)
    emitters.database.run(lambda s: put_in_force(s, policy.CHARITY_MAY_RETIRE, 0, start=DAY + timedelta(days=30)))
    assert emitters.neutralise(charity, 100_000).credits == 1
    assert code_of(emitters, charity, 100_000, business_date=DAY + timedelta(days=30)) == "not_permitted"
    assert emitters.neutralise(emitters.person(1), 1, business_date=DAY + timedelta(days=30)).credits == 1


def test_the_books_are_whole_after_a_refusal_in_the_middle(emitters: Emitters, town: Database) -> None:
    rider = emitters.person(2)
    with pytest.raises(ZeroDivisionError), town.begin() as session:
        emitters.do(session, rider, 100_000)
        raise ZeroDivisionError
    assert holds(town, rider.account_id) == 2
