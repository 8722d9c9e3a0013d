"""The articles of the next issues are those that compose will show, the earliest issue first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.compose import released_stories, upcoming
from service.compose.stage import compose
from service.compose.stories.group import GroupedStory
from service.compose.upcoming import upcoming_articles, upcoming_issues
from service.core.errors import StoreError
from service.core.model import Group
from tests.builders import a_newsletter
from tests.compose.fakes import Member, MemoryStore
from tests.compose.test_stage import HOUR, MINUTE, SEVEN, a_composer, a_member, an_arrival, by_first_word


@pytest.fixture(autouse=True)
def one_word_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released_stories, "group_stories", by_first_word)


async def titles_ahead(store: MemoryStore, composer, now=SEVEN - HOUR) -> list[str]:
    groups: list[Group] = list(await store.due_groups(SEVEN + 12 * HOUR))
    return [one.article.title for one in await upcoming_articles(composer, groups, now=now)]


async def test_all_articles_of_a_shown_story_are_found_each_once():
    store, composer = a_composer(a_member(), a_member("ben", timezone="UTC"))
    store.publish(an_arrival("Dam burst"), an_arrival("Dam holds"), an_arrival("Ferry ends"))

    assert sorted(await titles_ahead(store, composer)) == ["Dam burst", "Dam holds", "Ferry ends"]


async def test_they_are_those_that_compose_then_shows():
    amina = a_member(stories=2)
    store, composer = a_composer(amina)
    store.publish(*(an_arrival(f"Town{n} votes", before=n * HOUR) for n in range(2, 6)))
    ahead = await titles_ahead(store, composer)
    await compose(composer, now=SEVEN)

    assert amina.titles == [", ".join(ahead)]
    assert len(ahead) == 2


async def test_the_earliest_issue_comes_first():
    store, composer = a_composer(
        a_member(due_at=SEVEN + HOUR, topics=("world",)), a_member("ben", topics=("sport",))
    )
    store.publish(an_arrival("Talks resume"), an_arrival("Cup final", topics=("sport",)))

    assert await titles_ahead(store, composer) == ["Cup final", "Talks resume"]


async def test_an_article_that_settles_before_the_issue_is_found():
    store, composer = a_composer(a_member())
    store.publish(an_arrival("Talks resume", before=12 * MINUTE), an_arrival("Too late", before=8 * MINUTE))

    assert await titles_ahead(store, composer, now=SEVEN - 11 * MINUTE) == ["Talks resume"]


async def test_what_the_group_got_and_newsletters_that_are_gone_are_left_out():
    served = a_member()
    served.served_through = 1
    store, composer = a_composer(served, a_member("ben", newsletter="gone"))
    store.publish(an_arrival("Talks resume"), an_arrival("Harbour reopens"))

    assert await titles_ahead(store, composer) == ["Harbour reopens"]


async def test_only_the_first_ranges_of_articles_are_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(upcoming, "MAX_RANGES", 2)
    topics = ["economy", "sport", "world"]
    store, composer = a_composer(*(a_member(topic, topics=(topic,)) for topic in reversed(topics)))
    store.publish(*(an_arrival(f"{topic.title()} news", topics=(topic,)) for topic in topics))

    assert await titles_ahead(store, composer) == ["Economy news", "Sport news"]
    assert len(store.reads) == 2


async def test_a_group_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch):
    store, composer = a_composer(a_member(topics=("sport",)), a_member("ben"))
    store.publish(an_arrival("Cup final", topics=("sport",)), an_arrival("Talks resume"))

    def grouped(articles, *_):
        if articles[0].article.title == "Cup final" and len(articles) == 1:
            raise ValueError("damaged")
        return tuple(GroupedStory((a,)) for a in articles)

    monkeypatch.setattr(released_stories, "group_stories", grouped)
    assert await titles_ahead(store, composer) == ["Talks resume"]


async def test_a_lost_database_is_an_error(monkeypatch: pytest.MonkeyPatch):
    store, composer = a_composer(Member("amina", a_member().edition, SEVEN))

    async def lost(*_: object) -> int:
        raise StoreError("the database was lost")

    monkeypatch.setattr(MemoryStore, "release_position", lost)
    with pytest.raises(StoreError):
        await titles_ahead(store, composer)


async def test_the_next_issues_are_made_without_recording_them():
    amina = a_member()
    store, composer = a_composer(amina, a_member("ben", topics=("sport",)))
    store.publish(an_arrival("Talks resume"))
    groups = await store.groups_of("morning", None)
    found = [(group, made) async for group, made in upcoming_issues(composer, groups, now=SEVEN)]

    assert [group.edition for group, _ in found] == [amina.edition]
    assert [made.issue.rendered.subject for _, made in found] == ["Talks resume"]
    assert amina.issues == []


async def test_a_group_with_a_broken_theme_has_no_next_issue():
    store, composer = a_composer(
        a_member(), a_member("ben", newsletter="broken"), a_member("cora", newsletter="gone")
    )
    broken = a_newsletter("broken", theme="broken")
    composer = replace(composer, newsletters={**composer.newsletters, "broken": broken})
    store.publish(an_arrival("Talks resume"))
    groups = [group for name in ("broken", "gone", "morning") for group in await store.groups_of(name, None)]
    found = [group.edition.newsletter async for group, _ in upcoming_issues(composer, groups, now=SEVEN)]

    assert found == ["morning"]
