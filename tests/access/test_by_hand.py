"""Whatever an organisation or the staff ask for by HTTP can be done by hand (Articles 11, 13)."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import click
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonhui import access, participants, privacy
from carbonhui.cli.access import COMMANDS
from carbonhui.cli.context import Face
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from tests.access.conftest import City, refusal_of
from tests.access.signing import with_ed25519, with_hmac

URL = "https://api.carbon.example/v1/x"


class Desk(Face):
    """The command line at the city's own store."""

    def __init__(self, city: City) -> None:
        super().__init__(profile=None, chosen_language="en")
        self._city, self.clock = city, city.clock
        self.__dict__["settings"] = city.settings

    @contextmanager
    def database(self) -> Iterator[Database]:
        yield self._city.database


def told(city: City, *words: object) -> str:
    program = click.Group("carbonhui", commands=list(COMMANDS))
    answer = CliRunner().invoke(program, [str(word) for word in words], obj=Desk(city))
    if isinstance(answer.exception, Refusal):
        return answer.exception.code
    assert answer.exception is None, answer.exception
    return answer.stdout


def test_a_key_is_issued_listed_and_revoked(city: City, tmp_path: Path) -> None:
    number, key = city.organisation(), Ed25519PrivateKey.generate()
    public = tmp_path / "public.key"
    public.write_text(base64.b64encode(key.public_key().public_bytes_raw()).decode())
    name = told(city, "key", "issue", number, "--public-key", public, "--label", "gateway").strip()
    client = with_ed25519(name, key)
    request = client.request(URL, at=city.clock.now())
    assert city.gate().caller(request.headers, "POST", URL, request.body).organisation_id == number
    assert name in told(city, "key", "list", number) and "gateway" in told(city, "key", "list", number)
    assert told(city, "key", "revoke", name) == f"revoked: {name}\n"
    assert told(city, "key", "revoke", name) == "api_key_unknown"
    request = client.request(URL, at=city.clock.now())
    assert refusal_of(lambda: city.gate().caller(request.headers, "POST", URL, request.body)) == "signature_invalid"


def test_a_shared_secret_is_printed_once(city: City) -> None:
    number = city.organisation()
    handle = city.do(lambda s: participants.organisation(s, number)).handle
    name, secret = told(city, "key", "issue", handle, "--algorithm", "hmac-sha256", "--label", "till").split()
    request = with_hmac(name, secret).request(URL, at=city.clock.now())
    assert city.gate().caller(request.headers, "POST", URL, request.body).key_id == name
    assert secret not in told(city, "key", "list", handle)


def test_a_key_for_nobody_is_refused(city: City) -> None:
    for nobody in ("999999999", str(uuid4()), "one"):
        assert told(city, "key", "issue", nobody, "--algorithm", "hmac-sha256", "--label", "x") == "organisation_unknown"


def test_the_signing_key_is_rotated(city: City) -> None:
    city.sign_in()
    new = told(city, "signing-key", "rotate").strip()
    assert new in {key["kid"] for key in city.do(lambda s: access.jwks(s, clock=city.clock))["keys"]}
    assert told(city, "signing-key", "rotate", "--leaked").strip() != new


def test_devices_are_listed_on_record_and_signed_out(city: City) -> None:
    mobile = city.new_mobile()
    first = city.sign_in(mobile, "Old phone")
    city.later(hours=1)
    second = city.sign_in(mobile, "New phone")
    shown = told(city, "device", "list", first.person.handle, "--by", "chen")
    assert "Old phone" in shown and str(second.device) in shown
    [read] = city.do(lambda s: privacy.reads_of(s, first.person.subject))
    assert (read.actor, read.role) == ("chen", "command-line")
    assert told(city, "device", "sign-out", first.person.handle, first.device) == "signed out: 1\n"
    assert told(city, "device", "sign-out", first.person.handle, first.device) == "device_unknown"
    assert told(city, "device", "sign-out", first.person.handle) == "signed out: 1\n"
    assert city.devices(first.person) == []


def test_the_sessions_of_staff_are_ended(city: City) -> None:
    clerk = city.hire("auditor")
    assert told(city, "session", "end", clerk.staff.login) == "ended: 0\n"
    assert told(city, "session", "end", "nobody") == "staff_unknown"


def test_every_command_and_option_has_help() -> None:
    def words(command: click.Command) -> Iterator[str | None]:
        yield command.help
        yield from (option.help for option in command.params if isinstance(option, click.Option))
        if isinstance(command, click.Group):
            for inner in command.commands.values():
                yield from words(inner)

    assert all(re.search(r"\w", text or "") for command in COMMANDS for text in words(command))


@pytest.mark.parametrize("words", [("device", "list", "1", "--by", "chen"), ("device", "sign-out", "../etc")])
def test_what_is_no_handle_is_misspelt(city: City, words: tuple[str, ...]) -> None:
    answer = CliRunner().invoke(click.Group("carbonhui", commands=list(COMMANDS)), list(words), obj=Desk(city))
    assert answer.exit_code == 2
