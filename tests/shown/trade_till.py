"""A merchant's tills on a day of trade, as a process of its own, with the client of docs/examples.

    python -m tests.shown.trade_till DAY.json

Its connections break where the script says so: in the middle of a request, or before the
answer is heard. At the end it prints what it believes of every sale.
"""

import importlib.util
import json
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.shown.trade_script import Sale, day_of_trade

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "till.py"


def example() -> Any:
    """The client as it stands in the documentation."""
    spec = importlib.util.spec_from_file_location("till_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Line(httpx.HTTPTransport):
    """A till's connection, which breaks once when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.drop: str | None = None
        self.broken = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        how, self.drop = self.drop, None
        if how is None or request.method != "POST":
            self.drop = how
            return super().handle_request(request)
        self.broken += 1
        body = request.read()
        lines = [f"{request.method} {request.url.raw_path.decode()} HTTP/1.1"]
        lines += [f"{name.decode()}: {value.decode()}" for name, value in request.headers.raw]
        whole = "\r\n".join([*lines, "", ""]).encode() + body
        address = urlsplit(str(request.url))
        with socket.create_connection((address.hostname or "", address.port or 80)) as broken:
            broken.sendall(whole if how == "unheard" else whole[: len(whole) - max(1, len(body) // 2)])
        raise httpx.ReadError(f"the connection broke: {how}")


class Counter:
    """One till of the shop: its own connection to the server, its own look at telephones."""

    def __init__(self, day: dict[str, Any]) -> None:
        module = example()
        self.line = Line()
        client = httpx.Client(transport=self.line, timeout=300)
        self.till = module.Till(day["url"], day["organisation"], module.Key(day["key_id"], day["secret"]), client=client)
        self.look = socket.socket(socket.AF_UNIX)
        self.look.connect(day["screens"])
        self.answers: Iterator[bytes] = iter(self.look.makefile("rb"))

    def ask(self, **words: Any) -> Any:
        self.look.sendall(json.dumps(words).encode() + b"\n")
        return json.loads(next(self.answers))

    def sell(self, sale: Sale) -> dict[str, Any]:
        number = sale.number
        for place, step in enumerate(sale.steps):
            self.line.drop = step.drop
            if step.kind == "charge":
                self._charge(sale)
            elif step.kind == "capture":
                self.till.capture(number, step.credits)
            elif step.kind == "void":
                self.till.void(number)
            else:
                self.till.refund(number, f"{number}-R{place}", step.credits)
            assert self.line.drop is None, "the connection broke where it was told to"
        found = self.till.query(number)
        return {name: found[name] for name in ("state", "captured", "refunded", "credits")}

    def _charge(self, sale: Sale) -> None:
        if not sale.shows:
            code = self.ask(customer=sale.customer)
            charge = self.till.charge(sale.number, code, sale.credits, capture=sale.capture)
            assert charge["state"] == ("captured" if sale.capture else "authorised"), charge
            return
        charge = self.till.charge(sale.number, None, sale.credits, capture=sale.capture)
        assert charge["state"] == "awaiting", charge
        assert self.ask(customer=sale.customer, till_code=charge["till_code"]) == sale.credits


def main() -> None:
    day = json.loads(Path(sys.argv[1]).read_text())
    here, counters, lock = threading.local(), [], threading.Lock()

    def sell(sale: Sale) -> tuple[str, dict[str, Any]]:
        if not hasattr(here, "counter"):
            here.counter = Counter(day)
            with lock:
                counters.append(here.counter)
        return sale.number, here.counter.sell(sale)

    with ThreadPoolExecutor(day["tills"]) as tills:
        believed = dict(tills.map(sell, day_of_trade(day["seed"], day["sales"])))
    print(json.dumps({"sales": believed, "broken": sum(counter.line.broken for counter in counters)}))


if __name__ == "__main__":
    main()
