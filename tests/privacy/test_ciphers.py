"""The ciphers give what their standards print: NIST and RFC vectors, GB/T 32905, GB/T 32907, GM/T 0042, RFC 8998."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from carbonhui.privacy import ciphers

SM4_KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")

RFC_8998 = {
    "nonce": bytes.fromhex("00001234567800000000abcd"),
    "plain": b"".join(bytes([byte]) * 8 for byte in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA)),
    "about": bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    "sealed": bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    ),
}


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_gives_the_examples_of_gbt_32905(message: bytes, wanted: str):
    hashed = hashes.Hash(hashes.SM3())
    hashed.update(message)
    assert hashed.finalize().hex() == wanted


def test_sm4_gives_both_examples_of_gbt_32907():
    sealing = Cipher(algorithms.SM4(SM4_KEY), modes.ECB()).encryptor()
    block = sealing.update(SM4_KEY)
    assert block.hex() == "681edf34d206965e86b3e94f536e4246"
    for _ in range(999_999):
        block = sealing.update(block)
    assert block.hex() == "595298c7c6fd271f0402f804c33d3f66"


def test_sm4_gcm_gives_the_example_of_rfc_8998():
    nonce, plain, about = RFC_8998["nonce"], RFC_8998["plain"], RFC_8998["about"]
    assert ciphers.sm4_gcm_seal(SM4_KEY, nonce, plain, about) == RFC_8998["sealed"]
    assert ciphers.sm4_gcm_open(SM4_KEY, nonce, RFC_8998["sealed"], about) == plain


@pytest.mark.parametrize(
    ("key", "message", "wanted"),
    [
        (
            bytes(range(1, 33)), b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" * 2,
            "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a",
        ),
        (bytes(range(1, 38)), b"\xcd" * 50, "220bf579ded555393f0159f66c99877822a3ecf610d1552154b41d44b94db3ae"),
    ],
)  # fmt: skip
def test_hmac_sm3_gives_the_examples_of_gmt_0042(key: bytes, message: bytes, wanted: str):
    assert ciphers.digest("hmac-sm3", key, message).hex() == wanted


def test_hmac_sha_256_gives_the_example_of_rfc_4231():
    wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert ciphers.digest("hmac-sha-256", b"Jefe", b"what do ya want for nothing?").hex() == wanted


def test_aes_256_gcm_gives_test_case_16_of_the_gcm_paper():
    key, nonce = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2), bytes.fromhex("cafebabefacedbaddecaf888")
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    sealed = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )
    about = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    assert ciphers.aes_256_gcm_seal(key, nonce, plain, about) == sealed
    assert ciphers.aes_256_gcm_open(key, nonce, sealed, about) == plain


@pytest.mark.parametrize("cipher", ciphers.CIPHERS)
@given(plain=st.binary(max_size=64), about=st.binary(max_size=32), place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_what_is_sealed_opens_and_no_bit_of_it_can_be_changed(cipher: str, plain: bytes, about: bytes, place: int, bit: int):
    key = bytes(range(32))
    sealed = ciphers.seal(cipher, key, plain, about)
    assert len(sealed) == 12 + len(plain) + 16
    assert ciphers.unseal(cipher, key, sealed, about) == plain
    changed = bytearray(sealed)
    changed[place % len(sealed)] ^= 1 << bit
    for wrong in (
        lambda: ciphers.unseal(cipher, key, bytes(changed), about),
        lambda: ciphers.unseal(cipher, key, sealed, about + b"."),
        lambda: ciphers.unseal(cipher, bytes(32), sealed, about),
        lambda: ciphers.unseal(cipher, key, sealed[: place % len(sealed)], about),
        lambda: ciphers.unseal("rot-13", key, sealed, about),
    ):
        with pytest.raises(ciphers.Tampered):
            wrong()


def test_one_root_serves_both_ciphers_by_keys_that_have_nothing_in_common():
    key = bytes(range(32))
    for cipher, other in (ciphers.CIPHERS, ciphers.CIPHERS[::-1]):
        with pytest.raises(ciphers.Tampered):
            ciphers.unseal(other, key, ciphers.seal(cipher, key, b"plain", b""), b"")


def test_the_same_text_is_never_sealed_alike():
    assert len({ciphers.seal("sm4-gcm", bytes(32), b"plain", b"") for _ in range(100)}) == 100
