"""A code reaches a telephone by a provider, and nobody else hears of it (Article 11)."""

import base64
import json
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from carbonhui import access
from carbonhui.access import senders
from carbonhui.core.settings import Settings
from tests.access.conftest import refusal_of

MOBILE, CODE = "+8613800138000", "123456"
SECRET = base64.b64encode(bytes(range(32))).decode()


class Provider(HTTPServer):
    """A provider of our own that answers as it is told and remembers what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status, self.location = 200, ""
        self.got: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/codes"


class _Answer(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.path, dict(self.headers.items()), body))
        if self.server.status == 0:
            return
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("location", self.server.location)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as opened:
        thread = threading.Thread(target=opened.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "sender.key"
    path.write_text(f"whsec_{SECRET}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def sender(provider: Provider, settings: Settings, key_file: Path) -> Iterator[access.CodeSender]:
    with httpx.Client(timeout=5) as http:
        yield access.open_sender(replace(settings, code_sender=provider.url, code_sender_key_file=key_file), http)


def test_the_provider_gets_the_code_signed_by_standard_webhooks(provider: Provider, sender: access.CodeSender) -> None:
    sender.send(MOBILE, CODE, "zh")
    [(path, headers, body)] = provider.got
    assert path == "/codes" and headers["content-type"] == "application/json"
    assert Webhook(f"whsec_{SECRET}").verify(body, headers) == {"mobile": MOBILE, "code": CODE, "language": "zh"}


def test_each_message_has_a_name_of_its_own(provider: Provider, sender: access.CodeSender) -> None:
    sender.send(MOBILE, CODE, "zh")
    sender.send(MOBILE, CODE, "zh")
    assert len({headers["webhook-id"] for _, headers, _ in provider.got}) == 2


def test_the_standards_own_vector_reproduces() -> None:
    signature = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), '{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [200, 201, 204])
def test_any_answer_of_success_is_success(provider: Provider, sender: access.CodeSender, status: int) -> None:
    provider.status = status
    sender.send(MOBILE, CODE, "zh")


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 410, 429, 500, 503])
def test_any_other_answer_is_a_refusal_without_the_number(provider: Provider, sender: access.CodeSender, status: int) -> None:
    provider.status, provider.location = status, provider.url + "/elsewhere"
    with pytest.raises(access.CodeNotSent) as refused:
        sender.send(MOBILE, CODE, "zh")
    told = refused.value.text("en") + refused.value.text("zh") + repr(refused.value.facts)
    assert str(status) in told and MOBILE[3:] not in told and CODE not in told
    assert len(provider.got) == 1


def test_a_provider_that_hangs_up_or_is_not_there_is_a_refusal(provider: Provider, sender: access.CodeSender, key_file: Path, settings: Settings) -> None:
    provider.status = 0
    assert refusal_of(lambda: sender.send(MOBILE, CODE, "zh")) == "code_not_sent"
    with httpx.Client() as http:
        absent = access.open_sender(
            replace(settings, code_sender="http://127.0.0.1:1/codes", code_sender_key_file=key_file), http
        )
        with pytest.raises(access.CodeNotSent) as refused:
            absent.send(MOBILE, CODE, "zh")
    assert refused.value.__cause__ is None


def test_a_provider_has_five_seconds(provider: Provider, settings: Settings, key_file: Path) -> None:
    asked: list[object] = []

    def slow(request: httpx.Request) -> httpx.Response:
        asked.append(request.extensions["timeout"])
        raise httpx.ReadTimeout("slow", request=request)

    with httpx.Client(transport=httpx.MockTransport(slow), timeout=None) as http:
        sender = access.open_sender(replace(settings, code_sender=provider.url, code_sender_key_file=key_file), http)
        assert refusal_of(lambda: sender.send(MOBILE, CODE, "zh")) == "code_not_sent"
    assert asked == [{"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}]


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        (f"whsec_{SECRET}", 0o640), (f"whsec_{SECRET}", 0o604), ("", 0o600), ("whsec_", 0o600), ("whsec_!!!!", 0o600),
        (f"whsec_{base64.b64encode(bytes(23)).decode()}", 0o600), (f"whsec_{base64.b64encode(bytes(65)).decode()}", 0o600),
    ],
)  # fmt: skip
def test_a_key_file_that_is_not_right_is_refused(settings: Settings, tmp_path: Path, content: str, mode: int) -> None:
    path = tmp_path / "sender.key"
    path.write_text(content)
    path.chmod(mode)
    chosen = replace(settings, code_sender="https://codes.example/send", code_sender_key_file=path)
    with pytest.raises(access.SenderKeyWrong) as refused:
        access.open_sender(chosen)
    assert SECRET not in refused.value.text("en")


@pytest.mark.parametrize("name", [None, "absent.key"])
def test_nothing_is_sent_unsigned(settings: Settings, tmp_path: Path, name: str | None) -> None:
    path = None if name is None else tmp_path / name
    chosen = replace(settings, code_sender="https://codes.example/send", code_sender_key_file=path)
    assert refusal_of(lambda: access.open_sender(chosen)) == "sender_key_wrong"


@pytest.mark.parametrize("sender", ["console", "file:codes.jsonl"])
def test_consoles_and_files_are_for_the_demonstration(settings: Settings, sender: str) -> None:
    assert refusal_of(lambda: access.open_sender(replace(settings, profile="guangzhou", code_sender=sender))) == "sender_for_demo_only"
    assert refusal_of(lambda: access.open_sender(replace(settings, profile="demo", code_sender=sender))) == "done"


def test_the_console_shows_the_code_and_hides_the_number(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    access.open_sender(settings).send(MOBILE, CODE, "zh")
    shown = capsys.readouterr()
    assert shown.out == "" and CODE in shown.err and MOBILE not in shown.err


def test_the_file_gets_one_line_for_each_code_and_is_its_owners(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "codes.jsonl"
    sender = access.open_sender(replace(settings, code_sender=f"file:{path}"))
    sender.send(MOBILE, CODE, "zh")
    sender.send(MOBILE, "654321", "en")
    assert [json.loads(line)["code"] for line in path.read_text().splitlines()] == [CODE, "654321"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_is_a_refusal(settings: Settings, tmp_path: Path) -> None:
    sender = access.open_sender(replace(settings, code_sender=f"file:{tmp_path / 'absent' / 'codes.jsonl'}"))
    assert refusal_of(lambda: sender.send(MOBILE, CODE, "zh")) == "code_not_sent"
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert refusal_of(lambda: access.open_sender(replace(settings, code_sender=f"file:{tmp_path / 'link'}")).send(MOBILE, CODE, "zh")) == "code_not_sent"


def test_a_sender_shows_no_secret() -> None:
    with httpx.Client() as http:
        shown = repr(senders.HttpSender("https://codes.example", base64.b64decode(SECRET), http))
    assert SECRET not in shown
