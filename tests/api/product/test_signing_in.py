"""Registering and signing in by a one-time code; nobody learns which numbers are known (Articles 11, 13)."""

from datetime import timedelta

from tests.api.product.people import City, said


def test_signing_in_by_a_code_registers_a_new_number_and_finds_a_known_one(city: City):
    mobile = city.new_mobile()
    first = city.stranger.post("/v1/sessions", {**city.code(mobile), "device_label": "telephone"})
    city.clock.instant += timedelta(minutes=2)
    again = city.stranger.post("/v1/sessions", {**city.code(mobile), "device_label": "tablet"})
    assert (first.status_code, first.json["new"]) == (201, True)
    assert (again.status_code, again.json["new"], again.json["person"]) == (201, False, first.json["person"])
    assert first.json["token_type"] == "Bearer" and first.json["expires_in"] == 600


def test_a_code_is_asked_for_in_the_same_words_for_known_and_unknown_numbers(city: City):
    known = city.resident()
    city.clock.instant += timedelta(minutes=2)
    answers = [city.stranger.post("/v1/codes", {"mobile": mobile}) for mobile in (known.mobile, city.new_mobile())]
    shapes = [(one.status_code, sorted(one.json), len(one.json["challenge"]), one.json["expires_in"]) for one in answers]
    assert shapes[0] == shapes[1]
    again = [city.stranger.post("/v1/codes", {"mobile": mobile}) for mobile in (known.mobile, "13700000001", "13700000001")]
    assert said(again[0]) == said(again[2]) == (429, "code_asked_too_often")


def test_a_wrong_code_is_counted_although_it_is_refused(city: City):
    proof = city.code(city.new_mobile())
    wrong = {**proof, "code": "000000" if proof["code"] != "000000" else "111111", "device_label": "x"}
    for _ in range(5):
        assert said(city.stranger.post("/v1/sessions", wrong)) == (422, "code_wrong")
    assert said(city.stranger.post("/v1/sessions", {**proof, "device_label": "x"})) == (422, "code_wrong")


def test_a_code_is_good_once_and_for_its_own_purpose_only(city: City):
    mobile = city.new_mobile()
    proof = city.code(mobile, "change_mobile")
    assert said(city.stranger.post("/v1/sessions", {**proof, "device_label": "x"})) == (422, "code_wrong")
    city.clock.instant += timedelta(minutes=2)
    proof = city.code(mobile)
    assert city.stranger.post("/v1/sessions", {**proof, "device_label": "x"}).status_code == 201
    assert said(city.stranger.post("/v1/sessions", {**proof, "device_label": "x"})) == (422, "code_wrong")


def test_the_sentence_that_a_code_is_asked_with_holds_as_long_as_the_answer_says(city: City):
    asked = city.stranger.post("/v1/codes", {"mobile": city.new_mobile()})
    wrong = city.stranger.post("/v1/sessions", {"challenge": asked.json["challenge"], "code": "000000", "device_label": "x"})
    assert wrong.json["facts"] == {"minutes": asked.json["expires_in"] // 60, "tries": asked.json["tries"]}


def test_a_refresh_token_is_good_once_and_a_lost_answer_is_told_again(city: City):
    mobile = city.new_mobile()
    begun = city.stranger.post("/v1/sessions", {**city.code(mobile), "device_label": "telephone"}).json
    body = {"refresh_token": begun["refresh_token"]}
    first = city.stranger.post("/v1/sessions/refresh", body, key="lost-answer")
    again = city.stranger.post("/v1/sessions/refresh", body, key="lost-answer")
    assert first.status_code == 200 and first.data == again.data
    stolen = city.stranger.post("/v1/sessions/refresh", body)
    assert said(stolen) == (401, "refresh_refused")
    # The theft signed the device out, so the newest token is worth nothing either.
    newest = {"refresh_token": first.json["refresh_token"]}
    assert said(city.stranger.post("/v1/sessions/refresh", newest)) == (401, "refresh_refused")


def test_signing_out_ends_this_device_only(city: City):
    here = city.resident()
    city.clock.instant += timedelta(minutes=2)
    there = city.resident(here.mobile)
    assert here.delete("/v1/sessions/current").status_code == 204
    city.clock.instant += timedelta(seconds=6)
    assert said(here.get("/v1/me")) == (401, "not_signed_in")
    devices = there.get("/v1/me/devices").json["items"]
    assert [one["device"] for one in devices] == [there.device]


def test_a_device_is_signed_out_from_another_and_all_at_once(city: City):
    here = city.resident()
    city.clock.instant += timedelta(minutes=2)
    there = city.resident(here.mobile)
    assert there.delete(f"/v1/me/devices/{here.device}").status_code == 204
    assert said(there.delete(f"/v1/me/devices/{here.device}")) == (404, "not_found")
    assert there.delete("/v1/me/devices").status_code == 204
    city.clock.instant += timedelta(seconds=6)
    assert {said(one.get("/v1/me")) for one in (here, there)} == {(401, "not_signed_in")}


def test_staff_sign_in_with_a_second_factor_and_out_again(city: City):
    clerk = city.staff("auditor")
    assert clerk.get("/v1/staff/organisations").status_code == 200
    wrong = city.stranger.post("/v1/staff/sessions", {"login": clerk.handle, "password": "correct horse battery", "totp": "000000"})
    assert said(wrong) == (401, "staff_not_accepted")
    assert clerk.delete("/v1/staff/sessions/current").status_code == 204
    city.clock.instant += timedelta(seconds=6)
    assert said(clerk.get("/v1/staff/organisations")) == (401, "not_signed_in")


def test_a_code_that_could_not_be_sent_says_so(city: City, monkeypatch):
    from carbonhui import access

    def fails(*_: str) -> None:
        raise access.CodeNotSent(reason="HTTP 500")

    mobile = city.new_mobile()
    with monkeypatch.context() as out_of_order:
        out_of_order.setattr(city.letterbox, "send", fails)
        assert said(city.stranger.post("/v1/codes", {"mobile": mobile}, key="not-sent")) == (503, "code_not_sent")
    # Nothing that did not come about is told again under the key.
    assert said(city.stranger.post("/v1/codes", {"mobile": mobile}, key="not-sent")) == (429, "code_asked_too_often")
    city.clock.instant += timedelta(seconds=61)
    assert city.stranger.post("/v1/codes", {"mobile": mobile}, key="not-sent").status_code == 202
    assert city.letterbox.code_for(mobile)
