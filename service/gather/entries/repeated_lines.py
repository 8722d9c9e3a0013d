"""Repeated lines: mark the blocks that stand in several articles of a feed. Pure.

What a publisher adds to its articles, it adds to many of them in the same words. Of each short block a
fingerprint is remembered with the number of new articles that had it. Versions of one article share most of
their text; that is no furniture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from service.core.model import Article, Block, BlockKind
from service.gather.entries.match import folded_words
from service.gather.entries.seen_items import FeedStatistics, fingerprint
from service.text.lexicon import CUES, FLAG_BIT, lexicon_for, tokenize

MAX_LINE_CHARACTERS = 300  # a longer block is text
MAX_LINES = 256  # remembered of a feed, 13 bytes each
MAX_BLOCKS = 2_000  # read of an article
FIRST_BLOCKS, LAST_BLOCKS = 3, 6  # of an article, in which a line that was seen once is remembered
MIN_ARTICLES = 3  # that have a line which is repeated
FEW_ARTICLES = 5  # in a feed of so few, two articles are enough
MAX_REPEATED_SHARE = 0.5  # of an article's characters; above it, the article is a version of others
MIN_FEED_SHARE = 0.5  # of the feed's articles that have a line which no version explains

_UNMARKED = frozenset({BlockKind.HEADING, BlockKind.ROW, BlockKind.PREFORMATTED})
_CAVEAT_CUES = sum(
    1 << FLAG_BIT[cue]
    for cue in CUES
    if cue in ("negation", "denial", "unsure", "explicit", "reserve", "limit")
)


def count_lines(statistics: FeedStatistics, articles: Sequence[Article]) -> FeedStatistics:
    """Return the statistics with the lines of new articles counted, the latest ones first."""
    counts: Counter[str] = Counter()
    edges: set[str] = set()  # only asked, never listed: its order is not stable
    for article in articles:
        lines = _lines(article)
        counts.update(list(dict.fromkeys(lines.values())))
        blocks = list(lines)
        edges.update(lines[block] for block in [*blocks[:FIRST_BLOCKS], *blocks[-LAST_BLOCKS:]])
    if not counts:
        return statistics
    known = statistics.lines
    latest = {line: count + known.get(line, 0) for line, count in counts.items()}
    merged = {**latest, **{line: count for line, count in known.items() if line not in latest}}
    kept = [line for line, count in merged.items() if count > 1][:MAX_LINES]
    kept += [line for line, count in merged.items() if count == 1 and (line in edges or line in known)]
    remembered = {line: merged[line] for line in kept[:MAX_LINES]}
    counted = sum(1 for article in articles if article.blocks)
    return replace(statistics, lines=remembered, lined=statistics.lined + counted)


def with_repeated_lines(statistics: FeedStatistics, articles: Iterable[Article]) -> tuple[Article, ...]:
    """Return the articles with the blocks marked that other articles of the feed have too."""
    return tuple(_marked(statistics, article) for article in articles)


def _marked(statistics: FeedStatistics, article: Article) -> Article:
    enough = 2 if statistics.lined <= FEW_ARTICLES else MIN_ARTICLES
    counts = {
        block: count
        for block, line in _lines(article).items()
        if (count := statistics.lines.get(line, 0)) >= enough and not _may_be_caveat(article, block)
    }
    if _is_version(article, counts):
        counts = {
            block: count for block, count in counts.items() if count > MIN_FEED_SHARE * statistics.lined
        }
    if not counts or len(counts) == len(article.blocks):
        return article
    return replace(
        article, blocks=tuple(block._replace(repeated=block in counts) for block in article.blocks)
    )


def _lines(article: Article) -> Mapping[Block, str]:
    """Return the fingerprints of the short blocks that may be marked."""
    return {
        block: fingerprint(folded_words(article.text[block.start : block.end]))
        for block in article.blocks[:MAX_BLOCKS]
        if block.end - block.start <= MAX_LINE_CHARACTERS and block.kind not in _UNMARKED
    }


def _is_version(article: Article, repeated: Iterable[Block]) -> bool:
    shared = sum(block.end - block.start for block in repeated)
    return shared > MAX_REPEATED_SHARE * sum(block.end - block.start for block in article.blocks)


def _may_be_caveat(article: Article, block: Block) -> bool:
    """Return whether the line denies or limits something: "No tsunami warning was issued."."""
    lexicon = lexicon_for(article.language)
    return any(lexicon[word] & _CAVEAT_CUES for word in tokenize(article.text[block.start : block.end]))
