"""One real server process: granian, its workers, a store of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from carbonhui.core import embedded
from tests.api.ports import free_port

#: Workers read it too, so what stands first holds in every process.
_PROGRAM = """
{first}
from carbonhui.cli.context import Face
from carbonhui.cli.serving import serve
if __name__ == "__main__":
    serve.main(["--no-schedule"], obj=Face(profile="demo", chosen_language=None))
"""


class Server:
    """Where it listens, and its process."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log

    def connect(self, seconds: float = 120) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def ask(self, request: bytes, seconds: float = 120) -> bytes:
        """Everything that the server says to these bytes until it closes or falls silent."""
        with self.connect(seconds) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(request)
            told = b""
            with contextlib.suppress(OSError):
                while piece := connection.recv(65536):
                    told += piece
            return told

    def get(self, path: str, headers: str = "") -> bytes:
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n".encode())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(180)


@contextlib.contextmanager
def started(server: embedded.Server, folder: Path, name: str, *, first: str = "", **settings: str) -> Iterator[Server]:
    """A server on a fresh copy of the template store, ready to answer; ``first`` is what its program does first."""
    database = f"served_{name}_{os.getpid()}"
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database} TEMPLATE template_books")
    program, log, port = folder / "program.py", folder / "server.log", free_port()
    program.write_text(_PROGRAM.replace("{first}", first))
    environment = {
        **os.environ, "CARBONHUI_HOME": str(folder / "home"), "DATABASE_URL": server.url(database), "CARBONHUI_PORT": str(port),
        "CARBONHUI_PROFILE": "demo", "CARBONHUI_STRANGER_REQUESTS_MAX": "1000000", **settings,
    }  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, str(program)], env=environment, stdout=output, stderr=output)
    running = Server(process, port, log)
    try:
        _wait_until_ready(running)
        yield running
    finally:
        if process.poll() is None:
            # Told twice, it does not pause.
            process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
            assert running.stop() == 0
        with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def _wait_until_ready(running: Server) -> None:
    until, said = time.monotonic() + 300, b""
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            said = running.get("/readyz")
            if said.startswith(b"HTTP/1.1 200 "):
                return
        if running.process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"{said!r}\n{running.log.read_text()[-3000:]}")
