"""EDGE http: get what lies at an address, within limits of size, time and place."""

from __future__ import annotations

import asyncio
import socket
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Self

from service.gather.http.addresses import AddressPolicy, looks_like_ip, port_refusal
from service.gather.http.cache_headers import conditional_headers, fresh_seconds, retry_after_seconds
from service.gather.http.decompression import ACCEPTED, BodyRefused, decoder_for, format_megabytes
from service.gather.http.host_limits import HostLimits
from service.gather.http.outages import MAX_FAILURES, Outages
from service.gather.http.proxy import Proxy
from service.gather.ports import Fetched, FetchFailed, FetchResult, Gone, NotModified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientResponse, ClientSession, ClientTimeout
    from yarl import URL

ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, "
    "text/html;q=0.8, */*;q=0.5"
)
PERMANENT = frozenset({301, 308})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK_BYTES = 64 * 1024
MAX_CACHED = 10_000
"""How many addresses, and judgements of places, are kept for the next look."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What a fetch may cost and where it may go. Sizes in bytes, times in seconds.

    `allow_private` lists networks (CIDR) and host names that may be reached although they are not public.
    Hosts named there are the operator's own: `host_spacing` between two requests is kept for all others.
    """

    user_agent: str = "Caveat/0.1 (news digest; feed reader)"
    allow_private: tuple[str, ...] = ()
    compressed_bytes: int = 8 * 1024 * 1024
    decoded_bytes: int = 16 * 1024 * 1024
    total_seconds: float = 30.0
    connect_seconds: float = 10.0
    redirects: int = 6
    connections: int = 50
    per_host: int = 2
    host_spacing: float = 0.5
    proxy: Proxy | None = None


class _Refused(OSError):
    """A connection that we do not make; raised by us inside the connector, so it must be an OSError."""


@dataclass(slots=True)
class _Attempt:
    """What the connector is told about the request in hand, and what it refused on its behalf."""

    host: str
    refusals: list[str] = field(default_factory=list)


_attempt: ContextVar[_Attempt | None] = ContextVar("_attempt", default=None)


class HttpFetcher:
    """A Fetcher over HTTP. One session for all requests; close it, or use it as `async with`."""

    def __init__(self, limits: FetchLimits | None = None) -> None:
        self.limits = limits or FetchLimits()
        self._allowed = AddressPolicy.parse(self.limits.allow_private)
        self._turns = HostLimits(self.limits.per_host, self.limits.host_spacing)
        self._outages = Outages()
        self._session: ClientSession | None = None
        self._judgements: dict[tuple[str, str | None, int | None], tuple[str | None, bool]] = {}
        self._addresses: dict[str, URL] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> FetchResult:
        """Return the answer; every expected trouble is a Failed, never an exception."""
        attempt = _Attempt("")
        token = _attempt.set(attempt)
        try:
            return await self._follow(url, conditional_headers(etag, last_modified), attempt)
        except TimeoutError:
            return FetchFailed(
                f"the server did not answer in full within {self.limits.total_seconds:g} seconds"
            )
        except Exception as trouble:
            sentence = _plain(trouble, attempt)
            if sentence is None:
                raise
            return FetchFailed(sentence)
        finally:
            _attempt.reset(token)

    def _open(self) -> ClientSession:
        if self._session is None:
            from aiohttp import (  # noqa: PLC0415 - 0.6 s that --help need not pay
                ClientSession,
                DummyCookieJar,
                TCPConnector,
            )

            connector = TCPConnector(
                limit=self.limits.connections,
                limit_per_host=self.limits.per_host,
                ttl_dns_cache=60,
                socket_factory=self._socket,
            )
            self._session = ClientSession(
                connector=connector,
                cookie_jar=DummyCookieJar(),
                trust_env=False,  # a proxy is a setting, because it connects for us, past our check
                auto_decompress=False,  # we decode ourselves, so that a bomb stops early
                timeout=self._within(self.limits.total_seconds),
                headers={
                    "User-Agent": self.limits.user_agent,
                    "Accept": ACCEPT,
                    "Accept-Encoding": ACCEPTED,
                },
            )
        return self._session

    def _within(self, seconds: float) -> ClientTimeout:
        from aiohttp import ClientTimeout  # noqa: PLC0415 - as in _open

        return ClientTimeout(total=max(seconds, 0.001), sock_connect=self.limits.connect_seconds)

    def _socket(self, info: tuple[object, ...]) -> socket.socket:
        """Make the socket for an address that a name turned out to have, or refuse to.

        Every connection passes here right before it is made, so redirects and names that change their
        address between check and use (DNS rebinding) find no gap.
        """
        family, kind, protocol, _name, target = info
        address = str(target[0]) if isinstance(target, tuple) else ""
        attempt = _attempt.get()
        host = attempt.host if attempt else ""
        # With a proxy every connection leads to it, and `Proxy.refusal` has judged the host behind it.
        free = self.limits.proxy is not None or self._allowed.allows_host(host)
        what = None if free else self._allowed.refusal(address)
        if what is not None:
            if attempt:
                attempt.refusals.append(f"{address}, {what}")
            raise _Refused(f"{address} is {what}")
        return socket.socket(int(str(int(family))), int(kind), int(protocol))  # type: ignore[call-overload]

    async def _follow(self, url: str, conditions: Mapping[str, str], attempt: _Attempt) -> FetchResult:
        """Ask, and go where redirects point, hop by hop, each checked like the first."""
        from yarl import URL  # noqa: PLC0415 - comes with aiohttp

        here, moved, steady = self._addresses.get(url) or self._parsed(url), None, True
        seen: list[URL] = []
        loop, spent = asyncio.get_running_loop(), 0.0
        for _ in range(self.limits.redirects + 1):
            refusal, ours = self._judged(here)
            if refusal is None and self.limits.proxy is not None:
                refusal = await self.limits.proxy.refusal(here.host or "", self._allowed)
            if refusal:
                return FetchFailed(f"redirected to {refusal}" if seen else refusal)
            if here in seen:
                return FetchFailed("the server redirects in a circle")
            attempt.host = here.host or ""
            place = (attempt.host, here.port)
            async with self._turns.slot(place, spaced=not ours):
                # The clock runs for the server only, not while we wait for our own turn.
                begun = loop.time()
                if self._outages.is_paused(place, begun):
                    return FetchFailed(
                        f"{attempt.host} did not answer {MAX_FAILURES} times in a row, and rests for now"
                    )
                try:
                    answer = await self._ask(here, conditions, moved, spent)
                except (OSError, TimeoutError):
                    if not attempt.refusals:
                        self._outages.record_failure(place, loop.time())
                    raise
                self._outages.record_success(place)
                spent += loop.time() - begun
            if not isinstance(answer, _Elsewhere):
                return answer
            seen.append(here)
            here = here.join(URL(answer.location))
            steady = steady and answer.permanent
            moved = str(here) if steady else moved
        return FetchFailed(f"the server redirects more than {self.limits.redirects} times")

    def _parsed(self, url: str) -> URL:
        """Return the address taken apart; the same feeds are asked again and again."""
        from yarl import URL  # noqa: PLC0415 - comes with aiohttp

        if len(self._addresses) >= MAX_CACHED:
            self._addresses.clear()
        return self._addresses.setdefault(url, URL(url))

    def _judged(self, url: URL) -> tuple[str | None, bool]:
        """Return why nothing is fetched there (None: it is), and whether the place is the operator's own."""
        key = (url.scheme, url.host, url.port)
        if key not in self._judgements:
            if len(self._judgements) >= MAX_CACHED:
                self._judgements.clear()
            ours = bool(url.host) and self._allowed.allows_host(url.host or "")
            self._judgements[key] = (self._refusal(url, ours=ours), ours)
        return self._judgements[key]

    def _refusal(self, url: URL, *, ours: bool) -> str | None:
        if url.scheme not in ("http", "https") or not url.host:
            return f"{url.scheme or 'an empty'} address; only http and https are fetched"
        if ours:
            return None
        what = self._allowed.refusal(url.host) if looks_like_ip(url.host) else None
        if what is not None:
            return f"{url.host}, {what}; list it under fetch.allow_private if you mean it"
        return port_refusal(url.port or 0)

    async def _ask(
        self, url: URL, conditions: Mapping[str, str], moved: str | None, spent: float
    ) -> FetchResult | _Elsewhere:
        session = self._open()
        within = self._within(self.limits.total_seconds - spent) if spent else session.timeout
        proxy = self.limits.proxy
        # aiohttp sends `proxy_headers` to open a tunnel; a plain request goes to the proxy as it is.
        login = proxy.auth_headers() if proxy else {}
        async with session.get(
            url,
            headers=conditions if url.scheme == "https" else {**conditions, **login},
            allow_redirects=False,
            timeout=within,
            proxy=proxy.url if proxy else None,
            proxy_headers=login,
        ) as response:
            status = response.status
            if status in REDIRECTS and "Location" in response.headers:
                return _Elsewhere(response.headers["Location"], status in PERMANENT)
            if status == HTTPStatus.NOT_MODIFIED and conditions:
                return NotModified(fresh_seconds(response.headers), moved)
            if status == HTTPStatus.GONE:
                return Gone()
            if status not in (HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION):
                return FetchFailed(
                    f"the server answered {_named(status)}", retry_after_seconds(response.headers), status
                )
            return Fetched(
                url=str(url),
                body=await self._body(response),
                content_type=response.headers.get("Content-Type", ""),
                etag=response.headers.get("ETag"),
                last_modified=response.headers.get("Last-Modified"),
                moved_to=moved,
                fresh_seconds=fresh_seconds(response.headers),
            )

    async def _body(self, response: ClientResponse) -> bytes:
        """Read and decode the body, stopping as soon as either size passes its limit."""
        limits = self.limits
        if (response.content_length or 0) > limits.compressed_bytes:
            raise BodyRefused(f"the answer is larger than {format_megabytes(limits.compressed_bytes)}")
        unpack = decoder_for(response.headers.get("Content-Encoding", ""))
        received = 0
        body = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            received += len(chunk)
            if received > limits.compressed_bytes:
                raise BodyRefused(f"the answer is larger than {format_megabytes(limits.compressed_bytes)}")
            for piece in unpack.decode(chunk):
                body += piece
                if len(body) > limits.decoded_bytes:
                    raise BodyRefused(
                        f"the answer unpacks to more than {format_megabytes(limits.decoded_bytes)}"
                    )
                if len(piece) > CHUNK_BYTES:
                    await asyncio.sleep(0)  # what unpacks to much leaves room for others meanwhile
        unpack.close()
        return bytes(body)


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """A redirect: where to, and whether for good."""

    location: str
    permanent: bool


def _named(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase.lower()})"
    except ValueError:
        return str(status)


def _plain(trouble: BaseException, attempt: _Attempt) -> str | None:
    """Say in words for a person what went wrong on the way; None for what nobody foresaw."""
    from aiohttp import (  # noqa: PLC0415 - as in _open
        ClientConnectorCertificateError,
        ClientConnectorDNSError,
        ClientConnectorError,
        ClientConnectorSSLError,
        ClientError,
        ClientHttpProxyError,
        ClientPayloadError,
        ClientProxyConnectionError,
        ClientResponseError,
        InvalidURL,
        ServerDisconnectedError,
    )

    host = attempt.host
    if attempt.refusals:
        return f"{host} leads to {attempt.refusals[0]}; list it under fetch.allow_private if you mean it"
    for kinds, sentence in (
        (BodyRefused, str(trouble)),
        (InvalidURL, "the address is no web address"),
        (ClientProxyConnectionError, "no connection to the proxy (fetch.proxy) could be made"),
        (ClientHttpProxyError, f"the proxy (fetch.proxy) answered {_named(getattr(trouble, 'status', 0))}"),
        (ClientConnectorDNSError, f"no address was found for the name {host}"),
        (ClientConnectorCertificateError, f"the certificate of {host} could not be trusted"),
        (ClientConnectorSSLError, f"{host} would not speak TLS with us"),
        (ClientConnectorError, f"no connection to {host} could be made"),
        (ClientPayloadError, "the answer broke off before its end"),
        (ClientResponseError, "the server's answer is no proper HTTP"),
        (ServerDisconnectedError, "the server closed the connection before it had answered"),
        (ConnectionResetError, "the server closed the connection before it had answered"),
        (ValueError, "the address, or the one it redirects to, is no web address"),
        ((ClientError, OSError), f"the connection to {host} failed"),
    ):
        if isinstance(trouble, kinds):
            return sentence
    return None
