"""Giving and asking by telephone: what an app sees of it, and what nobody learns (Article 18; PIPL article 51)."""

from datetime import timedelta

import pytest

from carbonhui import circulation
from tests.api.product.people import Caller, City, said
from tests.ledger.books import mint_to


def rich(city: City, credits: int = 10) -> Caller:
    found = city.resident()
    account = city.person(found).account_id
    city.do(lambda s: mint_to(s, account, credits))
    return found


def balance(who: Caller) -> tuple[int, int]:
    told = who.get("/v1/me/balance").json
    return told["credits"], told["available"]


def texts(who: Caller, language: str = "en") -> list[str]:
    return [item["text"] for item in who.get("/v1/me/messages", Accept_Language=language).json["items"]]


def test_a_gift_by_number_is_accepted_from_the_other_telephone(city: City):
    giver, receiver = rich(city), city.resident()
    made = giver.post("/v1/me/gifts", {"mobile": receiver.mobile, "credits": 4, "greeting": "birthday"})
    assert (made.status_code, made.json["state"], made.json["side"], made.json["until"]) == (201, "waiting", "sent", "2026-11-27")
    [found] = receiver.get("/v1/me/gifts").json["items"]
    assert (found["gift"], found["side"], found["greeting"]) == (made.json["gift"], "received", "birthday")
    seen = receiver.get(f"/v1/me/gifts/{found['gift']}").json
    assert seen["other"] == {"name": None, "mobile": f"{giver.mobile[:3]}****{giver.mobile[-4:]}"}
    assert giver.get(f"/v1/me/gifts/{found['gift']}").json["other"] is None
    taken = receiver.post(f"/v1/me/gifts/{found['gift']}/decision", {"accepted": True})
    assert (taken.status_code, taken.json["state"]) == (200, "accepted")
    assert (balance(giver), balance(receiver)) == ((6, 6), (4, 4))
    assert receiver.get("/v1/me/statement").json["items"][0]["transfer"] == taken.json["transfer"]
    assert "A gift of 4 credits waits for you until 2026-11-27." in texts(receiver)
    assert "您赠送的 4 碳惠已被接受。" in texts(giver, "zh")


def test_a_known_number_and_an_unknown_one_are_answered_in_the_same_words(city: City):
    giver, receiver = rich(city), city.resident()
    for path, rest in (("/v1/me/gifts", {"credits": 1}), ("/v1/me/requests", {"credits": 1})):
        answers = [giver.post(path, {"mobile": mobile, **rest}) for mobile in (receiver.mobile, city.new_mobile())]
        told = [{**one.json, "gift": "", "request": ""} for one in answers]
        assert told[0] == told[1] and {one.status_code for one in answers} == {201}
        assert set(answers[0].headers.keys()) == set(answers[1].headers.keys())


def test_whoever_signs_in_for_the_first_time_finds_what_waited_for_the_number(city: City):
    giver, mobile = rich(city), city.new_mobile()
    giver.post("/v1/me/gifts", {"mobile": mobile, "credits": 3})
    giver.post("/v1/me/requests", {"mobile": mobile, "credits": 2})
    newcomer = city.resident(mobile)
    assert [item["topic"] for item in newcomer.get("/v1/me/messages").json["items"]][:2] == ["request.received", "gift.waiting"]
    [gift] = newcomer.get("/v1/me/gifts").json["items"]
    [request] = newcomer.get("/v1/me/requests").json["items"]
    assert newcomer.post(f"/v1/me/gifts/{gift['gift']}/decision", {"accepted": True}).status_code == 200
    assert newcomer.post(f"/v1/me/requests/{request['request']}/decision", {"accepted": True}).json["state"] == "accepted"
    assert (balance(giver), balance(newcomer)) == ((9, 9), (1, 1))


def test_who_changes_to_a_number_finds_what_waited_for_it(city: City):
    giver, mover, mobile = rich(city), city.resident(), city.new_mobile()
    giver.post("/v1/me/gifts", {"mobile": mobile, "credits": 3})
    assert mover.put("/v1/me/mobile", city.code(mobile, "change_mobile", mover)).status_code == 204
    assert mover.get("/v1/me/messages").json["items"][0]["topic"] == "gift.waiting"


def test_a_gift_by_code_is_made_at_once_and_the_code_ends(city: City):
    giver, receiver = rich(city), city.resident()
    shown = receiver.post("/v1/me/receive-codes").json
    assert shown["expires_at"] == "2026-11-20T04:05:00Z"
    given = giver.post("/v1/me/gifts", {"receive_code": shown["receive_code"], "credits": 2})
    assert (given.status_code, given.json["state"]) == (201, "accepted")
    city.clock.instant += timedelta(minutes=6)
    assert said(giver.post("/v1/me/gifts", {"receive_code": shown["receive_code"], "credits": 2})) == (422, "receive_code_invalid")
    assert said(giver.post("/v1/me/gifts", {"receive_code": "40" + "1" * 34, "credits": 2})) == (422, "receive_code_invalid")
    assert balance(receiver) == (2, 2)


def test_a_gift_is_taken_back_or_declined_from_the_telephone(city: City):
    giver, receiver = rich(city), city.resident()
    one, two = (giver.post("/v1/me/gifts", {"mobile": receiver.mobile, "credits": 4}).json["gift"] for _ in range(2))
    assert giver.delete(f"/v1/me/gifts/{one}").status_code == 204
    assert receiver.post(f"/v1/me/gifts/{two}/decision", {"accepted": False}).json["state"] == "declined"
    assert said(receiver.post(f"/v1/me/gifts/{one}/decision", {"accepted": True})) == (409, "gift_not_waiting")
    assert said(giver.delete(f"/v1/me/gifts/{two}")) == (409, "gift_not_waiting")
    assert balance(giver) == (10, 10)


def test_a_request_is_declined_and_taken_back(city: City):
    asker, asked = city.resident(), rich(city)
    first = asker.post("/v1/me/requests", {"mobile": asked.mobile, "credits": 4, "reason": "family"}).json["request"]
    assert said(asker.post("/v1/me/requests", {"mobile": asked.mobile, "credits": 4})) == (409, "request_waits_already")
    assert asked.get(f"/v1/me/requests/{first}").json["other"]["mobile"] == f"{asker.mobile[:3]}****{asker.mobile[-4:]}"
    assert asked.post(f"/v1/me/requests/{first}/decision", {"accepted": False}).json["state"] == "declined"
    second = asker.post("/v1/me/requests", {"mobile": asked.mobile, "credits": 4}).json["request"]
    assert asker.delete(f"/v1/me/requests/{second}").status_code == 204
    assert [item["state"] for item in asker.get("/v1/me/requests?side=sent").json["items"]] == ["cancelled", "declined"]
    assert said(asked.post(f"/v1/me/requests/{second}/decision", {"accepted": True})) == (409, "request_not_waiting")


def test_a_guardian_gives_takes_and_shows_a_code_for_a_child(city: City):
    guardian, giver = city.proven(), rich(city)
    ward = city.ward_of(guardian)
    account = city.person(ward).account_id
    code = guardian.post(f"/v1/me/receive-codes?ward={ward}").json["receive_code"]
    assert giver.post("/v1/me/gifts", {"receive_code": code, "credits": 5}).status_code == 201
    assert guardian.get(f"/v1/me/balance?ward={ward}").json["credits"] == 5
    assert circulation.account_behind(city.vault, code, now=city.clock.now()) == account
    sent = guardian.post(f"/v1/me/gifts?ward={ward}", {"mobile": giver.mobile, "credits": 2})
    assert sent.json["state"] == "waiting"
    assert guardian.get("/v1/me/gifts?side=sent").json["items"] == []
    assert [one["gift"] for one in guardian.get(f"/v1/me/gifts?side=sent&ward={ward}").json["items"]] == [sent.json["gift"]]
    assert guardian.delete(f"/v1/me/gifts/{sent.json['gift']}?ward={ward}").status_code == 204


@pytest.mark.parametrize("body", [
    {"credits": 0, "mobile": "13800138000"},
    {"credits": -5, "mobile": "13800138000"}, {"credits": 2**53, "mobile": "13800138000"}, {"credits": "1", "mobile": "13800138000"},
    {"credits": 1, "mobile": "13800138000", "greeting": "=1+1"}, {"credits": 1, "mobile": "13800138000", "text": "hello"},
    {"credits": 1, "receive_code": "47" + "0" * 34}, {"mobile": "13800138000"}, {"credits": True, "mobile": "13800138000"},
])  # fmt: skip
def test_what_is_not_a_gift_is_refused_before_anything_moves(city: City, body: dict[str, object]):
    giver = rich(city)
    assert said(giver.post("/v1/me/gifts", body)) == (422, "fields_invalid")
    assert balance(giver) == (10, 10)


@pytest.mark.parametrize("address", [{}, {"mobile": "13800138000", "receive_code": "40" + "0" * 34}])
def test_a_gift_and_a_request_name_the_other_in_one_way(city: City, address: dict[str, str]):
    giver = rich(city)
    for path in ("/v1/me/gifts", "/v1/me/requests"):
        assert said(giver.post(path, {"credits": 1, **address})) == (422, "not_one_of_these")


def test_a_gift_whose_answer_was_lost_is_asked_for_again_and_made_once(city: City):
    giver, receiver = rich(city), city.resident()
    body = {"mobile": receiver.mobile, "credits": 4}
    first, again = (giver.post("/v1/me/gifts", body, key="lost-1") for _ in range(2))
    assert first.json == again.json
    assert balance(giver) == (10, 6)
    assert said(giver.post("/v1/me/gifts", {**body, "credits": 5}, key="lost-1")) == (422, "idempotency_key_reused")


def test_gifts_come_page_by_page_newest_first(city: City):
    giver = rich(city)
    made = [giver.post("/v1/me/gifts", {"mobile": city.new_mobile(), "credits": 1}).json["gift"] for _ in range(5)]
    first = giver.get("/v1/me/gifts?side=sent&limit=3").json
    second = giver.get(f"/v1/me/gifts?side=sent&limit=3&cursor={first['next']}").json
    assert [item["gift"] for item in first["items"] + second["items"]] == made[::-1]
    assert second["next"] is None
    assert said(city.resident().get(f"/v1/me/gifts?side=sent&cursor={first['next']}"))[0] == 400


def test_no_number_stands_in_the_tables_of_gifts_nor_in_the_journal(city: City):
    giver, mobile = rich(city), city.new_mobile()
    giver.post("/v1/me/gifts", {"mobile": mobile, "credits": 1})
    giver.post("/v1/me/requests", {"mobile": mobile, "credits": 1})
    with city.database.connect() as connection:
        for table in ("gift", "credit_request", "hold", "transfer", "announcement"):
            rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()
            assert rows and not any(mobile in row[0] for row in rows), table
