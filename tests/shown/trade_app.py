"""The telephones of a day's customers, as a process of its own: it shows payment codes, and scans what a till shows.

    python -m tests.shown.trade_app DAY.json

A till looks at a telephone's screen, or the telephone at the till's, over a socket: a line
asks, a line answers. Everything else goes over HTTP to the server.
"""

import json
import socketserver
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx


class Telephone:
    """One customer's app, signed in."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=300, trust_env=False)
        self._turn, self._shown = threading.Lock(), ""

    def show(self) -> str:
        """A payment code that was not shown before: there is one a second."""
        with self._turn:
            while (code := self._posted("/v1/me/payment-codes", {})["code"]) == self._shown:
                time.sleep(0.1)
            self._shown = code
            return str(code)

    def scan(self, till_code: str) -> int:
        """Pay what a till shows, after looking at it; the credits that it took."""
        seen = self._client.get(f"/v1/payments/{till_code}")
        seen.raise_for_status()
        paid = self._posted(f"/v1/payments/{till_code}", {}, **{"Idempotency-Key": f"pay-{till_code}"})
        assert paid["credits"] == seen.json()["credits"]
        return int(paid["credits"])

    def _posted(self, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        answer = self._client.post(path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        told: dict[str, Any] = answer.json()
        return told


class Look(socketserver.StreamRequestHandler):
    """What passes between the two screens."""

    telephones: list[Telephone] = []

    def handle(self) -> None:
        for line in self.rfile:
            asked = json.loads(line)
            telephone = self.telephones[asked["customer"]]
            shown = telephone.scan(asked["till_code"]) if "till_code" in asked else telephone.show()
            self.wfile.write(json.dumps(shown).encode() + b"\n")


class Screens(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def main() -> None:
    day = json.loads(Path(sys.argv[1]).read_text())
    Look.telephones = [Telephone(day["url"], token) for token in day["tokens"]]
    with Screens(day["screens"], Look) as screens:
        print("ready", flush=True)
        screens.serve_forever()


if __name__ == "__main__":
    main()
