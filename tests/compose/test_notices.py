"""Beside the stories: corrections, each told once, and the sources that nothing is heard from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from service.compose import composition as desk
from service.compose.notices import MAX_CORRECTIONS, find_unhealthy_sources
from service.compose.ports import EditedArticle
from service.compose.stage import Composer, ComposeReport, ManualSendReport, compose, compose_manual, preview
from service.compose.stories.group import GroupedStory
from service.core import ids as identity
from service.core.model import CondensedArticle, Digest, Edit, RenderedMail, SourceHealth
from service.text.sentences import split_sentences
from tests.builders import a_newsletter, an_article, an_edition, condensed
from tests.compose.fakes import MemoryStore, Reader, tell_all

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SEVEN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""Monday, seven o'clock in Berlin."""


@pytest.fixture(autouse=True)
def each_article_its_own_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        desk, "group_stories", lambda articles, *_: tuple(GroupedStory((a,)) for a in articles)
    )


class Aloud:
    """A renderer that says everything in the text, and what is beside the stories in the subject."""

    def render(self, digest: Digest, *, title: str, theme: str, issue_id: str) -> RenderedMail:
        assert title
        assert theme
        assert issue_id
        corrected = [
            f"{c.sent.text} -> {c.current.text}" for f in digest.corrections for c in f.changes if c.current
        ]
        told = [point.text for story in digest.stories for point in story.points]
        lost = [source.name for source in digest.unhealthy_sources]
        return RenderedMail(" ".join([*corrected, *lost]), "", " ".join(told))


@dataclass
class Watch:
    """Sources that stand as a test says."""

    sources: Sequence[SourceHealth]
    asked: list[datetime] = field(default_factory=list)

    async def standing(self, at: datetime) -> Sequence[SourceHealth]:
        self.asked.append(at)
        return self.sources


def a_house(*readers: Reader, sources: Watch | None = None, **newsletter) -> tuple[MemoryStore, Composer]:
    store = MemoryStore(list(readers))
    newsletters = {"morning": a_newsletter(**newsletter)}
    parts = {"settle": 10 * MINUTE, "channel": "file", "splitter": split_sentences, "sources": sources}
    return store, Composer(store, Aloud(), tell_all, newsletters, **parts)


def a_reader(name: str = "amina", **wishes) -> Reader:
    return Reader(name, an_edition(**wishes), SEVEN)


def an_arrival(title: str, before: timedelta = HOUR) -> CondensedArticle:
    moment = SEVEN - before
    text = f"{title} cost 18 million. The mayor spoke. The harbour is closed."
    return condensed(an_article(title, text, gathered_at=moment, published_at=moment))


def an_edit(
    store: MemoryStore, title: str, old: str = "18", new: str = "81", after: timedelta = HOUR
) -> None:
    """Let the publisher edit the article of that title so long after seven."""
    told = next(a for a in store.articles if a.article.title == title)
    text = told.article.text.replace(old, new)
    edit = Edit(identity.edit_key(told.article.id, title, text), title, text, SEVEN + after)
    texts = tuple(issue.rendered.text for reader in store.readers for issue in reader.given)
    store.edits.append(EditedArticle(told.article, told.summary, edit, texts))


# --- corrections -------------------------------------------------------------------------------


async def test_what_was_changed_since_it_was_told_is_in_the_next_issue_and_in_no_other():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")
    for day in (1, 2):
        store.publish(an_arrival(f"News {day}", HOUR - day * DAY))
        await compose(composer, now=SEVEN + day * DAY)

    assert amina.titles == ["", "Fire cost 18 million. -> Fire cost 81 million.", ""]
    assert [len(issue.corrections) for issue in amina.given] == [0, 1, 0]


async def test_who_was_not_told_the_article_is_told_no_correction():
    amina, ben = a_reader("amina"), a_reader("ben", topics=("economy",))
    store, composer = a_house(amina, ben)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")
    rates = an_arrival("Rates", HOUR - DAY)
    store.publish(replace(rates, article=replace(rates.article, topics=("world", "economy"))))
    await compose(composer, now=SEVEN + DAY)

    assert amina.titles[-1] == "Fire cost 18 million. -> Fire cost 81 million."
    assert ben.titles == [""]


async def test_an_edit_rests_before_it_is_told():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire", after=DAY - 5 * MINUTE)
    for day in (1, 2):
        store.publish(an_arrival(f"News {day}", HOUR - day * DAY))
        await compose(composer, now=SEVEN + day * DAY)

    assert [len(issue.corrections) for issue in amina.given] == [0, 0, 1]


async def test_a_correction_alone_makes_no_issue_and_waits_for_the_next():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")

    assert await compose(composer, now=SEVEN + DAY) == ComposeReport(empty=1)
    assert await compose_manual(composer, "morning", None, now=SEVEN + DAY) == ManualSendReport(nothing_new=1)
    store.publish(an_arrival("News", HOUR - 2 * DAY))
    await compose(composer, now=SEVEN + 2 * DAY)
    assert len(amina.given[-1].corrections) == 1


async def test_who_gets_empty_issues_gets_the_correction_in_one():
    amina = a_reader()
    store, composer = a_house(amina, empty="send")
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")

    assert await compose(composer, now=SEVEN + DAY) == ComposeReport(issues=1, deliveries=1)
    assert amina.titles[-1] == "Fire cost 18 million. -> Fire cost 81 million."


async def test_a_newsletter_can_hide_corrections():
    amina = a_reader()
    store, composer = a_house(amina, empty="send", corrections="hide")
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")
    await compose(composer, now=SEVEN + DAY)

    assert amina.titles == ["", ""]


async def test_of_many_corrections_the_oldest_come_first_and_the_others_next_time():
    amina = a_reader(stories=20)
    store, composer = a_house(amina, empty="send")
    titles = [f"Fire {letter}" for letter in "abcde"]
    store.publish(*(an_arrival(title) for title in titles))
    await compose(composer, now=SEVEN)
    for hours, title in enumerate(reversed(titles), start=1):
        an_edit(store, title, after=hours * HOUR)
    for day in (1, 2, 3):
        await compose(composer, now=SEVEN + day * DAY)

    told = [[c.article.title for c in issue.corrections] for issue in amina.given[1:]]
    assert told == [["Fire e", "Fire d", "Fire c"], ["Fire b", "Fire a"], []]
    assert len(told[0]) == MAX_CORRECTIONS


async def test_a_preview_shows_the_margin():
    amina = a_reader()
    watch = Watch([SourceHealth("The Wire", ("world",), is_healthy=False, last_healthy_at=None)])
    store, composer = a_house(amina, sources=watch, show_source_health=True)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")
    seen = await preview(composer, amina.edition, served_through=1, now=SEVEN + DAY)

    assert (len(seen.digest.corrections), len(seen.digest.unhealthy_sources)) == (1, 1)
    assert len(amina.given) == 1


async def test_an_edit_that_cannot_be_compared_costs_nobody_their_issue():
    def broken(text: str, language: str) -> Sequence[tuple[int, int]]:
        raise ValueError(f"no sentence of {language} in {len(text)} letters")

    amina = a_reader()
    store, composer = a_house(amina, empty="send")
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")
    report = await compose(replace(composer, split_sentences=broken), now=SEVEN + DAY)

    assert (report.issues, amina.titles[-1]) == (1, "")
    assert report.problems[0].startswith("the edit of 'Fire' could not be compared, no sentence of en in ")


# --- sources -----------------------------------------------------------------------------------


def a_source(name: str = "The Wire", days: float | None = 3, *, heard: bool = False, topics=("world",)):
    return SourceHealth(
        name, topics, is_healthy=heard, last_healthy_at=None if days is None else SEVEN - days * DAY
    )


async def test_sources_are_named_only_where_the_newsletter_says_so():
    amina, watch = a_reader(), Watch([a_source()])
    store, composer = a_house(amina, sources=watch)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)

    assert (amina.titles, watch.asked) == ([""], [])


async def test_the_feeds_are_asked_about_once_for_all_editions_of_a_moment():
    readers = [a_reader(), a_reader("ben", stories=3), a_reader("cleo", topics=("economy",))]
    watch = Watch([a_source()])
    _, composer = a_house(*readers, sources=watch, show_source_health=True, empty="send")
    await compose(composer, now=SEVEN + MINUTE)

    assert watch.asked == [SEVEN]
    assert [reader.titles for reader in readers] == [["The Wire"], ["The Wire"], [""]]


async def test_a_silent_source_alone_makes_no_issue():
    amina = a_reader()
    _, composer = a_house(amina, sources=Watch([a_source()]), show_source_health=True)

    assert await compose(composer, now=SEVEN) == ComposeReport(empty=1)


def test_a_publisher_is_named_once_and_only_when_none_of_its_feeds_is_heard():
    lost = [a_source(days=3), a_source(days=2), a_source("The Herald"), a_source("The Herald", heard=True)]

    assert find_unhealthy_sources(lost, ()) == (a_source(days=2),)


def test_a_feed_on_other_topics_is_not_missed():
    assert find_unhealthy_sources(
        [a_source(topics=("economy",)), a_source("Both", topics=("world", "sport"))], ("world",)
    ) == (a_source("Both", topics=("world", "sport")),)
    assert len(find_unhealthy_sources([a_source(topics=("economy",))], ())) == 1


def test_who_was_lost_last_comes_first_and_who_was_never_heard_last():
    lost = [a_source("b", 5), a_source("a", None), a_source("d", 1), a_source("c", 5)]

    assert [source.name for source in find_unhealthy_sources(lost, ())] == ["d", "b", "c", "a"]
