"""Stories: how well articles on one event are grouped, and the cost of adding one to a full window.

quality  pairwise F1 with 95 % intervals (bootstrap by event) on labelled articles, JSONL of {id,
         cluster, date, title, source, text}: as dated, all on one day, titles alone; the threshold chosen
         on other events; compared with titles that share half of their words
series   wrong joins of short items in one form, and accounts of one event in other words that meet, both of
         the tests, alone and among the labelled articles
merging  how often the chosen points of two publishers share many words, compared with points in turn
speed    milliseconds for an article with 10,000 in the window, compared with comparing every pair

python3 dev.py bench stories [--data FILE] [--window 10000]
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import time
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from service.compose.stories import index as story_index
from service.compose.stories.features import grouping_features
from service.compose.stories.group import group_stories
from service.compose.stories.index import StoryIndex
from service.compose.stories.merging.merge import merge_key_points
from service.condense.stage import summarize_article
from service.core.ids import content_id
from service.core.model import Article, CondensedArticle, StoryPoint
from service.text.similarity import sentence_features
from tests.compose.reports import REPORTS
from tests.compose.story_accounts import read_accounts
from tests.compose.story_series import Series, read_series

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ORDERS, DRAWS, FOLDS = 6, 2_000, 5
KEPT, SHOWN = 8, 4
THRESHOLDS = (0.14, 0.16, 0.18, 0.2, 0.22, 0.24, 0.26)

Row = Mapping[str, str]
Placer = Callable[[Sequence[Article]], list[str]]


def rows_of(data: Path | None) -> list[dict[str, str]]:
    """Return the labelled articles of the file, or else those of the tests."""
    if data is not None:
        with data.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    return [
        {
            "id": str(n),
            "cluster": r.event,
            "date": "2026-03-02",
            "title": r.title,
            "source": str(n),
            "text": r.text,
        }
        for n, r in enumerate(REPORTS)
    ]


def article(row: Row, *, dated: bool, text: bool = True) -> Article:
    """Return a row as an article, on its own day or on the same as all others."""
    at = datetime.fromisoformat(row["date"]).replace(hour=12, tzinfo=UTC) if dated else NOON
    return Article(
        id=row["id"],
        feed_id="",
        url=f"https://news.example/{row['id']}",
        title=row["title"],
        text=row["text"] if text else "",
        language=row.get("lang", "en"),
        publisher=row["source"],
        published_at=at,
        gathered_at=at,
    )


def ours(articles: Sequence[Article]) -> list[str]:
    """Return the story of each article, as the index has it."""
    index = StoryIndex()
    return [index.place(one) for one in articles]


def by_titles(articles: Sequence[Article]) -> list[str]:
    """Return the stories that titles with more than half of their words in common make (Jaccard > .5)."""
    stories: list[tuple[str, set[str]]] = []
    placed = []
    for one in articles:
        words = set(one.title.lower().split())
        likely = ((len(words & w) / len(words | w), story) for story, w in stories if words | w)
        best, story = max(likely, default=(0.0, ""))
        placed.append(story if best > 0.5 else one.id)
        stories.append((placed[-1], words))
    return placed


Counts = dict[str, tuple[float, float, float]]


def pair_counts(rows: Sequence[Row], placed: Sequence[str]) -> Counts:
    """Return for each event its pairs found, pairs wrongly joined (half of them each) and pairs missed."""
    found: Counter[str] = Counter()
    wrong: defaultdict[str, float] = defaultdict(float)
    stories: defaultdict[str, list[str]] = defaultdict(list)
    for row, story in zip(rows, placed, strict=True):
        stories[story].append(row["cluster"])
    for events in stories.values():
        for one, other in itertools.combinations(events, 2):
            if one == other:
                found[one] += 1
            else:
                wrong[one] += 0.5
                wrong[other] += 0.5
    sizes = Counter(row["cluster"] for row in rows)
    return {event: (found[event], wrong[event], math.comb(n, 2) - found[event]) for event, n in sizes.items()}


def f1(counts: Sequence[tuple[float, float, float]]) -> float:
    """Return the pairwise F1 over events."""
    found, wrong, missed = (sum(column) for column in zip(*counts, strict=True))
    return 2 * found / (2 * found + wrong + missed) if found else 0.0


def measure(
    rows: Sequence[Row], placer: Placer, *, dated: bool = False, titles: Collection[str] = ()
) -> Counts:
    """Return the mean counts by event over several orders of arrival; `titles` are ids without their text.

    Dated articles arrive by their days, those of one day in any order.
    """
    total: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for order in range(ORDERS):
        arrived = Random(order).sample(rows, len(rows))
        if dated:
            arrived.sort(key=lambda row: row["date"])
        placed = placer([article(row, dated=dated, text=row["id"] not in titles) for row in arrived])
        for event, counts in pair_counts(arrived, placed).items():
            total[event] = [a + b / ORDERS for a, b in zip(total[event], counts, strict=True)]
    return {event: (found, wrong, missed) for event, (found, wrong, missed) in total.items()}


def show(name: str, counts: Counts) -> None:
    """Print a line of the table."""
    events, dice = list(counts.values()), Random(1)
    draws = sorted(f1(dice.choices(events, k=len(events))) for _ in range(DRAWS))
    found, wrong, missed = (sum(column) for column in zip(*events, strict=True))
    low, high = draws[int(0.025 * DRAWS)], draws[int(0.975 * DRAWS)]
    print(f"{name:<44} {f1(events):.3f}  [{low:.3f}, {high:.3f}]  {found:7.1f} {wrong:7.1f} {missed:7.1f}")


def cross_validated(rows: Sequence[Row]) -> Counts:
    """Return counts where each event is judged with the threshold that is best for those of other folds."""
    usual, tried = story_index.MIN_SIMILARITY, {}
    try:
        for threshold in THRESHOLDS:
            story_index.MIN_SIMILARITY = threshold
            tried[threshold] = measure(rows, ours)
    finally:
        story_index.MIN_SIMILARITY = usual
    held: Counts = {}
    fold = {event: int(content_id("fold", event), 16) % FOLDS for event in {row["cluster"] for row in rows}}
    for part in range(FOLDS):
        others = {t: [c for event, c in tried[t].items() if fold[event] != part] for t in THRESHOLDS}
        best = max(THRESHOLDS, key=lambda t: f1(others[t]))
        held |= {event: counts for event, counts in tried[best].items() if fold[event] == part}
    return held


def quality(data: Path | None) -> None:
    """Print how well articles are grouped by event."""
    rows = rows_of(data)
    print(
        f"{len(rows)} articles on {len({row['cluster'] for row in rows})} events from {data or 'the tests'}\n"
    )
    print(f"pairs, mean over {ORDERS} orders of arrival         F1     95 %            found   wrong  missed")
    ids = [row["id"] for row in rows]
    half = [one for one in ids if int(content_id("half", one), 16) % 2]
    show("as dated", measure(rows, ours, dated=True))
    show("  every second one a title alone", measure(rows, ours, dated=True, titles=half))
    show("  titles alone", measure(rows, ours, dated=True, titles=ids))
    show("all on one day", measure(rows, ours))
    show("  threshold chosen on other events", cross_validated(rows))
    show("  every second one a title alone", measure(rows, ours, titles=half))
    show("  titles alone", measure(rows, ours, titles=ids))
    show("titles that share half of their words", measure(rows, by_titles, dated=True))


def series(data: Path | None) -> None:
    """Print the joins of items that have their form in common, and of accounts that have their event."""
    others = [article(row, dated=False) for row in rows_of(data)]
    for name in ("story_series.toml", "story_series_held_out.toml"):
        kinds = read_series(name)
        wrong = [
            kind for kind, items in kinds.items() if any(wrong_joins(items, crowd) for crowd in ([], others))
        ]
        print(f"\n{name}: {len(wrong)} of {len(kinds)} series with a wrong join {', '.join(wrong)}")
    accounts = read_accounts()
    for label, crowd in (("alone", []), ("among others", others)):
        met = sum(len(set(stories_among(event, crowd).values())) == 1 for event in accounts.values())
        print(f"two accounts of one event that meet, {label}: {met} of {len(accounts)}")


def stories_among(items: Series, crowd: Sequence[Article]) -> dict[str, str]:
    """Return item -> story, the items being spread among the articles of the crowd."""
    step = len(crowd) // len(items.articles)
    arrived = list(crowd)
    for number, item in enumerate(items.articles):
        arrived.insert(number * (step + 1), item)
    placed = dict(zip((one.id for one in arrived), ours(arrived), strict=True))
    own = {item.id for item in items.articles}
    stories_of_others = {story for one, story in placed.items() if one not in own}
    return {one: f"{placed[one]} *" if placed[one] in stories_of_others else placed[one] for one in own}


def wrong_joins(items: Series, crowd: Sequence[Article]) -> int:
    """Return how many items of a series are in a story with others, in two orders of arrival."""
    wrong = 0
    for order in (items, items._replace(articles=items.articles[::-1])):
        stories = stories_among(order, crowd)
        sizes = Counter(stories.values())
        wrong += sum(sizes[story] > 1 or story.endswith("*") for story in stories.values())
    return wrong


def merging(data: Path | None) -> None:
    """Print how often the points of a story repeat each other."""
    events: defaultdict[str, list[CondensedArticle]] = defaultdict(list)
    for number, row in enumerate(rows_of(data)):
        one = replace(article(row, dated=True), position=number + 1)
        summary = summarize_article("keypoints", one, KEPT)
        events[row["cluster"]].append(CondensedArticle(one, summary, story=row["cluster"]))
    shared = [members for members in events.values() if len({m.article.publisher for m in members}) > 1]
    print(f"\npairs of points, {SHOWN} a story, of two articles on one of {len(shared)} events, that share")
    print("  of their words           30 %   35 %   40 %")
    for name, merge in (("in turn", in_turn), ("ours", merge_key_points)):
        merged = [merge(group_stories(members)[0].articles, points=SHOWN) for members in shared]
        alike = [overlap(one, other) for story in merged for one, other in itertools.combinations(story, 2)]
        counts = [sum(share >= least for share in alike) for least in (0.3, 0.35, 0.4)]
        print(f"  {name:<22} {counts[0]:6} {counts[1]:6} {counts[2]:6}")


def in_turn(articles: Sequence[CondensedArticle], *, points: int) -> tuple[StoryPoint, ...]:
    """Return the articles' points in turn, the best of each first: the simple way, without comparison."""
    ranked = [sorted(one.summary.key_points, key=lambda point: point.rank) for one in articles]
    rounds = itertools.zip_longest(*([(a, p) for p in own] for a, own in zip(articles, ranked, strict=True)))
    found = [pair for each in rounds for pair in each if pair is not None][:points]
    return tuple(StoryPoint(p.text, p.role, a.article, p.start, p.end) for a, p in found)


def overlap(one: StoryPoint, other: StoryPoint) -> float:
    """Return how many of their words two points of different articles share (Dice)."""
    if one.article.id == other.article.id:
        return 0.0
    terms, others = (sentence_features(point.text, "en").terms for point in (one, other))
    return 2 * len(terms & others) / max(len(terms) + len(others), 1)


def made_up(count: int) -> Iterator[Article]:
    """Yield articles of made-up words that are as frequent as words are (Zipf's law), ten seconds apart."""
    dice = Random(1)
    syllables = [c + v for c in "bcdfghjklmnprstvw" for v in "aeiou"]
    words = [
        "".join(dice.choices(syllables, k=dice.randint(1, 4))) + dice.choice("nsrt") for _ in range(60_000)
    ]
    shares = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(len(words))))

    def sentence(length: int) -> str:
        chosen = [words[bisect(shares, dice.random() * shares[-1])] for _ in range(length)]
        return " ".join(word.title() if dice.random() < 0.12 else word for word in chosen).capitalize()

    for number in range(count):
        at = NOON + timedelta(seconds=10 * number)
        text = ". ".join(sentence(dice.randint(8, 28)) for _ in range(12))
        yield Article(
            str(number),
            "",
            f"https://made.example/{number}",
            sentence(9),
            text,
            "en",
            f"P{number % 40}",
            at,
            at,
        )


def every_pair(articles: Sequence[Article]) -> Callable[[Article], None]:
    """Return a task that compares an article with every known one, with weights in memory."""
    spread = Counter(term for one in articles for term in grouping_features(one).terms)

    def weighed(one: Article) -> dict[str, float]:
        terms = grouping_features(one).terms.items()
        weights = {t: (1 + math.log(c)) * math.log((len(articles) + 1) / (spread[t] + 0.5)) for t, c in terms}
        norm = math.sqrt(sum(w * w for w in weights.values()))
        return {term: weight / norm for term, weight in weights.items()}

    known = [weighed(one) for one in articles]

    def compare(one: Article) -> None:
        new = weighed(one)
        max(sum(weight * old.get(term, 0.0) for term, weight in new.items()) for old in known)

    return compare


def timed(task: Callable[[Article], object], articles: Sequence[Article]) -> list[float]:
    """Return the milliseconds of CPU for each article, sorted."""
    taken = []
    for one in articles:
        start = time.process_time()
        task(one)
        taken.append((time.process_time() - start) * 1e3)
    return sorted(taken)


def speed(window: int) -> None:
    """Print the cost of adding an article to a full window."""
    articles = list(made_up(window + 300))
    index = StoryIndex()
    filling = time.process_time()
    for one in articles[:window]:
        index.place(one)
    filling = time.process_time() - filling
    added = timed(index.place, articles[window:])
    plain = timed(every_pair(articles[:window]), articles[window : window + 12])
    print(f"\nadding an article to {window:,} in the window (filled in {filling:.0f} s of CPU)")
    median, most, pairs = added[len(added) // 2], added[int(len(added) * 0.95)], plain[len(plain) // 2]
    print(f"  index        {median:8.1f} ms median {most:8.1f} ms at 95 %")
    print(f"  every pair   {pairs:8.1f} ms median")
    print(f"  ratio        {pairs / median:8.1f}")


def main() -> None:
    """Run the four parts."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--data", type=Path, help="labelled articles; without it, those of the tests")
    options.add_argument("--window", type=int, default=10_000, help="articles in the window (10000)")
    chosen = options.parse_args()
    if chosen.data is not None and not chosen.data.is_file():
        options.error(f"there is no file {chosen.data}")
    quality(chosen.data)
    series(chosen.data)
    merging(chosen.data)
    speed(chosen.window)


if __name__ == "__main__":
    main()
