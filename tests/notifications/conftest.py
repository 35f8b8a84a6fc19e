"""A receiver on this machine that answers as it is told, and an organisation that is told everything."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook

from carbonhui import ledger, notifications, privacy
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.ledger import CREDIT, Kind

ORGANISATION = 7
EVERYTHING = tuple(topic for topic in notifications.TOPICS if topic != "ping")


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: str


Script = Callable[[Received], tuple[int, bytes]]


@dataclass
class Receiver:
    """A small HTTP server that keeps what it gets; ``script`` says what it answers."""

    certificates: ssl.SSLContext | None = None
    script: Script = lambda received: (204, b"")
    got: list[Received] = field(default_factory=list)

    def __enter__(self) -> "Receiver":
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                received = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                ours.got.append(received)
                status, answer = ours.script(received)
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                if 300 <= status < 400:
                    self.send_header("location", "/elsewhere")
                self.end_headers()
                self.wfile.write(answer)

            def do_GET(self) -> None:
                ours.got.append(Received("GET " + self.path, {}, ""))
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if self.certificates is not None:
            self.server.socket = self.certificates.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/notices"

    def ids(self) -> list[str]:
        return [received.headers["webhook-id"] for received in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as opened:
        yield opened


@pytest.fixture
def vault(settings: Settings) -> privacy.Vault:
    return privacy.open_vault(settings)


@pytest.fixture
def database(unchecked_database: Database) -> Iterator[Database]:
    """Ends with this room's own check too: everything that was announced is accounted for."""
    yield unchecked_database
    assert broken(unchecked_database) == []


def broken(database: Database) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return [row for _, _, _, query in notifications.CHECK_QUERIES for row in connection.execute(query).fetchall()]


def add(database: Database, vault: privacy.Vault, url: str, *, organisation: int = ORGANISATION,
        topics: tuple[str, ...] = EVERYTHING) -> tuple[int, Webhook]:
    """An endpoint, and what verifies its notices."""
    with database.begin() as session:
        endpoint, secret = notifications.add_endpoint(session, vault, organisation=organisation, url=url, topics=topics)
    return endpoint, Webhook(secret)


def tell(database: Database, number: int = 1, *, organisation: int = ORGANISATION, key: str | None = None) -> str:
    """Announce that a batch was received; the notice's id."""
    with database.begin() as session:
        return str(notifications.announce(
            session, "activity.batch.received", payload={"batch": number}, organisation=organisation, key=key
        ))


def resident(database: Database) -> int:
    with database.begin() as session:
        return ledger.open_account(session, kind=Kind.PERSON, asset=CREDIT)


def states(database: Database) -> list[tuple[str, int, str | None]]:
    """State, attempts and outcome of every delivery, oldest first."""
    with database.connect() as connection:
        return connection.execute("SELECT state, attempts, outcome FROM webhook_delivery ORDER BY id").fetchall()


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "waited too long"
        time.sleep(0.02)
