"""What comes over the wire is not always HTTP: refused or cut off, never a 5xx, and never in others' way."""

import re
import select
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from carbonhui.core import embedded
from tests.api.server import Server, started

HOST = b"Host: a\r\n"
END = b"Connection: close\r\n\r\n"
JSON = b"Content-Type: application/json\r\n"


#: As patient with the slow as no server is, so that only who comes after them could be made to wait.
PATIENT = """
from carbonhui.api import gate, serving
serving.HEAD_MILLISECONDS, gate.SILENCE_SECONDS, gate.BODY_SECONDS = 3_600_000, 3600, 3600
"""


@pytest.fixture(scope="module")
def served(server: embedded.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with started(server, tmp_path_factory.mktemp("served"), "raw", first=PATIENT) as running:
        yield running


def get(line: bytes, headers: bytes = b"") -> bytes:
    return line + b"\r\n" + HOST + headers + END


def post(headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /v1 HTTP/1.1\r\n" + HOST + headers + b"Connection: close\r\n\r\n" + body


MALFORMED = {
    # Request lines.
    "nothing but a line end": b"\r\n\r\n",
    "random bytes": bytes(range(1, 256)),
    "zeros": b"\0" * 1000,
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 200,
    "no version": get(b"GET /v1"),
    "no target": get(b"GET  HTTP/1.1"),
    "no method": get(b"/v1 HTTP/1.1"),
    "two spaces": get(b"GET  /v1  HTTP/1.1"),
    "a tab": get(b"GET\t/v1\tHTTP/1.1"),
    "HTTP/9.9": get(b"GET /v1 HTTP/9.9"),
    "HTTP/0.9": b"GET /v1\r\n\r\n",
    "HTTP/1.0 without Host": b"GET /v1 HTTP/1.0\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "lower-case method": get(b"get /v1 HTTP/1.1"),
    "unknown method": get(b"BREW /v1 HTTP/1.1"),
    "a method of 10,000 letters": get(b"G" * 10_000 + b" /v1 HTTP/1.1"),
    "a method with a slash": get(b"GE/T /v1 HTTP/1.1"),
    "TRACE": get(b"TRACE /v1 HTTP/1.1"),
    "CONNECT": get(b"CONNECT a:80 HTTP/1.1"),
    "an absolute address": get(b"GET http://elsewhere.example/v1 HTTP/1.1"),
    "an absolute address of another scheme": get(b"GET ftp://elsewhere.example/v1 HTTP/1.1"),
    "an asterisk": get(b"GET * HTTP/1.1"),
    "OPTIONS of everything": get(b"OPTIONS * HTTP/1.1"),
    "a relative address": get(b"GET v1 HTTP/1.1"),
    "two slashes": get(b"GET //v1 HTTP/1.1"),
    "dots": get(b"GET /../../etc/passwd HTTP/1.1"),
    "escaped dots": get(b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1"),
    "an escaped NUL": get(b"GET /v1%00 HTTP/1.1"),
    "a half escape": get(b"GET /v1%2 HTTP/1.1"),
    "a wrong escape": get(b"GET /v1%zz HTTP/1.1"),
    "escaped bytes that are not UTF-8": get(b"GET /v1/%ff%fe HTTP/1.1"),
    "an escaped surrogate": get(b"GET /v1/%ed%a0%80 HTTP/1.1"),
    "raw bytes that are not UTF-8": get(b"GET /v1/\xff\xfe HTTP/1.1"),
    "raw UTF-8": get("GET /v1/碳 HTTP/1.1".encode()),
    "a query that is not UTF-8": get(b"GET /v1?a=%ff HTTP/1.1"),
    "a query of raw bytes": get(b"GET /v1?\xff HTTP/1.1"),
    "a fragment": get(b"GET /v1#part HTTP/1.1"),
    "an address of 100 kB": get(b"GET /" + b"a" * 100_000 + b" HTTP/1.1"),
    "a query of 60 kB": get(b"GET /v1?" + b"a" * 60_000 + b" HTTP/1.1"),
    # Headers.
    "NUL in a header": get(b"GET /v1 HTTP/1.1", b"X-A: a\0b\r\n"),
    "a bare line feed": b"GET /v1 HTTP/1.1\nHost: a\nConnection: close\n\n",
    "a bare carriage return": get(b"GET /v1 HTTP/1.1", b"X-A: a\rX-B: b\r\n"),
    "a header without a colon": get(b"GET /v1 HTTP/1.1", b"nonsense\r\n"),
    "a header without a name": get(b"GET /v1 HTTP/1.1", b": a\r\n"),
    "a space before the colon": get(b"GET /v1 HTTP/1.1", b"X-A : a\r\n"),
    "a folded header": get(b"GET /v1 HTTP/1.1", b"X-A: a\r\n b\r\n"),
    "a header that is not UTF-8": get(b"GET /v1 HTTP/1.1", b"X-A: \xff\xfe\r\n"),
    "a language that is not UTF-8": get(b"GET /v1 HTTP/1.1", b"Accept-Language: \xff\xfe\r\n"),
    "a name that is not ASCII": get(b"GET /v1 HTTP/1.1", b"X-\xc3\xa4: a\r\n"),
    "a header of 100 kB": get(b"GET /v1 HTTP/1.1", b"X-A: " + b"a" * 100_000 + b"\r\n"),
    "1,000 headers": get(b"GET /v1 HTTP/1.1", b"".join(b"X-%d: a\r\n" % n for n in range(1000))),
    "no Host": b"GET /v1 HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two Hosts": get(b"GET /v1 HTTP/1.1", b"Host: b\r\n"),
    "a Host with a slash": b"GET /v1 HTTP/1.1\r\nHost: a/b@c\r\nConnection: close\r\n\r\n",
    "an upgrade": get(b"GET /v1 HTTP/1.1", b"Upgrade: websocket\r\nConnection: Upgrade\r\n"),
    "an upgrade to h2c": get(b"GET /v1 HTTP/1.1", b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
    "a range": get(b"GET /v1 HTTP/1.1", b"Range: bytes=0-999999999999\r\n"),
    "a token that is not ASCII": get(b"GET /v1 HTTP/1.1", "Authorization: Bearer 碳\r\n".encode()),
    "no token": get(b"GET /v1 HTTP/1.1", b"Authorization: Bearer\r\n"),
    "half a signature": get(b"GET /v1 HTTP/1.1", b"Signature: x\r\n"),
    # Bodies.
    "a body on a GET": get(b"GET /v1 HTTP/1.1", b"Content-Length: 3\r\n") + b"abc",
    "chunks and a length": post(JSON + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "a length and chunks": post(JSON + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    "two lengths": post(JSON + b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}x"),
    "two equal lengths": post(JSON + b"Content-Length: 2\r\nContent-Length: 2\r\n", b"{}"),
    "lengths in a list": post(JSON + b"Content-Length: 2, 2\r\n", b"{}"),
    "a length below nought": post(JSON + b"Content-Length: -1\r\n"),
    "a length with a plus": post(JSON + b"Content-Length: +2\r\n", b"{}"),
    "a length in letters": post(JSON + b"Content-Length: two\r\n", b"{}"),
    "a length in full-width digits": post(JSON + "Content-Length: ２\r\n".encode(), b"{}"),
    "a length of 30 digits": post(JSON + b"Content-Length: " + b"9" * 30 + b"\r\n", b"{}"),
    "a huge length": post(JSON + b"Content-Length: 99999999999\r\n", b"{}"),
    "an unknown transfer coding": post(JSON + b"Transfer-Encoding: gzip\r\n", b"{}"),
    "a hidden transfer coding": post(JSON + b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "chunked twice": post(JSON + b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"),
    "a chunk size in letters": post(JSON + b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n"),
    "a negative chunk size": post(JSON + b"Transfer-Encoding: chunked\r\n", b"-2\r\n{}\r\n0\r\n\r\n"),
    "a huge chunk size": post(JSON + b"Transfer-Encoding: chunked\r\n", b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    "a chunk without its end": post(JSON + b"Transfer-Encoding: chunked\r\n", b"2\r\n{}0\r\n\r\n"),
    "a chunk extension of 50 kB": post(JSON + b"Transfer-Encoding: chunked\r\n", b"2;" + b"a" * 50_000 + b"\r\n{}\r\n0\r\n\r\n"),
    "a trailer": post(JSON + b"Transfer-Encoding: chunked\r\n", b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n"),
    "chunks beyond the limit": post(JSON + b"Transfer-Encoding: chunked\r\n", b"10000\r\n" + b"a" * 65536 + b"\r\n" + b"0\r\n\r\n"),
    "an unknown expectation": post(JSON + b"Expect: the unexpected\r\nContent-Length: 2\r\n", b"{}"),
    "a gzip body": post(JSON + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n", b"\x1f\x8b\x08"),
}
PIPELINED = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" * 20 + get(b"GET /livez HTTP/1.1")


def statuses(told: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", told)]


def test_there_are_at_least_sixty_of_them():
    assert len(MALFORMED) >= 60


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused_or_cut_off(served, name):
    told = served.ask(MALFORMED[name], seconds=3)
    found = statuses(told)
    assert all(status < 500 for status in found), told[:500]
    assert b"Traceback" not in told
    if not name.startswith(("OPTIONS", "HTTP/1.0", "a bare line feed", "a range", "an upgrade", "a header that", "a language")):
        assert all(status >= 200 for status in found)
    assert served.get("/livez").startswith(b"HTTP/1.1 200 ")


def test_pipelined_requests_are_answered_one_by_one(served):
    assert statuses(served.ask(PIPELINED)) == [200] * 21


@pytest.mark.parametrize(
    ("kind", "beginning"),
    [
        ("head", b"GET /v1 HTTP/1.1\r\nHost: a\r\nX-A: b"),
        ("body", b"POST /v1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"),
    ],
)
def test_500_slow_sockets_are_in_nobodys_way(served, kind, beginning):
    with ExitStack() as stack:
        slow = [stack.enter_context(served.connect()) for _ in range(500)]
        for connection in slow:
            connection.sendall(beginning)
        for _ in range(5):
            for path in ("/livez", "/v1"):
                assert served.get(path).startswith(b"HTTP/1.1 200 ")
            for connection in slow[::10]:
                connection.sendall(b"a")
        ready, _, _ = select.select(slow, [], [], 0)
        assert ready == [], "all of them are waited for still"
