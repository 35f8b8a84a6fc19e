"""An access token says who a person is for ten minutes, and nobody else can make one (Articles 11, 13)."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk, jwt

from carbonhui import access
from carbonhui.access.recent import RecentCallers
from carbonhui.access.signing_keys import signing_key
from carbonhui.access.tokens import SigningKey, make_token, read_token
from tests.access.conftest import ISSUER, NOON, City, refusal_of

KEY = SigningKey("0123456789abcdef", jwk.OKPKey.generate_key("Ed25519"))
OTHER = SigningKey("0123456789abcdef", jwk.OKPKey.generate_key("Ed25519"))
KEYS = {KEY.kid: KEY.key}
PERSON, DEVICE = uuid4(), uuid4()


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(**changed: Any) -> dict[str, Any]:
    begins = int(NOON.timestamp())
    words = {"iss": ISSUER, "aud": ISSUER, "sub": str(PERSON), "sid": str(DEVICE), "iat": begins, "exp": begins + 600}
    return {name: value for name, value in (words | changed).items() if value is not None}


def signed(header: dict[str, Any] | None = None, key: Any = KEY.key, alg: str = "Ed25519", **changed: Any) -> str:
    words = {"alg": alg, "typ": "at+jwt", "kid": KEY.kid} if header is None else header
    return jwt.encode(words, claims(**changed), key, algorithms=[alg], default_type=None)


def pasted(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    return ".".join(base64url(part) for part in (json.dumps(header).encode(), json.dumps(payload).encode(), signature))


def answer(token: str) -> str:
    return refusal_of(lambda: read_token(token, KEYS, issuer=ISSUER, now=NOON))


def test_a_token_says_who_and_on_which_device() -> None:
    token = make_token(KEY, issuer=ISSUER, person=PERSON, device=DEVICE, now=NOON)
    words = read_token(token, KEYS, issuer=ISSUER, now=NOON)
    assert (words.person, words.device, words.expires_at) == (PERSON, DEVICE, NOON + timedelta(minutes=10))


def test_a_token_names_its_type_and_key_and_no_secret() -> None:
    header, payload, _ = make_token(KEY, issuer=ISSUER, person=PERSON, device=DEVICE, now=NOON).split(".")
    told = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload)]
    assert told[0] == {"alg": "Ed25519", "typ": "at+jwt", "kid": KEY.kid}
    assert told[1].keys() == {"iss", "aud", "sub", "sid", "client_id", "iat", "exp", "jti"}


@pytest.mark.parametrize(("seconds", "expected"), [(0, "done"), (599.9, "done"), (600, "token_expired"), (601, "token_expired")])
def test_it_holds_for_ten_minutes(seconds: float, expected: str) -> None:
    token, now = signed(), NOON + timedelta(seconds=seconds)
    assert refusal_of(lambda: read_token(token, KEYS, issuer=ISSUER, now=now)) == expected


@pytest.mark.parametrize(("ahead", "expected"), [(60, "done"), (61, "not_signed_in")])
def test_it_does_not_come_from_the_future(ahead: int, expected: str) -> None:
    begins = int(NOON.timestamp()) + ahead
    assert answer(signed(iat=begins, exp=begins + 600)) == expected


BEGINS = int(NOON.timestamp())
FALSE = {
    "for another audience": signed(aud="https://elsewhere.example"),
    "for several audiences": signed(aud=[ISSUER, "https://elsewhere.example"]),
    "by another issuer": signed(iss="https://elsewhere.example"),
    "without audience": signed(aud=None),
    "without issuer": signed(iss=None),
    "without end": signed(exp=None),
    "without beginning": signed(iat=None),
    "without person": signed(sub=None),
    "without device": signed(sid=None),
    "for a person that is none": signed(sub="1 OR 1=1"),
    "for a day": signed(exp=BEGINS + 86_400),
    "ending before it begins": signed(exp=BEGINS - 1, iat=BEGINS),
    "ending in a fraction": signed(exp=BEGINS + 599.5),
    "ending in words": signed(exp=str(BEGINS + 600)),
    "ending truly": signed(exp=True),
    "without end of time": signed(exp=10**400),
    "by another key": signed(key=OTHER.key),
    "by an unknown key": signed({"alg": "Ed25519", "typ": "at+jwt", "kid": "fedcba9876543210"}),
    "by no key": signed({"alg": "Ed25519", "typ": "at+jwt"}),
    "by a key in a file": signed({"alg": "Ed25519", "typ": "at+jwt", "kid": "../../../dev/null"}),
    "by a key of a query": signed({"alg": "Ed25519", "typ": "at+jwt", "kid": "0123456789abcdef' OR '1'='1"}),
    "by a key with a zero": signed({"alg": "Ed25519", "typ": "at+jwt", "kid": "0123456789abcdef\x00"}),
    "by a key elsewhere": signed({"alg": "Ed25519", "typ": "at+jwt", "kid": KEY.kid, "jku": "https://elsewhere.example/keys"}),
    "by a key it brings": signed({"alg": "Ed25519", "typ": "at+jwt", "kid": KEY.kid, "jwk": OTHER.key.as_dict(private=False)}, OTHER.key),
    "of no type": signed({"alg": "Ed25519", "kid": KEY.kid}),
    "of another type": signed({"alg": "Ed25519", "typ": "JWT", "kid": KEY.kid}),
    "of a nearly right type": signed({"alg": "Ed25519", "typ": "AT+JWT", "kid": KEY.kid}),
    "with what must be understood": pasted({"alg": "Ed25519", "typ": "at+jwt", "kid": KEY.kid, "crit": ["exp"]}, claims()),
    "unsigned": pasted({"alg": "none", "typ": "at+jwt", "kid": KEY.kid}, claims()),
    "unsigned in capitals": pasted({"alg": "NONE", "typ": "at+jwt", "kid": KEY.kid}, claims()),
    "with a signature left out": signed().rpartition(".")[0] + ".",
    "in two parts": signed().rpartition(".")[0],
    "in four parts": signed() + ".AAAA",
    "cut short": signed()[:-4],
    "cut in the middle": signed()[:80],
    "with a letter more": signed() + "A",
    "empty": "",
    "of dots": "..",
    "no token": "hunter2",
    "very long": signed(jti="x" * 3000),
    "with a payload of a list": pasted({"alg": "Ed25519", "typ": "at+jwt", "kid": KEY.kid}, []),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_token_is_refused(name: str) -> None:
    assert answer(FALSE[name]) == "not_signed_in"


def test_the_public_key_is_not_taken_for_a_shared_secret() -> None:
    """The oldest trick: HS256 with the published key as its secret."""
    header, payload = {"alg": "HS256", "typ": "at+jwt", "kid": KEY.kid}, claims()
    public = KEY.key.raw_value.public_key()  # type: ignore[union-attr]
    before = pasted(header, payload).rpartition(".")[0]
    for secret in (public.public_bytes_raw(), KEY.key.as_pem(private=False), KEY.key.as_dict(private=False)["x"].encode()):  # type: ignore[union-attr]
        assert answer(f"{before}.{base64url(hmac.digest(secret, before.encode(), hashlib.sha256))}") == "not_signed_in"


def test_a_changed_word_breaks_the_signature() -> None:
    header, _, signature = signed().split(".")
    forged = base64url(json.dumps(claims(sub=str(uuid4()))).encode())
    assert answer(f"{header}.{forged}.{signature}") == "not_signed_in"


@given(st.text(max_size=300) | st.lists(st.binary(max_size=80).map(base64url), min_size=3, max_size=3).map(".".join))
def test_whatever_is_sent_as_a_token_is_refused_and_nothing_breaks(token: str) -> None:
    assert answer(token) == "not_signed_in"


def test_refusals_do_not_carry_the_token() -> None:
    with pytest.raises(access.NotSignedIn) as refused:
        read_token(signed(aud="https://elsewhere.example"), KEYS, issuer=ISSUER, now=NOON)
    assert refused.value.__cause__ is None and refused.value.facts == {}
    assert "key=" not in repr(KEY)


# The keys that sign ---------------------------------------------------------------------------------


def kids(city: City) -> set[str]:
    return {str(key["kid"]) for key in city.do(lambda s: access.jwks(s, clock=city.clock))["keys"]}


def kid_of(token: str) -> str:
    return str(json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"])


def test_a_new_key_is_published_an_hour_before_it_signs_and_the_old_is_believed_to_its_last_token(city: City) -> None:
    signed_in = city.sign_in()
    old = kid_of(signed_in.access_token)
    new = city.do(lambda s: access.rotate_signing_key(s, city.vault, clock=city.clock))
    assert {old, new} <= kids(city)
    city.later(minutes=59, seconds=59)
    last = city.refresh(signed_in.refresh_token)
    assert kid_of(last.access_token) == old
    city.later(seconds=1)
    assert kid_of(city.refresh(last.refresh_token).access_token) == new
    city.later(minutes=9, seconds=58)
    assert city.caller(last.access_token).person == signed_in.person
    city.later(seconds=1)
    assert refusal_of(lambda: city.caller(last.access_token)) == "token_expired"
    assert old in kids(city)
    city.later(minutes=2)
    assert old not in kids(city) and new in kids(city)


def test_a_key_that_waits_is_told_instead_of_making_another(city: City) -> None:
    city.sign_in()
    first = city.do(lambda s: access.rotate_signing_key(s, city.vault, clock=city.clock))
    city.later(minutes=30)
    assert city.do(lambda s: access.rotate_signing_key(s, city.vault, clock=city.clock)) == first
    city.later(minutes=30)
    assert city.do(lambda s: access.rotate_signing_key(s, city.vault, clock=city.clock)) != first


def test_nothing_that_a_leaked_key_signed_is_believed(city: City) -> None:
    signed_in, gate = city.sign_in(), city.gate()
    headers = {"Authorization": f"Bearer {signed_in.access_token}"}
    assert gate.caller(headers, "GET", "/").person == signed_in.person
    city.do(lambda s: access.rotate_signing_key(s, city.vault, clock=city.clock))
    new = city.do(lambda s: access.rotate_signing_key(s, city.vault, clock=city.clock, leaked=True))
    assert kids(city) == {new}
    city.later(seconds=5)
    assert refusal_of(lambda: gate.caller(headers, "GET", "/")) == "not_signed_in"
    renewed = city.refresh(signed_in.refresh_token)
    assert gate.caller({"Authorization": f"Bearer {renewed.access_token}"}, "GET", "/").person == signed_in.person


def test_a_strange_key_does_not_make_the_store_work(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    city.sign_in()
    gate, loads = city.gate(), []
    real = access.authenticating.verifying_keys
    monkeypatch.setattr(access.authenticating, "verifying_keys", lambda *words: loads.append(1) or real(*words))
    strange = signed({"alg": "Ed25519", "typ": "at+jwt", "kid": "fedcba9876543210"})
    for _ in range(20):
        assert refusal_of(lambda: gate.caller({"Authorization": f"Bearer {strange}"}, "GET", "/")) == "not_signed_in"
    assert len(loads) == 1


def test_the_published_keys_verify_by_any_library(city: City) -> None:
    token = city.sign_in().access_token
    keys = jwk.KeySet.import_key_set(city.do(lambda s: access.jwks(s, clock=city.clock)))  # type: ignore[arg-type]
    assert jwt.decode(token, keys, algorithms=["Ed25519"]).claims["iss"] == ISSUER
    assert all("d" not in key for key in city.do(lambda s: access.jwks(s, clock=city.clock))["keys"])


def test_private_keys_lie_wrapped_and_go_when_they_sign_no_more(city: City) -> None:
    city.sign_in()
    private = city.do(lambda s: signing_key(s, city.vault, city.clock.now())).key.raw_value
    assert isinstance(private, Ed25519PrivateKey)
    city.do(lambda s: access.rotate_signing_key(s, city.vault, clock=city.clock))
    city.later(hours=1)
    city.do(lambda s: access.purge(s, city.clock))
    with city.database.connect() as connection:
        kept = connection.execute("SELECT wrapped FROM signing_key WHERE retires_at <= %s", (city.clock.now(),)).fetchall()
        assert kept and all(row[0] is None for row in kept)
        dumped = str(connection.execute("SELECT signing_key::text FROM signing_key").fetchall())
    assert private.private_bytes_raw().hex() not in dumped


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO signing_key (kid, public, wrapped, made_at, active_from) "
        "SELECT '00000000000000aa', sha256('a'), 'x', now(), '2040-01-01'::timestamptz FROM generate_series(1, 1)",
        "UPDATE signing_key SET active_from = active_from + interval '1 day'",
        "UPDATE signing_key SET public = sha256('b')",
        "DELETE FROM signing_key",
        "TRUNCATE signing_key",
    ],
)
def test_the_store_lets_one_key_sign_at_a_time_and_none_be_changed(city: City, statement: str) -> None:
    city.sign_in()
    with city.database.connect_as_owner() as connection, pytest.raises(psycopg.Error):
        connection.execute(statement)


# What a process remembers ---------------------------------------------------------------------------


def somebody(number: int) -> access.Caller:
    return access.Caller(kind="staff", roles=frozenset(), scope=f"staff:{number}", staff_id=number)


def test_a_verified_caller_is_remembered_for_less_than_five_seconds() -> None:
    recent = RecentCallers()
    recent.put(b"token", somebody(1), NOON)
    assert recent.get(b"token", NOON + timedelta(seconds=4.999)) == somebody(1)
    assert recent.get(b"token", NOON + timedelta(seconds=5)) is None
    assert recent.get(b"token", NOON) is None


def test_and_never_beyond_the_token_nor_by_a_clock_that_went_back() -> None:
    recent = RecentCallers()
    recent.put(b"ending", somebody(1), NOON, until=NOON + timedelta(seconds=2))
    assert recent.get(b"ending", NOON + timedelta(seconds=2)) is None
    recent.put(b"back", somebody(1), NOON)
    assert recent.get(b"back", NOON - timedelta(seconds=1)) is None


def test_only_so_many_are_remembered() -> None:
    recent = RecentCallers(most=3)
    for number in range(10):
        recent.put(bytes([number]), somebody(number), NOON)
    assert len(recent) == 3 and recent.get(bytes([9]), NOON) == somebody(9) and recent.get(bytes([0]), NOON) is None


def test_a_sign_out_elsewhere_is_felt_within_five_seconds(city: City) -> None:
    signed_in, gate = city.sign_in(), city.gate()
    headers = {"Authorization": f"Bearer {signed_in.access_token}"}
    assert gate.caller(headers, "GET", "/").device_id is not None
    city.sign_out(signed_in.person, signed_in.device)
    assert refusal_of(lambda: city.caller(signed_in.access_token)) == "not_signed_in"
    city.later(seconds=4.9)
    assert gate.caller(headers, "GET", "/").kind == "person"
    city.later(seconds=0.1)
    assert refusal_of(lambda: gate.caller(headers, "GET", "/")) == "not_signed_in"


def test_a_token_of_another_persons_device_is_no_token(city: City) -> None:
    mine, yours = city.sign_in(), city.sign_in()
    key = city.do(lambda s: signing_key(s, city.vault, city.clock.now()))
    mixed = make_token(key, issuer=ISSUER, person=mine.person.handle, device=yours.device, now=city.clock.now())
    assert refusal_of(lambda: city.caller(mixed)) == "not_signed_in"
    nobody = make_token(key, issuer=ISSUER, person=UUID(int=0), device=yours.device, now=city.clock.now())
    assert refusal_of(lambda: city.caller(nobody)) == "not_signed_in"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic bGk6aHVudGVyMg=="},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": ""},
        {"Authorization": "Bearer \ud800"},
        {"Authorization": "Bearer chst_"},
        {"authorization": "bearer x.y.z"},
        [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
        [("Authorization", "Bearer a"), ("Signature", "s=:AA==:")],
    ],
)
def test_proof_that_proves_nothing_is_not_taken_for_anonymity(city: City, headers: Any) -> None:
    assert refusal_of(lambda: city.gate().caller(headers, "GET", "/")) == "not_signed_in"


@pytest.mark.parametrize("more", [("Authorization", "Bearer x"), ("Signature", "s=:AA==:"), ("signature-input", "s=()")])
def test_a_good_proof_beside_another_is_none(city: City, more: tuple[str, str]) -> None:
    good = ("Authorization", f"Bearer {city.sign_in().access_token}")
    assert refusal_of(lambda: city.gate().caller([good], "GET", "/")) == "done"
    for lines in ([good, more], [more, good]):
        assert refusal_of(lambda lines=lines: city.gate().caller(lines, "GET", "/")) == "not_signed_in"


def test_whoever_brings_no_proof_is_anonymous(city: City) -> None:
    caller = city.gate().caller({"Accept": "*/*"}, "GET", "/")
    assert caller is access.ANONYMOUS and caller.roles == {"anonymous"} and caller.actor == "anonymous"


def test_a_caller_is_a_pseudonym_to_whoever_prints_it(city: City) -> None:
    signed_in = city.sign_in()
    caller = city.caller(signed_in.access_token)
    assert caller.scope == caller.actor == f"person:{signed_in.person.id}" and caller.roles == {"person"}
    assert str(signed_in.person.handle) not in repr(caller)
    assert signed_in.access_token not in repr(signed_in) and signed_in.refresh_token not in repr(signed_in)
