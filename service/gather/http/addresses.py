"""Addresses: which IP addresses and ports a fetch may connect to. Pure.

The special-purpose ranges are those of the IANA registries (RFC 6890 and its updates), written out here
because the standard library's `is_global` changed its mind between patch releases of Python 3.11.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

WEB_PORTS = frozenset({80, 443})
SERVICE_PORTS = frozenset({1433, 1521, 2049, 2375, 3306, 3389, 5432, 6379, 9200, 11211, 27017})
"""Ports above 1023 that belong to databases and the like: no feed lives there, but damage could be done."""

_PLATFORM = "a cloud platform's own address"
"""Public by number, but every machine of that cloud reaches its platform there and not a publisher.

Other platforms use special ranges: 169.254.169.254, 100.100.100.200, 192.0.0.192, fd00:ec2::254.
"""

_SPECIAL: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), what)
    for network, what in (
        ("0.0.0.0/8", "an address of this host"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's shared address"),
        ("127.0.0.0/8", "a private address"),
        ("161.26.0.0/16", _PLATFORM),  # IBM Cloud's service network
        ("166.8.0.0/14", _PLATFORM),  # IBM Cloud's service network
        ("168.63.129.16/32", _PLATFORM),  # Azure's host agent: machine configuration, certificates, DNS
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a reserved address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmark address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an address of this host"),
        ("::1/128", "a private address"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "a documentation address"),
        ("3fff::/20", "a documentation address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address"),
        ("ff00::/8", "a multicast address"),
    )
)
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What the operator permits beside the public internet: networks, and hosts by name."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, words: Iterable[str]) -> AddressPolicy:
        """Read `fetch.allow_private`: a CIDR network or an address, else the name of a host."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for word in words:
            try:
                networks.append(ip_network(word.strip(), strict=False))
            except ValueError:
                hosts.add(word.strip().lower().rstrip("."))
        return cls(tuple(networks), frozenset(hosts))

    def allows_host(self, host: str) -> bool:
        """Tell whether the host is permitted by its name, or is itself an address that is permitted."""
        if host.lower().rstrip(".") in self.hosts:
            return True
        try:
            address = _unwrapped(ip_address(host.strip("[]").partition("%")[0]))
        except ValueError:
            return False
        return self._holds(address)

    def _holds(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self.networks)

    def refusal(self, address: str) -> str | None:
        """Say what kind of address this is if no connection may go there, or None if one may.

        IPv4 addresses that are mapped or translated (NAT64) into IPv6 are judged by the IPv4 address within.
        """
        try:
            judged = _unwrapped(ip_address(address.partition("%")[0]))
        except ValueError:
            return "no address at all"
        if self._holds(judged):
            return None
        for network, what in _SPECIAL:
            if judged.version == network.version and judged in network:
                return what
        if isinstance(judged, IPv6Address) and (judged.sixtofour is not None or judged not in _GLOBAL_IPV6):
            return "a 6to4 address" if judged.sixtofour is not None else "a reserved address"
        return None


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def port_refusal(port: int) -> str | None:
    """Say why no feed is fetched from this port, or None if it may be.

    Below 1024 only 80 and 443: a feed's address must not become a way to talk to mail servers and the like.
    """
    if port in WEB_PORTS or (port >= 1024 and port not in SERVICE_PORTS):
        return None
    return f"port {port} is not one that serves the web"


def looks_like_ip(host: str) -> bool:
    """Tell whether a host is written as a number, well-formed or not, and is not a name."""
    return ":" in host or host.replace(".", "").isdigit()
