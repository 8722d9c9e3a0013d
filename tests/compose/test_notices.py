"""Notices: corrections, each sent once, and unhealthy sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from typing_extensions import override

from service.compose import corrections, released_stories
from service.compose.notices import MAX_CORRECTIONS, find_unhealthy_sources
from service.compose.ports import EditedArticle, Renderer, SourceHealthReader
from service.compose.stage import Composer, ComposeReport, ManualSendReport, compose, compose_manual, preview
from service.compose.stories.group import GroupedStory
from service.core import ids as identity
from service.core.model import CondensedArticle, Digest, Edit, RenderedMail, SourceHealth
from tests.builders import a_newsletter, an_article, an_edition, condensed
from tests.compose.fakes import Member, MemoryStore, merge_all

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SEVEN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""Monday, seven o'clock in Berlin."""


@pytest.fixture(autouse=True)
def each_article_its_own_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        released_stories, "group_stories", lambda articles, *_: tuple(GroupedStory((a,)) for a in articles)
    )


class NoticesInSubject(Renderer):
    """A renderer with all points in the text and the notices in the subject."""

    @override
    def render(self, digest: Digest, *, title: str, theme: str, issue_id: str, **_: str) -> RenderedMail:
        assert title
        assert theme
        assert issue_id
        corrected = [
            f"{c.sent.text} -> {c.current.text}" for f in digest.corrections for c in f.changes if c.current
        ]
        points = [point.text for story in digest.stories for point in story.points]
        sources = [source.name for source in digest.unhealthy_sources]
        return RenderedMail(" ".join([*corrected, *sources]), "", " ".join(points))


@dataclass
class FixedHealth(SourceHealthReader):
    """Reads the health that a test sets; `reads` are the times."""

    sources: Sequence[SourceHealth]
    reads: list[datetime] = field(default_factory=list)

    @override
    async def source_health(self, at: datetime) -> Sequence[SourceHealth]:
        self.reads.append(at)
        return self.sources


def a_composer(
    *members: Member, sources: FixedHealth | None = None, **newsletter
) -> tuple[MemoryStore, Composer]:
    store = MemoryStore(list(members))
    newsletters = {"morning": a_newsletter(**newsletter)}
    parts = {"settle": 10 * MINUTE, "channel": "file", "source_health": sources}
    return store, Composer(store, NoticesInSubject(), merge_all, newsletters, **parts)


def a_member(name: str = "amina", **wishes) -> Member:
    return Member(name, an_edition(**wishes), SEVEN)


def an_arrival(title: str, before: timedelta = HOUR) -> CondensedArticle:
    moment = SEVEN - before
    text = f"{title} cost 18 million. The mayor spoke. The harbour is closed."
    return condensed(an_article(title, text, gathered_at=moment, published_at=moment))


def an_edit(
    store: MemoryStore, title: str, old: str = "18", new: str = "81", after: timedelta = HOUR
) -> None:
    """Edit the article of that title, that time after seven."""
    article = next(a for a in store.articles if a.article.title == title)
    text = article.article.text.replace(old, new)
    edit = Edit(identity.edit_key(article.article.id, title, text), title, text, SEVEN + after)
    texts = tuple(issue.rendered.text for member in store.members for issue in member.issues)
    store.edits.append(EditedArticle(article.article, article.summary, edit, texts))


# --- corrections -------------------------------------------------------------------------------


async def test_a_change_is_corrected_in_the_next_issue_and_in_no_other():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")
    for day in (1, 2):
        store.publish(an_arrival(f"News {day}", HOUR - day * DAY))
        await compose(composer, now=SEVEN + day * DAY)

    assert amina.titles == ["", "Fire cost 18 million. -> Fire cost 81 million.", ""]
    assert [len(issue.corrections) for issue in amina.issues] == [0, 1, 0]


async def test_a_group_without_the_article_gets_no_correction():
    amina, ben = a_member("amina"), a_member("ben", topics=("economy",))
    store, composer = a_composer(amina, ben)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")
    rates = an_arrival("Rates", HOUR - DAY)
    store.publish(replace(rates, article=replace(rates.article, topics=("world", "economy"))))
    await compose(composer, now=SEVEN + DAY)

    assert amina.titles[-1] == "Fire cost 18 million. -> Fire cost 81 million."
    assert ben.titles == [""]


async def test_an_edit_settles_before_its_correction():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire", after=DAY - 5 * MINUTE)
    for day in (1, 2):
        store.publish(an_arrival(f"News {day}", HOUR - day * DAY))
        await compose(composer, now=SEVEN + day * DAY)

    assert [len(issue.corrections) for issue in amina.issues] == [0, 0, 1]


async def test_a_correction_alone_makes_no_issue_and_waits_for_the_next():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")

    assert await compose(composer, now=SEVEN + DAY) == ComposeReport(empty=1)
    assert await compose_manual(composer, "morning", None, now=SEVEN + DAY) == ManualSendReport(nothing_new=1)
    store.publish(an_arrival("News", HOUR - 2 * DAY))
    await compose(composer, now=SEVEN + 2 * DAY)
    assert len(amina.issues[-1].corrections) == 1


async def test_a_newsletter_with_empty_issues_sends_the_correction_in_one():
    amina = a_member()
    store, composer = a_composer(amina, empty="send")
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")

    assert await compose(composer, now=SEVEN + DAY) == ComposeReport(issues=1, deliveries=1)
    assert amina.titles[-1] == "Fire cost 18 million. -> Fire cost 81 million."


async def test_a_newsletter_can_hide_corrections():
    amina = a_member()
    store, composer = a_composer(amina, empty="send", corrections="hide")
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")
    await compose(composer, now=SEVEN + DAY)

    assert amina.titles == ["", ""]


async def test_of_many_corrections_the_oldest_come_first_and_the_others_later():
    amina = a_member(stories=20)
    store, composer = a_composer(amina, empty="send")
    titles = [f"Fire {letter}" for letter in "abcde"]
    store.publish(*(an_arrival(title) for title in titles))
    await compose(composer, now=SEVEN)
    for hours, title in enumerate(reversed(titles), start=1):
        an_edit(store, title, after=hours * HOUR)
    for day in (1, 2, 3):
        await compose(composer, now=SEVEN + day * DAY)

    corrected = [[c.article.title for c in issue.corrections] for issue in amina.issues[1:]]
    assert corrected == [["Fire e", "Fire d", "Fire c"], ["Fire b", "Fire a"], []]
    assert len(corrected[0]) == MAX_CORRECTIONS


async def test_a_preview_has_the_notices():
    amina = a_member()
    health = FixedHealth([SourceHealth("The Wire", ("world",), is_healthy=False, last_healthy_at=None)])
    store, composer = a_composer(amina, sources=health, show_source_health=True)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")
    seen = await preview(composer, amina.edition, served_through=1, now=SEVEN + DAY)

    assert (len(seen.digest.corrections), len(seen.digest.unhealthy_sources)) == (1, 1)
    assert len(amina.issues) == 1


async def test_an_edit_that_cannot_be_compared_does_not_stop_the_issue(monkeypatch: pytest.MonkeyPatch):
    def broken(text: str, language: str) -> Sequence[tuple[int, int]]:
        raise ValueError(f"no sentence of {language} in {len(text)} letters")

    amina = a_member()
    store, composer = a_composer(amina, empty="send")
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)
    an_edit(store, "Fire")
    monkeypatch.setattr(corrections, "split_sentences", broken)
    report = await compose(composer, now=SEVEN + DAY)

    assert (report.issues, amina.titles[-1]) == (1, "")
    assert report.problems[0].startswith("the edit of 'Fire' could not be compared, no sentence of en in ")


# --- sources -----------------------------------------------------------------------------------


def a_source(name: str = "The Wire", days: float | None = 3, *, healthy: bool = False, topics=("world",)):
    return SourceHealth(
        name, topics, is_healthy=healthy, last_healthy_at=None if days is None else SEVEN - days * DAY
    )


async def test_sources_are_named_only_by_newsletters_that_want_it():
    amina, health = a_member(), FixedHealth([a_source()])
    store, composer = a_composer(amina, sources=health)
    store.publish(an_arrival("Fire"))
    await compose(composer, now=SEVEN)

    assert (amina.titles, health.reads) == ([""], [])


async def test_the_health_is_read_once_for_all_editions_of_a_date():
    members = [a_member(), a_member("ben", stories=3), a_member("cleo", topics=("economy",))]
    health = FixedHealth([a_source()])
    _, composer = a_composer(*members, sources=health, show_source_health=True, empty="send")
    await compose(composer, now=SEVEN + MINUTE)

    assert health.reads == [SEVEN]
    assert [member.titles for member in members] == [["The Wire"], ["The Wire"], [""]]


async def test_an_unhealthy_source_alone_makes_no_issue():
    amina = a_member()
    _, composer = a_composer(amina, sources=FixedHealth([a_source()]), show_source_health=True)

    assert await compose(composer, now=SEVEN) == ComposeReport(empty=1)


def test_a_publisher_is_named_once_and_only_if_none_of_its_feeds_is_healthy():
    sources = [
        a_source(days=3),
        a_source(days=2),
        a_source("The Herald"),
        a_source("The Herald", healthy=True),
    ]

    assert find_unhealthy_sources(sources, ()) == (a_source(days=2),)


def test_a_feed_of_other_topics_is_not_named():
    assert find_unhealthy_sources(
        [a_source(topics=("economy",)), a_source("Both", topics=("world", "sport"))], ("world",)
    ) == (a_source("Both", topics=("world", "sport")),)
    assert len(find_unhealthy_sources([a_source(topics=("economy",))], ())) == 1


def test_the_latest_to_fail_comes_first_and_a_never_healthy_one_last():
    sources = [a_source("b", 5), a_source("a", None), a_source("d", 1), a_source("c", 5)]

    assert [source.name for source in find_unhealthy_sources(sources, ())] == ["d", "b", "c", "a"]
