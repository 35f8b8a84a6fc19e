"""How many customers pay at tills, whole cycles over HTTP: one busy merchant beside a thousand.

    python -m bench.till [--seconds 4] [--rounds 3] [--clients 1 8 32] [--workers 2] [--json]

A cycle is what happens at a till: the customer's app asks for a payment code with its
access token, and the merchant's server charges it, captured at once, by a request signed
with RFC 9421 (hmac-sha256). Issue, scan and answer go over loopback to ``carbonhui serve``
in processes of its own; every client is a process with one connection for each side. In
``hot`` all clients charge for one merchant, in ``spread`` for a thousand in turn. The yardstick
``bare`` is Flask alone on the same number of workers: JSON back and forth, then one row
inserted. Each round measures everything once, in turn; medians are told, and of the ratios
the median of the rounds. Last, the CPU of issuing and of checking one code.
"""

import argparse
import base64
import hashlib
import hmac
import json
import multiprocessing
import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer
from rich.console import Console
from rich.table import Table

from bench.api import THREADS, load_bare
from bench.home import bench_home
from carbonhui import access, ledger, merchants, participants, privacy
from carbonhui.core.clock import SystemClock
from carbonhui.core.database import Database, open_database
from carbonhui.core.settings import Settings, read_settings
from carbonhui.merchants import payment_codes

#: Nobody's app shows two codes in one second, so there are more customers than cycles in a second.
CUSTOMERS, MERCHANTS, PURSE = 1_024, 1_000, 100_000
WHAT = ("hot", "spread", "bare")


@dataclass(frozen=True)
class Shop:
    """A merchant's handle and the key by which its server signs."""

    handle: str
    key_id: str
    secret: bytes


@dataclass(frozen=True)
class Town:
    """Everybody's proofs."""

    url: str
    tokens: list[str]
    shops: list[Shop]


def _settings() -> Settings:
    return read_settings(profile="demo")


def _prepare(console: Console) -> Town:
    settings, clock = _settings(), SystemClock()
    with open_database(settings) as database:
        vault = privacy.open_vault(settings)
        with database.connect_as_owner(autocommit=True) as owner:
            owner.execute("CREATE TABLE bench_note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text, credits int)")
            owner.execute("GRANT ALL ON bench_note TO carbonhui_app")
        console.print(f"{CUSTOMERS:,} customers sign in ...", style="dim")
        signed_in = [_customer(database, vault, settings, clock, number) for number in range(CUSTOMERS)]
        accounts = sorted(account for _, account in signed_in)
        with database.begin() as session:
            ledger.issue(
                session, mint_id=1, vintage=2026, mg_per_credit=100_000, business_date=clock.today(), accounts=accounts,
                credits=[PURSE] * len(accounts),
            )  # fmt: skip
        console.print(f"{MERCHANTS:,} merchants are approved ...", style="dim")
        with database.begin() as session:
            staff = [
                participants.add_staff(session, vault, login=f"bench-{role}", password="correct horse battery", roles=[role]).staff
                for role in ("registrar", "approver")
            ]
        shops = [_shop(database, vault, clock, staff, number) for number in range(MERCHANTS)]
        with database.connect_as_owner(autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")
    return Town(settings.public_url, [token for token, _ in signed_in], shops)


def _customer(database: Database, vault: privacy.Vault, settings: Settings, clock: SystemClock, number: int) -> tuple[str, int]:
    mobile = f"+86138{number:08d}"

    def entered(session: Any) -> tuple[str, int]:
        pace = (timedelta(minutes=1), CUSTOMERS + 1)
        pending = access.issue_code(session, vault, mobile=mobile, purpose="sign_in", clock=clock, pace_of_all=pace)
        made = access.sign_in(
            session, vault, challenge=pending.challenge, code=pending.code, device_label="bench", clock=clock, issuer=settings.public_url
        )
        assert isinstance(made, access.SignedIn), made
        return made.access_token, made.person.account_id

    return database.run(entered)


def _shop(database: Database, vault: privacy.Vault, clock: SystemClock, staff: list[Any], number: int) -> Shop:
    first = f"91440101MC{number:07d}"

    def opened(session: Any) -> Shop:
        found = participants.apply_as_organisation(
            session, vault, kind="merchant", name=f"Bench {number}", credit_code=first + participants.check_character(first),
            contact_name="Bench", contact_mobile="13900139000", on=clock.today(),
        )  # fmt: skip
        step = participants.propose_step(session, found, "approve", reason="bench", by=staff[0], on=clock.today())
        participants.decide_step(session, step.id, agreed=True, by=staff[1], on=clock.today())
        made = access.issue_api_key(session, vault, organisation=found.id, algorithm="hmac-sha256", label="till", clock=clock)
        assert made.secret_once is not None
        return Shop(str(found.handle), made.key_id, base64.b64decode(made.secret_once))

    return database.run(opened)


# The servers ----------------------------------------------------------------------------------------


@contextmanager
def _served(command: list[str], port: int) -> Iterator[int]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 90
        while not _answers(port):
            assert time.monotonic() < until, f"{command} did not start"
            assert process.poll() is None
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        time.sleep(0.3)
        if process.poll() is None:
            process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return bool(connection.recv(1000))
    except OSError:
        return False


def _serve_bare(port: int, workers: int) -> None:
    MPServer("bench.till", port=port, workers=workers, interface=Interfaces.WSGI, blocking_threads=THREADS, http=HTTPModes.http1,
             websockets=False, log_level=LogLevels.warning).serve(target_loader=load_bare, wrap_loader=False)  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# The clients ----------------------------------------------------------------------------------------


class Line:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, headers: str, body: bytes) -> tuple[int, Any]:
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)
        told = self._socket.recv(65536)
        while b"\r\n\r\n" not in told:
            told += self._socket.recv(65536)
        head_told, _, content = told.partition(b"\r\n\r\n")
        length = int(head_told.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(content) < length:
            content += self._socket.recv(65536)
        return int(head_told[9:12]), json.loads(content)


def _signed(shop: Shop, url: str, body: bytes) -> str:
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    inputs = (
        f'("@method" "@target-uri" "content-digest");created={int(time.time())};keyid="{shop.key_id}";nonce="{secrets.token_hex(16)}"'
    )
    base = f'"@method": POST\n"@target-uri": {url}\n"content-digest": {digest}\n"@signature-params": {inputs}'
    signature = base64.b64encode(hmac.digest(shop.secret, base.encode(), "sha256")).decode()
    return f"Content-Digest: {digest}\r\nSignature-Input: s={inputs}\r\nSignature: s=:{signature}:\r\n"


class Cycle:
    """A customer who shows a code, and a till that charges it; the next cycle is another customer's."""

    def __init__(self, town: Town, what: str, port: int, place: int, clients: int) -> None:
        self._town, self._app, self._till, self._count = town, Line(port), Line(port), 0
        self._tokens, self._name = town.tokens[place::clients], f"{what}-{place}-{time.time_ns()}"
        self._shops = town.shops[:1] if what == "hot" else town.shops[place::clients]

    def run(self) -> bool:
        self._count += 1
        token, shop = self._tokens[self._count % len(self._tokens)], self._shops[self._count % len(self._shops)]
        status, shown = self._app.post("/v1/me/payment-codes", f"Authorization: Bearer {token}\r\n", b"{}")
        assert status == 201, shown
        number = f"{self._name}-{self._count}"
        body = json.dumps({"out_trade_no": number, "payment_code": shown["code"], "credits": 1}).encode()
        path = f"/v1/merchants/{shop.handle}/charges"
        headers = f"Idempotency-Key: {number}\r\n{_signed(shop, self._town.url + path, body)}"
        status, charge = self._till.post(path, headers, body)
        if charge.get("code") == "payment_code_used":
            # The customer was served within this second, by the measurement before.
            return False
        assert (status, charge.get("state")) == (201, "captured"), charge
        return True


class BareCycle:
    """The same number of requests and of changes, with nothing in them."""

    def __init__(self, port: int) -> None:
        self._line = Line(port)

    def run(self) -> bool:
        for path in ("/echo", "/write"):
            status, told = self._line.post(path, "", b'{"word": "a ride by metro", "credits": 12}')
            assert status < 300, told
        return True


def _client(town: Town, what: str, port: int, place: int, clients: int, seconds: float, barrier: Any, answers: Any) -> None:
    cycle = BareCycle(port) if what == "bare" else Cycle(town, what, port, place, clients)
    for _ in range(5):
        cycle.run()
    barrier.wait()
    taken, until = [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        if cycle.run():
            taken.append(time.perf_counter() - began)
    answers.put(taken)


def _cpu(pid: int) -> float:
    """Seconds of CPU of a server's workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    stats = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split() for child in children]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def _measure(town: Town, what: str, port: int, pid: int, clients: int, seconds: float) -> dict[str, float]:
    barrier, answers = multiprocessing.Barrier(clients + 1), multiprocessing.Queue()  # type: ignore[var-annotated]
    processes = [
        multiprocessing.Process(target=_client, args=(town, what, port, place, clients, seconds, barrier, answers))
        for place in range(clients)
    ]
    for process in processes:
        process.start()
    barrier.wait(timeout=120)
    before = _cpu(pid)
    taken = sorted(second for _ in processes for second in answers.get(timeout=seconds + 60))
    used, at = _cpu(pid) - before, len(taken)
    for process in processes:
        process.join()
    return {
        "per_second": at / seconds, "p50_ms": taken[at // 2] * 1000, "p99_ms": taken[at * 99 // 100] * 1000, "cpu_us": used / at * 1e6
    }  # fmt: skip


def codes_cpu(count: int = 2_000) -> dict[str, float]:
    """Microseconds of CPU to issue one payment code and to check one; a check of what nobody issued costs as much as any."""
    vault, now = privacy.open_vault(_settings()), datetime(2026, 11, 21, 4, tzinfo=UTC)
    began = time.process_time()
    codes = [payment_codes.payment_code(vault, account=account, now=now).code for account in range(1, count + 1)]
    issued = time.process_time()
    assert all(payment_codes.read(vault, code, now=now).account == account for account, code in enumerate(codes, 1))
    checked = time.process_time()
    guesses = [f"47{secrets.randbelow(10**22):022d}" for _ in range(count)]
    guessing = time.process_time()
    assert not any(payment_codes.read(vault, code, now=now).account for code in guesses)
    done = time.process_time()
    return {
        "issue_us": (issued - began) / count * 1e6, "check_us": (checked - issued) / count * 1e6,
        "guess_us": (done - guessing) / count * 1e6,
    }  # fmt: skip


def run(seconds: float, rounds: int, clients: list[int], workers: int, console: Console) -> dict[str, Any]:
    """The medians of every measurement and of the rounds' ratios."""
    with bench_home("till") as home:
        ports = {"ours": _free_port(), "bare": _free_port()}
        os.environ.update(
            CARBONHUI_HOME=home, CARBONHUI_PROFILE="demo", CARBONHUI_CALLER_REQUESTS_MAX="1000000000",
            CARBONHUI_ORGANISATION_REQUESTS_MAX="1000000000", CARBONHUI_WORKERS=str(workers),
            CARBONHUI_PORT=str(ports["ours"]), CARBONHUI_PUBLIC_URL=f"http://127.0.0.1:{ports['ours']}",
        )  # fmt: skip
        found: dict[tuple[str, int], list[dict[str, float]]] = {}
        with open_database(_settings()) as database:
            town = _prepare(console)
            ours = [str(Path(sys.executable).with_name("carbonhui")), "serve", "--no-schedule"]
            bare = [sys.executable, "-m", "bench.till", "--serve-bare", str(ports["bare"]), "--workers", str(workers)]
            with _served(ours, ports["ours"]) as ours_pid, _served(bare, ports["bare"]) as bare_pid:
                for number in range(rounds):
                    for many in clients:
                        for what in WHAT:
                            console.print(f"round {number + 1}: {many} clients, {what} ...", style="dim")
                            port, pid = (ports["bare"], bare_pid) if what == "bare" else (ports["ours"], ours_pid)
                            found.setdefault((what, many), []).append(_measure(town, what, port, pid, many, seconds))
            settled = _settled(database)
            codes = codes_cpu()
    return {
        "seconds": seconds, "rounds": rounds, "workers": workers, "settlement": settled, "codes": codes,
        "medians": {f"{what} {many}": _median(measured) for (what, many), measured in found.items()},
        "ratios": {str(many): {other: _ratio(found, "hot", other, many) for other in ("spread", "bare")} for many in clients},
    }  # fmt: skip


def _median(measured: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(one[key] for one in measured) for key in measured[0]}


def _ratio(found: dict[tuple[str, int], list[dict[str, float]]], what: str, other: str, many: int) -> float:
    pairs = zip(found[what, many], found[other, many], strict=True)
    return round(statistics.median(one["per_second"] / two["per_second"] for one, two in pairs), 2)


def _settled(database: Database) -> dict[str, float]:
    """The day that was traded, settled: how many merchants and charges, and in how many seconds the busiest of them and all."""
    on = date.fromordinal(SystemClock().today().toordinal() + 1)
    with database.connect_as_owner() as owner:
        row = owner.execute("SELECT count(*), max(n) FROM (SELECT count(*) AS n FROM charge GROUP BY merchant) m").fetchone()
    assert row is not None
    began = time.perf_counter()
    done = merchants.settle_day(database, on=on)
    assert done.refused == ()
    return {"merchants": row[0], "largest": row[1], "credits": done.credits, "seconds": time.perf_counter() - began}


def _show(result: dict[str, Any], console: Console) -> None:
    table = Table(title=f"Scan to pay, {result['workers']} workers, median of {result['rounds']} rounds of {result['seconds']} s")
    for column in ("what and clients", "cycles/s", "p50 ms", "p99 ms", "server CPU us a cycle"):
        table.add_column(column, justify="left" if column == "what and clients" else "right")
    for name, one in result["medians"].items():
        table.add_row(name, f"{one['per_second']:,.0f}", f"{one['p50_ms']:.1f}", f"{one['p99_ms']:.1f}", f"{one['cpu_us']:,.0f}")
    console.print(table)
    for many, ratios in result["ratios"].items():
        console.print(f"{many} clients: hot / spread = {ratios['spread']}, hot / bare = {ratios['bare']}")
    settled, codes = result["settlement"], result["codes"]
    console.print(
        f"settled {settled['merchants']:,} merchants, the largest with {settled['largest']:,} charges, in {settled['seconds']:.1f} s"
    )
    issue, check, guess = (codes[name] for name in ("issue_us", "check_us", "guess_us"))
    console.print(f"a code: {issue:.0f} us CPU to issue, {check:.0f} to check, {guess:.0f} to refuse a guess")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve-bare", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_bare:
        _serve_bare(options.serve_bare, options.workers)
        return
    console = Console(stderr=options.json)
    result = run(options.seconds, options.rounds, options.clients, options.workers, console)
    if options.json:
        json.dump(result, sys.stdout)
    else:
        _show(result, console)


if __name__ == "__main__":
    assert Path("bench").is_dir(), "run it from the project's root"
    main()
