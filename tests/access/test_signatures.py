"""Organisations sign each request, and each signed request counts once (Articles 12, 13; RFC 9421, RFC 9530)."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from http_message_signatures import algorithms
from hypothesis import given
from hypothesis import strategies as st

from carbonhui import access
from carbonhui.access import signatures
from carbonhui.access.signatures import check_signature, read_claims
from tests.access.conftest import ISSUER, NOON, City, at_once, refusal_of
from tests.access.signing import ALL, Client, changed, digest_of, with_ed25519, with_hmac

URL = f"{ISSUER}/v1/activity/batches?source=metro&day=2026-11-19"
PATH = URL.removeprefix(ISSUER)


def public_of(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def issue(city: City, organisation: int, algorithm: Any = "ed25519", public: str | None = None) -> access.ApiKey:
    return city.do(lambda s: access.issue_api_key(
        s, city.vault, organisation=organisation, algorithm=algorithm, label="gateway", clock=city.clock, public_key=public
    ))  # fmt: skip


def client_of(city: City, organisation: int, algorithm: str = "ed25519", **words: Any) -> Client:
    if algorithm == "hmac-sha256":
        made = issue(city, organisation, algorithm)
        assert made.secret_once is not None
        return with_hmac(made.key_id, made.secret_once, **words)
    key = Ed25519PrivateKey.generate()
    return with_ed25519(issue(city, organisation, "ed25519", public_of(key)).key_id, key, **words)


@pytest.fixture(scope="module")
def _known() -> dict[str, Any]:
    return {}


@pytest.fixture
def metro(city: City, _known: dict[str, Any]) -> Client:
    """The metro operator's client; one for the tests of this file."""
    if not _known:
        _known["organisation"] = city.organisation()
        _known["client"] = client_of(city, _known["organisation"])
    return _known["client"]  # type: ignore[no-any-return]


def send(city: City, request: access.SignedRequest) -> access.Caller:
    return city.gate().caller(request.headers, request.method, request.url, request.body)


def answer(city: City, request: access.SignedRequest) -> str:
    return refusal_of(lambda: send(city, request))


# RFC 9421, appendix B ---------------------------------------------------------------------------------

RFC_URL = "https://example.com/foo?param=Value&Pet=dog"
RFC_HEADERS = (
    ("Host", "example.com"),
    ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
    ("Content-Type", "application/json"),
    ("Content-Digest", "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"),
    ("Content-Length", "18"),
)
RFC_BODY = b'{"hello": "world"}'
RFC_AT = datetime.fromtimestamp(1618884473, UTC)
RFC_SECRET = base64.b64decode("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
RFC_ED25519 = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU=")).public_key()
RFC_RSA_PSS = load_pem_public_key(b"""-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----
""")
VECTORS = {
    "B.2.1": (
        "rsa-pss-sha512", RFC_RSA_PSS, '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
        "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG"
        "52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVro"
        "gUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ"
        "98Xw9Q==",
    ),
    "B.2.2": (
        "rsa-pss-sha512", RFC_RSA_PSS, '("@authority" "content-digest");created=1618884473;keyid="test-key-rsa-pss"',
        "Fee1uy9YGZq5UUwwYU6vz4dZNvfw3GYrFl1L6YlVIyUMuWswWDNSvql4dVtSeidYjYZUm7SBCENIb5KYy2ByoC3bI+7gydd2i4OAT5lyDtmeapnA"
        "a8uP/b9xUpg+VSPElbBs6JWBIQsd+nMdHDe+ls/IwVMwXktC37SqsnbNyhNp6kcvcWpevjzFcD2VqdZleUz4jN7P+W5A3wHiMGfIjIWn36KXNB+R"
        "KyrlGnIS8yaBBrom5rcZWLrLbtg6VlrH1+/07RV+kgTh/l10h8qgpl9zQHu7mWbDKTq0tJ8K4ywcPoC4s2I4rU88jzDKDGdTTQFZoTVZxZmuTM1F"
        "vHfzIw==",
    ),
    "B.2.3": (
        "rsa-pss-sha512", RFC_RSA_PSS,
        '("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length")'
        ';created=1618884473;keyid="test-key-rsa-pss"',
        "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fU"
        "xN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA"
        "1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKE"
        "gM4cUA==",
    ),
    "B.2.5": (
        "hmac-sha256", RFC_SECRET, '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
        "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
    ),
    "B.2.6": (
        "ed25519", RFC_ED25519,
        '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
    ),
}  # fmt: skip


def vector(name: str, **words: Any) -> Callable[[], Any]:
    algorithm, key, inputs, signature = VECTORS[name]
    headers = (*RFC_HEADERS, ("Signature-Input", f"sig={inputs}"), ("Signature", f"sig=:{signature}:"))
    given = {"method": "POST", "url": RFC_URL, "headers": headers, "body": b""} | words
    # Only the first two cover the digest, so the others are looked at without their body.
    if "content-digest" in inputs:
        given["body"] = RFC_BODY
    else:
        given["headers"] = tuple(line for line in given["headers"] if line[0] != "Content-Digest")
    return lambda: check_signature(access.SignedRequest(**given), algorithm, key, RFC_AT)  # type: ignore[arg-type]


@pytest.fixture
def with_rsa(monkeypatch: pytest.MonkeyPatch) -> None:
    """Organisations have no RSA keys; the RFC's first vectors have."""
    monkeypatch.setitem(signatures.ALGORITHMS, "rsa-pss-sha512", algorithms.RSA_PSS_SHA512)


@pytest.mark.parametrize("name", VECTORS)
def test_the_rfcs_own_signatures_verify(with_rsa: None, name: str) -> None:
    assert refusal_of(vector(name)) == "done"


@pytest.mark.parametrize("name", ["B.2.3", "B.2.5", "B.2.6"])
def test_and_not_over_another_request(with_rsa: None, name: str) -> None:
    other = tuple((line, value.replace("application/json", "text/plain")) for line, value in RFC_HEADERS)
    _, _, inputs, signature = VECTORS[name]
    headers = (*other, ("Signature-Input", f"sig={inputs}"), ("Signature", f"sig=:{signature}:"))
    assert refusal_of(vector(name, headers=headers)) == "signature_invalid"


def test_rfc_9530s_digests_are_ours() -> None:
    """The RFC's own example: the digest of its JSON body."""
    assert digest_of(RFC_BODY, "sha-512") == dict(RFC_HEADERS)["Content-Digest"]
    assert digest_of(RFC_BODY) == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"


# What is accepted -------------------------------------------------------------------------------------


def test_a_signed_request_is_its_organisations(city: City, metro: Client, _known: dict[str, Any]) -> None:
    caller = send(city, metro.request(URL, at=city.clock.now()))
    number = _known["organisation"]
    assert caller.kind == "organisation" and caller.roles == {"organisation:institution"}
    assert (caller.organisation_id, caller.organisation_kind, caller.key_id) == (number, "institution", metro.key_id)
    assert caller.scope == f"organisation:{number}"


def test_a_shared_secret_signs_as_well(city: City) -> None:
    client = client_of(city, city.organisation("merchant"), "hmac-sha256")
    assert send(city, client.request(URL, at=city.clock.now())).organisation_kind == "merchant"
    tampered = replace(client.request(URL, at=city.clock.now()), body=b'{"acts": [1]}')
    assert answer(city, tampered) == "signature_invalid"


@pytest.mark.parametrize(
    "words",
    [
        {"covers": ("@method", "@path", "@query", "content-digest")},
        {"covers": ("content-digest", "@target-uri", "@method", "content-type", "host")},
        {"covers": ("@method", "@target-uri"), "body": b"", "method": "GET"},
        {"covers": ("@method", "@path", "@query"), "body": b"", "method": "DELETE"},
        {"label": "anything"},
        {"alg": "ed25519"},
        {"tag": "carbonhui"},
        {"nonce": "n" * 16},
        {"nonce": "n" * 128},
        {"body": b"\x00\xff" * 5000},
    ],
)
def test_what_a_signature_may_be(city: City, metro: Client, words: dict[str, Any]) -> None:
    assert answer(city, metro.request(URL, at=city.clock.now(), **words)) == "done"


def test_a_digest_may_be_of_either_kind_and_both(city: City, metro: Client) -> None:
    body = b"[]"
    for digest in (digest_of(body, "sha-512"), f"{digest_of(body)}, {digest_of(body, 'sha-512')}"):
        assert answer(city, metro.request(URL, at=city.clock.now(), body=body, digest=digest)) == "done"


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_it_was_made_within_five_minutes(city: City, metro: Client, seconds: int) -> None:
    assert answer(city, metro.request(URL, at=city.clock.now() + timedelta(seconds=seconds))) == "done"


@pytest.mark.parametrize("seconds", [-86_400, -301, 301, 86_400])
def test_and_not_before_nor_later(city: City, metro: Client, seconds: int) -> None:
    with pytest.raises(access.SignatureInvalid) as refused:
        send(city, metro.request(URL, at=city.clock.now() + timedelta(seconds=seconds)))
    assert "created" in refused.value.text("en") and "300" in refused.value.text("zh")


def test_the_host_that_is_signed_for_is_the_public_one(city: City, metro: Client) -> None:
    """Behind a proxy the server sees another host, and whoever signed for another city is refused here."""
    request = metro.request(URL, at=city.clock.now())
    for url in (PATH, f"http://127.0.0.1:8080{PATH}"):
        fresh = metro.request(URL, at=city.clock.now())
        assert refusal_of(lambda f=fresh, u=url: city.gate().caller(f.headers, f.method, u, f.body)) == "done"
    elsewhere = metro.request(URL.replace("carbon", "karbon"), at=city.clock.now())
    assert refusal_of(lambda: city.gate().caller(elsewhere.headers, "POST", PATH, elsewhere.body)) == "signature_invalid"
    assert refusal_of(lambda: city.gate().caller(request.headers, "POST", "//" + PATH[1:], request.body)) == "signature_invalid"


def test_a_public_address_with_a_path_is_part_of_what_is_signed(city: City, metro: Client) -> None:
    inner = replace(city, settings=replace(city.settings, public_url=f"{ISSUER}/carbon"))
    for url in ("/v1/x", "/carbon/v1/x", f"{ISSUER}/carbon/v1/x"):
        fresh = metro.request(f"{ISSUER}/carbon/v1/x", at=city.clock.now())
        assert refusal_of(lambda f=fresh, u=url: inner.gate().caller(f.headers, "POST", u, f.body)) == "done"


# What is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "covers",
    [
        (), ("@method",), ("@target-uri", "content-digest"), ("@method", "@target-uri"), ("@method", "@path", "content-digest"),
        ("@method", "@query", "content-digest"), ("@method", "@authority", "content-digest"), ("content-digest",),
    ],
)  # fmt: skip
def test_a_signature_over_less_than_the_request_is_refused(city: City, metro: Client, covers: tuple[str, ...]) -> None:
    assert answer(city, metro.request(URL, at=city.clock.now(), covers=covers)) == "signature_invalid"


@pytest.mark.parametrize(("name", "value"), [("content_length", "14"), ("transfer_encoding", "chunked"), ("content_length", "00, 14")])
def test_a_body_that_is_announced_is_signed_whoever_reads_it(city: City, metro: Client, name: str, value: str) -> None:
    request = metro.request(URL, at=city.clock.now(), body=b"", covers=("@method", "@target-uri"))
    assert answer(city, changed(request, **{name: value})) == "signature_invalid"
    assert answer(city, changed(request, content_length="0")) == "done"


def test_a_part_of_a_component_is_not_the_component(city: City, metro: Client) -> None:
    """One member of the digest, rightly signed: what is accepted stays simple to say."""
    part = "content-digest;key=sha-256"
    assert answer(city, metro.request(URL, at=city.clock.now(), covers=("@method", "@target-uri", part))) == "signature_invalid"
    assert answer(city, metro.request(URL, at=city.clock.now(), covers=(*ALL, part))) == "done"


def tampering(request: access.SignedRequest) -> dict[str, access.SignedRequest]:
    given = dict(request.headers)
    inputs, signature = given["Signature-Input"], given["Signature"]
    return {
        "another method": replace(request, method="PUT"),
        "a small method": replace(request, method="post"),
        "another path": replace(request, url=request.url.replace("batches", "batch")),
        "a path with a dot": replace(request, url=request.url.replace("/v1/", "/v1/./")),
        "a path in other letters": replace(request, url=request.url.replace("batches", "b%61tches")),
        "another query": replace(request, url=request.url.replace("metro", "bus")),
        "a query more": replace(request, url=request.url + "&all=1"),
        "a query less": replace(request, url=request.url.partition("?")[0]),
        "queries in another order": replace(request, url=f"{ISSUER}/v1/activity/batches?day=2026-11-19&source=metro"),
        "another body": replace(request, body=b'{"acts": [1]}'),
        "a body more": replace(request, body=request.body + b" "),
        "no body": replace(request, body=b""),
        "a body kept back": replace(changed(request, content_length="14"), body=b""),
        "no digest": changed(request, content_digest=None),
        "another body with its digest": replace(changed(request, content_digest=digest_of(b"[1]")), body=b"[1]"),
        "a digest by MD5": changed(request, content_digest="md5=:Sd/dVLAcvNLSq16eXua5uQ==:"),
        "a digest of nothing": changed(request, content_digest=""),
        "no signature": changed(request, signature=None),
        "no input": changed(request, signature_input=None),
        "an empty signature": changed(request, signature="sig1=::"),
        "another signature": changed(request, signature=f"sig1=:{base64.b64encode(bytes(64)).decode()}:"),
        "a signature cut short": changed(request, signature=signature[:-6] + ":"),
        "a signature by another name": changed(request, signature=signature.replace("sig1", "sig2")),
        "two signatures": changed(
            request, signature_input=f"{inputs}, {inputs.replace('sig1', 'sig2')}", signature=f"{signature}, {signature.replace('sig1', 'sig2')}"
        ),
        "two by one name": changed(request, signature_input=f"{inputs}, {inputs}", signature=f"{signature}, {signature}"),
        "two inputs": changed(request, signature_input=f"{inputs}, {inputs.replace('sig1', 'sig2')}"),
        "another nonce": changed(request, signature_input=inputs.replace("nonce-", "nonsense-")),
        "another time": changed(request, signature_input=inputs.replace("created=1", "created=2")),
        "an unknown key": changed(request, signature_input=inputs.replace("ck_", "ck_0")),
        "a parameter more": changed(request, signature_input=f'{inputs};admin="yes"'),
        "a component twice": changed(request, signature_input=inputs.replace('("@method"', '("@method" "@method"')),
        "an unknown component": changed(request, signature_input=inputs.replace('("@method"', '("@method" "@everything"')),
        "a missing field": changed(request, signature_input=inputs.replace('("@method"', '("@method" "x-absent"')),
        "a list of numbers": changed(request, signature_input="sig1=(1 2 3);created=1"),
        "a word": changed(request, signature_input="sig1"),
        "a word in Chinese": changed(request, signature_input="签名=()"),
        "a long input": changed(request, signature_input=inputs + ";x=" + "1" * 5000),
        "many brackets": changed(request, signature_input="sig1=" + "(" * 2000),
    }


NAMES = tuple(tampering(Client("ck_x", lambda base: b"").request(URL, at=NOON)))


@pytest.mark.parametrize("name", NAMES)
def test_a_request_that_was_changed_is_refused(city: City, metro: Client, name: str) -> None:
    request = metro.request(URL, at=city.clock.now())
    assert answer(city, tampering(request)[name]) == "signature_invalid"
    assert answer(city, request) == "done"


@pytest.mark.parametrize(
    "words",
    [
        {"created": None},
        {"created": "1763611200"},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": "n" * 15},
        {"nonce": "n" * 129},
        {"nonce": "sixteen spaces  "},
        {"keyid": None},
        {"keyid": 7},
        {"alg": "hmac-sha256"},
        {"alg": "ED25519"},
        {"alg": "rsa-pss-sha512"},
        {"expires": int(NOON.timestamp()) - 1},
        {"expires": "never"},
        {"digest": None},
        {"digest": digest_of(b"other")},
        {"digest": "sha-256=:AAAA:"},
        {"digest": "sha-256=right"},
    ],
)
def test_a_signature_that_says_too_little_or_wrong_is_refused(city: City, metro: Client, words: dict[str, Any]) -> None:
    request = metro.request(URL, **({"at": city.clock.now()} | words))
    assert answer(city, request) == "signature_invalid"


def test_a_key_signs_by_its_own_algorithm_only(city: City) -> None:
    """The public key of ed25519, taken as the secret of an HMAC, is known to everybody."""
    key = Ed25519PrivateKey.generate()
    made = issue(city, city.organisation(), "ed25519", public_of(key))
    for alg in (None, "hmac-sha256", "ed25519"):
        forger = with_hmac(made.key_id, public_of(key), alg=alg)
        assert answer(city, forger.request(URL, at=city.clock.now())) == "signature_invalid"


def test_one_organisation_does_not_sign_for_another(city: City, metro: Client) -> None:
    other = client_of(city, city.organisation())
    assert answer(city, replace_key(other, metro.key_id).request(URL, at=city.clock.now())) == "signature_invalid"


def replace_key(client: Client, key_id: str) -> Client:
    return replace(client, key_id=key_id)


def test_a_revoked_key_signs_nothing_more(city: City) -> None:
    organisation = city.organisation()
    old, new = client_of(city, organisation), client_of(city, organisation)
    city.do(lambda s: access.revoke_api_key(s, old.key_id, clock=city.clock))
    assert answer(city, old.request(URL, at=city.clock.now())) == "signature_invalid"
    assert answer(city, new.request(URL, at=city.clock.now())) == "done"
    assert refusal_of(lambda: city.do(lambda s: access.revoke_api_key(s, old.key_id, clock=city.clock))) == "api_key_unknown"


def test_an_organisation_revokes_its_own_keys_only(city: City, metro: Client, _known: dict[str, Any]) -> None:
    other = city.organisation()

    def revoke(organisation: int) -> str:
        return refusal_of(lambda: city.do(
            lambda s: access.revoke_api_key(s, client.key_id, clock=city.clock, organisation=organisation)
        ))  # fmt: skip

    client = client_of(city, _known["organisation"])
    assert revoke(other) == "api_key_unknown"
    assert answer(city, client.request(URL, at=city.clock.now())) == "done"
    assert revoke(_known["organisation"]) == "done"


def test_a_suspended_organisation_signs_nothing_until_it_is_resumed(city: City) -> None:
    organisation = city.organisation()
    client = client_of(city, organisation)
    city.step(organisation, "suspend")
    assert answer(city, client.request(URL, at=city.clock.now())) == "signature_invalid"
    assert refusal_of(lambda: issue(city, organisation, "hmac-sha256")) == "organisation_not_approved"
    city.step(organisation, "resume")
    assert answer(city, client.request(URL, at=city.clock.now())) == "done"
    city.step(organisation, "close")
    assert answer(city, client.request(URL, at=city.clock.now())) == "signature_invalid"


def test_unknown_revoked_and_wrong_are_told_alike(city: City, metro: Client) -> None:
    stranger = with_ed25519("ck_" + "0" * 20, Ed25519PrivateKey.generate()).request(URL, at=city.clock.now())
    wrong = replace(metro.request(URL, at=city.clock.now()), method="PUT")
    told = []
    for request in (stranger, wrong):
        with pytest.raises(access.SignatureInvalid) as refused:
            send(city, request)
        told.append(refused.value.text("zh"))
    assert told[0] == told[1]


# Once -------------------------------------------------------------------------------------------------


def test_a_request_counts_once(city: City, metro: Client) -> None:
    request = metro.request(URL, at=city.clock.now())
    assert [answer(city, request) for _ in range(3)] == ["done", "signature_replayed", "signature_replayed"]
    again = metro.request(URL, at=city.clock.now(), nonce="the-nonce-of-another-request")
    assert answer(city, again) == "done"
    other = metro.request(URL, at=city.clock.now(), nonce="the-nonce-of-another-request", method="PUT")
    assert answer(city, other) == "signature_replayed"


def test_two_organisations_may_have_one_nonce(city: City, metro: Client) -> None:
    other = client_of(city, city.organisation())
    words = {"at": city.clock.now(), "nonce": "everybodys-favourite-nonce"}
    assert [answer(city, client.request(URL, **words)) for client in (metro, other)] == ["done", "done"]


def test_of_eight_copies_at_once_one_counts(city: City, metro: Client) -> None:
    request = metro.request(URL, at=city.clock.now())
    assert sorted(at_once([lambda: answer(city, request)] * 8)) == ["done"] + ["signature_replayed"] * 7


def test_a_false_signature_uses_no_nonce_up(city: City, metro: Client) -> None:
    request = metro.request(URL, at=city.clock.now())
    assert answer(city, replace(request, method="PUT")) == "signature_invalid"
    assert answer(city, request) == "done"


def test_a_nonce_is_remembered_for_as_long_as_its_request_is_fresh(city: City, metro: Client) -> None:
    request = metro.request(URL, at=city.clock.now() + timedelta(seconds=300))
    assert answer(city, request) == "done"
    city.later(seconds=600)
    city.do(lambda s: access.purge(s, city.clock))
    assert answer(city, request) == "signature_replayed"
    city.later(seconds=1)
    assert answer(city, request) == "signature_invalid"
    city.later(minutes=20)
    assert city.do(lambda s: access.purge(s, city.clock)) >= 1


# Keys -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "public"),
    [
        ("ed25519", None), ("ed25519", ""), ("ed25519", "AAAA"), ("ed25519", "not base64 at all"), ("ed25519", "é"),
        ("ed25519", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), ("ed25519", "A" * 10_000),
        ("ed25519", RFC_RSA_PSS.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()),
        ("hmac-sha256", base64.b64encode(bytes(32)).decode()),
    ],
)  # fmt: skip
def test_a_key_that_is_none_is_refused(city: City, metro: Client, _known: dict[str, Any], algorithm: str, public: str | None) -> None:
    assert refusal_of(lambda: issue(city, _known["organisation"], algorithm, public)) == "api_key_wrong"


def test_a_public_key_may_come_in_pem_and_belongs_to_one_key(city: City, metro: Client, _known: dict[str, Any]) -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    made = issue(city, _known["organisation"], "ed25519", pem)
    assert made.secret_once is None
    assert answer(city, with_ed25519(made.key_id, key).request(URL, at=city.clock.now())) == "done"
    assert refusal_of(lambda: issue(city, city.organisation(), "ed25519", public_of(key))) == "api_key_wrong"


def test_a_secret_is_shown_once_and_kept_wrapped(city: City, metro: Client, _known: dict[str, Any]) -> None:
    made = issue(city, _known["organisation"], "hmac-sha256")
    assert made.secret_once is not None and made.secret_once not in repr(made)
    told = city.do(lambda s: access.api_keys_of(s, _known["organisation"]))
    assert told[-1].key_id == made.key_id and told[-1].revoked_at is None and not hasattr(told[-1], "secret_once")
    with city.database.connect() as connection:
        kept = str(connection.execute("SELECT api_key::text FROM api_key").fetchall())
    assert base64.b64decode(made.secret_once).hex() not in kept


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE api_key SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
        "UPDATE api_key SET public = sha256('mine') WHERE algorithm = 'ed25519'",
        "UPDATE api_key SET organisation_id = organisation_id + 1",
        "DELETE FROM api_key",
        "TRUNCATE api_key CASCADE",
        "INSERT INTO request_nonce SELECT * FROM request_nonce",
    ],
)
def test_the_store_lets_no_key_be_changed_and_no_nonce_come_twice(city: City, metro: Client, statement: str) -> None:
    send(city, metro.request(URL, at=city.clock.now()))
    gone = client_of(city, city.organisation())
    city.do(lambda s: access.revoke_api_key(s, gone.key_id, clock=city.clock))
    with city.database.connect_as_owner() as connection, pytest.raises(psycopg.Error):
        connection.execute(statement)


# Odd addresses ----------------------------------------------------------------------------------------

RIGHT = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HERMIT = with_ed25519("ck_hermit", RIGHT)
_SEGMENT = st.text("abz019-._~!$&'()*+,;=:@", max_size=8) | st.sampled_from(["%2F", "%E6%99%AE", "..", ".", "%00", "%"])
_QUERY = st.text("abz019-._~!$'()*+,;=:@/?&", max_size=20) | st.sampled_from(["%E6%99%AE=1", "a=%26", "?", "&&", "a=1&a=2"])
ADDRESSES = st.builds(
    lambda path, query: f"{ISSUER}/" + "/".join(path) + query,
    st.lists(_SEGMENT, max_size=4), st.just("") | _QUERY.map("?{}".format),
).filter(lambda url: "%" not in url.replace("%2F", "").replace("%E6%99%AE", "").replace("%00", "").replace("%26", ""))  # fmt: skip


def verified(request: access.SignedRequest) -> str:
    def both() -> Any:
        read_claims(request, NOON)
        return check_signature(request, "ed25519", RIGHT.public_key(), NOON)

    return refusal_of(both)


COVERS = st.sampled_from([ALL, ("@method", "@path", "@query", "content-digest")])


@given(ADDRESSES, COVERS)
def test_every_address_can_be_signed(url: str, covers: tuple[str, ...]) -> None:
    assert verified(HERMIT.request(url, at=NOON, covers=covers)) == "done"


@given(ADDRESSES, ADDRESSES, COVERS)
def test_and_stands_for_no_other(url: str, other: str, covers: tuple[str, ...]) -> None:
    """An empty query and none are one under ``@query`` (RFC 9421, section 2.2.7), and two under ``@target-uri``."""
    moved = replace(HERMIT.request(url, at=NOON, covers=covers), url=other)

    def told(address: str) -> tuple[str, ...]:
        parts = urlsplit(address)
        return (address,) if covers == ALL else (parts.path, parts.query)

    assert verified(moved) == ("done" if told(url) == told(other) else "signature_invalid")


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_stands_in_the_fields_is_refused_and_nothing_breaks(inputs: str, signature: str) -> None:
    request = changed(HERMIT.request(URL, at=NOON), signature_input=inputs, signature=signature)
    assert verified(request) == "signature_invalid"
