"""Client addresses: which client sent a request, behind proxies (pure)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request

MAX_FORWARDED_ADDRESSES = 20
"""Addresses of X-Forwarded-For that are read, from the end; real chains have two or three."""

THIS_MACHINE = ("127.0.0.0/8", "::1/128")
"""Addresses of a proxy on the same machine, which is always trusted."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ClientAddresses:
    """Identifies clients. Only this machine and the `trusted` proxies (CIDR) may set X-Forwarded-For."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._trusted = [network for text in (*THIS_MACHINE, *trusted) if (network := _network(text))]

    def client_of(self, request: Request) -> str:
        """Return the key of the client: its address, or its /64 network with IPv6, which one household has.

        It is the last address of the chain that is not a trusted proxy: the earlier ones can be forged.
        """
        return self.address_key(self._claimed(request))

    def address_of(self, request: Request) -> str:
        """Return the address of the client, `unknown` if it is no IP address."""
        found = _address(self._claimed(request))
        return "unknown" if found is None else str(found)

    def is_operator(self, request: Request) -> bool:
        """Return whether the client is this machine or a trusted proxy itself, not a client behind it."""
        return self.is_trusted(self._claimed(request))

    def is_trusted(self, address: str) -> bool:
        """Return whether this IP address is of this machine or of a trusted proxy."""
        found = _address(address)
        return found is not None and any(found in network for network in self._trusted)

    def address_key(self, address: str) -> str:
        """Return the key under which an IP address is counted; `unknown` for text that is no address."""
        return _folded(address)

    def _claimed(self, request: Request) -> str:
        address = request.client.host if request.client else ""
        # A proxy may add its own header line below the one that the client sent (RFC 9110, 5.3).
        chain = ",".join(request.headers.getlist("x-forwarded-for")).split(",")[-MAX_FORWARDED_ADDRESSES:]
        for earlier in reversed(chain):
            if not self.is_trusted(address) or not earlier.strip():
                break
            address = earlier.strip()
        return address


def is_address(text: str) -> bool:
    """Return whether the text is an IP address."""
    return _address(text) is not None


def is_in_networks(address: str, networks: Sequence[str]) -> bool:
    """Return whether an IP address is in one of the networks (CIDR)."""
    found = _address(address)
    known = (network for text in networks if (network := _network(text)))
    return found is not None and any(found in network for network in known)


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _folded(text: str) -> str:
    address = _address(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address) if address else "unknown"
