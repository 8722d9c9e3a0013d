"""Proxy: an HTTP proxy that fetches for us, and what is still checked of the addresses that it connects to.

A proxy makes the connection, so the check where the socket is made (fetch.py) sees the proxy alone. Here a
host is resolved and each of its addresses judged before the proxy is asked. What cannot be checked is a name
that means another address to the proxy, or a moment later (DNS rebinding): the proxy must refuse it itself.
"""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from service.gather.http.addresses import AddressPolicy

RESOLVE_SECONDS = 10.0


async def resolve(host: str) -> Sequence[str]:
    """Return the IP addresses of a host; [] when this machine finds none."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return []
    return list(dict.fromkeys(str(target[0]) for *_, target in found))


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy at `url`. `resolves`: only the proxy can look names up, and it judges their addresses."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    resolves_names: bool = False
    resolve: Callable[[str], Awaitable[Sequence[str]]] = resolve

    def auth_headers(self) -> dict[str, str]:
        """Return the headers that log in at the proxy (RFC 7617); none without a name."""
        if not self.username:
            return {}
        return {
            "Proxy-Authorization": f"Basic {b64encode(f'{self.username}:{self.password}'.encode()).decode()}"
        }

    async def refusal(self, host: str, policy: AddressPolicy) -> str | None:
        """Say why the proxy is not asked for this host, or None if it is."""
        if self.resolves_names or policy.allows_host(host):
            return None
        found = await self.resolve(host)
        if not found:
            return (
                f"no address was found for the name {host}; set fetch.proxy_resolves if only the proxy can "
                "look names up"
            )
        for address in found:
            what = policy.refusal(address)
            if what is not None:
                return f"{host} leads to {address}, {what}; list it under fetch.allow_private if you mean it"
        return None
