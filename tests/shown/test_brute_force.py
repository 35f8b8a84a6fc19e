"""Guessing leads nowhere, however many guess at once and wherever from (Article 13; OWASP API2, API4:2023)."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import pyotp

from tests.api.minutes import held_minute
from tests.shown.served import PASSWORD, Resident, Served, key

GUESSES, CONNECTIONS = 1000, 20
_ADDRESSES = itertools.count(1)
Item = TypeVar("Item")
Given = TypeVar("Given")


def from_everywhere(city: Served, given: Iterable[Given], act: Callable[[httpx.Client, Given], Item]) -> list[Item]:
    """What each is answered; they are shared out among connections, every request from an address of its own."""
    clients = [city.client() for _ in range(CONNECTIONS)]
    parts: list[list[tuple[int, Given]]] = [[] for _ in clients]
    for place, one in enumerate(given):
        parts[place % CONNECTIONS].append((place, one))

    def run(client: httpx.Client, part: list[tuple[int, Given]]) -> list[tuple[int, Item]]:
        answers = []
        for place, one in part:
            number = next(_ADDRESSES)
            client.headers["X-Forwarded-For"] = f"100.64.{number >> 8 & 255}.{number & 255}"
            answers.append((place, act(client, one)))
        return answers

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        told = [answer for part in pool.map(run, clients, parts) for answer in part]
    return [answer for _, answer in sorted(told, key=lambda pair: pair[0])]


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def challenge_for(city: Served, mobile: str) -> tuple[str, str]:
    """A challenge, and the code that was sent for it."""
    asked = city.client().post("/v1/codes", json={"mobile": mobile}, headers=key())
    assert asked.status_code == 202, asked.text
    return str(asked.json()["challenge"]), city.code_for(mobile)


def sign_in(client: httpx.Client, challenge: str, code: str) -> httpx.Response:
    body = {"challenge": challenge, "code": code, "device_label": "somebody's"}
    return client.post("/v1/sessions", json=body, headers=key())


# One-time codes ------------------------------------------------------------------------------------


def test_of_a_thousand_guesses_at_a_code_five_are_compared(city: Served):
    challenge, code = challenge_for(city, city.new_mobile())
    guesses = [f"{number:06}" for number in range(GUESSES + 1) if f"{number:06}" != code][:GUESSES]
    answers = from_everywhere(city, guesses, lambda client, guess: sign_in(client, challenge, guess))
    assert Counter(said(one) for one in answers) == {(422, "code_wrong"): GUESSES}
    assert len({one.json()["detail"] for one in answers}) == 1
    assert city.rows("SELECT max(tries), count(used_at) FROM one_time_code WHERE asked_at = (SELECT max(asked_at) FROM one_time_code)") == [(5, 0)]
    # The right one comes too late, and is told so in the same words.
    late = sign_in(city.client(), challenge, code)
    assert said(late) == (422, "code_wrong") and late.json()["detail"] == answers[0].json()["detail"]


def test_the_right_code_sent_by_twenty_at_once_signs_one_in(city: Served):
    mobile = city.new_mobile()
    challenge, code = challenge_for(city, mobile)
    answers = from_everywhere(city, [code] * CONNECTIONS, lambda client, guess: sign_in(client, challenge, guess))
    assert Counter(said(one) for one in answers) == {(201, ""): 1, (422, "code_wrong"): CONNECTIONS - 1}


def test_a_code_is_of_no_use_with_another_challenge(city: Served):
    first, second = (challenge_for(city, city.new_mobile()) for _ in range(2))
    assert said(sign_in(city.client(), first[0], second[1])) == (422, "code_wrong")
    assert said(sign_in(city.client(), first[0], first[1])) == (201, "")


def test_an_altered_challenge_opens_nothing_and_is_told_in_the_same_words(city: Served):
    challenge, code = challenge_for(city, city.new_mobile())
    altered = [
        *(challenge[:place] + ("A" if challenge[place] != "A" else "B") + challenge[place + 1 :] for place in range(0, len(challenge), 7)),
        challenge[:-4], challenge + "AAAA", challenge[::-1], "A" * len(challenge),
    ]  # fmt: skip
    answers = from_everywhere(city, altered, lambda client, one: sign_in(client, one, code))
    assert {said(one) for one in answers} == {(422, "code_wrong")}
    assert len({one.json()["detail"] for one in answers}) == 1
    assert said(sign_in(city.client(), challenge, code)) == (201, "")


def test_of_forty_who_ask_for_a_code_to_one_number_at_once_one_is_served(city: Served):
    mobile = city.new_mobile()
    answers = from_everywhere(
        city, range(40), lambda client, _: client.post("/v1/codes", json={"mobile": mobile}, headers=key())
    )
    assert Counter(said(one) for one in answers) == {(202, ""): 1, (429, "code_asked_too_often"): 39}
    assert sum(mobile in line for line in city.letters.read_text().splitlines()) == 1
    waits = {one.json()["facts"]["seconds"] for one in answers if one.status_code == 429}
    assert all(1 <= seconds <= 60 for seconds in waits)


def test_who_asks_for_codes_too_often_is_told_when_to_come_again(city: Served):
    mobile = city.new_mobile()
    asked = [city.client().post("/v1/codes", json={"mobile": mobile}, headers=key()) for _ in range(2)]
    assert 1 <= int(asked[1].headers["Retry-After"]) <= 60


# Codes of institutions -------------------------------------------------------------------------------


def test_a_card_is_not_taken_by_guessing_its_code(city: Served):
    institution = city.institution(scheme="bicycle-pass", source="bicycle-trips", sensitive=True)
    card, rightful = "GUESSED-00017", city.resident()
    code = institution.post("/v1/link-codes", json={"scheme": "bicycle-pass", "identifier": card}, headers=key()).json()["code"]
    thieves = [city.resident() for _ in range(3)]

    def claim(who: Resident, guess: str) -> httpx.Response:
        return who.post("/v1/me/links", {"scheme": "bicycle-pass", "identifier": card, "code": guess})

    guesses = [f"{number:04}-ABCD-EFGH" for number in range(30)]
    answers = [claim(thief, guess) for guess, thief in zip(guesses, itertools.cycle(thieves), strict=False)]
    assert {said(one) for one in answers} == {(422, "link_code_wrong")}
    assert said(claim(rightful, code)) == (422, "link_code_wrong")
    # The institution gives another one, and nothing is lost.
    code = institution.post("/v1/link-codes", json={"scheme": "bicycle-pass", "identifier": card}, headers=key()).json()["code"]
    assert claim(rightful, code).status_code == 201


# Staff ---------------------------------------------------------------------------------------------


def test_a_staff_login_closes_after_five_failures_and_says_nothing_of_it(city: Served):
    hired = city.hired("auditor")

    def attempt(client: httpx.Client, password: str, login: str = hired.staff.login) -> httpx.Response:
        totp = pyotp.TOTP(hired.secret).at(datetime.now(UTC))
        return client.post("/v1/staff/sessions", json={"login": login, "password": password, "totp": totp}, headers=key())

    wrong = from_everywhere(city, [f"guessed password {number}" for number in range(20)], attempt)
    unknown = attempt(city.client(), PASSWORD, "nobody-here")
    closed = attempt(city.client(), PASSWORD)
    told = {(said(one), one.json()["detail"]) for one in (*wrong, unknown, closed)}
    assert {code for code, _ in told} == {(401, "staff_not_accepted")}
    assert len(told) == 1
    [[state]] = city.rows("SELECT locked_until > now() FROM staff WHERE id = %s", hired.staff.id)
    assert state is True


# Refresh tokens --------------------------------------------------------------------------------------


def test_a_refresh_token_that_twenty_use_at_once_is_good_for_one_and_ends_the_device(city: Served):
    resident = city.resident()
    body = {"refresh_token": resident.tokens["refresh_token"]}
    answers = from_everywhere(
        city, range(CONNECTIONS), lambda client, _: client.post("/v1/sessions/refresh", json=body, headers=key())
    )
    assert Counter(said(one) for one in answers) == {(200, ""): 1, (401, "refresh_refused"): CONNECTIONS - 1}
    [newest] = [one.json()["refresh_token"] for one in answers if one.status_code == 200]
    again = city.client().post("/v1/sessions/refresh", json={"refresh_token": newest}, headers=key())
    assert said(again) == (401, "refresh_refused")
    [[ended]] = city.rows("SELECT ended_by FROM device WHERE handle = %s", resident.tokens["device"])
    assert ended == "reuse"


# Rates -----------------------------------------------------------------------------------------------


def test_a_stranger_keeps_within_the_minute_over_both_processes(city: Served):
    most, asked = city.settings.stranger_requests_max, 160
    with held_minute(city.database):
        answers = at_once_from(city, "203.0.113.9", asked)
        # Nobody else is held up, and what stands before our own proxy's word is nobody's proof.
        assert city.client(address="203.0.113.10").get("/v1").status_code == 200
        assert city.client(address="6.6.6.6, 203.0.113.9").get("/v1").status_code == 429
    served = [one for one in answers if one.status_code == 200]
    refused = [one for one in answers if one.status_code != 200]
    # What one process leased and did not use is lost until the minute ends.
    assert most - most // 10 <= len(served) <= most
    assert {said(one) for one in refused} == {(429, "too_many_requests")}
    for one in refused:
        assert 1 <= int(one.headers["Retry-After"]) <= 60
        assert one.json()["facts"] == {"most": most, "seconds": int(one.headers["Retry-After"])}


def at_once_from(city: Served, address: str, count: int) -> list[Any]:
    """So many requests of one stranger, each on a connection of its own, so that both processes answer."""

    def ask(_: int) -> httpx.Response:
        with httpx.Client(base_url=city.url, headers={"X-Forwarded-For": address}, timeout=300, trust_env=False) as client:
            return client.get("/v1")

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return list(pool.map(ask, range(count)))
