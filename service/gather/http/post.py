"""POST (EDGE http): send a small message to a web address, within the rules for fetched addresses."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from service.gather.http.addresses import AddressPolicy, looks_like_ip, port_refusal
from service.gather.http.proxy import Proxy

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

POST_SECONDS = 15.0  # for the whole request; a receiver works later, not while it is asked
CONNECT_SECONDS = 5.0
MAX_ANSWER_BYTES = 64 * 1024  # that are read, so that the connection ends in order; nothing uses them


class _RefusedAddress(OSError):
    """A refused destination. An OSError, because aiohttp's connector expects no other error."""


async def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: tuple[str, ...] = (),
    proxy: Proxy | None = None,
) -> tuple[int, str]:
    """Send the body and return the status and "", or 0 and a sentence if there was no response.

    Redirects are not followed: the status 3xx is returned. An address that is not public is refused where the
    socket is made, unless `allow_private` lists it, so a name may not change its address after a check.
    """
    import aiohttp  # noqa: PLC0415 - takes 0.6 s, which --help need not

    policy = AddressPolicy.parse(allow_private)
    if problem := await _refusal(url, policy, proxy):
        return 0, problem
    guard = _Guard(policy, urlsplit(url).hostname or "", is_proxied=proxy is not None)
    credentials = proxy.auth_headers() if proxy else {}
    try:
        async with (
            _session(guard) as session,
            session.post(
                url,
                data=body,
                # aiohttp sends `proxy_headers` only to open a tunnel; plain HTTP needs them among its own.
                headers={**headers, **(credentials if url.startswith("http:") else {})},
                allow_redirects=False,
                proxy=proxy.url if proxy else None,
                proxy_headers=credentials,
            ) as response,
        ):
            await _read(response)
            return response.status, ""
    except TimeoutError:
        return 0, f"there was no answer within {POST_SECONDS:g} seconds"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return 0, guard.refusal or f"the connection failed: {type(error).__name__}"


class _Guard:
    """Makes the sockets of one request; `refusal` is why it made none, "" if it did."""

    def __init__(self, policy: AddressPolicy, host: str, *, is_proxied: bool) -> None:
        self._policy, self.refusal = policy, ""
        # With a proxy every connection goes to the proxy, and `Proxy.refusal` has checked the host itself.
        self._is_open = is_proxied or policy.allows_host(host)

    def __call__(self, info: tuple[object, ...]) -> socket.socket:
        """Return a socket for a resolved address. Raises OSError for a refused one."""
        family, kind, protocol, _name, target = info
        address = str(target[0]) if isinstance(target, tuple) else ""
        what = None if self._is_open else self._policy.refusal(address)
        if what is not None:
            self.refusal = (
                f"the name leads to {address}, {what}; list it under fetch.allow_private if you mean it"
            )
            raise _RefusedAddress(what)
        return socket.socket(int(str(int(family))), int(kind), int(protocol))  # type: ignore[call-overload]


def _session(guard: _Guard) -> ClientSession:
    import aiohttp  # noqa: PLC0415 - as in post

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(socket_factory=guard, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,  # only fetch.proxy names a proxy
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=POST_SECONDS, sock_connect=CONNECT_SECONDS),
    )


async def _refusal(url: str, policy: AddressPolicy, proxy: Proxy | None) -> str | None:
    """Return why nothing is sent to this address, as far as its text says; None if something may be."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        return "it is not a web address"
    if policy.allows_host(host):
        return None
    if looks_like_ip(host) and (what := policy.refusal(host)):
        return f"{host} is {what}; list it under fetch.allow_private if you mean it"
    if refusal := port_refusal(parts.port or (443 if parts.scheme == "https" else 80)):
        return refusal
    return await proxy.refusal(host, policy) if proxy else None


async def _read(response: ClientResponse) -> None:
    """Read the start of the response's body, which nothing uses."""
    if response.status != HTTPStatus.NO_CONTENT:
        await response.content.read(MAX_ANSWER_BYTES)
