"""Recognise: which of a document's items are new, which are old under another name, which were edited. Pure.

An item is the same if its guid, its page's address or its words say so; feeds lose, change, share and
randomise guids, move to other domains and date everything anew, and none of that is news.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from service.core.ids import canonical_url
from service.gather.entries.seen_items import MAX_ITEMS, SeenItem, fingerprint, line_from_item

MAX_EDITS = 5
"""A text that is another at every look (counters, adverts) is followed this far and no further."""

AmbiguousNames = tuple[set[str], set[str]]
"""Fingerprints of guids, and of links."""

BURST_ITEMS = 10
LATE_PUBLICATION = timedelta(days=2)
BULK_DATE_WINDOW = timedelta(minutes=10)

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class DocumentItem:
    """One item of the document at hand. `old` is what it was known as, None for something never seen."""

    item: SeenItem
    published_at: datetime | None = None
    parsed: bool = False
    previous: SeenItem | None = None


@dataclass(frozen=True, slots=True)
class MatchResult:
    """What the document's items are, by index into it; `held` with its reason in plain words.

    `found` are the items themselves, with what each was known as.
    """

    new: tuple[int, ...]
    edited: tuple[int, ...]
    held: tuple[int, ...]
    held_reason: str
    repeats: int
    items: tuple[DocumentItem, ...]


def folded_words(text: str) -> str:
    """Return the words of a text alone, so that markup, spaces and punctuation make no difference."""
    return " ".join(_WORD.findall(text.casefold()))


def seen_item_of(raw: str, *, guid: str, url: str, title: str, text: str) -> SeenItem:
    """Return the fingerprints of an entry."""
    link = canonical_url(url) if identifies_article(url) else ""
    return SeenItem(
        raw,
        fingerprint(guid),
        fingerprint(link),
        fingerprint(folded_words(title)),
        fingerprint(folded_words(text)),
    )


def identifies_article(url: str) -> bool:
    """Tell whether an address can be that of one article: a site's front page cannot."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and (parts.path.strip("/") != "" or parts.query != "")


def match_items(
    items: Sequence[DocumentItem],
    known: Sequence[SeenItem],
    ambiguous: AmbiguousNames,
    *,
    first_items: int | None,
    max_new: int,
    last_success_at: datetime | None,
) -> MatchResult:
    """Judge the items of a document against what was known of its feed.

    `known` holds at least what shares a name with an item seen for the first time; `shared` are the names
    that do not count.

    `first` is how many to take from a feed never read before (None: it was). `most` is the largest number of
    items that came at one look so far; `since` the last look that succeeded.
    """
    index = _Index(known, ambiguous)
    found = [s if not s.parsed else replace(s, previous=index.match(s.item)) for s in items]
    candidates = [n for n, s in enumerate(found) if s.parsed and s.previous is None]
    repeats = sum(
        1
        for s in found
        if s.parsed and s.previous and (s.previous.guid, s.previous.link) != (s.item.guid, s.item.link)
    )
    if first_items is not None:
        return MatchResult(_latest(found, candidates, first_items), (), (), "", 0, tuple(found))
    renamed = [n for n in candidates if found[n].item.title in index.titles]
    if not (len(renamed) >= 2 and len(renamed) * 2 >= len(candidates)):
        renamed = []
    rest = [n for n in candidates if n not in set(renamed)]
    held, why = _held(
        found,
        rest,
        bool(renamed) or repeats >= BURST_ITEMS,
        max_new,
        last_success_at,
        first_items=BURST_ITEMS,
    )
    why = why if held else ""
    for n in renamed:
        found[n] = replace(found[n], previous=index.titles[found[n].item.title])
    changed = tuple(n for n, s in enumerate(found) if n not in renamed and _was_edited(s))
    return MatchResult(
        new=tuple(n for n in rest if n not in set(held)),
        edited=changed,
        held=(*renamed, *held) if held or len(renamed) >= BURST_ITEMS else (),
        held_reason=why or "they were known under other addresses",
        repeats=repeats + len(renamed),
        items=tuple(found),
    )


class _Index:
    """The known items by each of their names; a name that several items share names none of them."""

    def __init__(self, known: Sequence[SeenItem], shared: AmbiguousNames) -> None:
        guids, links = shared
        self.guids = {i.guid: i for i in reversed(known) if i.guid and i.guid not in guids}
        self.links = {i.link: i for i in reversed(known) if i.link and i.link not in links}
        self.titles = {i.title: i for i in reversed(known) if i.title}
        self.words = {(i.title, i.words): i for i in reversed(known) if i.title or i.words}

    def match(self, item: SeenItem) -> SeenItem | None:
        """Return what the item was known as."""
        by_link = self.links.get(item.link) if item.link else None
        if by_link is not None:
            return by_link
        by_guid = self.guids.get(item.guid) if item.guid else None
        if by_guid is not None and not _reused(item, by_guid):
            return by_guid
        return self.words.get((item.title, item.words))


def _reused(item: SeenItem, old: SeenItem) -> bool:
    """Tell whether a guid was given to another article: page, title and words are all different ones."""
    return (
        bool(item.link and old.link)
        and item.link != old.link
        and item.title != old.title
        and item.words != old.words
    )


def ambiguous_names(items: Sequence[DocumentItem], known: Sequence[SeenItem]) -> AmbiguousNames:
    """Return the fingerprints of guids, and of links, that do not tell a feed's items apart.

    Of all names, only those of the items that are seen for the first time are asked for.
    """
    asked = {s.item.guid for s in items if s.parsed}, {s.item.link for s in items if s.parsed}
    in_document, in_memory = _shared((s.item for s in items), asked), _shared(known, asked)
    return in_document[0] | in_memory[0], in_document[1] | in_memory[1]


def _shared(items: Iterable[SeenItem], asked: AmbiguousNames) -> AmbiguousNames:
    """Return those of the guids and links that several different items bear."""
    of_guids, of_links = asked
    distinct = {i[1:5] for i in items if i.guid in of_guids or i.link in of_links}
    guids = Counter(guid for guid, _, _ in {(g, t, w) for g, _, t, w in distinct} if guid)
    links = Counter(link for link, _ in {(link, t) for _, link, t, _ in distinct} if link)
    return {g for g, n in guids.items() if n > 1}, {link for link, n in links.items() if n > 1}


def _held(
    found: Sequence[DocumentItem],
    rest: Sequence[int],
    reissued: bool,
    most: int,
    since: datetime | None,
    *,
    first_items: int,
) -> tuple[list[int], str]:
    """Return which of the items that nothing matches are still not believed to be news, and why."""
    if not rest or since is None:
        return [], ""
    dates = {n: found[n].published_at for n in rest}
    if reissued:
        alike = _alike([d for d in dates.values() if d])
        old = [n for n in rest if (d := dates[n]) is None or d < since - LATE_PUBLICATION or alike]
        return old, "they came along with items that are known under other addresses"
    if len(rest) <= max(BURST_ITEMS, 3 * most):
        return [], ""
    undated = [n for n in rest if dates[n] is None]
    old = [n for n in rest if (d := dates[n]) is not None and d < since - LATE_PUBLICATION] + undated[
        first_items:
    ]
    return old, "a burst of them came at once, dated before the last look or not at all"


def _alike(dates: Sequence[datetime]) -> bool:
    """Tell whether most of the dates are practically the same one, as after a re-import."""
    if len(dates) < 3:
        return False
    middle = sorted(dates)[len(dates) // 2]
    return sum(1 for d in dates if abs(d - middle) <= BULK_DATE_WINDOW) * 2 > len(dates)


def _latest(found: Sequence[DocumentItem], candidates: Sequence[int], count: int) -> tuple[int, ...]:
    """Return the newest by date, or by place in the document when most have no date."""
    dated: Mapping[int, datetime] = {n: d for n in candidates if (d := found[n].published_at) is not None}
    if len(dated) * 2 < len(candidates):
        return tuple(candidates[:count])
    ranked = sorted(candidates, key=lambda n: dated[n].timestamp() if n in dated else 0.0, reverse=True)
    return tuple(sorted(ranked[:count]))


def _was_edited(sighting: DocumentItem) -> bool:
    old = sighting.previous
    return (
        sighting.parsed
        and old is not None
        and (old.title, old.words) != (sighting.item.title, sighting.item.words)
        and old.edits < MAX_EDITS
    )


def lines_to_remember(items: Sequence[DocumentItem], lines: Sequence[str]) -> list[str]:
    """Return the lines to remember: the document's items, then those that left it not long ago."""
    current: list[str] = []
    gone_by: set[str] = set()
    for sighting in items:
        item, old = sighting.item, sighting.previous
        if sighting.parsed and old is not None:
            gone_by.add(old.raw)
            item = item._replace(edits=old.edits + ((old.title, old.words) != (item.title, item.words)))
        gone_by.add(item.raw)
        current.append(line_from_item(item))
    limit = min(MAX_ITEMS, max(500, 3 * len(current)))
    older = [line for line in lines if line.partition(" ")[0] not in gone_by]
    return [*dict.fromkeys(current), *older][:limit]
