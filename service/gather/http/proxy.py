"""HTTP proxy: its settings, and the check of the hosts that it connects to for us.

The proxy makes the connections, so the check at the socket (fetcher.py) sees only the proxy's address. Here
a host is resolved and each of its addresses checked before the proxy gets the request. The proxy itself must
refuse a name that it resolves to another address, or that changes its address afterwards (DNS rebinding).
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
    """Return the IP addresses of a host; [] when the lookup fails."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return []
    return list(dict.fromkeys(str(target[0]) for *_, target in found))


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. `resolves_names`: only the proxy can look names up, and it must check them itself."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    resolves_names: bool = False
    resolve: Callable[[str], Awaitable[Sequence[str]]] = resolve

    def auth_headers(self) -> dict[str, str]:
        """Return the header with the proxy's credentials (RFC 7617); none without a user name."""
        if not self.username:
            return {}
        return {
            "Proxy-Authorization": f"Basic {b64encode(f'{self.username}:{self.password}'.encode()).decode()}"
        }

    async def refusal(self, host: str, policy: AddressPolicy) -> str | None:
        """Return why the host is not fetched through the proxy, or None when it is."""
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
