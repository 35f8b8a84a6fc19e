"""The code that a receiver's app shows for a few minutes, so that others give or ask without knowing a number.

Thirty-six digits: ``40``, which no wallet, no province and no payment code begins with,
and 112 bits: the second until which it is good, the account hidden under a keyed digest,
and a keyed tag over both (the construction of RFC 5297, SIV). Nothing is stored, and
whoever reads one learns no number of ours. It only lets others give and ask.
"""

import re
from datetime import UTC, datetime

from carbonhui import privacy
from carbonhui.circulation.refusals import ReceiveCodeInvalid

PREFIX = "40"
SECONDS = 300
FORM = r"40[0-9]{34}"
_CODE = re.compile(FORM, re.ASCII)
_SCHEME = "receive-code"
_SECOND_BITS, _NUMBER_BITS, _TAG_BITS = 32, 40, 40


def receive_code(vault: privacy.Vault, account: int, *, now: datetime) -> tuple[str, datetime]:
    """A code that leads to this account for the next five minutes, and until when."""
    assert 0 < account < 1 << _NUMBER_BITS
    until = int(now.timestamp()) + SECONDS
    tag = _bits(vault.digest(_SCHEME, f"{account} {until}"), _TAG_BITS)
    hidden = account ^ _bits(vault.digest(_SCHEME, f"#{tag} {until}"), _NUMBER_BITS)
    value = (until << _NUMBER_BITS | hidden) << _TAG_BITS | tag
    return f"{PREFIX}{value:034d}", datetime.fromtimestamp(until, UTC)


def account_behind(vault: privacy.Vault, code: str, *, now: datetime | None) -> int:
    """The account that a code leads to now, or ever led to when ``now`` is None.

    Raises `ReceiveCodeInvalid`, the same for one that is altered, old or made up.
    """
    value = int(code[2:]) if _CODE.fullmatch(code) else 0
    tag, hidden = value & (1 << _TAG_BITS) - 1, value >> _TAG_BITS & (1 << _NUMBER_BITS) - 1
    until = value >> _TAG_BITS + _NUMBER_BITS
    if now is not None and not 0 <= until - int(now.timestamp()) <= SECONDS:
        raise ReceiveCodeInvalid()
    for version, pad in enumerate(vault.digests(_SCHEME, f"#{tag} {until}")):
        account = hidden ^ _bits(pad, _NUMBER_BITS)
        if _bits(vault.digests(_SCHEME, f"{account} {until}")[version], _TAG_BITS) == tag:
            return account
    raise ReceiveCodeInvalid()


def _bits(digest: bytes, count: int) -> int:
    return int.from_bytes(digest[:8], "big") >> 64 - count
