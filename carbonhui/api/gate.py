"""The gate before the application: a body comes in whole, within its time and size, or not at all.

A WSGI server gives each request a thread and lets it wait for the body, so a few
hundred clients that send a byte a minute stand in everybody's way. Here they wait in
the event loop, where waiting costs nothing; a thread is given to complete requests
only, and whether the process lives is answered by the loop itself.
"""

import asyncio
import io
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from queue import SimpleQueue
from typing import IO, Any

from carbonhui.api.refusals import BodySlow, BodyTooLarge, RequestMalformed, ServiceUnavailable
from carbonhui.core.refusals import Refusal

#: A client that sends nothing of its body for so long is told so.
SILENCE_SECONDS = 10
#: A body has this long, and a second more for each so many bytes.
BODY_SECONDS = 30
BYTES_A_SECOND = 1 << 16
#: Complete requests that may wait for a thread; more are told to come again.
WAITING_MAX = 1000
#: What is answered is put away with the next request, or after so long.
TIDY_SECONDS = 0.05
_SPOOLED = 1 << 20
#: Where the application finds what the gate refused.
REFUSED = "carbonhui.refused"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
_ALIVE = b'{"alive": true}'
_ALIVE_HEADERS = [("content-type", "application/json"), ("cache-control", "no-store"), ("x-content-type-options", "nosniff")]


class Gate:
    """An RSGI application (granian's own interface) around a WSGI one."""

    def __init__(
        self, application: Application, *, threads: int, most: Callable[[str, str], int], is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._application = application
        self._most = most
        self._is_stopping = is_stopping
        self._work: SimpleQueue[Any] = SimpleQueue()
        self._waiting = 0
        #: What threads have answered. Waking the loop for each would cost more than all else that the gate does.
        self._answered: deque[asyncio.Future[None]] = deque()
        self._tidying: asyncio.TimerHandle | None = None
        self._threads = [threading.Thread(target=self._serve, daemon=True, name=f"api-{n}") for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Let every thread finish what it has and end."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join(timeout=5)

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        if scope.path == "/livez" and scope.method in ("GET", "HEAD"):
            proto.response_bytes(200, _ALIVE_HEADERS, b"" if scope.method == "HEAD" else _ALIVE)
            return
        environ = environ_of(scope)
        body = await self._received(environ, proto)
        environ["wsgi.input"] = body
        self._tidy()
        if self._waiting >= WAITING_MAX:
            environ[REFUSED] = ServiceUnavailable()
        loop = asyncio.get_running_loop()
        answered = loop.create_future()
        self._waiting += 1
        self._work.put((environ, proto, answered))
        if self._tidying is None:
            self._tidying = loop.call_later(TIDY_SECONDS, self._tidy_again, loop)
        try:
            await answered
        finally:
            body.close()

    def _tidy(self) -> None:
        """Let go of what has been answered."""
        while self._answered:
            self._waiting -= 1
            answered = self._answered.popleft()
            if not answered.done():
                answered.set_result(None)

    def _tidy_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._tidy()
        self._tidying = loop.call_later(TIDY_SECONDS, self._tidy_again, loop) if self._waiting else None

    async def _received(self, environ: dict[str, Any], proto: Any) -> IO[bytes]:
        """The whole body; nothing, and the refusal in the environment, when it cannot be had."""
        if environ.get("CONTENT_LENGTH", "0") == "0" and "HTTP_TRANSFER_ENCODING" not in environ:
            return io.BytesIO()
        try:
            return await _body(environ, proto, self._most(environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        except Refusal as refusal:
            environ[REFUSED] = refusal
            environ["CONTENT_LENGTH"] = "0"
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            return io.BytesIO()

    def _serve(self) -> None:
        """One thread's life: complete requests, one after the other."""
        while True:
            work = self._work.get()
            if work is None:
                return
            environ, proto, answered = work
            try:
                status, headers, body = called(self._application, environ)
                if REFUSED in environ or self._is_stopping():
                    headers.append(("connection", "close"))
                proto.response_bytes(status, headers, body)
            except Exception as error:
                # The client went away, or the application failed to answer at all; granian then answers 500.
                sys.stderr.write(f'{{"level": "error", "event": "unanswered", "error": "{type(error).__name__}"}}\n')
            self._answered.append(answered)


async def _body(environ: dict[str, Any], proto: Any, most: int) -> IO[bytes]:
    declared = environ.get("CONTENT_LENGTH", "")
    if declared:
        if not (declared.isascii() and declared.isdigit() and len(declared) < 20):
            raise RequestMalformed
        if int(declared) > most:
            raise BodyTooLarge(most=most)
    file: IO[bytes] = io.BytesIO() if most <= _SPOOLED else tempfile.SpooledTemporaryFile(max_size=_SPOOLED)  # noqa: SIM115
    # Once all that was declared is there, its end need not be waited for.
    whole = int(declared) if declared and "HTTP_TRANSFER_ENCODING" not in environ else None
    size = await _filled(file, proto, most, whole)
    if declared and size != int(declared):
        file.close()
        raise RequestMalformed
    environ["CONTENT_LENGTH"] = str(size)
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    file.seek(0)
    return file


async def _filled(file: IO[bytes], proto: Any, most: int, whole: int | None) -> int:
    """Writes the body into the file; how large it was. Raises `BodySlow`, `BodyTooLarge`, `RequestMalformed`."""
    loop = asyncio.get_running_loop()
    began, size = loop.time(), 0
    pieces = aiter(proto)
    try:
        while size != whole:
            latest = began + BODY_SECONDS + size / BYTES_A_SECOND
            async with asyncio.timeout_at(min(latest, loop.time() + SILENCE_SECONDS)):
                # Not anext(pieces, None): with a default it ends the process on granian's iterator.
                piece = await pieces.__anext__()
            size += len(piece)
            if size > most:
                raise BodyTooLarge(most=most)
            file.write(piece)
        return size
    except StopAsyncIteration:
        return size
    except TimeoutError:
        raise BodySlow from None
    except RuntimeError:
        # granian: the body broke off, or its chunks cannot be read.
        raise RequestMalformed from None


def environ_of(scope: Any) -> dict[str, Any]:
    """The request in WSGI's words (PEP 3333), without this process's own environment, which granian would put in.

    A name with an underscore would pass for the same name with a hyphen, so it is dropped.
    """
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method, "SCRIPT_NAME": "", "PATH_INFO": _latin(scope.path), "QUERY_STRING": _latin(scope.query_string),
        "SERVER_NAME": server, "SERVER_PORT": port, "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"), "wsgi.version": (1, 0), "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }  # fmt: skip
    if scope.authority:
        environ["HTTP_HOST"] = scope.authority
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        word = _word(name)
        environ[word] = f"{environ[word]},{value}" if word in environ and word != "HTTP_HOST" else value
    return environ


@lru_cache(maxsize=256)
def _word(name: str) -> str:
    word = name.upper().replace("-", "_")
    return word if word in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{word}"


def _latin(text: str) -> str:
    """A text's UTF-8 bytes, each as one character, as PEP 3333 wants them."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def called(application: Application, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of a WSGI application's answer."""
    told: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
        told[:] = [int(status[:3]), [(name.lower(), value) for name, value in headers]]
        return lambda piece: None

    pieces = application(environ, start_response)
    try:
        body = b"".join(pieces)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
    return told[0], told[1], body
