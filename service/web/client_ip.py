"""Visitors: who asks, as far as an address tells (pure)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request

MAX_FORWARDED_ADDRESSES = 20
THIS_MACHINE = ("127.0.0.0/8", "::1/128")
"""Addresses of a proxy that runs beside the service."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ClientAddresses:
    """Tells visitors apart. X-Forwarded-For is believed from this machine and from `trusted` (CIDR)."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._trusted = [network for text in (*THIS_MACHINE, *trusted) if (network := _network(text))]

    def client_of(self, request: Request) -> str:
        """Return the visitor's address; a whole /64 of IPv6 is one visitor, because one line has that many.

        The last address in the chain that no trusted proxy wrote is the one that cannot be made up.
        """
        return self.address_key(self._claimed(request))

    def is_operator(self, request: Request) -> bool:
        """Tell whether this machine or a trusted proxy itself asks, and not a visitor behind the proxy."""
        return self.is_trusted(self._claimed(request))

    def is_trusted(self, address: str) -> bool:
        """Tell whether this IP address is this machine's or a trusted proxy's."""
        found = _address(address)
        return found is not None and any(found in network for network in self._trusted)

    def address_key(self, address: str) -> str:
        """Return the text under which an IP address is counted; `unknown` for what is none."""
        return _folded(address)

    def _claimed(self, request: Request) -> str:
        address = request.client.host if request.client else ""
        # A proxy may add a header line of its own under one that the visitor sent (RFC 9110, 5.3).
        chain = ",".join(request.headers.getlist("x-forwarded-for")).split(",")[-MAX_FORWARDED_ADDRESSES:]
        for earlier in reversed(chain):
            if not self.is_trusted(address) or not earlier.strip():
                break
            address = earlier.strip()
        return address


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
