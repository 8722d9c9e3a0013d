"""Compose: due groups get their issues, each article once and at the right time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from typing_extensions import override

from service.compose import released_stories
from service.compose.ports import Renderer
from service.compose.stage import (
    Composer,
    ComposeReport,
    ManualSendReport,
    compose,
    compose_manual,
    preview,
)
from service.compose.stories.assign import AssignmentReport, StoryAssigner
from service.compose.stories.group import GroupedStory
from service.core.errors import StoreError, UnknownName
from service.core.model import CondensedArticle, Digest, Placement, RenderedMail, SentIssue, StoryPoint
from service.core.placeholders import Placeholder
from service.core.schedules import next_occurrence, parse_schedule
from tests.builders import a_newsletter, an_article, an_edition, condensed
from tests.compose.fakes import Member, MemoryStore, merge_all

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SEVEN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""Monday, seven o'clock in Berlin."""


def by_first_word(articles: Sequence[CondensedArticle], *_: object) -> tuple[GroupedStory, ...]:
    """Group articles whose titles start with the same word."""
    stories: dict[str, list[CondensedArticle]] = {}
    for one in articles:
        stories.setdefault(one.article.title.split()[0], []).append(one)
    return tuple(GroupedStory(tuple(members)) for members in stories.values())


@pytest.fixture(autouse=True)
def each_article_its_own_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each article a story: the made-up articles differ in one word only."""
    monkeypatch.setattr(
        released_stories, "group_stories", lambda articles, *_: tuple(GroupedStory((a,)) for a in articles)
    )


@pytest.fixture
def one_word_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released_stories, "group_stories", by_first_word)


class HeadlinesInSubject(Renderer):
    """A renderer with the headlines in the subject; the theme `broken` fails."""

    @override
    def render(self, digest: Digest, *, title: str, theme: str, issue_id: str, **_: str) -> RenderedMail:
        assert title
        assert issue_id
        if theme == "broken":
            raise ValueError("the theme is broken")
        shown = digest.placed(Placement.LEAD, Placement.STORY)
        headlines = [("Update: " if story.is_update else "") + story.headline for story in shown]
        return RenderedMail(
            ", ".join(headlines) or "nothing", f"<p>{Placeholder.NAME.marker}</p>", Placeholder.NAME.marker
        )


def an_arrival(title: str, before: timedelta = HOUR, text: str | None = None, **changes) -> CondensedArticle:
    """Return a condensed article, gathered that time before Monday at seven."""
    moment = SEVEN - before
    text = text or f"{title} is what happened."
    article = an_article(title, text, gathered_at=moment, published_at=moment, **changes)
    return condensed(article, article.text)


def a_composer(*members: Member, **newsletter) -> tuple[MemoryStore, Composer]:
    store = MemoryStore(list(members))
    newsletters = {"morning": a_newsletter(**newsletter)}
    return store, Composer(
        store, HeadlinesInSubject(), merge_all, newsletters, settle=10 * MINUTE, channel="file"
    )


def a_member(name: str = "amina", due_at: datetime = SEVEN, **wishes) -> Member:
    return Member(name, an_edition(**wishes), due_at)


async def test_the_renderer_is_told_who_may_read_the_issue_and_where_others_subscribe():
    told: dict[str, str] = {}

    class Listening(HeadlinesInSubject):
        @override
        def render(
            self, digest: Digest, *, title: str, theme: str, issue_id: str, **links: str
        ) -> RenderedMail:
            told.update(links)
            return super().render(digest, title=title, theme=theme, issue_id=issue_id)

    store, composer = a_composer(a_member(), archive="public")
    store.publish(an_arrival("The harbour reopens"))
    pages = {"morning": "https://news.example.org/subscribe/morning"}
    await compose(replace(composer, renderer=Listening(), subscribe_urls=pages), now=SEVEN)

    assert told == {"archive": "public", "subscribe_url": pages["morning"], "picture": None}


# --- on time -----------------------------------------------------------------------------------


async def test_a_due_group_gets_an_issue_and_is_due_again_tomorrow():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Talks resume"), an_arrival("Harbour reopens"))

    assert await compose(composer, now=SEVEN) == ComposeReport(issues=1, deliveries=1)
    assert amina.titles == ["Talks resume, Harbour reopens"]
    assert (amina.next_due_at, amina.served_through) == (SEVEN + DAY, 2)


async def test_a_second_pass_finds_nothing_left():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Talks resume"))
    await compose(composer, now=SEVEN)

    assert await compose(composer, now=SEVEN + MINUTE) == ComposeReport()
    assert len(amina.issues) == 1


async def test_members_with_the_same_edition_share_one_issue():
    members = [a_member(f"reader {n}") for n in range(5)]
    store, composer = a_composer(*members)
    store.publish(an_arrival("Talks resume"))

    assert await compose(composer, now=SEVEN) == ComposeReport(issues=1, deliveries=5)
    assert len({member.issues[0].id for member in members}) == 1


async def test_members_with_another_cursor_get_an_issue_of_their_own():
    ahead, behind = a_member("ahead"), a_member("behind")
    store, composer = a_composer(ahead, behind)
    store.publish(an_arrival("Old", 2 * DAY), an_arrival("New"))
    ahead.served_through = 1

    assert await compose(composer, now=SEVEN) == ComposeReport(issues=2, deliveries=2)
    assert ahead.titles == ["New"]
    assert behind.titles == ["New, Old"]


async def test_editions_of_one_range_are_read_once():
    members = [a_member(f"r{n}", schedule=f"daily 0{n}:00") for n in range(5)]
    store, composer = a_composer(*members)
    store.publish(an_arrival("Talks resume"))
    await compose(composer, now=SEVEN)

    assert len(store.reads) == 1
    assert all(member.titles == ["Talks resume"] for member in members)


async def test_each_edition_has_its_own_topics():
    economist, everything = a_member("e", topics=("economy",)), a_member("all", topics=())
    store, composer = a_composer(economist, everything)
    store.publish(an_arrival("Talks resume"), an_arrival("Rates fall", topics=("economy",)))
    await compose(composer, now=SEVEN)

    assert economist.titles == ["Rates fall"]
    assert everything.titles == ["Talks resume, Rates fall"]
    assert economist.served_through == everything.served_through == 2


async def test_each_edition_has_its_own_languages_and_articles_of_unknown_language_stay():
    english, norse = a_member("e", languages=("en",)), a_member("n", languages=("no", "sv"))
    everything = a_member("all")
    store, composer = a_composer(english, norse, everything)
    store.publish(
        an_arrival("Talks", language="en-GB"),
        an_arrival("Gespräche", language="de"),
        an_arrival("Samtaler", language="nb"),
        an_arrival("Untitled", language=""),
    )
    await compose(composer, now=SEVEN)

    assert english.titles == ["Talks, Untitled"]
    assert norse.titles == ["Samtaler, Untitled"]
    assert everything.titles == ["Talks, Gespräche, Samtaler, Untitled"]
    assert english.served_through == norse.served_through == 4


async def test_an_article_is_read_once_for_the_groups_of_all_languages():
    members = [
        a_member(
            f"r{n}",
            languages=(("en", "de", "fr", "ar", "ru", "es", "pt", "it", "nl", "pl")[n % 10],),
            stories=1 + n,
        )
        for n in range(20)
    ]
    store, composer = a_composer(*members)
    store.publish(an_arrival("Talks resume"))
    await compose(composer, now=SEVEN)

    assert store.reads == [(1,)]


async def test_an_article_that_has_not_settled_waits_for_the_next_issue():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Settled", 11 * MINUTE), an_arrival("Fresh", 9 * MINUTE))
    await compose(composer, now=SEVEN)
    await compose(composer, now=SEVEN + DAY)

    assert amina.titles == ["Settled", "Fresh"]


async def test_a_late_article_with_an_old_date_is_sent_too():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("On time"))
    await compose(composer, now=SEVEN)
    late = an_article("Dated last week", published_at=SEVEN - 7 * DAY, gathered_at=SEVEN + HOUR)
    store.publish(condensed(late))
    await compose(composer, now=SEVEN + DAY)

    assert amina.titles == ["On time", "Dated last week"]


async def test_an_inactive_subscription_gets_nothing():
    amina = a_member()
    amina.active = False
    store, composer = a_composer(amina)
    store.publish(an_arrival("Talks resume"))

    assert await compose(composer, now=SEVEN) == ComposeReport()


async def test_fourteen_days_over_a_clock_change_bring_fourteen_issues_at_the_local_time():
    start = datetime(2026, 3, 22, 1, 0, tzinfo=UTC)
    rules = {"Europe/Berlin": "daily 07:00", "Asia/Qatar": "daily 06:30", "America/New_York": "daily 20:00"}
    members = [a_member(zone, schedule=rule, timezone=zone) for zone, rule in rules.items()]
    for member in members:
        rule = parse_schedule(member.edition.schedule)
        member.next_due_at = next_occurrence(rule, ZoneInfo(member.edition.timezone), start).at
    store, composer = a_composer(*members)
    for half_hour in range(14 * 48):
        now = start + half_hour * 30 * MINUTE
        store.publish(an_arrival(f"Story {half_hour}", SEVEN - now + HOUR))
        await compose(composer, now=now)

    for member in members:
        hours = {issue.due_at.astimezone(ZoneInfo(member.edition.timezone)).time() for issue in member.issues}
        ranges = [(issue.served_from, issue.served_through) for issue in member.issues]
        assert len({issue.occurrence for issue in member.issues}) == len(member.issues) == 14
        assert {f"daily {hour:%H:%M}" for hour in hours} == {member.edition.schedule}
        assert ranges[0][0] == 0
        assert all(one[1] == other[0] for one, other in pairwise(ranges))


# --- empty and late ----------------------------------------------------------------------------


async def test_an_empty_issue_is_not_sent_and_the_group_is_due_tomorrow():
    amina = a_member(topics=("economy",))
    store, composer = a_composer(amina)
    store.publish(an_arrival("Talks resume"))

    assert await compose(composer, now=SEVEN) == ComposeReport(empty=1)
    assert (amina.issues, amina.next_due_at, amina.served_through) == ([], SEVEN + DAY, 1)


async def test_an_empty_issue_is_sent_if_the_newsletter_wants_it():
    amina = a_member()
    _, composer = a_composer(amina, empty="send")

    assert await compose(composer, now=SEVEN) == ComposeReport(issues=1, deliveries=1)
    assert amina.titles == ["nothing"]


async def test_fewer_stories_than_wanted_wait_for_the_next_issue():
    amina = a_member()
    store, composer = a_composer(amina, min_stories=2)
    store.publish(an_arrival("One"))
    assert await compose(composer, now=SEVEN) == ComposeReport(waiting=1)
    assert (amina.issues, amina.next_due_at) == ([], SEVEN + DAY)

    store.publish(an_arrival("Two", HOUR - DAY))
    await compose(composer, now=SEVEN + DAY)
    assert amina.titles == ["Two, One"]


async def test_a_manual_send_does_not_wait_for_more_stories():
    amina = a_member()
    store, composer = a_composer(amina, min_stories=2)
    store.publish(an_arrival("One"))
    await compose_manual(composer, "morning", None, now=SEVEN)

    assert amina.titles == ["One"]


async def test_stories_that_would_get_too_old_do_not_wait():
    amina = a_member()
    store, composer = a_composer(amina, min_stories=2)
    store.publish(an_arrival("One"))
    for day in range(8):
        await compose(composer, now=SEVEN + day * DAY)

    assert [issue.due_at for issue in amina.issues] == [SEVEN + 6 * DAY]


async def test_muted_stories_do_not_count():
    amina = a_member(mute=("tennis",))
    store, composer = a_composer(amina, min_stories=2)
    store.publish(an_arrival("Tennis final", text="Tennis."), an_arrival("Tennis cup", text="Tennis."))
    assert await compose(composer, now=SEVEN) == ComposeReport(empty=1)
    store.publish(an_arrival("Talks resume", HOUR - DAY), an_arrival("Tennis again", HOUR - DAY))
    assert await compose(composer, now=SEVEN + DAY) == ComposeReport(waiting=1)


async def test_after_a_long_absence_an_issue_has_the_news_of_a_week():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Three weeks old"), an_arrival("Six days old", HOUR - 15 * DAY))
    amina.next_due_at = SEVEN + 21 * DAY
    store.publish(an_arrival("New", HOUR - 21 * DAY))
    await compose(composer, now=SEVEN + 21 * DAY)

    assert amina.titles == ["New, Six days old"]
    assert amina.issues[0].served_from == 1


async def test_a_too_late_issue_is_merged_into_the_next_one():
    amina = a_member()
    store, composer = a_composer(amina, late="merge")
    store.publish(an_arrival("Talks resume"))

    assert await compose(composer, now=SEVEN + 7 * HOUR) == ComposeReport(late=1)
    assert (amina.issues, amina.next_due_at) == ([], SEVEN + DAY)
    await compose(composer, now=SEVEN + DAY)
    assert amina.titles == ["Talks resume"]


async def test_a_too_late_issue_is_skipped_with_its_stories():
    amina = a_member()
    store, composer = a_composer(amina, late="skip")
    store.publish(an_arrival("Talks resume"))

    assert await compose(composer, now=SEVEN + 7 * HOUR) == ComposeReport(late=1)
    await compose(composer, now=SEVEN + DAY)
    assert (amina.issues, amina.served_through) == ([], 1)


async def test_after_days_of_downtime_one_issue_has_all_stories():
    amina = a_member()
    store, composer = a_composer(amina)
    for n in range(3):
        store.publish(an_arrival(f"Story {n}", before=HOUR - n * DAY))

    assert await compose(composer, now=SEVEN + 2 * DAY) == ComposeReport(issues=1, deliveries=1)
    assert amina.titles == ["Story 2, Story 1, Story 0"]
    assert (amina.issues[0].occurrence, amina.next_due_at) == ("2026-03-02T07:00", SEVEN + 3 * DAY)


# --- continued stories -------------------------------------------------------------------------


@pytest.mark.usefixtures("one_word_stories")
async def test_a_story_is_sent_again_only_with_a_new_point():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Fire at the port", text="A fire destroyed a grain silo at the port."))
    await compose(composer, now=SEVEN)
    tomorrow = HOUR - DAY
    store.publish(an_arrival("Fire seen by many", tomorrow, "A fire destroyed a grain silo at the port."))
    await compose(composer, now=SEVEN + DAY)
    store.publish(an_arrival("Fire was arson", tomorrow - DAY, "A man of 34 confessed that he had lit it."))
    await compose(composer, now=SEVEN + 2 * DAY)

    assert amina.titles == ["Fire at the port", "Update: Fire was arson"]
    assert amina.served_through == 3
    first, second = amina.issues
    assert second.digest is not None
    assert [story.first_issue for story in second.digest.stories] == [SentIssue(first.id, first.due_at)]


@pytest.mark.usefixtures("one_word_stories")
async def test_a_story_of_one_line_does_not_count_as_sent():
    amina = a_member(stories=1)
    store, composer = a_composer(amina)
    store.publish(an_arrival("Fire at the port"), an_arrival("Talks resume", 2 * HOUR))
    await compose(composer, now=SEVEN)
    later = an_arrival("Talks end", HOUR - DAY, "The envoys signed a treaty on fishing.")
    store.publish(later)
    await compose(composer, now=SEVEN + DAY)

    lines = [one.headline for issue in amina.issues for one in issue.digest.placed(Placement.SHORT)]
    assert lines == ["Talks resume"]
    assert amina.issues[1].article_ids == (later.article.id,)
    assert amina.titles[1] == "Talks end", "not an update"


@pytest.mark.usefixtures("one_word_stories")
async def test_a_group_without_the_first_part_gets_the_story_as_new():
    amina, ben = a_member("amina"), a_member("ben", topics=("economy",))
    store, composer = a_composer(amina, ben)
    store.publish(an_arrival("Fire at the port"))
    await compose(composer, now=SEVEN)
    store.publish(an_arrival("Fire costs millions", HOUR - DAY, topics=("world", "economy")))
    await compose(composer, now=SEVEN + DAY)

    assert amina.titles[1:] == ["Update: Fire costs millions"]
    assert ben.titles == ["Fire costs millions"]


@pytest.mark.usefixtures("one_word_stories")
async def test_after_the_story_memory_a_story_is_new_again():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Fire at the port"))
    await compose(composer, now=SEVEN)
    store.publish(an_arrival("Fire at the port again", HOUR - 5 * DAY))
    await compose(composer, now=SEVEN + 5 * DAY)

    assert amina.titles == ["Fire at the port", "Fire at the port again"]


# --- errors ------------------------------------------------------------------------------------


async def test_a_failing_group_is_reported_and_the_others_get_their_issue():
    amina, ben = a_member("amina"), a_member("ben", newsletter="evening")
    store, composer = a_composer(amina, ben)
    composer.newsletters["evening"] = a_newsletter("evening", title="The Evening", theme="broken")  # type: ignore[index]
    store.publish(an_arrival("Talks resume"))
    report = await compose(composer, now=SEVEN)

    assert (report.issues, amina.titles, ben.issues) == (1, ["Talks resume"], [])
    [problem] = report.problems
    assert problem.startswith("The Evening, edition daily 07:00 Europe/Berlin: no issue for 1 subscriber, ")
    assert problem.endswith(" the theme is broken; it is tried again")
    assert ben.next_due_at == SEVEN


async def test_a_failure_stops_no_other_group_and_the_next_pass_serves_it():
    members = [a_member(name, newsletter=name) for name in ("first", "second", "third")]
    store, composer = a_composer(*members)
    themes = {"first": "daily", "second": "broken", "third": "daily"}
    for name, theme in themes.items():
        composer.newsletters[name] = a_newsletter(name, title=name.title(), theme=theme)  # type: ignore[index]
    store.publish(an_arrival("Talks resume"))
    failed = await compose(composer, now=SEVEN)

    assert (failed.issues, failed.deliveries) == (2, 2)
    assert [problem.split(",")[0] for problem in failed.problems] == ["Second"]
    assert [member.titles for member in members] == [["Talks resume"], [], ["Talks resume"]]

    composer.newsletters["second"] = a_newsletter("second")  # type: ignore[index]
    assert await compose(composer, now=SEVEN + MINUTE) == ComposeReport(issues=1, deliveries=1)
    assert [member.titles for member in members] == [["Talks resume"]] * 3


async def test_without_the_story_index_every_group_gets_its_issue():
    class Broken(StoryAssigner):
        async def assign(self, *, memory_position: int, release_position: int) -> AssignmentReport:
            raise RuntimeError(f"nothing between {memory_position} and {release_position}")

    amina, ben = a_member("amina"), a_member("ben", stories=3)
    store, composer = a_composer(amina, ben)
    store.publish(an_arrival("Talks resume"))
    report = await compose(replace(composer, story_assigner=Broken(store)), now=SEVEN)  # type: ignore[arg-type]

    assert (report.issues, amina.titles, ben.titles) == (2, ["Talks resume"], ["Talks resume"])
    assert report.problems == ("new articles got no stories, nothing between 0 and 1; it is tried again",)


async def test_a_story_that_cannot_be_merged_shows_its_leading_article():
    def fails(
        _articles: Sequence[CondensedArticle], *, points: int, known: Sequence[CondensedArticle] = ()
    ) -> tuple[StoryPoint, ...]:
        raise ValueError(f"no {points} points behind {len(known)} articles")

    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Talks resume"))
    composer = replace(composer, merge=fails)
    report = await compose(composer, now=SEVEN)
    shown = await preview(composer, amina.edition, served_through=0, now=SEVEN)

    assert (report.issues, len(report.problems), amina.titles) == (1, 1, ["Talks resume"])
    assert "no 4 points behind 0 articles; only its first article is shown" in report.problems[0]
    assert [p.text for p in shown.digest.stories[0].points] == ["Talks resume is what happened."]


async def test_an_unreadable_article_is_left_out_and_reported():
    class DamagedStore(MemoryStore):
        @override
        async def articles_at(self, positions: Collection[int]) -> Sequence[CondensedArticle]:
            if 2 in positions:
                raise ValueError("no JSON")
            return await super().articles_at(positions)

    amina = a_member()
    _, composer = a_composer()
    store = DamagedStore([amina])
    store.publish(an_arrival("One"), an_arrival("Two"), an_arrival("Three"))
    report = await compose(replace(composer, store=store), now=SEVEN)

    assert amina.titles == ["One, Three"]
    assert report.problems == ("the article at position 2 cannot be read, no JSON; it is left out",)


async def test_a_newsletter_missing_in_the_roster_is_reported():
    store, composer = a_composer(a_member(newsletter="gone"))
    store.publish(an_arrival("Talks resume"))

    assert "'gone' is not in the roster any more" in (await compose(composer, now=SEVEN)).problems[0]


async def test_a_lost_database_is_no_failure_of_a_group():
    store, composer = a_composer(a_member())
    store.broken = True

    with pytest.raises(StoreError):
        await compose(composer, now=SEVEN)


async def test_progress_names_every_group():
    store, composer = a_composer(a_member("a"), a_member("b", stories=3))
    store.publish(an_arrival("Talks resume"))
    seen = []
    await compose(composer, now=SEVEN, progress=lambda *what: seen.append(what))

    assert seen == [("The Morning Caveat", 1, 2), ("The Morning Caveat", 2, 2)]


# --- manual sends ------------------------------------------------------------------------------


async def test_a_manual_send_has_the_unsent_articles_and_keeps_the_due_time():
    amina = a_member(due_at=SEVEN + DAY)
    store, composer = a_composer(amina)
    store.publish(an_arrival("Talks resume"))
    report = await compose_manual(composer, "morning", None, now=SEVEN)

    assert (report.deliveries, report.planned[0].subscribers, report.planned[0].stories) == (1, 1, 1)
    assert amina.titles == ["Talks resume"]
    assert (amina.next_due_at, amina.served_through) == (SEVEN + DAY, 1)


async def test_a_second_manual_send_finds_nothing_new():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Talks resume"))
    await compose_manual(composer, "morning", None, now=SEVEN)

    assert await compose_manual(composer, "morning", None, now=SEVEN + MINUTE) == ManualSendReport(
        nothing_new=1
    )
    assert len(amina.issues) == 1


async def test_repeat_sends_the_last_issue_again_as_another_issue():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Talks resume"))
    await compose_manual(composer, "morning", None, now=SEVEN)
    await compose_manual(composer, "morning", None, now=SEVEN + MINUTE, repeat=True)
    await compose_manual(composer, "morning", None, now=SEVEN + 2 * MINUTE, repeat=True)

    assert amina.titles == ["Talks resume"] * 3
    assert len({issue.id for issue in amina.issues}) == 3


async def test_repeat_sends_what_is_new_together_with_the_last_issue():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Talks resume"))
    await compose_manual(composer, "morning", None, now=SEVEN)
    store.publish(an_arrival("Silo burns", HOUR - DAY))
    await compose_manual(composer, "morning", None, now=SEVEN + DAY, repeat=True)

    assert amina.titles == ["Talks resume", "Silo burns, Talks resume"]


@pytest.mark.usefixtures("one_word_stories")
async def test_repeat_sends_a_continued_story_as_a_whole():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Fire at the port"))
    await compose(composer, now=SEVEN)
    store.publish(an_arrival("Fire was arson", HOUR - DAY))
    await compose(composer, now=SEVEN + DAY)
    await compose_manual(composer, "morning", None, now=SEVEN + DAY + HOUR, repeat=True)

    assert amina.titles == ["Fire at the port", "Update: Fire was arson", "Fire was arson"]


async def test_a_dry_run_reports_the_issues_and_changes_nothing():
    amina, ben = a_member("amina"), a_member("ben")
    store, composer = a_composer(amina, ben)
    store.publish(an_arrival("Talks resume"))
    report = await compose_manual(composer, "morning", None, now=SEVEN, dry_run=True)

    assert [(p.subscribers, p.stories, p.already_sent) for p in report.planned] == [(2, 1, False)]
    assert report.planned[0].issue.rendered.subject == "Talks resume"
    assert (report.deliveries, amina.issues, amina.served_through) == (0, [], 0)


async def test_a_send_to_some_members_serves_them_only_and_they_rejoin_later():
    amina, ben = a_member("amina"), a_member("ben")
    store, composer = a_composer(amina, ben)
    store.publish(an_arrival("Talks resume"))
    await compose_manual(composer, "morning", ["ben"], now=SEVEN - MINUTE)
    await compose(composer, now=SEVEN)

    assert (amina.titles, ben.titles) == (["Talks resume"], ["Talks resume"])
    assert amina.served_through == ben.served_through


async def test_members_served_meanwhile_are_reported_as_already_sent():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Talks resume"))
    [group] = await store.groups_of("morning", None)

    async def stale(_newsletter, _subscribers):
        return [group]

    await compose_manual(composer, "morning", None, now=SEVEN)
    store.groups_of = stale  # type: ignore[method-assign]
    report = await compose_manual(composer, "morning", None, now=SEVEN)

    assert (report.deliveries, [p.already_sent for p in report.planned]) == (0, [True])


async def test_an_unknown_newsletter_raises_with_the_known_ones():
    _, composer = a_composer()

    with pytest.raises(UnknownName, match="Did you mean morning"):
        await compose_manual(composer, "mornin", None, now=SEVEN)
    with pytest.raises(UnknownName):
        await preview(composer, an_edition("mornin"), served_through=0, now=SEVEN)


async def test_a_failing_group_of_a_manual_send_is_reported():
    store, composer = a_composer(a_member(), theme="broken")
    store.publish(an_arrival("Talks resume"))

    assert "the theme is broken" in (await compose_manual(composer, "morning", None, now=SEVEN)).problems[0]


# --- preview -----------------------------------------------------------------------------------


async def test_a_preview_shows_the_next_issue_and_records_nothing():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Old", 2 * DAY), an_arrival("Talks <resume>"))
    shown = await preview(composer, amina.edition, served_through=1, now=SEVEN, name="A <B>")

    assert shown.issue.rendered == RenderedMail("Talks <resume>", "<p>A &lt;B&gt;</p>", "A <B>")
    assert [story.headline for story in shown.digest.stories] == ["Talks <resume>"]
    assert (amina.issues, amina.served_through) == ([], 0)


async def test_a_preview_of_nothing_is_an_empty_digest():
    _, composer = a_composer()
    shown = await preview(composer, an_edition(), served_through=9, now=SEVEN)

    assert (shown.digest.stories, shown.issue.served_through) == ((), 9)


@pytest.mark.usefixtures("one_word_stories")
async def test_a_preview_shows_updates_of_sent_stories():
    amina = a_member()
    store, composer = a_composer(amina)
    store.publish(an_arrival("Fire at the port"))
    await compose(composer, now=SEVEN)
    store.publish(an_arrival("Fire was arson", HOUR - DAY))
    shown = await preview(composer, amina.edition, served_through=1, now=SEVEN + DAY)

    assert shown.issue.rendered.subject == "Update: Fire was arson"
