"""Each movement is told to its holder in a sentence, in Chinese and in English (Articles 17-22)."""

import re
from datetime import date

import pytest

from carbonhui import ledger
from carbonhui.core.database import Database
from carbonhui.export.sentences import Movement, Sentence, sentence_of, sentences_of
from carbonhui.ledger import CNY, CREDIT, SANDBOX, Kind, Purpose
from tests.ledger.books import DAY, fresh, give, organisation, resident, town

__all__ = ["town"]

TEAHOUSE, WATER = "珠江茶馆", "广州水务"
#: Who moves what to whom: the purpose, the amount as the holder sees it, the other side, and both sentences.
TOLD = [
    (Purpose.MINT, 5, Kind.ISSUANCE, "issuance", "You earned 5 credits for what you avoided.", "您因减排获得 5 碳惠。"),
    (Purpose.GIVE, -5, Kind.PERSON, None, "You gave 5 credits to somebody.", "您赠送一位用户 5 碳惠。"),
    (Purpose.GIVE, 1, Kind.PERSON, None, "You were given 1 credit by somebody.", "您收到一位用户赠送的 1 碳惠。"),
    (Purpose.REDEEM, -12, Kind.MERCHANT, TEAHOUSE, "You paid 12 credits at 珠江茶馆.", "您在珠江茶馆支付 12 碳惠。"),
    (Purpose.REDEEM, 12, Kind.PERSON, None, "You were paid 12 credits by somebody.", "您收到一位用户支付的 12 碳惠。"),
    (Purpose.REFUND, 12, Kind.MERCHANT, TEAHOUSE, "12 credits came back to you from 珠江茶馆.", "珠江茶馆退还您 12 碳惠。"),
    (Purpose.REFUND, 7, Kind.DEPARTMENT, WATER, "7 credits came back to you from 广州水务.", "广州水务退还您 7 碳惠。"),
    (Purpose.SETTLE, -1000, Kind.CANCELLATION_POOL, "cancellation-pool",
     "Settled: 1,000 credits that you had received left circulation.", "已结算:您收到的 1,000 碳惠退出流通。"),
    (Purpose.OFFSET, -7, Kind.DEPARTMENT, WATER, "You paid part of a bill of 广州水务 with 7 credits.", "您以 7 碳惠抵用广州水务的部分账单。"),
    (Purpose.DONATE, -7, Kind.CHARITY, "绿色基金", "You donated 7 credits to 绿色基金.", "您向绿色基金捐赠 7 碳惠。"),
    (Purpose.RETIRE, -7, Kind.RETIREMENT, "retirement", "You retired 7 credits against emissions, for good.",
     "您永久注销 7 碳惠以中和排放。"),
    (Purpose.EXPIRE, -7, Kind.CANCELLATION_POOL, "cancellation-pool", "7 credits expired and left circulation.", "7 碳惠已过期并退出流通。"),
    (Purpose.CONTRIBUTE, -7, Kind.CAMPAIGN, None, "You put 7 credits into a pool.", "您向汇集活动投入 7 碳惠。"),
    (Purpose.RETURN, 7, Kind.CAMPAIGN, None, "7 credits came back to you from a pool.", "汇集活动退回您 7 碳惠。"),
    (Purpose.ABANDON, -7, Kind.CANCELLATION_POOL, "cancellation-pool", "7 credits went to the cancellation pool when an account was closed.",
     "因账户关闭,7 碳惠转入碳注销池。"),
]  # fmt: skip


@pytest.mark.parametrize(("purpose", "amount", "kind", "name", "en", "zh"), TOLD)
def test_what_happened_is_told_by_purpose_side_and_counterpart(purpose, amount, kind, name, en, zh):
    told = sentence_of(Movement(purpose, amount, CREDIT, kind, name), "guangzhou")
    assert (told.text("en"), told.text("zh")) == (en, zh)


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("asset", [CREDIT, CNY, SANDBOX])
def test_every_purpose_has_a_sentence_on_both_sides_whoever_the_other_is(purpose: Purpose, asset: int):
    for kind in Kind:
        for name in (None, TEAHOUSE):
            told = [sentence_of(Movement(purpose, amount, asset, kind, name), "guangzhou") for amount in (-2, -1, 1, 2)]
            assert len({one.en for one in told}) == len({one.zh for one in told}) == 4
            for one in told:
                assert not re.search(r"[{}]|None|  ", one.en + one.zh) and one.en.endswith(".") and one.zh.endswith("。")
                assert one.en[0].upper() == one.en[0]


def test_a_person_and_a_pool_have_no_name_in_anothers_statement():
    for kind in (Kind.PERSON, Kind.CAMPAIGN):
        for purpose in Purpose:
            for amount in (-1, 1):
                told = sentence_of(Movement(purpose, amount, CREDIT, kind, "张伟"), "guangzhou")
                assert "张伟" not in told.en + told.zh


def test_a_city_calls_the_credit_by_its_own_name_and_leaves_peoples_names_alone():
    told = sentence_of(Movement(Purpose.REDEEM, -3, CREDIT, Kind.MERCHANT, "碳惠茶馆"), "fuzhou")
    assert told.zh == "您在碳惠茶馆支付 3 碳币。"


def test_a_name_that_looks_like_a_placeholder_is_only_a_name():
    told = sentence_of(Movement(Purpose.REDEEM, -3, CREDIT, Kind.MERCHANT, "{n}{who.__class__}%s"), "guangzhou")
    assert told.en == "You paid 3 credits at {n}{who.__class__}%s."


def test_the_books_lines_are_told_to_both_sides_with_organisations_by_name(town: Database):
    with town.begin() as session:
        guest, shop = resident(session, 20), organisation(session, Kind.MERCHANT)
        paid = ledger.post(
            session, purpose=Purpose.REDEEM, source=guest, target=shop, amount=12, reference=fresh(), business_date=DAY
        )
        name = ledger.balance_of(session, shop).name
        of_guest, of_shop = told(session, guest), told(session, shop)
    assert [one.en for one in of_guest] == [f"You paid 12 credits at {name}.", "You earned 20 credits for what you avoided."]
    assert of_shop == [Sentence("You were paid 12 credits by somebody.", "您收到一位用户支付的 12 碳惠。")]
    assert paid.id


def test_what_undoes_a_movement_names_the_day_of_it(town: Database):
    with town.begin() as session:
        one, other = resident(session, 20), resident(session)
        given = give(session, one, other, 4)
        ledger.reverse(session, given.id, reference=fresh(), business_date=date(2026, 12, 1))
        assert told(session, one)[0] == Sentence(
            "The movement of 2026-11-20 was undone: somebody gave you 4 credits back.", "2026-11-20 的变动已撤销:一位用户退还您 4 碳惠。"
        )
        assert told(session, other)[0].en == "The movement of 2026-11-20 was undone: you gave 4 credits back to somebody."


def told(session, account: int) -> list[Sentence]:
    lines = ledger.statement(session, account).lines
    found = sentences_of(session, account, [line.transfer for line in lines], city="guangzhou")
    return [found[line.transfer] for line in lines]
