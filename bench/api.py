"""How fast the API answers, beside a bare Flask route on the same server in the same run.

    python -m bench.api [--seconds 4] [--rounds 3] [--clients 8] [--json]

Both applications stand behind the same gate and granian, with the same number of
threads and a connection of PostgreSQL for each. ``echo`` is JSON back and forth;
``read`` asks the store once; ``write`` enters one row in one statement, which the bare
route commits by itself and ours together with the remembered answer under its
Idempotency-Key. Ours also verifies a real access token, checks the table of roles,
counts the rate, validates, seals and logs. Each round measures everything once, in turn;
the medians are compared.
"""

import argparse
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer
from marshmallow import fields
from rich.console import Console
from rich.table import Table

from bench.home import bench_home
from carbonhui import access, privacy
from carbonhui.api import Services, create_app
from carbonhui.api.fields import Strict, Text, Whole
from carbonhui.api.gate import Gate
from carbonhui.api.logs import Gathered, open_log
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.permissions import PERSON
from carbonhui.api.serving import body_limits, run_directory, serve_application
from carbonhui.core.clock import SystemClock
from carbonhui.core.database import Database, connection_of, open_database
from carbonhui.core.settings import Settings, read_settings

THREADS = 12
BODY = json.dumps({"word": "a ride by metro", "credits": 12}).encode()
INSERT = "INSERT INTO bench_note (word, credits) VALUES (%s, %s) RETURNING id"
READ = "SELECT id, word, credits FROM bench_note WHERE id = %s"
WHAT = ("echo", "read", "write")
#: Flask alone as granian serves Flask, Flask alone behind our gate, and the API.
SERVERS = ("bare", "gated", "ours")

blueprint = Blueprint("bench", __name__, description="Routes of the benchmark.")


class _Asked(Strict):
    word = Text(40, required=True)
    credits = Whole(1, 1000, required=True)


class _Note(Strict):
    id = fields.Integer()
    word = fields.String()
    credits = fields.Integer()


@operation(blueprint, "POST", "/echo", "echo", body=_Asked, answer=_Note, keyed=False, needs_store=False, summary="Echo")
def _echo(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    return body


@operation(blueprint, "GET", "/read", "read", answer=_Note, one_statement=True, summary="Read")
def _read(call: Call) -> Any:
    row = connection_of(call.session).execute(READ, (1,)).fetchone()
    assert row is not None
    return dict(zip(("id", "word", "credits"), row, strict=True))


@operation(blueprint, "POST", "/write", "write", body=_Asked, answer=_Note, status=201, summary="Write")
def _write(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    row = connection_of(call.session).execute(INSERT, (body["word"], body["credits"])).fetchone()
    assert row is not None
    return {"id": row[0]}


def _bare(database: Database) -> flask.Flask:
    """Flask and psycopg, and nothing else: a connection for each thread, each statement its own transaction."""
    app, own = flask.Flask("bare"), threading.local()

    def connection() -> Any:
        if not hasattr(own, "connection"):
            own.connection = database.connect(autocommit=True)
        return own.connection

    @app.post("/echo")
    def echo() -> Any:
        return flask.jsonify(flask.request.get_json())

    @app.get("/read")
    def read() -> Any:
        number, word, credits = connection().execute(READ, (1,)).fetchone()
        return flask.jsonify(id=number, word=word, credits=credits)

    @app.post("/write")
    def write() -> Any:
        given = flask.request.get_json()
        if not isinstance(given.get("word"), str) or not isinstance(given.get("credits"), int):
            flask.abort(400)
        return flask.jsonify(id=connection().execute(INSERT, (given["word"], given["credits"])).fetchone()[0]), 201

    return app


def _settings() -> Settings:
    return read_settings(profile="demo")


def _services(settings: Settings, database: Database) -> Services:
    vault, clock = privacy.open_vault(settings), SystemClock()
    return Services(
        database=database, vault=vault, settings=settings, clock=clock, sender=None,
        authenticator=access.Authenticator(database, vault, settings, clock),
    )  # fmt: skip


class _Served:
    """What a worker of the benchmark serves."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __rsgi_init__(self, loop: Any) -> None:
        settings = _settings()
        database = open_database(settings)
        if self._name == "gated":
            application, most = _bare(database).wsgi_app, lambda method, path: 1 << 20
        else:
            log = open_log(Gathered(Path(os.devnull).open("w")))  # noqa: SIM115
            rows = dict.fromkeys(WHAT, PERSON)
            app = create_app(_services(settings, database), blueprints=[blueprint], permissions=rows, log=log)
            application, most = app.wsgi_app, body_limits(app, settings)
        self._gate = Gate(application, threads=THREADS, most=most)

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        await self._gate.__rsgi__(scope, proto)

    def __rsgi_del__(self, loop: Any) -> None:
        self._gate.close()


def load_bare() -> Any:
    return _bare(open_database(_settings())).wsgi_app


def load_gated() -> Any:
    return _Served("gated")


def load_ours() -> Any:
    return _Served("ours")


@contextmanager
def _server(name: str) -> Any:
    process = subprocess.Popen([sys.executable, "-m", "bench.api", "--serve", name])
    port = int(os.environ[f"BENCH_PORT_{name.upper()}"])
    try:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert time.monotonic() < until, f"{name} did not start"
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        time.sleep(0.2)
        process.terminate()
        process.wait()


def _serve(name: str) -> None:
    port = int(os.environ[f"BENCH_PORT_{name.upper()}"])
    if name == "bare":
        MPServer("bench.api", port=port, interface=Interfaces.WSGI, blocking_threads=THREADS, http=HTTPModes.http1,
                 websockets=False, log_level=LogLevels.warning).serve(target_loader=load_bare, wrap_loader=False)  # fmt: skip
        return
    with run_directory() as run:
        serve_application(_settings(), run, load_gated if name == "gated" else load_ours, port=port, drain_seconds=0)


def _prepare() -> str:
    """The table, one row in it, and the access token of somebody who signed in."""
    settings = _settings()
    with open_database(settings) as database:
        with database.connect_as_owner(autocommit=True) as owner:
            owner.execute("CREATE TABLE bench_note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text, credits int)")
            owner.execute("INSERT INTO bench_note (word, credits) VALUES ('a ride', 3)")
            owner.execute("GRANT ALL ON bench_note TO carbonhui_app")
        vault, clock = privacy.open_vault(settings), SystemClock()
        with database.begin() as session:
            pending = access.issue_code(session, vault, mobile="+8613800138000", purpose="sign_in", clock=clock)
        with database.begin() as session:
            signed_in = access.sign_in(
                session, vault, challenge=pending.challenge, code=pending.code, device_label="bench", clock=clock, issuer=settings.public_url
            )
        assert isinstance(signed_in, access.SignedIn), signed_in
        return signed_in.access_token


def _request(what: str, token: str, key: str) -> bytes:
    head = f"{'GET' if what == 'read' else 'POST'} /{what} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
    if what == "read":
        return f"{head}\r\n".encode()
    return f"{head}Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY


def _client(what: str, port: int, token: str, seconds: float, name: str, barrier: Any, answers: Any) -> None:
    connection = socket.create_connection(("127.0.0.1", port))
    for number in range(20):
        _exchange(connection, _request(what, token, f"{name}-warm-{number}"))
    barrier.wait()
    taken, until, number = [], time.perf_counter() + seconds, 0
    while (began := time.perf_counter()) < until:
        number += 1
        _exchange(connection, _request(what, token, f"{name}-{number}"))
        taken.append(time.perf_counter() - began)
    answers.put(taken)


def _exchange(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    told = connection.recv(65536)
    assert told.startswith(b"HTTP/1.1 20"), told[:300]
    head, _, body = told.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)


def _cpu(pid: int) -> float:
    """Seconds of CPU of a server's workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    stats = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split() for child in children]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def _measure(what: str, server: str, pid: int, token: str, clients: int, seconds: float) -> dict[str, float]:
    port = int(os.environ[f"BENCH_PORT_{server.upper()}"])
    barrier = multiprocessing.Barrier(clients + 1)
    answers: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
    name = f"{what}-{time.time_ns()}"
    processes = [
        multiprocessing.Process(target=_client, args=(what, port, token, seconds, f"{name}-{n}", barrier, answers)) for n in range(clients)
    ]
    for process in processes:
        process.start()
    barrier.wait(timeout=60)
    before = _cpu(pid)
    taken = sorted(second for _ in processes for second in answers.get(timeout=seconds + 60))
    used = _cpu(pid) - before
    for process in processes:
        process.join()
    at = len(taken)
    return {
        "per_second": at / seconds, "p50_ms": taken[at // 2] * 1000, "p99_ms": taken[at * 99 // 100] * 1000,
        "cpu_us": used / at * 1e6,
    }  # fmt: skip


def run(seconds: float, rounds: int, clients: int, console: Console) -> dict[str, Any]:
    """The medians of every measurement, and ours as a part of the bare route's rate."""
    with bench_home("api") as home:
        os.environ.update(CARBONHUI_HOME=home, CARBONHUI_CALLER_REQUESTS_MAX="1000000000")
        for name in SERVERS:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                os.environ[f"BENCH_PORT_{name.upper()}"] = str(probe.getsockname()[1])
        with open_database(_settings()):
            token = _prepare()
            found: dict[str, list[dict[str, float]]] = {}
            with _server("bare") as bare, _server("gated") as gated, _server("ours") as ours:
                for number in range(rounds):
                    for what in WHAT:
                        for server, pid in zip(SERVERS, (bare, gated, ours), strict=True):
                            console.print(f"round {number + 1}: {what} {server} ...", style="dim")
                            measured = _measure(what, server, pid, token, clients, seconds)
                            found.setdefault(f"{what} {server}", []).append(measured)
    medians = {name: {key: statistics.median(one[key] for one in many) for key in many[0]} for name, many in found.items()}
    ratios = {
        f"{what}_vs_{other}": round(medians[f"{what} ours"]["per_second"] / medians[f"{what} {other}"]["per_second"], 2)
        for other in SERVERS[:2] for what in WHAT
    }  # fmt: skip
    return {"seconds": seconds, "clients": clients, "medians": medians, "ratios": ratios}


def _show(result: dict[str, Any], console: Console) -> None:
    table = Table(title=f"{result['clients']} clients, one worker")
    for column in ("what", "per second", "p50 ms", "p99 ms", "CPU us a request"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name, one in result["medians"].items():
        table.add_row(name, f"{one['per_second']:,.0f}", f"{one['p50_ms']:.2f}", f"{one['p99_ms']:.2f}", f"{one['cpu_us']:,.0f}")
    console.print(table)
    for what, ratio in result["ratios"].items():
        console.print(f"{what} = {ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _serve(options.serve)
        return
    console = Console(stderr=options.json)
    result = run(options.seconds, options.rounds, options.clients, console)
    if options.json:
        json.dump(result, sys.stdout)
    else:
        _show(result, console)


if __name__ == "__main__":
    assert Path("bench").is_dir(), "run it from the project's root"
    main()
