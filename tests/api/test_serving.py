"""A server that is told to stop says so, finishes what it began, and loses no request."""

import signal
import socket
import threading
import time
from collections.abc import Callable

import pytest

from carbonhui.core import embedded
from tests.api.server import Server, started

REQUEST = b"GET /v1/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n"


def exchange(connection: socket.socket) -> bytes:
    """One answer, head and body; no bytes when the server closed instead."""
    connection.sendall(REQUEST)
    told = b""
    while b"\r\n\r\n" not in told:
        piece = connection.recv(65536)
        if not piece:
            return told
        told += piece
    head, _, body = told.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            raise EOFError("an answer was cut off")
        body += piece
    return head


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def client(server: Server, answered: list[bytes], untaken: list[bytes], lost: list[str], refused: threading.Event) -> None:
    """Asks again and again until no connection is taken any more.

    A connection that comes in the very last moment may be closed before its request was read: nothing was begun then.
    """
    while True:
        try:
            connection = server.connect()
        except ConnectionRefusedError:
            refused.set()
            return
        except ConnectionResetError:
            untaken.append(b"")
            continue
        with connection:
            try:
                while True:
                    head = exchange(connection)
                    if not head:
                        untaken.append(head)
                        break
                    answered.append(head)
                    if b"connection: close" in head.lower():
                        break
            except ConnectionResetError:
                untaken.append(b"")
            except (OSError, EOFError) as error:
                lost.append(repr(error))


#: A server that is told to stop goes on until it is told again, so that everything can be seen meanwhile.
LINGERING = """
from carbonhui.api import serving
serving.serve_application.__kwdefaults__["drain_seconds"] = 3600.0
"""


def test_a_stopping_server_loses_no_request(server: embedded.Server, tmp_path):
    with started(server, tmp_path, "stop", first=LINGERING, CARBONHUI_WORKERS="2") as running:
        answered: list[bytes] = []
        untaken: list[bytes] = []
        lost: list[str] = []
        refused = threading.Event()
        threads = [threading.Thread(target=client, args=(running, answered, untaken, lost, refused)) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(answered) > 20)
        running.process.send_signal(signal.SIGTERM)
        wait_for(lambda: all(b" 503 " in running.get("/readyz")[:20] for _ in range(8)))
        assert b'"stopping"' in running.get("/readyz")
        assert running.get("/livez").startswith(b"HTTP/1.1 200 ")
        before = len(answered)
        wait_for(lambda: len(answered) > before + 20)
        assert (untaken, lost) == ([], []), "until its end it takes whatever comes"
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(120) == 0
        for thread in threads:
            thread.join(120)
        assert refused.is_set()
        assert all(head.startswith(b"HTTP/1.1 200 ") for head in answered)
        assert lost == []
        log = running.log.read_text()
        assert "Traceback" not in log
        # Whatever was begun was answered; who met a closing door had begun nothing.
        assert log.count('"operation": "readSigningKeys"') == len(answered)
        assert not any(untaken)


def test_a_worker_does_not_outlive_a_killed_server(server: embedded.Server, tmp_path):
    with started(server, tmp_path, "kill") as running:
        running.process.kill()
        running.process.wait()
        until = time.monotonic() + 120
        with pytest.raises(OSError):
            while time.monotonic() < until:
                running.connect().close()
                time.sleep(0.1)
