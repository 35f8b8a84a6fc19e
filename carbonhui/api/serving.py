"""Serving by granian: worker processes, slow clients kept at bay, and an end that loses no request.

The main process opens the database and runs the schedule; each worker opens the
store for itself. Told to stop, the service first says on /readyz that it is not
ready and lets every client come anew, then takes no new connection, finishes what
it began, and ends.
"""

import asyncio
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import set_start_method
from pathlib import Path
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer
from werkzeug.exceptions import HTTPException

from carbonhui import access, privacy
from carbonhui.api.application import create_app, operations_of
from carbonhui.api.gate import Gate
from carbonhui.api.logs import Gathered, open_log
from carbonhui.api.services import Services
from carbonhui.core.clock import SystemClock
from carbonhui.core.database import open_database
from carbonhui.core.settings import Settings, read_settings

#: Request heads arrive within this time and size, or the connection is closed; so does an idle one.
HEAD_MILLISECONDS = 10_000
HEAD_BYTES_MAX = 65_536
CONNECTIONS_MAX = 10_000
#: How long a stopping service goes on taking requests, so that a balancer sees /readyz first.
DRAIN_SECONDS = 3.0
#: How long the requests that run may still take.
END_SECONDS = 30
#: A directory that all processes of one service know: the sign that it is stopping, and the counters.
RUN = "CARBONHUI_RUN"
_STOPPING = "stopping"


class Stopping(MPServer):
    """granian, with a pause between being told to stop and stopping."""

    run: Path
    drain_seconds = DRAIN_SECONDS

    def signal_handler_interrupt(self, *_: Any, **__: Any) -> None:
        if (self.run / _STOPPING).exists():
            self._interrupt()
            return
        (self.run / _STOPPING).touch()
        pause = threading.Timer(self.drain_seconds, self._interrupt)
        pause.daemon = True
        pause.start()

    def _interrupt(self) -> None:
        self.interrupt_signal = True
        self.main_loop_interrupt.set()


def serve(settings: Settings) -> None:
    """Answer requests until told to stop by SIGTERM or SIGINT."""
    with run_directory() as run:
        serve_application(settings, run, load_worker)


def serve_application(
    settings: Settings, run: Path, load: Callable[[], Any], *, port: int | None = None, drain_seconds: float = DRAIN_SECONDS
) -> None:
    """Serve what ``load`` gives in each worker process, behind the limits of this service."""
    os.environ["CARBONHUI_PROFILE"] = settings.profile
    set_start_method("spawn", force=True)
    server = Stopping(
        "carbonhui.api.serving", address=settings.host, port=port or settings.port, interface=Interfaces.RSGI,
        workers=settings.workers, http=HTTPModes.http1, websockets=False, backlog=2048, backpressure=CONNECTIONS_MAX,
        log_level=LogLevels.warning, respawn_failed_workers=True, workers_kill_timeout=END_SECONDS,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_MILLISECONDS, max_buffer_size=HEAD_BYTES_MAX),
    )  # fmt: skip
    server.run, server.drain_seconds = run, drain_seconds
    server.serve(target_loader=load, wrap_loader=False)


@contextmanager
def run_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="carbonhui-run-") as name:
        run = Path(name)
        (run / "metrics").mkdir()
        os.environ[RUN] = name
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(run / "metrics")
        yield run


def load_worker() -> Any:
    """What a worker process serves; granian calls this in each."""
    return Worker()


class Worker:
    """One process's gate, made when its event loop is there."""

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # Ctrl-C reaches every process of the terminal; the main process alone says when to end.
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
        self._services = open_services(read_settings())
        self._lines = Gathered(sys.stderr)
        app = create_app(self._services, log=open_log(self._lines))
        self._foundation = app.extensions["carbonhui"]
        self._foundation.is_stopping = _appeared(Path(os.environ[RUN]) / _STOPPING)
        settings = self._services.settings
        self._gate = Gate(
            app.wsgi_app, threads=settings.pool_size + 4, most=body_limits(app, settings), is_stopping=self._foundation.is_stopping
        )

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        await self._gate.__rsgi__(scope, proto)

    def __rsgi_del__(self, loop: Any) -> None:
        self._gate.close()
        self._foundation.transactions.close()
        self._services.database.close()
        self._lines.write_out()


def _appeared(sign: Path) -> Callable[[], bool]:
    """Whether a file is there, looked at ten times a second and not for every request."""
    found, again = False, 0.0

    def look() -> bool:
        nonlocal found, again
        if not found and time.monotonic() >= again:
            found, again = sign.exists(), time.monotonic() + 0.1
        return found

    return look


def _end_with(parent: int) -> None:
    """A worker does not outlive the main process, even one that was killed."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def open_services(settings: Settings) -> Services:
    """Everything a process needs, open."""
    database = open_database(settings)
    vault, clock = privacy.open_vault(settings), SystemClock()
    return Services(
        database=database, vault=vault, settings=settings, clock=clock, sender=access.open_sender(settings),
        authenticator=access.Authenticator(database, vault, settings, clock),
    )  # fmt: skip


def body_limits(app: Flask, settings: Settings) -> Callable[[str, str], int]:
    """The largest body that an address reads: a file's limit only where files are taken."""
    addresses = app.url_map.bind("")
    beginnings = tuple(operation.path.partition("<")[0] for operation in operations_of(app) if operation.upload)

    def most(method: str, path: str) -> int:
        if not path.startswith(beginnings):
            return settings.body_bytes_max
        try:
            endpoint, _ = addresses.match(path, method)
        except HTTPException:
            return settings.body_bytes_max
        operation = getattr(app.view_functions[endpoint], "operation", None)
        return settings.upload_bytes_max if operation is not None and operation.upload else settings.body_bytes_max

    return most
