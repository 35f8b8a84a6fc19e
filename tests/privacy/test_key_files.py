"""Keys: files that only their owner reads, a service that may stand in for them, and nothing that shows them."""

import os
import pickle
import stat
import threading
import time
import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from carbonhui import privacy
from carbonhui.core.settings import Settings
from carbonhui.privacy import ciphers


class FakeService:
    """A key management service: it has no file, and its key's name is its own."""

    def __init__(self) -> None:
        self.number, self.asked = 1, 0

    def current(self) -> str:
        return f"kms/city/{self.number}"

    def wrap(self, key: bytes, context: str) -> privacy.Wrapped:
        self.asked += 1
        return privacy.Wrapped(self.current(), "kms:fake", ciphers.seal("aes-256-gcm", self._key(self.current()), key, context.encode()))

    def unwrap(self, wrapped: privacy.Wrapped, context: str) -> bytes:
        self.asked += 1
        try:
            return ciphers.unseal("aes-256-gcm", self._key(wrapped.kek), wrapped.sealed, context.encode())
        except ciphers.Tampered:
            raise privacy.SealBroken(what=context) from None

    def _key(self, name: str) -> bytes:
        return name.encode().ljust(32)


def test_keys_are_made_closed_to_others(settings: Settings):
    vault = privacy.open_vault(settings)
    vault.digest("mobile", "+8613800138000")
    vault.wrap("totp", b"seed")
    assert stat.S_IMODE(settings.keys.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in settings.keys.iterdir()} == {
        "kek-1.key": 0o600, "index-mobile-1.key": 0o600, "service-1.key": 0o600
    }  # fmt: skip


def test_an_open_directory_or_file_is_refused(settings: Settings):
    privacy.open_vault(settings)
    settings.keys.chmod(0o710)
    with pytest.raises(privacy.KeyDirectoryOpen, match="0710"):
        privacy.open_vault(settings)
    settings.keys.chmod(0o700)
    (settings.keys / "kek-1.key").chmod(0o604)
    with pytest.raises(privacy.KeyFileOpen, match="0604"):
        privacy.open_vault(settings)


def test_two_vaults_of_one_directory_agree(settings: Settings):
    one, other = privacy.open_vault(settings), privacy.open_vault(settings)
    assert one.digest("mobile", "x") == other.digest("mobile", "x")
    assert other.unwrap("totp", one.wrap("totp", b"seed")) == b"seed"


def test_what_another_process_adds_within_one_tick_of_the_file_system_is_noticed(settings: Settings):
    one, other, tick = privacy.open_vault(settings), privacy.open_vault(settings), time.time_ns() + 10**12

    def changed_in_the_same_tick() -> None:
        os.utime(settings.keys, ns=(tick, tick))

    one.digest("mobile", "x")
    changed_in_the_same_tick()
    assert (len(one.index_keys("mobile")), one.keeper.current()[:2]) == (1, "1.")
    privacy.new_index_key(other, "mobile")
    privacy.new_kek(other)
    changed_in_the_same_tick()
    assert (len(one.index_keys("mobile")), one.keeper.current()[:2]) == (2, "2.")


def test_many_threads_make_one_key(settings: Settings):
    vault, found, ready = privacy.open_vault(settings), [], threading.Barrier(8)

    def ask() -> None:
        ready.wait()
        found.append((vault.digest("mobile", "x"), vault.unwrap("p", vault.wrap("p", b"s"))))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {(vault.digest("mobile", "x"), b"s")}
    assert len(found) == 8


@pytest.mark.parametrize("cryptography", ["international", "guomi"])
def test_every_scheme_has_a_key_of_its_own(settings: Settings, cryptography: str):
    vault = privacy.open_vault(replace(settings, cryptography=cryptography))
    digests = {vault.digest(scheme, text) for scheme in ("mobile", "mobile2", "id-number") for text in ("1", "2")}
    assert len(digests) == 6
    assert {len(digest) for digest in digests} == {32}


def test_a_secret_opens_for_its_purpose_only(settings: Settings):
    vault = privacy.open_vault(settings)
    wrapped = vault.wrap("totp", b"seed")
    assert vault.unwrap("totp", wrapped) == b"seed"
    assert b"seed" not in wrapped
    for purpose, changed in [("webhook", wrapped), ("totp", wrapped[:-1]), ("totp", b""), ("totp", b"\1\xff"), ("totp", b"\2" + wrapped[1:])]:
        with pytest.raises(privacy.SealBroken):
            vault.unwrap(purpose, changed)


def test_no_byte_of_a_wrapped_secret_can_be_changed(settings: Settings):
    vault = privacy.open_vault(settings)
    wrapped = vault.wrap("totp", b"seed")
    for at in range(len(wrapped)):
        changed = wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :]
        with pytest.raises((privacy.SealBroken, privacy.KeyMissing)):
            vault.unwrap("totp", changed)


def test_after_a_change_of_the_setting_both_kinds_are_read(settings: Settings):
    before = privacy.open_vault(settings)
    old, digest = before.wrap("totp", b"seed"), before.digest("mobile", "x")
    after = privacy.open_vault(replace(settings, cryptography="guomi"))
    new = after.wrap("totp", b"seed")
    assert (b"aes-256-gcm" in old, b"sm4-gcm" in new) == (True, True)
    assert {vault.unwrap("totp", wrapped) for vault in (before, after) for wrapped in (old, new)} == {b"seed"}
    assert after.digest("mobile", "x") == digest
    privacy.new_index_key(after, "mobile")
    assert [key.algorithm for key in after.index_keys("mobile")] == ["hmac-sm3", "hmac-sha-256"]
    assert after.digests("mobile", "x")[1] == digest == before.digests("mobile", "x")[1]


def test_a_new_service_key_leaves_older_secrets_readable_and_renews_them(settings: Settings):
    vault = privacy.open_vault(settings)
    old = vault.wrap("totp", b"seed")
    assert vault.renew("totp", old) == old
    assert privacy.new_service_key(vault) == 2
    renewed = vault.renew("totp", old)
    assert renewed != old
    assert vault.renew("totp", renewed) == renewed
    assert vault.unwrap("totp", old) == vault.unwrap("totp", renewed) == b"seed"


def test_another_key_in_the_place_of_the_right_one_is_noticed(settings: Settings):
    vault = privacy.open_vault(settings)
    wrapped = vault.seal_key(1, bytes(32))
    (settings.keys / "kek-1.key").unlink()
    with pytest.raises(privacy.KeyMissing, match=wrapped.kek):
        privacy.open_vault(settings).open_key(1, wrapped)


@pytest.mark.parametrize("kek", ["", "1", "1.00000000", "2.00000000", "x.1", "١.00000000", "../../etc/passwd"])
def test_a_name_that_leads_to_no_key_is_refused(settings: Settings, kek: str):
    vault = privacy.open_vault(settings)
    with pytest.raises(privacy.KeyMissing):
        vault.open_key(1, privacy.Wrapped(kek=kek, algorithm="aes-256-gcm", sealed=bytes(60)))


def test_a_wrapped_data_key_is_of_one_subject_only(settings: Settings):
    vault = privacy.open_vault(settings)
    wrapped = vault.seal_key(1, bytes(32))
    assert vault.open_key(1, wrapped) == bytes(32)
    with pytest.raises(privacy.SealBroken):
        vault.open_key(2, wrapped)


def test_a_field_is_bound_to_its_subject_even_under_the_same_key(settings: Settings):
    vault = privacy.open_vault(settings)
    sealed = vault.seal_field(1, "name", bytes(32), "Ann")
    assert vault.open_field(1, "name", bytes(32), "aes-256-gcm", sealed) == "Ann"
    for subject, field in ((2, "name"), (1, "email")):
        with pytest.raises(privacy.SealBroken):
            vault.open_field(subject, field, bytes(32), "aes-256-gcm", sealed)


def test_a_service_may_stand_in_for_the_file(settings: Settings):
    service = FakeService()
    vault = privacy.open_vault(settings, keeper=service)
    wrapped = vault.wrap("totp", b"seed")
    digest = vault.digest("mobile", "x")
    assert not (settings.keys / "kek-1.key").exists()
    again = privacy.open_vault(settings, keeper=service)
    assert (again.unwrap("totp", wrapped), again.digest("mobile", "x")) == (b"seed", digest)
    asked = service.asked
    for _ in range(10):
        again.unwrap("totp", again.wrap("totp", b"seed"))
    assert service.asked == asked, "the service is asked once for each key file and not for each secret"
    with pytest.raises(privacy.KeyNotInFile, match="FakeService"):
        privacy.new_kek(vault)
    service.number = 2
    assert vault.keyring.rewrap() == 2
    assert privacy.open_vault(settings, keeper=service).digest("mobile", "x") == digest


def test_nothing_shows_a_key(settings: Settings):
    vault = privacy.open_vault(settings)
    wrapped = vault.wrap("totp", b"seed")
    secrets = [vault.index_keys("mobile")[0].secret, (settings.keys / "kek-1.key").read_bytes()]
    try:
        vault.unwrap("other", wrapped)
    except privacy.SealBroken:
        told = traceback.format_exc()
    shown = f"{vault!r} {vault!s} {vault.keeper!r} {vault.index_keys('mobile')} {told}"
    for secret in secrets:
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown
    with pytest.raises(TypeError):
        pickle.dumps(vault)


def test_files_that_are_no_keys_are_left_alone(settings: Settings, tmp_path: Path):
    vault = privacy.open_vault(settings)
    for name in ("notes.txt", "kek-0.key", "kek-01.key", "index-.key", "kek-2.key.old", ".kek-9.key.ab"):
        (settings.keys / name).write_bytes(b"")
    vault.digest("mobile", "x")
    assert vault.keeper.current().startswith("1.")
    assert vault.keyring.names() == [("index-mobile", 1)]
