"""A till that takes carbon credits: a client for merchants' developers, to read and to take over.

    export CARBONHUI_URL=https://api.carbon.example CARBONHUI_ORGANISATION=...  # your handle
    export CARBONHUI_KEY_ID=ck_... CARBONHUI_SECRET=...                         # of POST /v1/organisations/{organisation}/api-keys
    python till.py charge 471234567890123456789012 12 --number 20261121-0001      # what was scanned, the price, your own number
    python till.py refund 20261121-0001 5 --number 20261121-0001-R1

It needs httpx and nothing else. Every request is signed by RFC 9421 with hmac-sha256. An
answer that is lost on the way is no trouble: a charge is known by the number that you
gave it, so the till sends the same words again, which never charge twice. When it gives
up, `query` says what became of the charge.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

#: How long one charge is tried for: a payment code lasts as long.
PATIENCE_SECONDS = 60


class Refused(Exception):
    """The platform said no. ``code`` is stable; the sentence is for people."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        wrong = "".join(f"; {one}" for one in problem.get("errors", []))
        super().__init__(f"{problem.get('code')}: {problem.get('detail')}{wrong}")
        self.status, self.code = status, str(problem.get("code"))

    @property
    def later(self) -> bool:
        """Whether it says "later" and not "no": too many requests, this very one is still at work, or somebody on the way is ill."""
        return self.status == 429 or self.status >= 500 or self.code == "request_running"


@dataclass(frozen=True)
class Key:
    """What signs your requests: the key's name and its secret, as they were told once."""

    key_id: str
    secret: str

    def sign(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """The headers of a signed request (RFC 9421, with the body's digest of RFC 9530)."""
        headers, covered = {}, [("@method", method), ("@target-uri", url)]
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            headers["Content-Digest"] = f"sha-256=:{digest}:"
            covered.append(("content-digest", headers["Content-Digest"]))
        names = " ".join(f'"{name}"' for name, _ in covered)
        # The nonce is used once: a copy of this request is refused.
        inputs = f'({names});created={int(time.time())};keyid="{self.key_id}";nonce="{secrets.token_hex(16)}"'
        base = "\n".join([*(f'"{name}": {value}' for name, value in covered), f'"@signature-params": {inputs}'])
        signature = base64.b64encode(hmac.digest(base64.b64decode(self.secret), base.encode(), "sha256")).decode()
        return {**headers, "Signature-Input": f"till={inputs}", "Signature": f"till=:{signature}:"}


class Till:
    """One merchant's connection. Close it when the shop closes."""

    def __init__(
        self, url: str, organisation: str, key: Key, *, sandbox: bool = False, client: httpx.Client | None = None
    ) -> None:
        self.url, self.key, self.sandbox = url.rstrip("/"), key, sandbox
        self.path = f"/v1/merchants/{organisation}/charges"
        self.client = client or httpx.Client(timeout=10)

    def charge(self, number: str, payment_code: str | None, credits: int, **more: Any) -> dict[str, Any]:
        """Charge the payer whose code was scanned; the charge as it stands, whatever happened on the way.

        Without a code the charge waits, and your till shows its ``till_code`` for the
        payer's app to scan; `query` says when it was paid. ``more`` may be shop, till,
        money_fen, or capture=False to promise now and capture later. The same number with
        the same words never charges twice. Raises `Refused`; another sale's number is
        ``out_trade_no_reused``.
        """
        asked = {"out_trade_no": number, "payment_code": payment_code, "credits": credits, **more}
        return self._surely(self.path, asked)

    def query(self, number: str) -> dict[str, Any] | None:
        """What became of a charge; None when it did not come about, so that it may be sent again."""
        try:
            return self._send("GET", self._of(number))
        except Refused as refused:
            if refused.code == "charge_unknown":
                return None
            raise

    def capture(self, number: str, credits: int | None = None) -> dict[str, Any]:
        """Take what was promised, or less; the rest is the payer's again. Repeating it changes nothing."""
        asked = {} if credits is None else {"credits": credits}
        return self._surely(f"{self._of(number)}/capture", asked)

    def void(self, number: str) -> dict[str, Any]:
        """Let go of what was promised. Repeating it changes nothing."""
        return self._surely(f"{self._of(number)}/void", None)

    def refund(self, number: str, refund_number: str, credits: int) -> dict[str, Any]:
        """Give back part or all of a charge, under your own number of the refund; the same number refunds once."""
        asked = {"out_refund_no": refund_number, "credits": credits}
        return self._surely(f"{self._of(number)}/refunds", asked)

    def _of(self, number: str) -> str:
        # The address is signed as the platform reads it: of the characters of a number only | is written as %7C.
        return f"{self.path}/{quote(number, safe='*')}"

    def _surely(self, path: str, asked: dict[str, Any] | None) -> dict[str, Any]:
        """Send until there is an answer.

        Sending again is safe: what was done is told again, and the platform compares every
        word with what you said first, so that nobody else's sale is taken for this one.
        """
        until, wait = time.monotonic() + PATIENCE_SECONDS, 0.05
        while True:
            try:
                return self._send("POST", path, asked)
            except httpx.TransportError as lost:
                problem: Exception = lost
            except Refused as refused:
                if not refused.later:
                    raise
                problem = refused
            if time.monotonic() > until:
                raise problem
            time.sleep(wait)
            wait = min(2 * wait, 2.0)

    def _send(self, method: str, path: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
        """One signed request. Raises `Refused`, and `httpx.TransportError` when no answer came."""
        url = f"{self.url}{path}" + ("?sandbox=true" if self.sandbox else "")
        body = b"" if asked is None else json.dumps(asked).encode()
        headers = self.key.sign(method, url, body)
        if body:
            headers["Content-Type"] = "application/json"
        if method == "POST":
            # The same words have the same key, whatever characters your numbers hold.
            headers["Idempotency-Key"] = hashlib.sha256(f"{url} ".encode() + body).hexdigest()
        answer = self.client.request(method, url, content=body, headers=headers)
        if answer.is_error:
            # What stands before the platform answers in words of its own.
            ours = "json" in answer.headers.get("Content-Type", "")
            raise Refused(answer.status_code, answer.json() if ours else {"code": "no_answer", "detail": answer.reason_phrase})
        found: dict[str, Any] = answer.json()
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sandbox", action="store_true", help="try it where nothing is real")
    commands = parser.add_subparsers(dest="command", required=True)
    charge = commands.add_parser("charge")
    charge.add_argument("payment_code")
    charge.add_argument("credits", type=int)
    charge.add_argument("--number", required=True)
    query = commands.add_parser("query")
    query.add_argument("charge")
    refund = commands.add_parser("refund")
    refund.add_argument("charge")
    refund.add_argument("credits", type=int)
    refund.add_argument("--number", required=True)
    asked = parser.parse_args()
    said = os.environ
    key = Key(said["CARBONHUI_KEY_ID"], said["CARBONHUI_SECRET"])
    till = Till(said["CARBONHUI_URL"], said["CARBONHUI_ORGANISATION"], key, sandbox=asked.sandbox)
    if asked.command == "charge":
        print(json.dumps(till.charge(asked.number, asked.payment_code, asked.credits), indent=2))
    elif asked.command == "query":
        print(json.dumps(till.query(asked.charge), indent=2))
    else:
        print(json.dumps(till.refund(asked.charge, asked.number, asked.credits), indent=2))


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        raise SystemExit(f"Refused: {refused}") from None
