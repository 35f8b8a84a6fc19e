"""Payment codes: what a person's app shows at a till, and what a till shows to an app.

A code has 24 digits. The first two say what it is: 47 pays, 49 pays in the sandbox, 48
names a charge that waits at a till. None begins as a wallet's code does (WeChat Pay
10-15, Alipay 25-30, UnionPay 62), nor as a division of GB/T 2260.

The other 22 digits hold 73 bits: a keyed tag of 34 bits over account and second, and
account (33 bits) and second (6 bits) hidden under a keyed digest of the tag, as in SIV
(RFC 5297). Nothing is stored when one is issued; one is checked by digests alone, so
that a guess costs the store nothing. Whoever has no key finds a tag by 2**34 guesses,
and then it has to be of an account.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from carbonhui import privacy

PAYS, AWAITS, SANDBOX_PAYS = "47", "48", "49"
#: How long a payment code can be used, in seconds.
LIFE_SECONDS = 60
#: How far the clocks of two servers may differ, in seconds.
SKEW_SECONDS = 2

_SCHEME = "payment-code"
_DIGITS, _TAG_BITS, _HIDDEN_BITS, _SECOND_BITS = 22, 34, 39, 6
_LAP = 1 << _SECOND_BITS
#: A code that ran out within this many laps of 64 seconds is told to have; an older one is told as one that never was.
_LAPS = 15


@dataclass(frozen=True)
class PaymentCode:
    """A code as the app shows it, as a number and as a QR code of these digits; good until ``expires_at``."""

    code: str
    expires_at: datetime


@dataclass(frozen=True)
class Reading:
    """What a code says: ``valid``, ``expired``, or ``invalid``, of which nothing else is known.

    ``digest`` stands for the code in the store, where it is spent once.
    """

    state: Literal["valid", "expired", "invalid"]
    account: int = 0
    digest: bytes = b""
    sandbox: bool = False


def payment_code(vault: privacy.Vault, *, account: int, now: datetime, sandbox: bool = False) -> PaymentCode:
    """A code that pays from an account for a minute; the same one when asked twice in a second."""
    second = int(now.timestamp())
    prefix = SANDBOX_PAYS if sandbox else PAYS
    tag = _bits(vault.digest(_SCHEME, _words(prefix, account, second)), _TAG_BITS)
    body = _body(vault, prefix, tag, account << _SECOND_BITS | second % _LAP)
    return PaymentCode(prefix + body, datetime.fromtimestamp(second + LIFE_SECONDS, UTC))


def read(vault: privacy.Vault, code: str, *, now: datetime) -> Reading:
    """Whose account a code pays from, if it was issued within the minute before ``now``."""
    prefix, tag, hidden = _parts(code, (PAYS, SANDBOX_PAYS))
    if prefix is None:
        return Reading("invalid")
    newest = int(now.timestamp()) + SKEW_SECONDS
    for version, pad in enumerate(vault.digests(_SCHEME, f"{prefix}#{tag}")):
        plain = hidden ^ _bits(pad, _HIDDEN_BITS)
        account, low = plain >> _SECOND_BITS, plain % _LAP
        second = newest - (newest - low) % _LAP
        for lap in range(_LAPS):
            digest = vault.digests(_SCHEME, _words(prefix, account, second - lap * _LAP))[version]
            if _bits(digest, _TAG_BITS) == tag:
                age = newest - SKEW_SECONDS - second + lap * _LAP
                return Reading("valid" if age <= LIFE_SECONDS else "expired", account, digest[16:32], prefix == SANDBOX_PAYS)
    return Reading("invalid")


def expired_code(vault: privacy.Vault, *, account: int, now: datetime) -> str:
    """A sandbox code whose minute is just over, for developers to try."""
    return payment_code(vault, account=account, now=now - timedelta(seconds=LIFE_SECONDS + 30), sandbox=True).code


def till_code(vault: privacy.Vault, charge: int) -> str:
    """The code that a till shows for a charge that waits for a payer; it lasts as long as the charge waits."""
    tag = _bits(vault.digest(_SCHEME, f"{AWAITS} {charge}"), _TAG_BITS)
    return AWAITS + _body(vault, AWAITS, tag, charge)


def charge_of_till_code(vault: privacy.Vault, code: str) -> int | None:
    """The number of the charge behind a till's code; None for one that was never shown."""
    prefix, tag, hidden = _parts(code, (AWAITS,))
    if prefix is None:
        return None
    for version, pad in enumerate(vault.digests(_SCHEME, f"{AWAITS}#{tag}")):
        charge = hidden ^ _bits(pad, _HIDDEN_BITS)
        if _bits(vault.digests(_SCHEME, f"{AWAITS} {charge}")[version], _TAG_BITS) == tag:
            return charge
    return None


def _words(prefix: str, account: int, second: int) -> str:
    return f"{prefix} {account} {second}"


def _body(vault: privacy.Vault, prefix: str, tag: int, plain: int) -> str:
    assert 0 <= plain < 1 << _HIDDEN_BITS
    hidden = plain ^ _bits(vault.digest(_SCHEME, f"{prefix}#{tag}"), _HIDDEN_BITS)
    return f"{tag << _HIDDEN_BITS | hidden:0{_DIGITS}d}"


def _parts(code: str, prefixes: tuple[str, ...]) -> tuple[str | None, int, int]:
    prefix, body = code[:2], code[2:]
    if prefix not in prefixes or len(body) != _DIGITS or not (body.isascii() and body.isdigit()):
        return None, 0, 0
    whole = int(body)
    if whole >> _TAG_BITS + _HIDDEN_BITS:
        return None, 0, 0
    return prefix, whole >> _HIDDEN_BITS, whole & (1 << _HIDDEN_BITS) - 1


def _bits(digest: bytes, count: int) -> int:
    return int.from_bytes(digest[:8], "big") >> 64 - count
