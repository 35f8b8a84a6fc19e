"""Rows' numbers as handles: nobody counts, guesses or mixes them up (OWASP API1:2023)."""

import secrets
from pathlib import Path
from uuid import UUID

import pytest

from carbonhui import privacy
from carbonhui.api.routes.handles import handle_of, number_of
from carbonhui.core.settings import Settings


@pytest.fixture
def vault(settings: Settings) -> privacy.Vault:
    return privacy.open_vault(settings)


@pytest.mark.parametrize("number", [0, 1, 2, 10**6, 2**53, 2**62 - 1])
def test_a_handle_leads_back_to_its_number_and_is_always_the_same(vault: privacy.Vault, number: int):
    handle = handle_of(vault, "batch", number)
    assert (handle.version, handle.variant) == (8, "specified in RFC 4122")
    assert handle == handle_of(vault, "batch", number)
    assert number_of(vault, "batch", handle) == number


def test_neighbours_have_nothing_in_common(vault: privacy.Vault):
    handles = [handle_of(vault, "batch", number) for number in range(1000)]
    assert len({str(one)[:8] for one in handles}) == 1000
    assert sorted(handles) != handles


def test_a_handle_of_one_kind_is_nothing_of_another(vault: privacy.Vault):
    assert number_of(vault, "agreement", handle_of(vault, "batch", 7)) is None


def test_nobody_makes_a_handle_up(vault: privacy.Vault):
    assert all(number_of(vault, "batch", UUID(bytes=secrets.token_bytes(16), version=4)) is None for _ in range(2000))
    right = handle_of(vault, "batch", 7)
    assert {number_of(vault, "batch", UUID(int=right.int ^ 1 << bit)) for bit in range(128) if bit not in range(62, 64) and not 76 <= bit < 80} == {None}


def test_handles_outlive_a_change_of_the_key_for_as_long_as_both_keys_live(vault: privacy.Vault):
    before = handle_of(vault, "batch", 7)
    [key] = vault.index_keys("api-handle")
    vault.keyring.make("index-api-handle", key.version + 1, key.algorithm)
    after = handle_of(vault, "batch", 7)
    assert before != after
    assert number_of(vault, "batch", before) == number_of(vault, "batch", after) == 7


def test_another_citys_handles_lead_nowhere(vault: privacy.Vault, settings: Settings, tmp_path: Path):
    from dataclasses import replace

    other = privacy.open_vault(replace(settings, keys=tmp_path / "others"))
    assert number_of(other, "batch", handle_of(vault, "batch", 7)) is None
