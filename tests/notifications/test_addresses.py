"""Notices go to the public internet only, never into the city's own network (OWASP API7:2023)."""

import asyncio
from collections.abc import Iterator

import pytest

from carbonhui import notifications
from carbonhui.notifications.addresses import checked_url, is_public
from carbonhui.notifications.carrying import Answer, HttpCarrier
from carbonhui.notifications.refusals import EndpointInvalid, HostRefused
from tests.notifications.conftest import Receiver, add, states, tell

PUBLIC = ["8.8.8.8", "203.119.25.1", "2400:3200::1", "::ffff:8.8.8.8"]
PRIVATE = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "100.127.255.255", "0.0.0.0", "0.1.2.3", "192.0.0.192", "168.63.129.16", "192.0.2.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "::7f00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_of_anybodys_own_network_is_public(address):
    assert not is_public(address)
    with pytest.raises(HostRefused):
        checked_url("https://notices.example.com/", loopback=False, resolver=lambda host, port: [address])


def test_one_private_address_among_public_ones_refuses_the_host():
    with pytest.raises(HostRefused):
        checked_url("https://notices.example.com/", loopback=False, resolver=lambda host, port: ["8.8.8.8", "10.0.0.1"])


def test_a_host_that_leads_nowhere_is_refused_in_the_same_words_as_a_private_one():
    def nowhere(host: str, port: int) -> list[str]:
        raise OSError("unknown name")

    with pytest.raises(HostRefused) as unknown:
        checked_url("https://a.example.com/", loopback=False, resolver=nowhere)
    with pytest.raises(HostRefused) as private:
        checked_url("https://a.example.com/", loopback=False, resolver=lambda host, port: ["10.0.0.1"])
    assert str(unknown.value) == str(private.value)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "0"])
def test_other_spellings_of_this_machine_are_this_machine(host):
    with pytest.raises(HostRefused):
        checked_url(f"https://{host}/", loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://notices.example.com/", "ftp://notices.example.com/", "notices.example.com", "https://", "https:///path",
        "https://user@notices.example.com/", "https://user:word@notices.example.com/", "https://notices.example.com/#part",
        "https://notices.example.com:22/", "https://notices.example.com:0/", "https://notices.example.com:65536/",
        "https://notices.example.com:1023/", "https://notices.example.com/\n", "https://notices.example.com/ a",
        "https://notices。example.com/", "https://notices.example.com\\@10.0.0.1/", "https://notices.example.com/" + "a" * 2000,
        "https://notices.example.com%2f@10.0.0.1/", "file:///etc/passwd", "https://[::1/", "",
    ],
)  # fmt: skip
def test_what_is_not_a_plain_https_address_is_refused(url):
    with pytest.raises(EndpointInvalid):
        checked_url(url, loopback=False, resolver=lambda host, port: ["8.8.8.8"])


@pytest.mark.parametrize("url", ["https://notices.example.com/", "https://notices.example.com:8443/a?b=c", "https://notices.example.com:1024/"])
def test_a_plain_https_address_is_accepted(url):
    assert checked_url(url, loopback=False, resolver=lambda host, port: ["8.8.8.8"]) == url


def test_only_the_demonstration_tells_its_own_machine():
    assert checked_url("http://127.0.0.1:8000/", loopback=True)
    with pytest.raises(EndpointInvalid):
        checked_url("http://127.0.0.1:8000/", loopback=False)
    with pytest.raises(EndpointInvalid):
        checked_url("http://notices.example.com:8000/", loopback=True, resolver=lambda host, port: ["8.8.8.8"])
    with pytest.raises(HostRefused):
        checked_url("https://printer.example.com/", loopback=True, resolver=lambda host, port: ["10.0.0.1"])


def test_a_name_that_turns_private_after_registration_is_not_told(database, vault, clock):
    """DNS rebinding, first kind: the name is looked at again at each delivery."""
    with database.begin() as session:
        notifications.add_endpoint(
            session, vault, organisation=7, url="https://notices.example.com:8443/", topics=["activity.batch.received"],
            resolver=lambda host, port: ["8.8.8.8"],
        )  # fmt: skip
    tell(database)
    carrier = HttpCarrier(resolver=lambda host, port: ["127.0.0.1"])
    notifications.relay(database, vault, clock=clock, http=carrier)
    assert states(database) == [("waiting", 1, "host_refused")]


def test_the_connection_goes_to_the_address_that_was_looked_at(receiver: Receiver):
    """DNS rebinding, second kind: the name answers otherwise when it is asked once more, and is not asked."""
    answers: Iterator[list[str]] = iter([["127.0.0.1"], ["10.255.255.1"]])
    carrier = HttpCarrier(loopback=True, resolver=lambda host, port: next(answers))
    answer = asyncio.run(carrier.carry(f"http://rebinding.test:{receiver.port}/here", headers={}, body=b"{}"))
    assert answer == Answer("delivered", 204)
    assert receiver.got[0].headers["host"] == f"rebinding.test:{receiver.port}"
    assert next(answers) == ["10.255.255.1"]


def test_a_proxy_of_the_environment_is_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    answer = asyncio.run(HttpCarrier(loopback=True).carry(receiver.url, headers={}, body=b"{}"))
    assert answer.is_delivered


def test_registration_asks_the_store_whether_it_is_the_demonstration(database, vault, receiver):
    endpoint, _ = add(database, vault, receiver.url)
    assert endpoint
    with database.begin() as session, pytest.raises(HostRefused):
        notifications.add_endpoint(
            session, vault, organisation=7, url="https://a.example.com/", topics=["credit.received"],
            resolver=lambda host, port: ["169.254.169.254"],
        )  # fmt: skip
