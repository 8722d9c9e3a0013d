"""The output of `caveat feed inspect`: the entries of a feed, their categories, and a mapping for these."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from service.app import feeds
from service.app.feeds import Inspection
from service.cli.ui.output import print_data, print_message, printable, quantity
from service.core.model import Roster

MAX_SHOWN_ENTRIES = 10
FORMAT_NAMES = {
    "rss20": "RSS 2.0",
    "rss10": "RSS 1.0",
    "rss092": "RSS 0.92",
    "rss091u": "RSS 0.91",
    "rss091n": "RSS 0.91",
    "rss090": "RSS 0.90",
    "atom10": "Atom 1.0",
    "atom03": "Atom 0.3",
    "json11": "JSON Feed 1.1",
    "json10": "JSON Feed 1.0",
    "cdf": "CDF",
}
"""The name of each format in its specification."""


Mapping = Sequence[tuple[str, str]]
"""Folded names of categories, each with its topic."""


def print_inspection(inspection: Inspection, roster: Roster) -> None:
    """Print the entries of a feed, or why it cannot be read; `roster` has the mappings of its categories."""
    if not inspection.ok:
        print_message(f"{inspection.source}: {inspection.error}")
        return
    format_name = FORMAT_NAMES.get(inspection.format, inspection.format)
    entries = quantity(len(inspection.entries), "entry", "entries")
    facts = ", ".join(filter(None, (format_name, printable(inspection.title), entries)))
    print_data(f"{inspection.source}: {facts}")
    if inspection.error:
        print_message(f"{inspection.source}: {inspection.error}")
    mapping = feeds.mapping_of(inspection.source, roster)
    for entry in inspection.entries[:MAX_SHOWN_ENTRIES]:
        published = entry.published[: 10 if entry.day_only else 16].replace("T", " ")
        print_data(f"  {published:<16}  {entry.title}")
        print_data(f"  {'':<16}  {entry.url}")
        if entry.categories:
            print_data(f"  {'':<16}  {', '.join(_shown_categories(entry.categories, mapping))}")
    if (more := len(inspection.entries) - MAX_SHOWN_ENTRIES) > 0:
        print_data(f"  {'':<16}  and {more} more")
    _print_proposal(inspection, mapping, roster)


def _shown_categories(categories: Iterable[str], mapping: Mapping) -> Iterator[str]:
    """Yield each category with the topics that it gives an article: `Business (topic economy)`."""
    for category in categories:
        topics = ", ".join(feeds.mapped_topics(mapping, [category]))
        yield printable(f"{category} (topic {topics})" if topics else category)


def _print_proposal(inspection: Inspection, mapping: Mapping, roster: Roster) -> None:
    proposed = feeds.proposed_mapping(inspection, mapping, roster)
    if not proposed:
        return
    print_data("")
    print_data(
        "These categories give their articles no topic. To change that, add to the feed in feeds.yaml:"
    )
    print_data("  categories:")
    for category, topic in proposed.items():
        print_data(printable(f"    {json.dumps(category, ensure_ascii=False)}: {topic}"))
