"""A person's own particulars, children and mobile number (Articles 10-13; PIPL articles 31, 44-46)."""

from datetime import date, timedelta

from tests.api.product.people import City, said


def test_somebody_new_is_known_by_a_number_only(city: City):
    who = city.resident()
    known = who.get("/v1/me").json
    assert known == {
        "person": who.handle, "level": "registered", "state": "active", "language": "en", "guardian_until": None,
        "mobile": f"+86{who.mobile}", "name": None,
    }  # fmt: skip


def test_the_language_of_registration_is_that_of_the_request(city: City):
    proof = {**city.code(city.new_mobile()), "device_label": "x"}
    told = city.stranger.post("/v1/sessions", proof, Accept_Language="zh-CN").json
    assert city.person(told["person"]).language == "zh"


def test_the_language_is_changed(city: City):
    who = city.resident()
    assert who.patch("/v1/me", {"language": "zh"}).json["language"] == "zh"
    assert who.get("/v1/me").json["language"] == "zh"
    assert said(who.patch("/v1/me", {"language": "fr"})) == (422, "fields_invalid")


def test_a_new_mobile_number_is_proven_by_a_code_to_it(city: City):
    who, mobile = city.resident(), city.new_mobile()
    proof = city.code(mobile, "change_mobile", who)
    assert said(who.put("/v1/me/mobile", {**proof, "code": "xxxxxx"})) == (422, "fields_invalid")
    assert who.put("/v1/me/mobile", proof).status_code == 204
    assert who.get("/v1/me").json["mobile"] == f"+86{mobile}"
    city.clock.instant += timedelta(minutes=2)
    assert city.resident(mobile).handle == who.handle


def test_a_number_that_is_somebodys_is_not_taken(city: City):
    who, other = city.resident(), city.resident()
    city.clock.instant += timedelta(minutes=2)
    assert said(who.put("/v1/me/mobile", city.code(other.mobile, "change_mobile", who))) == (409, "mobile_taken")


def test_a_wrong_code_for_a_new_number_is_counted(city: City):
    who, mobile = city.resident(), city.new_mobile()
    proof = city.code(mobile, "change_mobile", who)
    wrong = {**proof, "code": "000000" if proof["code"] != "000000" else "111111"}
    assert [said(who.put("/v1/me/mobile", wrong)) for _ in range(5)] == [(422, "code_wrong")] * 5
    assert said(who.put("/v1/me/mobile", proof)) == (422, "code_wrong")


def test_a_real_name_is_proven_once_and_one_number_belongs_to_one_person(city: City):
    who, other = city.resident(), city.resident()
    proof = {"name": "张伟", "id_number": city.id_number()}
    told = who.post("/v1/me/real-name", proof)
    assert told.json["level"] == "real_name" and "name" not in told.json and proof["id_number"] not in told.text
    assert said(who.post("/v1/me/real-name", proof)) == (409, "real_name_already_proven")
    assert said(other.post("/v1/me/real-name", proof)) == (409, "id_number_taken")
    assert who.get("/v1/me").json["name"] == "张伟"


def test_a_minor_who_proves_the_name_waits_for_a_guardian(city: City):
    child, guardian = city.resident(), city.proven()
    number = city.id_number(date(2010, 6, 1))
    assert child.post("/v1/me/real-name", {"name": "张小明", "id_number": number}).json["state"] == "restricted"
    city.clock.instant += timedelta(minutes=2)
    proof = city.code(child.mobile, "guardian", guardian)
    taken = guardian.post("/v1/me/wards/takeovers", {**proof, "name": "张小明", "id_number": number})
    assert (taken.status_code, taken.json["person"], taken.json["state"]) == (201, child.handle, "active")


def test_a_child_is_not_taken_over_without_its_code_or_its_particulars(city: City):
    child, guardian = city.resident(), city.proven()
    number = city.id_number(date(2010, 6, 1))
    child.post("/v1/me/real-name", {"name": "张小明", "id_number": number})
    city.clock.instant += timedelta(minutes=2)
    proof = city.code(child.mobile, "guardian", guardian)
    wrong = {**proof, "code": "000000" if proof["code"] != "000000" else "111111", "name": "张小明", "id_number": number}
    assert said(guardian.post("/v1/me/wards/takeovers", wrong)) == (422, "code_wrong")
    other = {**proof, "name": "张小明", "id_number": city.id_number(date(2010, 6, 1))}
    assert said(guardian.post("/v1/me/wards/takeovers", other)) == (422, "ward_differs")
    nobody = city.code(city.new_mobile(), "guardian", guardian)
    assert said(guardian.post("/v1/me/wards/takeovers", {**nobody, "name": "张", "id_number": number})) == (422, "ward_differs")


def test_a_guardian_registers_a_child_and_lets_go_of_it(city: City):
    guardian = city.proven()
    ward = city.ward_of(guardian)
    assert [one["person"] for one in guardian.get("/v1/me/wards").json["items"]] == [ward]
    assert guardian.delete(f"/v1/me/wards/{ward}").status_code == 204
    assert guardian.get("/v1/me/wards").json == {"items": [], "next": None}
    assert city.person(ward).state == "restricted"


def test_who_is_not_proven_or_not_grown_up_guards_nobody(city: City):
    body = {"name": "张小明", "id_number": city.id_number(date(2015, 3, 2))}
    assert said(city.resident().post("/v1/me/wards", body)) == (422, "guardian_not_able")
    grown_up = {"name": "张小明", "id_number": city.id_number(date(2000, 3, 2))}
    assert said(city.proven().post("/v1/me/wards", grown_up)) == (422, "ward_grown_up")


def test_full_width_digits_and_invisible_characters_are_refused(city: City):
    who = city.resident()
    for body in ({"name": "张\u200b伟", "id_number": city.id_number()}, {"name": "张伟", "id_number": "１" + city.id_number()[1:]}):
        assert who.post("/v1/me/real-name", body).status_code == 422
    assert said(city.stranger.post("/v1/codes", {"mobile": "１3800138000"}))[0] == 422
