"""Match a document's items with those seen before: which are new, renamed or edited. Pure.

Two items are the same when their guids, page addresses or texts are the same. Feeds lose, change, share and
randomise guids, move to other domains and reset their dates; none of that makes an old item new.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from service.core.ids import canonical_url
from service.gather.entries.age import AgeLimit
from service.gather.entries.seen_items import MAX_ITEMS, SeenItem, fingerprint, line_from_item

MAX_EDITS = 5  # per item; a text that changes at every poll contains a counter or an advert

AmbiguousNames = tuple[set[str], set[str]]
"""Fingerprints of the guids, and of the links, that several items of a feed have in common."""

BURST_ITEMS = 10  # more new items than this in one poll, and than three times the most so far, are suspect
LATE_PUBLICATION = timedelta(days=2)  # an item dated longer before the last poll appeared too late to be new
BULK_DATE_WINDOW = timedelta(minutes=10)  # items dated within it come from one import

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class DocumentItem:
    """One item of the document. `previous` is the same item as it was last seen, None for a new one."""

    item: SeenItem
    published_at: datetime | None = None
    day_only: bool = False
    parsed: bool = False
    previous: SeenItem | None = None


@dataclass(frozen=True, slots=True)
class MatchResult:
    """The items (with `previous` filled in), and indices of the new, edited and held ones among them.

    Held items look new but are stored as old, without being sent; `held_reason` is a phrase for people.
    `repeats` counts items that were seen before under another name.
    """

    new: tuple[int, ...]
    edited: tuple[int, ...]
    held: tuple[int, ...]
    held_reason: str
    repeats: int
    items: tuple[DocumentItem, ...]


def folded_words(text: str) -> str:
    """Return the lower-case words of a text, so that spaces and punctuation make no difference."""
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
    """Return whether an address can be that of one article; a site's front page cannot."""
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
    age_limit: AgeLimit | None = None,
) -> MatchResult:
    """Match the items of a document with the `known` items of its feed.

    known             at least those that have a name in common with a parsed item
    ambiguous         the names to ignore
    first_items       how many items are new in a feed that was never read before, None for any other feed
    max_new           the largest number of new items in one poll so far
    last_success_at   the last successful poll
    age_limit         the age from which items are held, None without a limit
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
        return _first_match(found, _latest(found, candidates, first_items), age_limit)
    renamed = [n for n in candidates if found[n].item.title in index.titles]
    if not (len(renamed) >= 2 and len(renamed) * 2 >= len(candidates)):
        renamed = []
    unmatched = [n for n in candidates if n not in set(renamed)]
    held, reason = _held(
        found, unmatched, max_new, last_success_at, renamed=bool(renamed) or repeats >= BURST_ITEMS
    )
    reason = reason if held else ""
    if age_limit and (aged := _aged(found, [n for n in unmatched if n not in held], age_limit)):
        held, reason = [*held, *aged], reason or age_limit.reason
    for n in renamed:
        found[n] = replace(found[n], previous=index.titles[found[n].item.title])
    edited = tuple(n for n, s in enumerate(found) if n not in renamed and _was_edited(s))
    return MatchResult(
        new=tuple(n for n in unmatched if n not in set(held)),
        edited=edited,
        held=(*renamed, *held) if held or len(renamed) >= BURST_ITEMS else (),
        held_reason=reason or "they were seen before under other addresses",
        repeats=repeats + len(renamed),
        items=tuple(found),
    )


def _first_match(
    found: Sequence[DocumentItem], latest: Sequence[int], age_limit: AgeLimit | None
) -> MatchResult:
    """Return the match of a feed that was never read before, of which these items are the latest."""
    aged = _aged(found, latest, age_limit) if age_limit else []
    new = tuple(n for n in latest if n not in aged)
    return MatchResult(new, (), tuple(aged), age_limit.reason if age_limit else "", 0, tuple(found))


def _aged(found: Sequence[DocumentItem], numbers: Sequence[int], limit: AgeLimit) -> list[int]:
    """Return those of the items that are dated before the limit."""
    return [n for n in numbers if (date := found[n].published_at) is not None and date < limit.oldest]


class _Index:
    """The known items by each of their names, without the ambiguous names."""

    def __init__(self, known: Sequence[SeenItem], ambiguous: AmbiguousNames) -> None:
        guids, links = ambiguous
        self.guids = {i.guid: i for i in reversed(known) if i.guid and i.guid not in guids}
        self.links = {i.link: i for i in reversed(known) if i.link and i.link not in links}
        self.titles = {i.title: i for i in reversed(known) if i.title}
        self.words = {(i.title, i.words): i for i in reversed(known) if i.title or i.words}

    def match(self, item: SeenItem) -> SeenItem | None:
        """Return the known item that is the same, None for a new item."""
        by_link = self.links.get(item.link) if item.link else None
        if by_link is not None:
            return by_link
        by_guid = self.guids.get(item.guid) if item.guid else None
        if by_guid is not None and not _reused(item, by_guid):
            return by_guid
        return self.words.get((item.title, item.words))


def _reused(item: SeenItem, old: SeenItem) -> bool:
    """Return whether the guid now names another article: page, title and text all differ."""
    return (
        bool(item.link and old.link)
        and item.link != old.link
        and item.title != old.title
        and item.words != old.words
    )


def ambiguous_names(items: Sequence[DocumentItem], known: Sequence[SeenItem]) -> AmbiguousNames:
    """Return the guids and links of the parsed items that several items of the feed have in common."""
    names = {s.item.guid for s in items if s.parsed}, {s.item.link for s in items if s.parsed}
    in_document, in_known = _shared((s.item for s in items), names), _shared(known, names)
    return in_document[0] | in_known[0], in_document[1] | in_known[1]


def _shared(items: Iterable[SeenItem], names: AmbiguousNames) -> AmbiguousNames:
    """Return those of the guids and links that several different items have."""
    of_guids, of_links = names
    distinct = {i[1:5] for i in items if i.guid in of_guids or i.link in of_links}
    guids = Counter(guid for guid, _, _ in {(g, t, w) for g, _, t, w in distinct} if guid)
    links = Counter(link for link, _ in {(link, t) for _, link, t, _ in distinct} if link)
    return {g for g, n in guids.items() if n > 1}, {link for link, n in links.items() if n > 1}


def _held(
    found: Sequence[DocumentItem],
    unmatched: Sequence[int],
    max_new: int,
    last_success_at: datetime | None,
    *,
    renamed: bool,
) -> tuple[list[int], str]:
    """Return which of the unmatched items are probably not new, and why."""
    if not unmatched or last_success_at is None:
        return [], ""
    late = last_success_at - LATE_PUBLICATION
    dates = {n: found[n].published_at for n in unmatched}
    if renamed:
        imported = _same_date([d for d in dates.values() if d])
        old = [n for n in unmatched if (d := dates[n]) is None or d < late or imported]
        return old, "they appeared together with items seen before under other addresses"
    if len(unmatched) <= max(BURST_ITEMS, 3 * max_new):
        return [], ""
    undated = [n for n in unmatched if dates[n] is None]
    old = [n for n in unmatched if (d := dates[n]) is not None and d < late] + undated[BURST_ITEMS:]
    return old, "many appeared at once, dated before the last poll or not at all"


def _same_date(dates: Sequence[datetime]) -> bool:
    """Return whether most of the dates are nearly the same, as after an import."""
    if len(dates) < 3:
        return False
    middle = sorted(dates)[len(dates) // 2]
    return sum(1 for d in dates if abs(d - middle) <= BULK_DATE_WINDOW) * 2 > len(dates)


def _latest(found: Sequence[DocumentItem], candidates: Sequence[int], count: int) -> tuple[int, ...]:
    """Return the newest by date, or by position in the document when most have no date."""
    dated: Mapping[int, datetime] = {n: d for n in candidates if (d := found[n].published_at) is not None}
    if len(dated) * 2 < len(candidates):
        return tuple(candidates[:count])
    ranked = sorted(candidates, key=lambda n: dated[n].timestamp() if n in dated else 0.0, reverse=True)
    return tuple(sorted(ranked[:count]))


def _was_edited(document_item: DocumentItem) -> bool:
    old = document_item.previous
    return (
        document_item.parsed
        and old is not None
        and document_item.item.is_edit_of(old)
        and old.edits < MAX_EDITS
    )


def lines_to_remember(items: Sequence[DocumentItem], lines: Sequence[str]) -> list[str]:
    """Return the lines to store: the document's items, then the latest of those no longer in it."""
    current: list[str] = []
    replaced: set[str] = set()
    for document_item in items:
        item, old = document_item.item, document_item.previous
        if document_item.parsed and old is not None:
            replaced.add(old.raw)
            item = item._replace(edits=old.edits + item.is_edit_of(old))
        replaced.add(item.raw)
        current.append(line_from_item(item))
    limit = min(MAX_ITEMS, max(500, 3 * len(current)))
    older = [line for line in lines if line.partition(" ")[0] not in replaced]
    return [*dict.fromkeys(current), *older][:limit]
