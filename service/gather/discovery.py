"""Find: the feeds of a site, from whatever address of it a person knows."""

from __future__ import annotations

from dataclasses import dataclass

from service.core.errors import FeedUnreadable
from service.gather.entries.markup import title_text
from service.gather.formats.charset import decode_document
from service.gather.formats.html_links import FeedLink, feed_links, guessed_addresses
from service.gather.formats.registry import read
from service.gather.http.executor import ThreadWorkers, Workers, WorkLimitExceeded
from service.gather.ports import Fetched, Fetcher, FetchFailed


@dataclass(frozen=True, slots=True)
class DiscoveredFeeds:
    """The feeds that an address leads to, best first; when there are none, `why`."""

    feeds: tuple[FeedLink, ...]
    reason: str = ""


async def find_feeds(address: str, fetcher: Fetcher, *, workers: Workers | None = None) -> DiscoveredFeeds:
    """Return the feed at the address, else those that the page there names, else those in usual places.

    An address without a scheme is taken for https, then http.
    """
    workers = workers or ThreadWorkers()
    answer = await _answer(address.strip(), fetcher)
    if not isinstance(answer, Fetched):
        return DiscoveredFeeds((), answer.reason)
    title, trouble = await _title(answer, workers)
    if not trouble:
        return DiscoveredFeeds((FeedLink(answer.moved_to or answer.url, title),))
    named = await workers.run(_named, answer.body, answer.content_type, answer.url)
    if named:
        return DiscoveredFeeds(named)
    for guess in guessed_addresses(answer.url):
        there = await fetcher.fetch(guess)
        if isinstance(there, Fetched):
            title, missing = await _title(there, workers)
            if not missing:
                return DiscoveredFeeds((FeedLink(there.url, title),))
    return DiscoveredFeeds((), trouble)


async def _answer(address: str, fetcher: Fetcher) -> Fetched | FetchFailed:
    addresses = [address] if "://" in address else [f"https://{address}", f"http://{address}"]
    answer = FetchFailed("the address is empty")
    for each in addresses:
        got = await fetcher.fetch(each)
        if isinstance(got, Fetched):
            return got
        answer = (
            got
            if isinstance(got, FetchFailed)
            else FetchFailed("the publisher says that nothing is there any more (410)")
        )
    return answer


async def _title(answer: Fetched, workers: Workers) -> tuple[str, str]:
    """Return the title of the feed, and why there is none."""
    try:
        return await workers.run(_title_of, answer.body, answer.content_type, answer.url), ""
    except (FeedUnreadable, WorkLimitExceeded) as trouble:
        return "", str(trouble)


def _title_of(body: bytes, content_type: str, url: str) -> str:
    return title_text(read(body, content_type, url).title)


def _named(body: bytes, content_type: str, url: str) -> tuple[FeedLink, ...]:
    return feed_links(decode_document(body, content_type), url)
