"""How one-time codes reach people: a telephone by way of a provider, or a console and a file for the demonstration."""

import base64
import json
import os
import stat
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import httpx
from standardwebhooks import Webhook

from carbonhui.access.refusals import CodeNotSent, SenderForDemoOnly, SenderKeyWrong
from carbonhui.core.settings import Settings

#: The provider answers within this or the person asks again.
SECONDS = 5.0
_PREFIX = "whsec_"
_SECRET_BYTES = range(24, 65)


class CodeSender(Protocol):
    """Delivers one code to one mobile number, in the person's language; raises `CodeNotSent`."""

    def send(self, mobile: str, code: str, language: str) -> None: ...


class ConsoleSender:
    """Writes the code where the program writes its errors, with most of the number hidden."""

    def send(self, mobile: str, code: str, language: str) -> None:
        print(f"one-time code for {masked(mobile)}: {code}", file=sys.stderr, flush=True)


class FileSender:
    """Appends one line of JSON for each code to a file that only its owner reads."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, mobile: str, code: str, language: str) -> None:
        line = json.dumps({"mobile": mobile, "code": code, "language": language}) + "\n"
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(line.encode())
        except OSError as error:
            raise CodeNotSent(reason=error.strerror or type(error).__name__) from None


class HttpSender:
    """Posts each code to a provider's address, signed by Standard Webhooks 1.0.0.

    The body is ``{"mobile", "code", "language"}``. Any answer of 2xx is success;
    a redirect is not followed, because the code belongs to one address only.
    """

    def __init__(self, url: str, secret: bytes, http: httpx.Client | None = None) -> None:
        self._url, self._webhook = url, Webhook(secret)
        self._http = http or httpx.Client(timeout=SECONDS)

    def send(self, mobile: str, code: str, language: str) -> None:
        body = json.dumps({"mobile": mobile, "code": code, "language": language})
        try:
            with self._http.stream(
                "POST", self._url, content=body, headers=self._headers(body), follow_redirects=False, timeout=SECONDS
            ) as answer:
                status = answer.status_code
        except httpx.HTTPError as error:
            # Not "from error": what was sent hangs on it.
            raise CodeNotSent(reason=type(error).__name__) from None
        if not 200 <= status < 300:
            raise CodeNotSent(reason=f"HTTP {status}")

    def _headers(self, body: str) -> dict[str, str]:
        name, now = f"msg_{uuid.uuid4().hex}", datetime.now(UTC)
        return {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(name, now, body),
        }


def open_sender(settings: Settings, http: httpx.Client | None = None) -> CodeSender:
    """The sender that the settings name. Raises `SenderForDemoOnly`, `SenderKeyWrong`."""
    chosen = settings.code_sender
    if chosen.startswith(("https://", "http://")):
        return HttpSender(chosen, _secret(settings.code_sender_key_file), http)
    if not settings.is_demo:
        raise SenderForDemoOnly(sender=chosen.partition(":")[0], profile=settings.profile)
    if chosen == "console":
        return ConsoleSender()
    return FileSender(Path(chosen.removeprefix("file:")))


def masked(mobile: str) -> str:
    """A number in which only its owner knows it again.

    >>> masked("+8613800138000")
    '+86138****8000'
    """
    return f"{mobile[:-8]}****{mobile[-4:]}"


def _secret(path: Path | None) -> bytes:
    if path is None:
        raise SenderKeyWrong(reason="CARBONHUI_CODE_SENDER_KEY_FILE names none")
    try:
        with path.open("rb") as file:
            mode, line = os.fstat(file.fileno()).st_mode, file.read(200)
    except OSError as error:
        raise SenderKeyWrong(reason=error.strerror or type(error).__name__) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SenderKeyWrong(reason=f"mode {stat.S_IMODE(mode):04o}")
    return _decoded(line)


def _decoded(line: bytes) -> bytes:
    try:
        secret = base64.b64decode(line.strip().removeprefix(_PREFIX.encode()), validate=True)
    except ValueError:
        raise SenderKeyWrong(reason="it is not base64") from None
    if len(secret) not in _SECRET_BYTES:
        raise SenderKeyWrong(reason=f"{len(secret)} bytes")
    return secret
