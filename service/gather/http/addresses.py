"""Address policy: the IP addresses and ports that a fetch may connect to. Pure.

The special-purpose ranges are those of the IANA registries (RFC 6890 and its updates). They are listed here
because the result of the standard library's `is_global` differs between patch releases of Python 3.11.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

WEB_PORTS = frozenset({80, 443})
SERVICE_PORTS = frozenset({1433, 1521, 2049, 2375, 3306, 3389, 5432, 6379, 9200, 11211, 27017})
"""Ports above 1023 of databases and similar services, which a request could damage."""

_PLATFORM = "a cloud platform's own address"
"""Addresses in public ranges at which a cloud's machines reach their platform instead of a publisher.

Other platforms use special-purpose ranges: 169.254.169.254, 100.100.100.200, 192.0.0.192, fd00:ec2::254.
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
    """The non-public destinations that the operator allows: networks, and hosts by name."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, words: Iterable[str]) -> AddressPolicy:
        """Parse the entries of `fetch.allow_private`: each a CIDR network, an address or a host name."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for word in words:
            try:
                networks.append(ip_network(word.strip(), strict=False))
            except ValueError:
                hosts.add(word.strip().lower().rstrip("."))
        return cls(tuple(networks), frozenset(hosts))

    def allows_host(self, host: str) -> bool:
        """Return whether the host is allowed by its name, or is itself an allowed address."""
        if host.lower().rstrip(".") in self.hosts:
            return True
        try:
            address = _unwrapped(ip_address(host.strip("[]").partition("%")[0]))
        except ValueError:
            return False
        return self._allows(address)

    def _allows(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self.networks)

    def refusal(self, address: str) -> str | None:
        """Return the kind of a refused IP address ("a private address"), or None for an allowed one.

        An IPv6 address that maps or translates (NAT64) an IPv4 address is judged by that IPv4 address.
        """
        try:
            checked = _unwrapped(ip_address(address.partition("%")[0]))
        except ValueError:
            return "not an IP address"
        if self._allows(checked):
            return None
        for network, what in _SPECIAL:
            if checked.version == network.version and checked in network:
                return what
        if isinstance(checked, IPv6Address) and (
            checked.sixtofour is not None or checked not in _GLOBAL_IPV6
        ):
            return "a 6to4 address" if checked.sixtofour is not None else "a reserved address"
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
    """Return why no feed is fetched from this port, or None for an allowed port.

    Below 1024 only 80 and 443 are allowed, so that a feed's address cannot reach a mail server, for example.
    """
    if port in WEB_PORTS or (port >= 1024 and port not in SERVICE_PORTS):
        return None
    return f"port {port} does not serve the web"


def looks_like_ip(host: str) -> bool:
    """Return whether a host is written as an IP address, valid or not, instead of a name."""
    return ":" in host or host.replace(".", "").isdigit()
