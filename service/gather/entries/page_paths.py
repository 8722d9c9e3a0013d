"""Page paths of a feed: whether the next page is read at the path learned from earlier ones. Pure.

See pages/page_path. A path is trusted after three pages at which both readings agreed. Every tenth page after
that is read in both ways again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from service.gather.entries.seen_items import FeedStatistics

MIN_AGREED = 3  # pages in a row that both readings found the same in
PAGES_BETWEEN_CHECKS = 9


@dataclass(frozen=True, slots=True)
class LearnedPath:
    """Where earlier pages had their article, "" for unknown; a page is read only there if it is trusted."""

    path: str = ""
    is_trusted: bool = False


def learned_path(statistics: FeedStatistics, number: int) -> LearnedPath:
    """Return the path for the page of this number (0 for the first) among those of a poll."""
    used = (statistics.path_used + number) % (PAGES_BETWEEN_CHECKS + 1)
    return LearnedPath(
        statistics.page_path, statistics.path_agreed >= MIN_AGREED and used < PAGES_BETWEEN_CHECKS
    )


def with_page_paths(statistics: FeedStatistics, pages: Iterable[tuple[str, bool]]) -> FeedStatistics:
    """Return the statistics after these pages: where each had its article, and whether only that was read."""
    compared = path = statistics.page_path
    agreed, used = statistics.path_agreed, statistics.path_used
    for found, by_path in pages:
        if by_path:
            used += 1
        elif found == compared == path and found:
            agreed, used = min(agreed + 1, MIN_AGREED), 0
        else:
            path, agreed, used = found, 0, 0
    if (path, agreed, used) == (statistics.page_path, statistics.path_agreed, statistics.path_used):
        return statistics
    return replace(statistics, page_path=path, path_agreed=agreed, path_used=used)
