"""Checks of `web.admin`: who may reach the editors' pages, and whether passwords go there encrypted."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from service.settings.field_types import split_host_port
from service.settings.main_file import WebBlock

Problem = tuple[tuple[str | int, ...], str, str]
"""The path of the key, what is wrong, and what is expected."""

HERE = ("web", "admin")
EXPECTED_PROXY = "the proxy's address in `web.trusted_proxies`"


def admin_faults(web: WebBlock) -> Iterator[Problem]:
    """Yield what is unusable: names as networks, a header that no proxy or everybody may send."""
    admin = web.admin
    for number, text in enumerate(admin.networks):
        if _network(text) is None:
            yield (*HERE, "networks", number), f"{text} is a name, which nothing looks up", "a network (CIDR)"
    if not admin.user_header:
        return
    proxies = [found for text in web.trusted_proxies if (found := _network(text)) is not None]
    if not proxies:
        yield (*HERE, "user_header"), "there is no proxy that may send this header", EXPECTED_PROXY
    elif any(found.prefixlen == 0 for found in proxies):
        what = "with this header every client could name an account: all addresses are trusted proxies"
        yield (*HERE, "user_header"), what, f"only {EXPECTED_PROXY}"


def admin_warnings(web: WebBlock, site_url: str) -> Iterator[Problem]:
    """Yield where other machines can open the pages without TLS, as far as the settings tell."""
    admin = web.admin
    if not admin.enabled or not any(_is_other_machine(text) for text in admin.networks):
        return
    if admin.listen is not None:
        host, _ = split_host_port(admin.listen)
        if _is_other_machine(host):
            what = "other machines open the editors' pages here without TLS, and send passwords unencrypted"
            yield (*HERE, "listen"), what, "an address of this machine, and a web server with TLS in front"
        return
    site = urlsplit(site_url)
    if site.scheme != "https" and site.hostname != "localhost" and _is_other_machine(site.hostname or ""):
        what = f"other machines open the editors' pages at {site_url}, and send passwords unencrypted"
        yield (*HERE, "networks"), what, "https in `site.url`, or only networks of this machine"


def _is_other_machine(text: str) -> bool:
    """Return whether a network or host is more than this machine; a host name is."""
    found = _network(text)
    return found is None or not found.is_loopback


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
