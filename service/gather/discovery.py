"""Feed discovery: the feeds of a site, from the address of any of its pages."""

from __future__ import annotations

from dataclasses import dataclass

from service.core.errors import FeedUnreadable
from service.gather.cleaning.titles import title_text
from service.gather.formats.charset import decode_document
from service.gather.formats.html_links import FeedLink, feed_links, guessed_addresses
from service.gather.formats.registry import read
from service.gather.http.executor import ThreadWorkers
from service.gather.ports import Fetched, Fetcher, FetchFailed, Gone, NotModified, Workers, WorkLimitExceeded


@dataclass(frozen=True, slots=True)
class DiscoveredFeeds:
    """The feeds of a site, most likely first. Without any, `reason` is a sentence for people."""

    feeds: tuple[FeedLink, ...]
    reason: str = ""


async def find_feeds(address: str, fetcher: Fetcher, *, workers: Workers | None = None) -> DiscoveredFeeds:
    """Return the feed at the address, else those that its page links to, else one at a common path.

    An address without a scheme is tried as https, then as http.
    """
    workers = workers or ThreadWorkers()
    response = await _fetch(address.strip(), fetcher)
    if not isinstance(response, Fetched):
        return DiscoveredFeeds((), response.reason)
    title, error = await _title(response, workers)
    if not error:
        return DiscoveredFeeds((FeedLink(response.moved_to or response.url, title),))
    linked = await workers.run(_links, response.body, response.content_type, response.url)
    if linked:
        return DiscoveredFeeds(linked)
    for guess in guessed_addresses(response.url):
        guessed = await fetcher.fetch(guess)
        if isinstance(guessed, Fetched):
            title, guess_error = await _title(guessed, workers)
            if not guess_error:
                return DiscoveredFeeds((FeedLink(guessed.url, title),))
    return DiscoveredFeeds((), error)


async def _fetch(address: str, fetcher: Fetcher) -> Fetched | FetchFailed | Gone:
    failed: FetchFailed | Gone = FetchFailed("the address is empty")
    for url in [address] if "://" in address else [f"https://{address}", f"http://{address}"]:
        response = await fetcher.fetch(url)
        if isinstance(response, Fetched):
            return response
        if not isinstance(response, NotModified):  # no request here is conditional
            failed = response
    return failed


async def _title(response: Fetched, workers: Workers) -> tuple[str, str]:
    """Return the title of the feed and "", or "" and the reason why the document is not a feed."""
    try:
        return await workers.run(_title_of, response.body, response.content_type, response.url), ""
    except (FeedUnreadable, WorkLimitExceeded) as error:
        return "", str(error)


def _title_of(body: bytes, content_type: str, url: str) -> str:
    return title_text(read(body, content_type, url).title)


def _links(body: bytes, content_type: str, url: str) -> tuple[FeedLink, ...]:
    return feed_links(decode_document(body, content_type), url)
