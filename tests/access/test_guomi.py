"""Everything is sealed, blinded and proven in the Chinese profile as well (design section 9)."""

from dataclasses import replace

import pytest

from carbonhui import access, privacy
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from tests.access.conftest import ISSUER, City, refusal_of
from tests.access.signing import with_hmac


@pytest.fixture
def chinese(city: City, database: Database, settings: Settings, clock: SetClock) -> City:
    ours = replace(settings, cryptography="guomi", public_url=ISSUER)
    return City(database, privacy.open_vault(ours), ours, clock)


def test_codes_tokens_and_secrets_work_with_sm3_and_sm4(chinese: City) -> None:
    assert "sm4" in repr(chinese.vault) and "sm3" in repr(chinese.vault)
    pending = chinese.ask(chinese.new_mobile())
    assert refusal_of(lambda: chinese.check(pending.challenge, "x")) == "code_wrong"
    signed_in = chinese.enter(pending, "李的手机")
    assert chinese.caller(chinese.refresh(signed_in.refresh_token).access_token).person == signed_in.person
    assert [device.label for device in chinese.devices(signed_in.person)] == ["李的手机"]
    number = chinese.organisation()
    made = chinese.do(lambda s: access.issue_api_key(
        s, chinese.vault, organisation=number, algorithm="hmac-sha256", label="till", clock=chinese.clock
    ))  # fmt: skip
    assert made.secret_once is not None
    request = with_hmac(made.key_id, made.secret_once).request(f"{ISSUER}/v1/x", at=chinese.clock.now())
    assert chinese.gate().caller(request.headers, "POST", request.url, request.body).organisation_id == number
