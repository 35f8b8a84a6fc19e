"""A till and an app over the API: charges by payment code and by till code, refunds, the sandbox (Articles 18, 20)."""

import itertools
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.product.people import Caller, City, Server, said
from tests.ledger.books import mint_to

_NUMBERS = itertools.count(1)


@dataclass
class Shop:
    """A merchant's server, its owner, and where its charges are."""

    server: Server
    owner: Caller
    handle: str

    @property
    def path(self) -> str:
        return f"/v1/merchants/{self.handle}/charges"

    def charge(self, caller: Caller | None = None, *, query: str = "", **words: Any) -> Any:
        return (caller or self.server).post(self.path + query, {"out_trade_no": f"T-{next(_NUMBERS)}", "credits": 10, **words})


def merchant_with_owner(city: City) -> Shop:
    from tests.access.signing import with_hmac

    handle, owner = city.organisation("merchant")
    made = owner.post(f"/v1/organisations/{handle}/api-keys", {"algorithm": "hmac-sha256", "label": "till"}).json
    server = Server(
        city.client, handle=handle, key=with_hmac(made["key_id"], made["secret"]), clock=city.clock, public_url=city.settings.public_url
    )
    return Shop(server, owner, handle)


@pytest.fixture(scope="module")
def shop(town: City) -> Shop:
    return merchant_with_owner(town)


def shopper(city: City, credits: int = 100) -> Caller:
    found = city.resident()
    if credits:
        account = city.person(found).account_id
        city.do(lambda session: mint_to(session, account, credits))
    return found


def code_of(app: Caller) -> str:
    told = app.post("/v1/me/payment-codes", {})
    assert told.status_code == 201, told.json
    return str(told.json["code"])


def test_scan_to_pay(town: City, shop: Shop) -> None:
    app = shopper(town)
    code = code_of(app)
    assert len(code) == 24 and code.startswith("47")
    told = shop.charge(payment_code=code, credits=30)
    assert told.status_code == 201, told.json
    assert (told.json["state"], told.json["captured"], told.json["till_code"]) == ("captured", 30, None)
    assert app.get("/v1/me/balance").json["available"] == 70
    assert app.get("/v1/me/payments").json["items"][0]["merchant"] == "珠江水务"


def test_a_repeated_charge_is_the_same_and_a_lost_answer_is_found_by_the_number(town: City, shop: Shop) -> None:
    app, number = shopper(town), f"T-{next(_NUMBERS)}"
    body = {"out_trade_no": number, "credits": 10, "payment_code": code_of(app)}
    assert said(shop.server.get(f"{shop.path}/{number}")) == (404, "charge_unknown")
    first = shop.server.post(shop.path, body)
    for repeated in (shop.server.post(shop.path, body).json, shop.server.get(f"{shop.path}/{number}").json):
        assert repeated == first.json
    assert said(shop.server.post(shop.path, {**body, "credits": 11})) == (409, "out_trade_no_reused")
    assert app.get("/v1/me/balance").json["credits"] == 90
    listed = shop.server.get(f"{shop.path}?trade={first.json['trade']}").json["items"]
    assert listed == [first.json]


@pytest.mark.parametrize("written", ["A*B%7C", "A%2AB%7C"])
def test_a_number_with_a_star_is_signed_as_its_client_writes_it(city: City, shop: Shop, written: str) -> None:
    """What may stand in a path as it is some clients encode all the same; the server hands over neither way."""
    number = f"A*B|{next(_NUMBERS)}"
    assert shop.charge(out_trade_no=number).status_code == 201
    path = f"{shop.path}/{written}{number[4:]}"
    decoded = {"RAW_URI": "", "REQUEST_URI": ""}
    told = city.client.open(path, headers=shop.server.proof("GET", path, None), environ_overrides=decoded)
    assert (told.status_code, told.json.get("out_trade_no")) == (200, number)
    elsewhere = shop.server.proof("GET", path.replace("A", "B"), None)
    assert said(city.client.open(path, headers=elsewhere, environ_overrides=decoded)) == (401, "signature_invalid")


def test_a_declined_payment_tells_the_till_nothing_and_the_payer_why_and_the_code_is_spent(city: City, shop: Shop) -> None:
    app = shopper(city, 9)
    code = code_of(app)
    declined = shop.charge(payment_code=code)
    assert said(declined) == (422, "payer_cannot_pay")
    assert "9" not in declined.json["detail"].replace("10", "")
    assert said(shop.charge(payment_code=code, credits=1)) == (409, "payment_code_used")
    messages = app.get("/v1/me/messages").json["items"]
    assert [one["text"] for one in messages if one["topic"] == "payment.declined"] == [
        "A payment of 10 credits was not made: you hold too few, or your limits or your account do not let it be."
    ]


def test_a_code_is_told_to_be_over_after_a_minute(city: City, shop: Shop) -> None:
    from datetime import timedelta

    code = code_of(shopper(city))
    city.clock.instant += timedelta(seconds=61)
    assert said(shop.charge(payment_code=code)) == (422, "payment_code_expired")
    assert said(shop.charge(payment_code="47" + "0" * 22)) == (422, "payment_code_invalid")


@pytest.mark.parametrize("words", [
    {"credits": 0}, {"credits": -1}, {"credits": 2**53}, {"credits": "10"}, {"credits": True}, {"quantity": -1}, {"quantity": 10_000},
    {"money_fen": -1}, {"payment_code": "134567890123456789"}, {"payment_code": "48" + "0" * 22}, {"out_trade_no": ""},
    {"out_trade_no": "a" * 65}, {"out_trade_no": "a/b"}, {"waits_seconds": 0}, {"waits_seconds": 7_201}, {"payer": 1},
])  # fmt: skip
def test_what_no_till_can_mean_is_refused_at_the_door(shop: Shop, words: dict[str, Any]) -> None:
    assert said(shop.charge(**words)) == (422, "fields_invalid")


# A till that shows a code -----------------------------------------------------------------------


def test_the_app_scans_the_tills_code_sees_the_price_and_pays(town: City, shop: Shop) -> None:
    app, other = shopper(town), shopper(town)
    asked = shop.charge(credits=25, money_fen=990).json
    till = f"/v1/payments/{asked['till_code']}"
    assert (asked["state"], asked["till_code"][:2]) == ("awaiting", "48")
    seen = app.get(till).json
    assert (seen["merchant"], seen["credits"], seen["money_fen"], seen["state"]) == ("珠江水务", 25, 990, "awaiting")
    for _ in range(2):
        paid = app.post(till, {})
        assert (paid.status_code, paid.json["state"]) == (200, "captured")
    assert said(other.post(till, {})) == (409, "charge_not_awaiting")
    assert said(other.get(till)) == (404, "not_found")
    assert app.get(till).json["state"] == "captured"
    assert [caller.get("/v1/me/balance").json["credits"] for caller in (app, other)] == [75, 100]
    assert shop.server.get(f"{shop.path}/{asked['out_trade_no']}").json["state"] == "captured"


def test_a_guardian_pays_with_a_childs_credits_and_nobody_else_does(town: City, shop: Shop) -> None:
    guardian, stranger = town.proven(), town.proven()
    ward = town.ward_of(guardian)
    town.do(lambda s: mint_to(s, town.person(ward).account_id, 40))
    code = guardian.post("/v1/me/payment-codes", {"ward": ward}).json["code"]
    assert shop.charge(payment_code=code).status_code == 201
    till = f"/v1/payments/{shop.charge().json['till_code']}"
    assert said(stranger.post("/v1/me/payment-codes", {"ward": ward})) == (404, "not_guardian")
    assert said(stranger.post(till, {"payer": {"ward": ward}})) == (404, "not_guardian")
    assert guardian.post(till, {"payer": {"ward": ward}}).status_code == 200
    assert guardian.get(f"/v1/me/balance?ward={ward}").json["credits"] == 20
    assert len(guardian.get(f"/v1/me/payments?ward={ward}").json["items"]) == 2


def test_a_member_does_not_spend_a_merchants_received_credits(town: City, shop: Shop) -> None:
    till = f"/v1/payments/{shop.charge().json['till_code']}"
    assert said(shop.owner.post(till, {"payer": {"organisation": shop.handle}})) == (403, "payer_kind_refused")


# What becomes of it -----------------------------------------------------------------------------


def test_authorise_capture_a_part_refund_a_part(town: City, shop: Shop) -> None:
    app = shopper(town)
    made = shop.charge(payment_code=code_of(app), credits=50, capture=False).json
    one = f"{shop.path}/{made['out_trade_no']}"
    assert app.get("/v1/me/balance").json == {"credits": 100, "held": 50, "available": 50, "carry_mg": 0}
    assert said(shop.server.post(f"{one}/capture", {"credits": 51})) == (422, "capture_above_authorisation")
    assert shop.server.post(f"{one}/capture", {"credits": 40}).json["captured"] == 40
    assert said(shop.server.post(f"{one}/void")) == (409, "charge_state_differs")
    refund = {"out_refund_no": "R-1", "credits": 15}
    for _ in range(2):
        assert shop.server.post(f"{one}/refunds", refund).status_code == 201
    assert said(shop.server.post(f"{one}/refunds", {**refund, "credits": 16})) == (409, "out_refund_no_reused")
    assert said(shop.server.post(f"{one}/refunds", {"out_refund_no": "R-2", "credits": 26})) == (422, "refund_above_capture")
    assert [part["credits"] for part in shop.server.get(f"{one}/refunds").json["items"]] == [15]
    assert app.get("/v1/me/balance").json["available"] == 75


def test_void_and_close(town: City, shop: Shop) -> None:
    promised = shop.charge(payment_code=code_of(shopper(town)), capture=False).json["out_trade_no"]
    waiting = shop.charge().json["out_trade_no"]
    for number, step, state in ((promised, "void", "voided"), (waiting, "close", "closed")):
        for _ in range(2):
            assert shop.server.post(f"{shop.path}/{number}/{step}").json["state"] == state


def test_a_clerk_charges_and_a_manager_refunds(town: City) -> None:
    shop, clerk = merchant_with_owner(town), town.resident()
    shop.owner.post(f"/v1/organisations/{shop.handle}/members", {"person": clerk.handle, "role": "clerk"})
    number = shop.charge(clerk, payment_code=code_of(shopper(town))).json["out_trade_no"]
    refund = {"out_refund_no": "R", "credits": 4}
    assert said(clerk.post(f"{shop.path}/{number}/refunds", refund)) == (403, "organisation_role_missing")
    assert shop.owner.post(f"{shop.path}/{number}/refunds", refund).status_code == 201
    assert said(town.resident().get(f"{shop.path}/{number}")) == (404, "not_found")


def test_after_settlement_an_owner_decides_and_a_server_cannot(town: City) -> None:
    from carbonhui import merchants, participants
    from tests.ledger.books import fresh

    shop = merchant_with_owner(town)
    number = shop.charge(payment_code=code_of(shopper(town))).json["out_trade_no"]

    def settle(session: Any) -> None:
        account = participants.organisation_by_handle(session, shop.handle).account_id
        merchants.settle(session, merchant=account, reference=fresh("settlement"), business_date=town.clock.today())

    town.do(settle)
    shop.charge(payment_code=code_of(shopper(town)))
    path, refund = f"{shop.path}/{number}/refunds", {"out_refund_no": "R", "credits": 4}
    assert said(shop.server.post(path, refund)) == (409, "charge_settled")
    assert said(shop.server.post(path, {**refund, "after_settlement": True})) == (403, "organisation_role_missing")
    assert shop.owner.post(path, {**refund, "after_settlement": True}).json["after_settlement"] is True


def test_a_suspended_merchant_refunds_and_does_not_charge(town: City) -> None:
    shop = merchant_with_owner(town)
    number = shop.charge(payment_code=code_of(shopper(town))).json["out_trade_no"]
    town.approve(shop.handle, "suspend")
    assert said(shop.charge(shop.owner, payment_code=code_of(shopper(town)))) == (403, "merchant_not_trading")
    assert shop.owner.post(f"{shop.path}/{number}/refunds", {"out_refund_no": "R", "credits": 10}).status_code == 201


def test_shops_tills_and_offers_are_the_merchants_own(town: City, shop: Shop) -> None:
    from tests.api.product.test_who_may_do_what import OFFER, SHOP

    base, rival = f"/v1/merchants/{shop.handle}", merchant_with_owner(town)
    place = shop.owner.post(f"{base}/shops", SHOP).json["shop"]
    till = shop.owner.post(f"{base}/shops/{place}/tills", {"label": "1"}).json["till"]
    offer = shop.owner.post(f"{base}/offers", OFFER).json["offer"]
    assert shop.owner.post(f"{base}/offers/{offer}/publication").status_code < 300
    sold = shop.charge(payment_code=code_of(shopper(town)), credits=None, offer=offer, quantity=2, shop=place, till=till)
    told = {name: sold.json[name] for name in ("credits", "money_fen", "offer", "quantity", "shop", "till")}
    assert told == {"credits": 10, "money_fen": 2000, "offer": offer, "quantity": 2, "shop": place, "till": till}
    assert shop.server.get(f"{shop.path}/{sold.json['out_trade_no']}").json == sold.json
    for words, code in (
        ({"shop": place}, "shop_unknown"), ({"till": till}, "shop_unknown"), ({"credits": None, "offer": offer, "quantity": 1}, "offer_unknown"),
    ):  # fmt: skip
        assert said(rival.charge(payment_code=code_of(shopper(town)), **words))[1] == code


def test_what_was_sold_before_the_shop_closed_is_told_again_and_nothing_more_is_sold(town: City, shop: Shop) -> None:
    from tests.api.product.test_who_may_do_what import SHOP

    base = f"/v1/merchants/{shop.handle}"
    place = shop.owner.post(f"{base}/shops", SHOP).json["shop"]
    till = shop.owner.post(f"{base}/shops/{place}/tills", {"label": "1"}).json["till"]
    body = {
        "out_trade_no": f"T-{next(_NUMBERS)}", "credits": 10, "payment_code": code_of(shopper(town)), "shop": place, "till": till,
    }  # fmt: skip
    sold = shop.server.post(shop.path, body)
    for closes, code in ((f"{base}/shops/{place}/tills/{till}", "till_closed"), (f"{base}/shops/{place}", "shop_closed")):
        assert shop.owner.patch(closes, {"state": "closed"}).status_code == 200
        assert shop.server.post(shop.path, body).json == sold.json
        assert said(shop.server.post(shop.path, {**body, "credits": 11}))[1] == "out_trade_no_reused"
        assert said(shop.charge(payment_code=code_of(shopper(town)), shop=place, till=till))[1] == code


# The payer's own -------------------------------------------------------------------------------


def test_a_payer_limits_payments(town: City, shop: Shop) -> None:
    app = shopper(town)
    assert app.get("/v1/me/payment-limits").json == {"per_payment_max": None, "per_day_max": None}
    limits = {"per_payment_max": 20, "per_day_max": 25}
    assert app.put("/v1/me/payment-limits", limits).json == limits == app.get("/v1/me/payment-limits").json
    assert said(shop.charge(payment_code=code_of(app), credits=21)) == (422, "payer_cannot_pay")
    till = shop.charge(credits=21).json["till_code"]
    assert said(app.post(f"/v1/payments/{till}", {})) == (422, "payment_above_own_limit")
    assert said(app.put("/v1/me/payment-limits", {"per_payment_max": -1, "per_day_max": None})) == (422, "fields_invalid")


def test_payments_and_charges_are_listed_page_by_page_newest_first(city: City) -> None:
    from datetime import timedelta

    shop, app, numbers = merchant_with_owner(city), shopper(city), []
    for _ in range(5):
        numbers.append(shop.charge(payment_code=code_of(app), credits=1).json["out_trade_no"])
        city.clock.instant += timedelta(seconds=1)
    for caller, path, name in ((shop.server, shop.path, "out_trade_no"), (app, "/v1/me/payments", "trade")):
        first = caller.get(f"{path}?limit=3").json
        rest = caller.get(f"{path}?limit=3&cursor={first['next']}").json
        found = [one[name] for one in first["items"] + rest["items"]]
        assert (len(first["items"]), len(set(found)), rest["next"]) == (3, 5, None)
        if name == "out_trade_no":
            assert found == numbers[::-1]
    assert shop.server.get(f"{shop.path}?state=voided").json["items"] == []
    assert len(shop.server.get(f"{shop.path}?day=2026-11-20&state=captured").json["items"]) == 5


# The sandbox ------------------------------------------------------------------------------------


def test_a_developer_tries_it_all_in_the_sandbox(town: City) -> None:
    shop = merchant_with_owner(town)
    base = f"/v1/merchants/{shop.handle}/sandbox"
    assert shop.server.post(base).json == {"received": 0, "payer_credits": 10_000}
    codes = {payer: shop.server.post(f"{base}/payment-codes", {"payer": payer}).json["code"] for payer in ("paying", "lacking", "expired")}
    told = {payer: said(shop.charge(query="?sandbox=true", payment_code=code)) for payer, code in codes.items()}
    assert told == {"paying": (201, None), "lacking": (422, "payer_cannot_pay"), "expired": (422, "payment_code_expired")}
    assert said(shop.charge(payment_code=shop.server.post(f"{base}/payment-codes", {}).json["code"])) == (422, "payment_code_invalid")
    asked = shop.charge(query="?sandbox=true", credits=3).json
    assert said(shopper(town).post(f"/v1/payments/{asked['till_code']}", {})) == (404, "not_found")
    assert said(shop.server.post(f"{base}/payments", {"till_code": asked["till_code"], "payer": "lacking"})) == (422, "not_enough")
    assert shop.server.post(f"{base}/payments", {"till_code": asked["till_code"]}).json["state"] == "captured"
    rival = merchant_with_owner(town)
    other = f"/v1/merchants/{rival.handle}/sandbox/payments"
    assert said(rival.server.post(other, {"till_code": asked["till_code"]})) == (404, "sandbox_payer_unknown")
    assert shop.server.post(f"{base}/credits").json == {"received": 13, "payer_credits": 19_987}
    assert [len(shop.server.get(f"{shop.path}{query}").json["items"]) for query in ("", "?sandbox=true")] == [0, 2]


def test_a_merchant_that_is_not_approved_yet_has_a_sandbox(town: City) -> None:
    owner = town.resident()
    handle = town.applicant(owner)
    base = f"/v1/merchants/{handle}"
    code = owner.post(f"{base}/sandbox/payment-codes", {}).json["code"]
    body = {"out_trade_no": "T", "credits": 1, "payment_code": code}
    assert owner.post(f"{base}/charges?sandbox=true", body).status_code == 201
    assert said(owner.post(f"{base}/charges", {"out_trade_no": "U", "credits": 1})) == (403, "merchant_not_trading")
