"""Whoever is given credits learns of it, once, and not from whom (Articles 18-21)."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from carbonhui import circulation, ledger, neutralisation, notifications, policy
from carbonhui.core.amounts import Credits
from tests.ledger.books import DAY, mint_to, put_in_force
from tests.participants.people import Town
from tests.participants.test_suspended import donated, offset, redeemed

Use = Callable[[Session, int, int, str], ledger.Posted]


@pytest.fixture(scope="module", autouse=True)
def values(town: Town) -> None:
    def approved(session: Session) -> None:
        put_in_force(session, policy.PAR, 20_000, DAY.replace(year=2020))
        put_in_force(session, policy.OFFSET_CAP, 10, DAY.replace(year=2020))

    town.run(approved)


def payer_of(town: Town, credits: int = 20) -> int:
    payer = town.resident().account_id
    town.run(lambda session: mint_to(session, payer, credits))
    return payer


def announced(town: Town) -> int:
    return int(str(town.rows("SELECT count(*) FROM announcement")[0][0]))


@pytest.mark.parametrize(("kind", "use", "purpose"), [("merchant", redeemed, "redeem"), ("department", offset, "offset"), ("charity", donated, "donate")])
def test_an_organisations_endpoints_are_told_of_each_receipt_once(town: Town, kind: str, use: Use, purpose: str) -> None:
    payer, taker = payer_of(town), town.approved(kind)
    assert taker.account_id is not None
    account = taker.account_id
    endpoint, _ = town.run(lambda s: notifications.add_endpoint(
        s, town.vault, organisation=taker.id, url="https://example.org/hook", topics=["credit.received"],
        resolver=lambda *_: ["93.184.215.14"],
    ))  # fmt: skip
    for reference in ("a-letter-to-you", "second", "a-letter-to-you"):
        town.run(lambda session, reference=reference: use(session, payer, account, reference + kind))  # type: ignore[misc]
    rows = town.rows(
        "SELECT a.topic, a.payload::text, a.account_id FROM webhook_delivery d JOIN announcement a ON a.id = d.announcement_id"
        f" WHERE d.endpoint_id = {endpoint} ORDER BY a.id"
    )
    assert len(rows) == 2
    topic, payload, inbox = rows[0]
    assert (topic, inbox) == ("credit.received", None)
    assert json.loads(str(payload)) == {"credits": 5, "purpose": purpose, "on": DAY.isoformat()}


def give(town: Town, giver: int, receiver: int, reference: str) -> None:
    town.run(lambda s: circulation.give(s, giver=giver, receiver=receiver, credits=Credits(7), reference=reference, business_date=DAY))


def test_receiver_and_giver_each_find_one_message_of_a_gift_that_was_repeated(town: Town) -> None:
    giver, receiver = payer_of(town), town.resident().account_id
    for _ in range(2):
        give(town, giver, receiver, "birthday")
    [message] = town.run(lambda s: notifications.messages_of(s, receiver))
    assert (message.code, message.text("en")) == ("credit.received", "You received 7 credits.")
    assert "birthday" not in json.dumps(message.facts)
    [message] = town.run(lambda s: notifications.messages_of(s, giver))
    assert (message.code, message.facts) == ("gift.made", {"credits": 7, "on": DAY.isoformat()})


def test_who_uses_credits_by_hand_finds_one_message_of_each_use(town: Town) -> None:
    payer, shop = payer_of(town), town.approved("merchant").account_id
    assert shop is not None
    for _ in range(2):
        town.run(lambda session: redeemed(session, payer, shop, "by-hand"))
        town.run(lambda s: neutralisation.retire(s, owner=payer, credits=Credits(3), reference="by-hand-too", business_date=DAY))
    told = town.run(lambda s: notifications.messages_of(s, payer))
    assert [(one.text(), one.facts["purpose"]) for one in told] == [("You used 3 credits.", "retire"), ("You used 5 credits.", "redeem")]


def test_accounts_of_nobody_known_are_told_nothing(town: Town) -> None:
    giver = town.run(lambda s: ledger.open_account(s, ledger.Kind.PERSON))
    town.run(lambda session: mint_to(session, giver, 20))
    stranger = town.run(lambda s: ledger.open_account(s, ledger.Kind.PERSON))
    shop = town.run(lambda s: ledger.open_account(s, ledger.Kind.MERCHANT, name="teahouse"))
    before = announced(town)
    give(town, giver, stranger, "to-a-stranger")
    town.run(lambda session: redeemed(session, giver, shop, "tea"))
    assert announced(town) == before


def test_what_is_undone_was_told_to_nobody(town: Town) -> None:
    giver, receiver = payer_of(town), town.resident().account_id
    with pytest.raises(KeyError), town.database.begin() as session:
        circulation.give(session, giver=giver, receiver=receiver, credits=Credits(7), reference="undone", business_date=DAY)
        raise KeyError
    assert town.run(lambda s: notifications.messages_of(s, receiver)) == []
