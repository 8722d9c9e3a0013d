"""HttpFetcher (EDGE http): fetch a web address within limits of size, time and destination."""

from __future__ import annotations

import asyncio
import socket
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Self

from typing_extensions import override

from service.gather.http.addresses import AddressPolicy, looks_like_ip, port_refusal
from service.gather.http.cache_headers import conditional_headers, fresh_seconds, retry_after_seconds
from service.gather.http.decompression import ACCEPTED, BodyRefused, decoder_for, format_megabytes
from service.gather.http.host_limits import HostLimits
from service.gather.http.outages import MAX_FAILURES, Outages
from service.gather.http.proxy import Proxy
from service.gather.ports import Fetched, Fetcher, FetchFailed, FetchResult, Gone, NotModified

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
MAX_CACHED = 10_000  # parsed addresses and permissions of hosts, kept between passes


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Limits of cost and destination. Sizes are in bytes, times in seconds.

    `allow_private` lists the non-public networks (CIDR) and host names that may be fetched. They are the
    operator's own, so `host_spacing`, the time between two requests to a host, applies only to other hosts.
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
    """A refused destination. An OSError, because aiohttp's connector expects no other error."""


@dataclass(slots=True)
class _Request:
    """What the connector needs to know of the current request, and the addresses that it refused for it."""

    host: str
    refusals: list[str] = field(default_factory=list)


_current: ContextVar[_Request | None] = ContextVar("_current", default=None)


class HttpFetcher(Fetcher):
    """Fetches over HTTP, with one session for all requests. Close it, or use it in `async with`."""

    def __init__(self, limits: FetchLimits | None = None) -> None:
        self.limits = limits or FetchLimits()
        self._policy = AddressPolicy.parse(self.limits.allow_private)
        self._host_limits = HostLimits(self.limits.per_host, self.limits.host_spacing)
        self._outages = Outages()
        self._session: ClientSession | None = None
        self._permissions: dict[tuple[str, str | None, int | None], tuple[str | None, bool]] = {}
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

    @override
    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> FetchResult:
        request = _Request("")
        token = _current.set(request)
        try:
            return await self._follow(url, conditional_headers(etag, last_modified), request)
        except TimeoutError:
            return FetchFailed(
                f"the server did not answer in full within {self.limits.total_seconds:g} seconds"
            )
        except Exception as error:
            reason = _reason(error, request)
            if reason is None:
                raise
            return FetchFailed(reason)
        finally:
            _current.reset(token)

    def _open(self) -> ClientSession:
        if self._session is None:
            import aiohttp  # noqa: PLC0415 - takes 0.6 s, which --help need not

            connector = aiohttp.TCPConnector(
                limit=self.limits.connections,
                limit_per_host=self.limits.per_host,
                ttl_dns_cache=60,
                socket_factory=self._socket,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,  # only fetch.proxy names a proxy, because its connections bypass `_socket`
                auto_decompress=False,  # our decoders stop at the size limit
                timeout=self._timeout(self.limits.total_seconds),
                headers={
                    "User-Agent": self.limits.user_agent,
                    "Accept": ACCEPT,
                    "Accept-Encoding": ACCEPTED,
                },
            )
        return self._session

    def _timeout(self, seconds: float) -> ClientTimeout:
        from aiohttp import ClientTimeout  # noqa: PLC0415 - as in _open

        return ClientTimeout(total=max(seconds, 0.001), sock_connect=self.limits.connect_seconds)

    def _socket(self, info: tuple[object, ...]) -> socket.socket:
        """Create the socket for a resolved address; refuse an address that the policy forbids.

        aiohttp calls this right before each connection, so neither a redirect nor a name that changes its
        address after a check (DNS rebinding) can bypass it.
        """
        family, kind, protocol, _name, target = info
        address = str(target[0]) if isinstance(target, tuple) else ""
        request = _current.get()
        host = request.host if request else ""
        # With a proxy every connection goes to the proxy, and `Proxy.refusal` has checked the host itself.
        allowed = self.limits.proxy is not None or self._policy.allows_host(host)
        refused = None if allowed else self._policy.refusal(address)
        if refused is not None:
            if request:
                request.refusals.append(f"{address}, {refused}")
            raise _Refused(f"{address} is {refused}")
        return socket.socket(int(str(int(family))), int(kind), int(protocol))  # type: ignore[call-overload]

    async def _follow(self, url: str, conditions: Mapping[str, str], request: _Request) -> FetchResult:
        """Send the request and follow its redirects; each address is checked like the first."""
        from yarl import URL  # noqa: PLC0415 - comes with aiohttp

        address, moved_to, all_permanent = self._addresses.get(url) or self._parsed(url), None, True
        visited: list[URL] = []
        loop, spent = asyncio.get_running_loop(), 0.0
        for _ in range(self.limits.redirects + 1):
            refusal, is_private = self._permission(address)
            if refusal is None and self.limits.proxy is not None:
                refusal = await self.limits.proxy.refusal(address.host or "", self._policy)
            if refusal:
                return FetchFailed(f"redirected to {refusal}" if visited else refusal)
            if address in visited:
                return FetchFailed("the server redirects in a circle")
            request.host = address.host or ""
            host = (request.host, address.port)
            async with self._host_limits.slot(host, spaced=not is_private):
                # Waiting for the slot does not count against the time limit.
                started = loop.time()
                if self._outages.is_paused(host, started):
                    return FetchFailed(
                        f"{request.host} did not respond {MAX_FAILURES} times in a row; requests are paused"
                    )
                try:
                    response = await self._send(address, conditions, moved_to, spent)
                except (OSError, TimeoutError):
                    if not request.refusals:
                        self._outages.record_failure(host, loop.time())
                    raise
                self._outages.record_success(host)
                spent += loop.time() - started
            if not isinstance(response, _Redirect):
                return response
            visited.append(address)
            address = address.join(URL(response.location))
            all_permanent = all_permanent and response.permanent
            moved_to = str(address) if all_permanent else moved_to
        return FetchFailed(f"the server redirects more than {self.limits.redirects} times")

    def _parsed(self, url: str) -> URL:
        """Return the parsed address, cached because every pass fetches the same feeds."""
        from yarl import URL  # noqa: PLC0415 - comes with aiohttp

        if len(self._addresses) >= MAX_CACHED:
            self._addresses.clear()
        return self._addresses.setdefault(url, URL(url))

    def _permission(self, url: URL) -> tuple[str | None, bool]:
        """Return why the address is not fetched (None: it is), and whether `allow_private` names its host."""
        key = (url.scheme, url.host, url.port)
        if key not in self._permissions:
            if len(self._permissions) >= MAX_CACHED:
                self._permissions.clear()
            is_private = bool(url.host) and self._policy.allows_host(url.host or "")
            self._permissions[key] = (self._refusal(url, is_private=is_private), is_private)
        return self._permissions[key]

    def _refusal(self, url: URL, *, is_private: bool) -> str | None:
        if url.scheme not in ("http", "https") or not url.host:
            return f"{url.scheme or 'an empty'} address; only http and https are fetched"
        if is_private:
            return None
        kind = self._policy.refusal(url.host) if looks_like_ip(url.host) else None
        if kind is not None:
            return f"{url.host}, {kind}; list it under fetch.allow_private if you mean it"
        return port_refusal(url.port or 0)

    async def _send(
        self, url: URL, conditions: Mapping[str, str], moved_to: str | None, spent: float
    ) -> FetchResult | _Redirect:
        session = self._open()
        timeout = self._timeout(self.limits.total_seconds - spent) if spent else session.timeout
        proxy = self.limits.proxy
        # aiohttp sends `proxy_headers` only to open a tunnel; a plain HTTP request needs them among its own.
        credentials = proxy.auth_headers() if proxy else None
        async with session.get(
            url,
            headers={**conditions, **credentials} if credentials and url.scheme != "https" else conditions,
            allow_redirects=False,
            timeout=timeout,
            proxy=proxy.url if proxy else None,
            proxy_headers=credentials,  # even an empty dictionary is copied, which takes 10 microseconds
        ) as response:
            status = response.status
            if status == HTTPStatus.NOT_MODIFIED and conditions:
                return NotModified(fresh_seconds(response.headers), moved_to)
            if status in REDIRECTS and "Location" in response.headers:
                return _Redirect(response.headers["Location"], status in PERMANENT)
            if status == HTTPStatus.GONE:
                return Gone()
            if status not in (HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION):
                return FetchFailed(
                    f"the server answered {_status_text(status)}",
                    retry_after_seconds(response.headers),
                    status,
                )
            return Fetched(
                url=str(url),
                body=await self._body(response),
                content_type=response.headers.get("Content-Type", ""),
                etag=response.headers.get("ETag"),
                last_modified=response.headers.get("Last-Modified"),
                moved_to=moved_to,
                fresh_seconds=fresh_seconds(response.headers),
            )

    async def _body(self, response: ClientResponse) -> bytes:
        """Read and decode the body; stop as soon as it exceeds a size limit, compressed or decoded."""
        limits = self.limits
        if (response.content_length or 0) > limits.compressed_bytes:
            raise BodyRefused(f"the response is larger than {format_megabytes(limits.compressed_bytes)}")
        decoder = decoder_for(response.headers.get("Content-Encoding", ""))
        received = 0
        body = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            received += len(chunk)
            if received > limits.compressed_bytes:
                raise BodyRefused(f"the response is larger than {format_megabytes(limits.compressed_bytes)}")
            for piece in decoder.decode(chunk):
                body += piece
                if len(body) > limits.decoded_bytes:
                    raise BodyRefused(
                        f"the response decompresses to more than {format_megabytes(limits.decoded_bytes)}"
                    )
                if len(piece) > CHUNK_BYTES:
                    await asyncio.sleep(0)  # let other requests run while a large body is decoded
        decoder.close()
        return bytes(body)


@dataclass(frozen=True, slots=True)
class _Redirect:
    """A redirect response."""

    location: str
    permanent: bool


def _status_text(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase.lower()})"
    except ValueError:
        return str(status)


def _reason(error: BaseException, request: _Request) -> str | None:
    """Return a sentence for people about an error of the connection; None for an unexpected error."""
    import aiohttp  # noqa: PLC0415 - as in _open

    host, status = request.host, _status_text(getattr(error, "status", 0))
    if request.refusals:
        return f"{host} leads to {request.refusals[0]}; list it under fetch.allow_private if you mean it"
    for kinds, sentence in (
        (BodyRefused, str(error)),
        (aiohttp.InvalidURL, "the address is not a web address"),
        (aiohttp.ClientProxyConnectionError, "no connection to the proxy (fetch.proxy) could be made"),
        (aiohttp.ClientHttpProxyError, f"the proxy (fetch.proxy) answered {status}"),
        (aiohttp.ClientConnectorDNSError, f"no address was found for the name {host}"),
        (aiohttp.ClientConnectorCertificateError, f"the certificate of {host} could not be trusted"),
        (aiohttp.ClientConnectorSSLError, f"{host} did not accept a TLS connection"),
        (aiohttp.ClientConnectorError, f"no connection to {host} could be made"),
        (aiohttp.ClientPayloadError, "the response ended early"),
        (aiohttp.ClientResponseError, "the server's response is not valid HTTP"),
        (aiohttp.ServerDisconnectedError, "the server closed the connection without a response"),
        (ConnectionResetError, "the server closed the connection without a response"),
        (ValueError, "the address, or the one it redirects to, is not a web address"),
        ((aiohttp.ClientError, OSError), f"the connection to {host} failed"),
    ):
        if isinstance(error, kinds):
            return sentence
    return None
