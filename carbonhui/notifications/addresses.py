"""Which addresses may be told: the public internet, never the city's own network.

Whoever registers an endpoint chooses where our servers connect to. Each name is
resolved when it is registered and again at each delivery, and the connection goes
to the very address that was looked at, so a name that changes in between gains
nothing (OWASP API Security Top 10 2023, API7).
"""

import ipaddress
import re
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urlsplit

from carbonhui.notifications.refusals import EndpointInvalid, HostRefused

#: The addresses, as text, that a host and a port lead to.
Resolve = Callable[[str, int], list[str]]

#: What Python calls public and is not: protocol assignments and metadata (192.0.0.192), 6to4 relays, and the
#: host's own services at one cloud (168.63.129.16).
_NOT_PUBLIC_4 = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")))
#: The only part of IPv6 that is given out to the public, and the tunnels in it, which end at an IPv4 address.
_PUBLIC_6 = IPv6Network("2000::/3")
_TUNNELS_6 = tuple(map(IPv6Network, ("2001::/23", "2002::/16", "3fff::/20")))
_HOST = re.compile(r"[a-z0-9]([a-z0-9_.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]", re.ASCII | re.IGNORECASE)
_URL = re.compile(r"[\x21-\x7e]{1,2000}", re.ASCII)


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet.

    >>> is_public("8.8.8.8"), is_public("10.0.0.1"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    address = _address(text)
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not any(address in one for one in _NOT_PUBLIC_4)
    return address.is_global and address in _PUBLIC_6 and not any(address in one for one in _TUNNELS_6)


def is_loopback(text: str) -> bool:
    """Whether an address is this machine's own."""
    return _address(text).is_loopback


def _address(text: str) -> IPv4Address | IPv6Address:
    """An address without its zone; an IPv4 address in IPv6's clothes is judged as what it is."""
    address = ipaddress.ip_address(text.split("%", 1)[0])
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host by this machine's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def addresses_of(host: str, port: int, *, loopback: bool, resolver: Resolve = resolve) -> list[str]:
    """The addresses that may be connected to. Raises `HostRefused` when there is none, or one that may not be.

    ``loopback`` also lets this machine be told, in the demonstration.
    """
    try:
        found = resolver(host, port)
    except (OSError, UnicodeError):
        raise HostRefused(host=host) from None
    if not found or not all(is_public(one) or (loopback and is_loopback(one)) for one in found):
        raise HostRefused(host=host)
    return found


def checked_url(url: str, *, loopback: bool, resolver: Resolve = resolve) -> str:
    """An address to which notices may go. Raises `EndpointInvalid`, `HostRefused`."""
    parts = _parts(url)
    plain = parts.scheme == "http" and loopback
    if parts.scheme != "https" and not plain:
        raise EndpointInvalid(url=ascii(url)[:100])
    host, port = host_and_port(url)
    if port != 443 and port < 1024 and not plain:
        raise EndpointInvalid(url=ascii(url)[:100])
    found = addresses_of(host, port, loopback=loopback, resolver=resolver)
    if plain and not all(map(is_loopback, found)):
        raise EndpointInvalid(url=ascii(url)[:100])
    return url


def host_and_port(url: str) -> tuple[str, int]:
    """The host and the port that an address names."""
    parts = _parts(url)
    assert parts.hostname is not None
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        bare = parts.netloc.rsplit(":", 1)[0] if parts.port is not None else parts.netloc
    except ValueError:
        raise EndpointInvalid(url=ascii(url)[:100]) from None
    if not _URL.fullmatch(url) or "#" in url or "\\" in url or not _HOST.fullmatch(bare) or parts.port == 0:
        raise EndpointInvalid(url=ascii(url)[:100])
    return parts
