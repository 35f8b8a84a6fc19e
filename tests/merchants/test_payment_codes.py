"""Payment codes: signed, good for a minute, used once, worth nothing to whoever guesses (Article 18)."""

import random
import secrets
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonhui import merchants, privacy
from carbonhui.core.settings import Settings
from carbonhui.merchants import charge_of_till_code, payment_codes, till_code
from tests.ledger.books import fresh
from tests.merchants.market import NOON, Market
from tests.participants.people import sqlstate_of

ACCOUNT = 4_711
SECONDS = [timedelta(seconds=second) for second in range(130)]


@pytest.fixture
def vault(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> privacy.Vault:
    """Its key of codes is always the same one: among so many guesses, another would let one in every few thousand runs."""
    opened = privacy.open_vault(settings)
    with monkeypatch.context() as patch:
        patch.setattr(secrets, "token_bytes", random.Random(20_261_120).randbytes)
        merchants.payment_code(opened, account=ACCOUNT, now=NOON)
    return opened


def issued(vault: privacy.Vault, account: int = ACCOUNT, *, sandbox: bool = False) -> str:
    return merchants.payment_code(vault, account=account, now=NOON, sandbox=sandbox).code


def test_a_code_is_24_digits_that_begin_as_no_wallets_code_and_no_area_does(vault: privacy.Vault) -> None:
    wallets = {*range(10, 16), *range(25, 31), 62}
    provinces = {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82}
    for code in (issued(vault), issued(vault, sandbox=True), till_code(vault, 7)):
        assert len(code) == 24 and code.isdigit()
        assert int(code[:2]) not in wallets | provinces
    assert [issued(vault)[:2], till_code(vault, 7)[:2], issued(vault, sandbox=True)[:2]] == ["47", "48", "49"]


def test_a_code_is_good_for_sixty_seconds_and_then_told_to_be_over(vault: privacy.Vault) -> None:
    code = merchants.payment_code(vault, account=ACCOUNT, now=NOON)
    assert code.expires_at == NOON + timedelta(seconds=60)
    states = [payment_codes.read(vault, code.code, now=NOON + age).state for age in SECONDS]
    assert states == ["valid"] * 61 + ["expired"] * 69
    assert payment_codes.read(vault, code.code, now=NOON + timedelta(minutes=15)).state == "expired"
    assert payment_codes.read(vault, code.code, now=NOON + timedelta(hours=1)).state == "invalid"


def test_two_servers_whose_clocks_differ_by_a_little_agree_on_a_code(vault: privacy.Vault) -> None:
    code = issued(vault)
    ahead = [payment_codes.read(vault, code, now=NOON - timedelta(seconds=seconds)).state for seconds in range(5)]
    assert ahead == ["valid"] * 3 + ["invalid"] * 2


def test_a_code_tells_the_account_and_stands_for_one_second(vault: privacy.Vault) -> None:
    first, second = (payment_codes.read(vault, merchants.payment_code(vault, account=ACCOUNT, now=NOON + age).code, now=NOON) for age in SECONDS[:2])
    assert (first.account, second.account, first.sandbox) == (ACCOUNT, ACCOUNT, False)
    assert first.digest != second.digest
    assert issued(vault) == issued(vault)


@given(account=st.integers(1, 2**33 - 1), age=st.integers(0, 60), second=st.integers(0, 10**9))
def test_every_code_that_is_issued_is_read_as_what_it_is(account: int, age: int, second: int) -> None:
    vault = _VAULTS[0]
    at = NOON + timedelta(seconds=second)
    code = merchants.payment_code(vault, account=account, now=at)
    found = payment_codes.read(vault, code.code, now=at + timedelta(seconds=age))
    assert (found.state, found.account, len(found.digest)) == ("valid", account, 16)


_VAULTS: list[privacy.Vault] = []


@pytest.fixture(autouse=True)
def kept_vault(vault: privacy.Vault) -> None:
    _VAULTS[:] = [vault]


def test_an_altered_code_is_no_code(vault: privacy.Vault) -> None:
    code = issued(vault)
    for place in range(24):
        for digit in "0123456789":
            altered = code[:place] + digit + code[place + 1 :]
            if altered != code:
                assert payment_codes.read(vault, altered, now=NOON).state == "invalid", altered


@pytest.mark.parametrize("text", [
    "", "47", "4" * 24, "47" + "9" * 22, "47" + "0" * 21, "47" + "0" * 23, "47" + "٣" * 22, "47" + "-" + "0" * 21, "134567890123456789", "47" + "0" * 21 + "x",
])  # fmt: skip
def test_what_has_another_form_is_no_code(vault: privacy.Vault, text: str) -> None:
    assert payment_codes.read(vault, text, now=NOON).state == "invalid"
    assert charge_of_till_code(vault, "48" + text[2:]) is None


def test_of_a_hundred_thousand_guesses_none_is_a_code(vault: privacy.Vault) -> None:
    dice = random.Random(20_261_120)
    guesses = {f"47{dice.randrange(10**22):022d}" for _ in range(50_000)}
    near = int(issued(vault)[2:])
    guesses |= {f"47{near + offset:022d}" for offset in range(-25_000, 25_001) if offset}
    assert len(guesses) == 100_000
    assert not [guess for guess in guesses if payment_codes.read(vault, guess, now=NOON).state != "invalid"]


def test_a_code_of_another_city_or_of_the_sandbox_is_no_code_here(vault: privacy.Vault, market: Market) -> None:
    assert payment_codes.read(market.vault, issued(vault), now=NOON).state == "invalid"
    trial = issued(vault, sandbox=True)
    assert payment_codes.read(vault, "47" + trial[2:], now=NOON).state == "invalid"
    assert payment_codes.read(vault, "49" + issued(vault)[2:], now=NOON).state == "invalid"


def test_a_tills_code_names_its_charge_and_nothing_else_does(vault: privacy.Vault) -> None:
    codes = {till_code(vault, charge): charge for charge in range(1, 200)}
    assert {code: charge_of_till_code(vault, code) for code in codes} == codes
    code = till_code(vault, 7)
    for place in range(2, 24):
        altered = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
        assert charge_of_till_code(vault, altered) is None
    assert charge_of_till_code(vault, issued(vault)) is None


def test_a_code_is_still_good_while_the_key_is_being_changed(vault: privacy.Vault) -> None:
    code, till = issued(vault), till_code(vault, 7)
    before = payment_codes.read(vault, code, now=NOON)
    privacy.new_index_key(vault, "payment-code")
    assert payment_codes.read(vault, code, now=NOON) == before
    assert charge_of_till_code(vault, till) == 7


# Used once --------------------------------------------------------------------------------------


def test_a_code_pays_once_at_whatever_till_it_is_shown(market: Market) -> None:
    one, other, payer = market.merchant(), market.merchant(), market.shopper(100)
    code = market.code(payer)
    market.paid(one, payer, payment_code=code)
    for shop in (one, other):
        assert market.refusal(lambda s, shop=shop: market.charge(s, shop, payment_code=code)) == "payment_code_used"
    assert (market.holds(payer), market.received(other)) == ((90, 90), 0)


def test_a_code_that_is_over_altered_or_of_the_sandbox_charges_nobody(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    code = market.code(payer)
    late = NOON + timedelta(seconds=61)
    assert market.refusal(lambda s: market.charge(s, shop, payment_code=code, now=late)) == "payment_code_expired"
    assert market.refusal(lambda s: market.charge(s, shop, payment_code=code, now=late + timedelta(days=1))) == "payment_code_invalid"
    assert market.refusal(lambda s: market.charge(s, shop, payment_code=code[:-1] + str((int(code[-1]) + 1) % 10))) == "payment_code_invalid"
    trial = market.code(payer, sandbox=True)
    assert market.refusal(lambda s: market.charge(s, shop, payment_code=trial)) == "payment_code_invalid"
    assert market.refusal(lambda s: market.charge(s, shop, payment_code=code, sandbox=True)) == "payment_code_invalid"
    assert market.paid(shop, payer, payment_code=code).state == "captured"


def test_used_codes_are_forgotten_after_a_day_and_not_before(market: Market) -> None:
    market.paid(market.merchant(), market.shopper(100), out_trade_no=fresh("trade"))
    kept = len(market.rows("SELECT FROM payment_code_used"))
    with market.database.connect_as_owner(autocommit=True) as owner:
        owner.execute("INSERT INTO payment_code_used SELECT substr(sha256('old'), 1, 16), now() - interval '2 days'")
    assert market.run(lambda s: merchants.forget_used_codes(s)) == 1
    assert len(market.rows("SELECT FROM payment_code_used")) == kept
    assert sqlstate_of(market.database, "DELETE FROM payment_code_used") == "CH001"
