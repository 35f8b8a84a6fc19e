"""A person finds what happened in an inbox, in their own language; erased, nothing is left of it (PIPL, article 47)."""

from string import Formatter

import pytest

from carbonhui import notifications
from tests.notifications.conftest import resident


def test_a_message_is_a_code_with_facts_and_a_sentence_in_both_languages(database):
    account = resident(database)
    with database.begin() as session:
        notifications.announce(session, "credit.received", payload={"credits": 12}, account=account)
        (message,) = notifications.messages_of(session, account)
    assert (message.code, message.facts, message.read_at) == ("credit.received", {"credits": 12}, None)
    assert message.text() == "You received 12 credits."
    assert message.text("zh") == "您收到了 12 碳惠。"


def test_messages_are_read_newest_first_page_by_page_and_counted(database):
    account, neighbour = resident(database), resident(database)
    with database.begin() as session:
        for credits in range(1, 6):
            notifications.announce(session, "credit.received", payload={"credits": credits}, account=account)
        notifications.announce(session, "credit.received", payload={"credits": 9}, account=neighbour)
        first = notifications.messages_of(session, account, limit=2)
        rest = notifications.messages_of(session, account, before=first[-1].id)
        assert [message.facts["credits"] for message in first + rest] == [5, 4, 3, 2, 1]
        assert notifications.unread_count(session, account) == 5
        theirs = notifications.messages_of(session, neighbour)[0].id
        assert notifications.mark_read(session, account, [first[0].id, theirs]) == 1
        assert notifications.mark_read(session, account, []) == 0
        assert (notifications.unread_count(session, account), notifications.unread_count(session, neighbour)) == (4, 1)
        assert notifications.mark_read(session, account) == 4
        assert notifications.mark_read(session, account) == 0
        assert all(message.read_at for message in notifications.messages_of(session, account))


def test_many_are_told_in_one_statement(database):
    accounts = [resident(database) for _ in range(3)]
    with database.begin() as session:
        told = [(account, {"credits": number}) for number, account in enumerate(accounts, start=1)]
        assert notifications.announce_many(session, "credit.minted", told) == 3
        assert notifications.announce_many(session, "credit.minted", []) == 0
        assert [notifications.messages_of(session, account)[0].facts["credits"] for account in accounts] == [1, 2, 3]


def test_the_inbox_of_an_erased_person_is_empty_and_others_keep_theirs(database):
    account, neighbour = resident(database), resident(database)
    with database.begin() as session:
        for one in (account, neighbour):
            notifications.announce(session, "device.signed_in", payload={}, account=one)
        assert notifications.forget(session, account) == 1
        assert notifications.messages_of(session, account) == []
        assert len(notifications.messages_of(session, neighbour)) == 1


def test_the_staff_read_what_is_for_nobody_else(database):
    account = resident(database)
    with database.begin() as session:
        notifications.announce(session, "device.signed_in", payload={}, account=account)
        notifications.announce(session, "job.failed", payload={"job": "mint", "reason": "ratio_changed"})
        (notice,) = notifications.staff_notices(session)
        assert notice.text() == "The job mint failed: ratio_changed."
        assert notifications.staff_notices(session, before=notice.id) == []


@pytest.mark.parametrize("topic", notifications.TOPICS.values(), ids=str)
def test_both_sentences_of_a_topic_name_the_same_facts(topic):
    named = {field for _, field, _, _ in Formatter().parse(topic.sentence_zh) if field}
    assert named == topic.facts


@pytest.mark.parametrize(
    ("topic", "facts", "en", "zh"),
    [
        ("gift.waiting", {"credits": 1, "until": "2026-11-29"}, "A gift of 1 credit waits for you until 2026-11-29.",
         "有一份 1 碳惠的赠送等待您接受,有效期至 2026-11-29。"),
        ("credit.received", {"credits": 5000}, "You received 5,000 credits.", "您收到了 5,000 碳惠。"),
        ("credit.expired", {"credits": 1, "vintage": 2025}, "1 credit of 2025 expired.", "2025 年的 1 碳惠已过期。"),
        ("bill.offset", {"credits": 44, "offset_fen": 880}, "44 credits paid 8.80 yuan of a bill.", "账单已用 44 碳惠抵用 8.80 元。"),
        ("bill.presented", {"total_fen": 1_234_505}, "A bill of 12,345.05 yuan is there for you.", "您有一张 12,345.05 元的账单。"),
        ("donation.campaign_decided", {"campaign": "c1", "outcome": "refused"}, "Campaign c1: refused.", "公益活动 c1:未获批准。"),
    ],
)
def test_amounts_are_told_as_people_write_them(topic, facts, en, zh):
    told = notifications.TOPICS[topic]
    assert (told.text(facts), told.text(facts, "zh")) == (en, zh)
