"""Carrying one notice to one address: one connection, one answer, one deadline for everything."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx

from carbonhui.notifications.addresses import Resolve, addresses_of, host_and_port, resolve
from carbonhui.notifications.refusals import HostRefused

#: Standard Webhooks 1.0.0 advises 15 to 30 seconds.
TIMEOUT_S = 15.0
#: Nothing in an answer's body matters; a little is read so that the other side can finish writing it.
_BODY_BYTES_MAX = 4096
_ADDRESSES_TRIED = 2


@dataclass(frozen=True)
class Answer:
    """How an attempt ended: one word of a closed list, and the status where the receiver gave one."""

    outcome: str
    status: int | None = None

    @property
    def is_delivered(self) -> bool:
        return self.outcome == "delivered"

    @property
    def is_gone(self) -> bool:
        return self.outcome == "gone"


class Carrier(Protocol):
    """Something that can bring a notice to an address."""

    async def carry(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer: ...


class HttpCarrier:
    """Carries over HTTPS to the address that was looked at, follows nobody elsewhere, and never waits longer than the deadline."""

    def __init__(
        self,
        *,
        loopback: bool = False,
        timeout_s: float = TIMEOUT_S,
        resolver: Resolve = resolve,
        certificates: ssl.SSLContext | None = None,
    ) -> None:
        self.loopback = loopback
        self.timeout_s = timeout_s
        self.resolver = resolver
        self.certificates = certificates or httpx.create_ssl_context()

    async def carry(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """One attempt. The deadline covers name, connection, headers and body together, so no drip outlasts it."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._tried(url, headers, body)
        except HostRefused:
            return Answer("host_refused")
        except (TimeoutError, httpx.TimeoutException):
            return Answer("timeout")
        except httpx.ConnectError as error:
            return Answer("certificate" if _is_certificate(error) else "unreachable")
        except httpx.TransportError:
            return Answer("broken_answer")

    async def _tried(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        host, port = host_and_port(url)
        found = await asyncio.to_thread(
            addresses_of, host, port, loopback=self.loopback, resolver=self.resolver
        )
        *others, last = found[:_ADDRESSES_TRIED]
        for address in others:
            try:
                return await self._sent(url, host, address, headers, body)
            except httpx.ConnectError as error:
                if _is_certificate(error):
                    raise
        return await self._sent(url, host, last, headers, body)

    async def _sent(self, url: str, host: str, address: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Connect to the address, and speak to the host by its name: in the header, and in the certificate that it shows."""
        asked = httpx.URL(url)
        named = {**headers, "Host": asked.netloc.decode("ascii")}
        client = httpx.AsyncClient(verify=self.certificates, trust_env=False, follow_redirects=False, timeout=self.timeout_s)
        async with client, client.stream(
            "POST", asked.copy_with(host=address), headers=named, content=body, extensions={"sni_hostname": host}
        ) as answer:
            read = 0
            async for piece in answer.aiter_raw(_BODY_BYTES_MAX):
                read += len(piece)
                if read >= _BODY_BYTES_MAX:
                    break
            return Answer(_outcome(answer.status_code), answer.status_code)


def _outcome(status: int) -> str:
    if 200 <= status < 300:
        return "delivered"
    if status == 410:
        return "gone"
    return "redirected" if 300 <= status < 400 else "refused"


def _is_certificate(error: BaseException | None) -> bool:
    """Whether a certificate lies at the bottom of an error."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
