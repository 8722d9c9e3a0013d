"""Invented news for the benchmark of a day: events in four languages, told by several publishers.

The texts have the structure of reports (claims, caveats, quotations) and the vocabulary of an event of its
own, so that stories form, languages are recognised and key points have caveats. With a folder of texts
(`*.jsonl` with the keys title, text and lang) each event is one of these texts instead.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random

TOPICS = ("world", "business", "science", "sport", "culture", "health", "climate", "technology")
LANGUAGES = ("en", "en", "en", "en", "en", "en", "fr", "fr", "de", "es")
"""Of ten feeds."""

STORY_SIZES = (1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 5, 9)
"""Numbers of publishers that report an event, as often as they occur."""

HOURS = (2, 2, 1, 1, 2, 4, 6, 8, 9, 9, 8, 8, 7, 7, 8, 8, 8, 8, 7, 6, 5, 4, 3, 3)
"""How many events begin in each hour of a day."""

INVENTED_NOUNS = 3_000  # of a language, in addition to its common nouns
MEAN_SENTENCES = 17  # of an article: 2.6 KB
MAX_SENTENCES = 90
SYLLABLES = [f"{c}{v}" for c in "bcdfghklmnprstvz" for v in ("a", "e", "i", "o", "u", "ar", "en", "il")]


@dataclass(frozen=True, slots=True)
class Publisher:
    """A feed: its number, format, and how its server behaves.

    `whole`: its entries have the whole article. `validators`: the server knows ETag. `restless`: its body
    changes at each request, as with a counter or the time of day.
    """

    number: int
    language: str
    topics: tuple[str, ...]
    format: str
    whole: bool
    validators: bool
    restless: bool
    weight: float

    @property
    def host(self) -> str:
        """An address of the loopback network; two feeds share one, as sections of a paper do."""
        return f"127.0.{1 + self.number // 2 // 250}.{1 + self.number // 2 % 250}"


@dataclass(frozen=True, slots=True)
class Report:
    """An article: the publisher (number), the event (number), and its paragraphs."""

    number: int
    publisher: int
    event: int
    at: datetime
    title: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole text."""
        return "\n\n".join(self.paragraphs)


def publishers(count: int) -> list[Publisher]:
    """Return the feeds: seven of ten are teasers, six know ETag, one changes its body each time."""
    found = []
    for n in range(count):
        place = n * 7 % 10
        form = ("rss", "atom", "rss", "rdf", "rss", "rss", "atom", "rss", "rss", "rss")[n * 3 % 10]
        found.append(
            Publisher(
                n,
                LANGUAGES[n % len(LANGUAGES)],
                tuple(dict.fromkeys((TOPICS[n % 8], TOPICS[n * 5 % 7]))),
                form,
                whole=form != "rdf" and n // 10 % 10 < 3,
                validators=place < 6,
                restless=place == 9,
                weight=1 / (4 + n % 60),
            )
        )
    return found


def reports(
    feeds: Sequence[Publisher], count: int, start: datetime, days: int, texts: Path | None = None
) -> list[Report]:
    """Return about `count` reports for each day, in the order of publication."""
    random = Random(f"{len(feeds)} {count} {days}")
    by_language = {name: [one for one in feeds if one.language == name] for name in set(LANGUAGES)}
    writers = {name: _Writer(name) for name in by_language}
    sources = _sources(texts)
    found: list[Report] = []
    event = 0
    while len(found) < count * days:
        event += 1
        dice = Random(f"event {event}")
        source = sources[event % len(sources)] if sources else None
        language = source[0] if source else dice.choice(LANGUAGES)
        tellers = by_language.get(language) or feeds
        day = timedelta(days=random.randrange(days))
        first = (
            start + day + timedelta(hours=random.choices(range(24), HOURS)[0], seconds=dice.random() * 3600)
        )
        size = min(dice.choice(STORY_SIZES), len(tellers))
        story = _Told(source) if source else _Event(writers[language], dice)
        for place, feed in enumerate(_chosen(dice, tellers, size)):
            late = timedelta(hours=dice.expovariate(1 / 3)) if place else timedelta()
            if (at := first + late) < start + timedelta(days=days):
                found.append(Report(0, feed.number, event, at, *story.told(dice, place)))
    found.sort(key=lambda one: one.at)
    return [
        Report(n, one.publisher, one.event, one.at, one.title, one.paragraphs) for n, one in enumerate(found)
    ]


def _chosen(dice: Random, feeds: Sequence[Publisher], size: int) -> list[Publisher]:
    """Return this many different feeds, the busy ones more often."""
    bounds = list(accumulate(feed.weight for feed in feeds))
    chosen: dict[int, Publisher] = {}
    while len(chosen) < size:
        one = dice.choices(feeds, cum_weights=bounds)[0]
        chosen[one.number] = one
    return list(chosen.values())


class _Writer:
    """The words of a language."""

    def __init__(self, language: str) -> None:
        table = tomllib.loads((Path(__file__).parent / "_day_words.toml").read_text(encoding="utf-8"))[
            language
        ]
        dice = Random(language)
        self.common = table["nouns"].split()
        self.rare = [_word(dice, 3) for _ in range(INVENTED_NOUNS)]
        self.adjectives, self.verbs = table["adjectives"].split(), table["verbs"].split()
        self.days = table["days"].split()
        self.titles, self.claims, self.caveats = table["titles"], table["claims"], table["caveats"]
        self.quotes, self.clauses = table["quotes"], table["clauses"]


class _Event:
    """An event with names and words of its own, and what happened: facts that its reports share."""

    def __init__(self, words: _Writer, dice: Random) -> None:
        self._words, self._dice = words, dice
        self._people = [f"{_word(dice, 2).title()} {_word(dice, 3).title()}" for _ in range(4)]
        self._places = [_word(dice, 3).title() for _ in range(3)]
        self._own = [_word(dice, 4) for _ in range(8)]
        self._nouns = dice.sample(words.rare, 14)
        self._facts = [self._sentence(self._words.claims) for _ in range(10)]
        self._facts += [self._sentence(self._words.caveats) for _ in range(3)]

    def told(self, dice: Random, _place: int) -> tuple[str, tuple[str, ...]]:
        """Return the title and the paragraphs of one publisher's report."""
        size = min(MAX_SENTENCES, max(3, round(dice.lognormvariate(0, 0.7) * MEAN_SENTENCES * 0.78)))
        shared = [fact for fact in self._facts if dice.random() < 0.55][: size // 2 + 1]
        lines = shared + [self._own_sentence(dice) for _ in range(size - len(shared))]
        lead, rest = lines[0], lines[1:]
        dice.shuffle(rest)
        paragraphs, at = [lead], 0
        while at < len(rest):
            step = dice.randint(1, 4)
            paragraphs.append(" ".join(rest[at : at + step]))
            at += step
        title = self._fill(dice.choice(self._words.titles))
        return title[0].upper() + title[1:], tuple(paragraphs)

    def _own_sentence(self, dice: Random) -> str:
        words = self._words
        kind = dice.choices((words.claims, words.caveats, words.quotes), (70, 13, 17))[0]
        return self._sentence(kind)

    def _sentence(self, patterns: Sequence[str]) -> str:
        pattern = self._dice.choice(patterns) + self._dice.choice(self._words.clauses)
        return f"{self._fill(pattern)}."

    def _fill(self, pattern: str) -> str:
        return re.sub(r"\{(\w)\}", lambda found: self._value(found[1]), pattern)

    def _value(self, slot: str) -> str:
        words, dice = self._words, self._dice
        if slot == "n":
            return dice.choice(words.common if dice.random() < 0.55 else self._nouns)
        if slot == "d":
            return str(dice.randrange(2, 990))
        lists = {
            "p": self._people, "o": self._places, "x": self._own,
            "a": words.adjectives, "v": words.verbs, "t": words.days,
        }  # fmt: skip
        return dice.choice(lists[slot])


class _Told:
    """A text that was given: its first report is whole, the others leave out sentences."""

    def __init__(self, source: tuple[str, str, str]) -> None:
        _, self._title, text = source
        self._paragraphs = [part for part in re.split(r"\n\s*\n", text) if part.strip()]

    def told(self, dice: Random, place: int) -> tuple[str, tuple[str, ...]]:
        """Return the title and the paragraphs of one publisher's report."""
        if not place:
            return self._title, tuple(self._paragraphs)
        lines = [re.split(r"(?<=[.!?])\s+", part) for part in self._paragraphs]
        kept = [" ".join(one for one in part if dice.random() < 0.7) for part in lines]
        return f"{self._title} ({place})", tuple(filter(None, kept)) or tuple(self._paragraphs)


def _sources(folder: Path | None) -> list[tuple[str, str, str]]:
    """Return language, title and text of each text in the folder."""
    return [source for path in sorted(folder.glob("*.jsonl")) for source in _lines(path)] if folder else []


def _lines(path: Path) -> Iterator[tuple[str, str, str]]:
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        text = row["text"]
        yield row.get("lang") or "en", row.get("title") or text[:70], text


def _word(dice: Random, syllables: int) -> str:
    return "".join(dice.choice(SYLLABLES) for _ in range(syllables))
