"""Compose: what is due becomes issues in the outbox, each reader told everything once, at their hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from service.compose import composition as desk
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
from service.core.model import CondensedArticle, Digest, Edition, RenderedMail, StoryPoint
from service.core.placeholders import Placeholder
from service.core.schedules import next_occurrence, parse_schedule
from tests.builders import a_newsletter, an_article, an_edition, condensed
from tests.compose.fakes import MemoryStore, Reader, tell_all

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SEVEN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""Monday, seven o'clock in Berlin."""


def by_first_word(articles: Sequence[CondensedArticle], *_: object) -> tuple[GroupedStory, ...]:
    """Let articles whose titles begin with the same word tell one story."""
    stories: dict[str, list[CondensedArticle]] = {}
    for one in articles:
        stories.setdefault(one.article.title.split()[0], []).append(one)
    return tuple(GroupedStory(tuple(told)) for told in stories.values())


@pytest.fixture(autouse=True)
def each_article_its_own_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out of these tests which articles tell one event: made-up ones differ in a word."""
    monkeypatch.setattr(
        desk, "group_stories", lambda articles, *_: tuple(GroupedStory((a,)) for a in articles)
    )


@pytest.fixture
def one_word_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "group_stories", by_first_word)


class TitlesOnly:
    """A renderer whose subject lists the headlines, updates marked; a theme may be named to fail."""

    def render(self, digest: Digest, *, title: str, theme: str, issue_id: str) -> RenderedMail:
        assert title
        assert issue_id
        if theme == "broken":
            raise ValueError("the theme is broken")
        told = [("Update: " if story.is_update else "") + story.headline for story in digest.stories]
        return RenderedMail(
            ", ".join(told) or "nothing", f"<p>{Placeholder.NAME.marker}</p>", Placeholder.NAME.marker
        )


def an_arrival(title: str, before: timedelta = HOUR, text: str | None = None, **changes) -> CondensedArticle:
    """Return a condensed article that was gathered so long before Monday seven o'clock."""
    moment = SEVEN - before
    text = text or f"{title} is what happened."
    article = an_article(title, text, gathered_at=moment, published_at=moment, **changes)
    return condensed(article, article.text)


def a_house(*readers: Reader, **newsletter) -> tuple[MemoryStore, Composer]:
    store = MemoryStore(list(readers))
    newsletters = {"morning": a_newsletter(**newsletter)}
    return store, Composer(store, TitlesOnly(), tell_all, newsletters, settle=10 * MINUTE, channel="file")


def a_reader(name: str = "amina", due_at: datetime = SEVEN, **wishes) -> Reader:
    return Reader(name, an_edition(**wishes), due_at)


# --- on time -----------------------------------------------------------------------------------


async def test_who_is_due_gets_an_issue_and_is_due_again_tomorrow():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Talks resume"), an_arrival("Harbour reopens"))

    assert await compose(composer, now=SEVEN) == ComposeReport(issues=1, deliveries=1)
    assert amina.titles == ["Talks resume, Harbour reopens"]
    assert (amina.next_due_at, amina.told_through) == (SEVEN + DAY, 2)


async def test_a_second_pass_finds_nothing_left():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Talks resume"))
    await compose(composer, now=SEVEN)

    assert await compose(composer, now=SEVEN + MINUTE) == ComposeReport()
    assert len(amina.given) == 1


async def test_readers_who_want_the_same_share_one_issue():
    readers = [a_reader(f"reader {n}") for n in range(5)]
    store, composer = a_house(*readers)
    store.publish(an_arrival("Talks resume"))

    assert await compose(composer, now=SEVEN) == ComposeReport(issues=1, deliveries=5)
    assert len({reader.given[0].id for reader in readers}) == 1


async def test_readers_who_stand_elsewhere_get_an_issue_of_their_own():
    ahead, behind = a_reader("ahead"), a_reader("behind")
    store, composer = a_house(ahead, behind)
    store.publish(an_arrival("Old", 2 * DAY), an_arrival("New"))
    ahead.told_through = 1

    assert await compose(composer, now=SEVEN) == ComposeReport(issues=2, deliveries=2)
    assert ahead.titles == ["New"]
    assert behind.titles == ["New, Old"]


async def test_editions_of_one_range_are_read_once():
    readers = [a_reader(f"r{n}", schedule=f"daily 0{n}:00") for n in range(5)]
    store, composer = a_house(*readers)
    store.publish(an_arrival("Talks resume"))
    await compose(composer, now=SEVEN)

    assert len(store.asked) == 1
    assert all(reader.titles == ["Talks resume"] for reader in readers)


async def test_topics_are_the_readers_own():
    economist, reader_of_all = a_reader("e", topics=("economy",)), a_reader("all", topics=())
    store, composer = a_house(economist, reader_of_all)
    store.publish(an_arrival("Talks resume"), an_arrival("Rates fall", topics=("economy",)))
    await compose(composer, now=SEVEN)

    assert economist.titles == ["Rates fall"]
    assert reader_of_all.titles == ["Talks resume, Rates fall"]
    assert economist.told_through == reader_of_all.told_through == 2


async def test_what_has_not_settled_waits_for_the_next_issue():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Settled", 11 * MINUTE), an_arrival("Fresh", 9 * MINUTE))
    await compose(composer, now=SEVEN)
    await compose(composer, now=SEVEN + DAY)

    assert amina.titles == ["Settled", "Fresh"]


async def test_an_article_that_came_late_with_an_old_date_is_told_all_the_same():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("On time"))
    await compose(composer, now=SEVEN)
    late = an_article("Dated last week", published_at=SEVEN - 7 * DAY, gathered_at=SEVEN + HOUR)
    store.publish(condensed(late))
    await compose(composer, now=SEVEN + DAY)

    assert amina.titles == ["On time", "Dated last week"]


async def test_who_is_not_active_is_left_alone():
    amina = a_reader()
    amina.active = False
    store, composer = a_house(amina)
    store.publish(an_arrival("Talks resume"))

    assert await compose(composer, now=SEVEN) == ComposeReport()


async def test_fourteen_days_over_a_clock_change_bring_fourteen_issues_at_the_readers_hour():
    start = datetime(2026, 3, 22, 1, 0, tzinfo=UTC)
    rules = {"Europe/Berlin": "daily 07:00", "Asia/Qatar": "daily 06:30", "America/New_York": "daily 20:00"}
    readers = [a_reader(zone, schedule=rule, timezone=zone) for zone, rule in rules.items()]
    for reader in readers:
        rule = parse_schedule(reader.edition.schedule)
        reader.next_due_at = next_occurrence(rule, ZoneInfo(reader.edition.timezone), start).at
    store, composer = a_house(*readers)
    for half_hour in range(14 * 48):
        now = start + half_hour * 30 * MINUTE
        store.publish(an_arrival(f"Story {half_hour}", SEVEN - now + HOUR))
        await compose(composer, now=now)

    for reader in readers:
        hours = {issue.due_at.astimezone(ZoneInfo(reader.edition.timezone)).time() for issue in reader.given}
        told = [(issue.served_from, issue.served_through) for issue in reader.given]
        assert len({issue.occurrence for issue in reader.given}) == len(reader.given) == 14
        assert {f"daily {hour:%H:%M}" for hour in hours} == {reader.edition.schedule}
        assert told[0][0] == 0
        assert all(one[1] == other[0] for one, other in pairwise(told))


# --- empty and late ----------------------------------------------------------------------------


async def test_an_empty_issue_is_not_sent_and_the_reader_moves_on():
    amina = a_reader(topics=("economy",))
    store, composer = a_house(amina)
    store.publish(an_arrival("Talks resume"))

    assert await compose(composer, now=SEVEN) == ComposeReport(empty=1)
    assert (amina.given, amina.next_due_at, amina.told_through) == ([], SEVEN + DAY, 1)


async def test_who_wants_to_hear_that_there_is_nothing_hears_it():
    amina = a_reader()
    _, composer = a_house(amina, empty="send")

    assert await compose(composer, now=SEVEN) == ComposeReport(issues=1, deliveries=1)
    assert amina.titles == ["nothing"]


async def test_too_late_and_merged_the_stories_come_with_the_next_issue():
    amina = a_reader()
    store, composer = a_house(amina, late="merge")
    store.publish(an_arrival("Talks resume"))

    assert await compose(composer, now=SEVEN + 7 * HOUR) == ComposeReport(late=1)
    assert (amina.given, amina.next_due_at) == ([], SEVEN + DAY)
    await compose(composer, now=SEVEN + DAY)
    assert amina.titles == ["Talks resume"]


async def test_too_late_and_skipped_the_stories_are_not_told():
    amina = a_reader()
    store, composer = a_house(amina, late="skip")
    store.publish(an_arrival("Talks resume"))

    assert await compose(composer, now=SEVEN + 7 * HOUR) == ComposeReport(late=1)
    await compose(composer, now=SEVEN + DAY)
    assert (amina.given, amina.told_through) == ([], 1)


async def test_after_days_away_one_issue_tells_everything():
    amina = a_reader()
    store, composer = a_house(amina)
    for n in range(3):
        store.publish(an_arrival(f"Story {n}", before=HOUR - n * DAY))

    assert await compose(composer, now=SEVEN + 2 * DAY) == ComposeReport(issues=1, deliveries=1)
    assert amina.titles == ["Story 2, Story 1, Story 0"]
    assert (amina.given[0].occurrence, amina.next_due_at) == ("2026-03-02T07:00", SEVEN + 3 * DAY)


# --- a story that goes on ----------------------------------------------------------------------


@pytest.mark.usefixtures("one_word_stories")
async def test_a_story_is_not_told_again_the_next_day_unless_there_is_news_in_it():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Fire at the port", text="A fire destroyed a grain silo at the port."))
    await compose(composer, now=SEVEN)
    tomorrow = HOUR - DAY
    store.publish(an_arrival("Fire seen by many", tomorrow, "A fire destroyed a grain silo at the port."))
    await compose(composer, now=SEVEN + DAY)
    store.publish(an_arrival("Fire was arson", tomorrow - DAY, "A man of 34 confessed that he had lit it."))
    await compose(composer, now=SEVEN + 2 * DAY)

    assert amina.titles == ["Fire at the port", "Update: Fire was arson"]
    assert amina.told_through == 3


@pytest.mark.usefixtures("one_word_stories")
async def test_who_did_not_get_the_first_part_gets_the_story_as_new():
    amina, ben = a_reader("amina"), a_reader("ben", topics=("economy",))
    store, composer = a_house(amina, ben)
    store.publish(an_arrival("Fire at the port"))
    await compose(composer, now=SEVEN)
    store.publish(an_arrival("Fire costs millions", HOUR - DAY, topics=("world", "economy")))
    await compose(composer, now=SEVEN + DAY)

    assert amina.titles[1:] == ["Update: Fire costs millions"]
    assert ben.titles == ["Fire costs millions"]


@pytest.mark.usefixtures("one_word_stories")
async def test_after_the_days_of_memory_a_story_is_new_again():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Fire at the port"))
    await compose(composer, now=SEVEN)
    store.publish(an_arrival("Fire at the port again", HOUR - 5 * DAY))
    await compose(composer, now=SEVEN + 5 * DAY)

    assert amina.titles == ["Fire at the port", "Fire at the port again"]


# --- trouble -----------------------------------------------------------------------------------


async def test_one_group_that_fails_is_named_and_the_others_get_their_issue():
    amina, ben = a_reader("amina"), a_reader("ben", newsletter="evening")
    store, composer = a_house(amina, ben)
    composer.newsletters["evening"] = a_newsletter("evening", title="The Evening", theme="broken")  # type: ignore[index]
    store.publish(an_arrival("Talks resume"))
    report = await compose(composer, now=SEVEN)

    assert (report.issues, amina.titles, ben.given) == (1, ["Talks resume"], [])
    [problem] = report.problems
    assert problem.startswith("The Evening, edition daily 07:00 Europe/Berlin: no issue for 1 reader, ")
    assert problem.endswith(" the theme is broken; it is tried again")
    assert ben.next_due_at == SEVEN


async def test_a_failure_in_the_middle_stops_nobody_and_the_next_pass_makes_up_for_it():
    readers = [a_reader(name, newsletter=name) for name in ("first", "second", "third")]
    store, composer = a_house(*readers)
    themes = {"first": "daily", "second": "broken", "third": "daily"}
    for name, theme in themes.items():
        composer.newsletters[name] = a_newsletter(name, title=name.title(), theme=theme)  # type: ignore[index]
    store.publish(an_arrival("Talks resume"))
    failed = await compose(composer, now=SEVEN)

    assert (failed.issues, failed.deliveries) == (2, 2)
    assert [problem.split(",")[0] for problem in failed.problems] == ["Second"]
    assert [reader.titles for reader in readers] == [["Talks resume"], [], ["Talks resume"]]

    composer.newsletters["second"] = a_newsletter("second")  # type: ignore[index]
    assert await compose(composer, now=SEVEN + MINUTE) == ComposeReport(issues=1, deliveries=1)
    assert [reader.titles for reader in readers] == [["Talks resume"]] * 3


async def test_without_the_story_index_everybody_gets_their_issue_all_the_same():
    class Broken(StoryAssigner):
        async def join(self, *, memory: int, through: int) -> AssignmentReport:
            raise RuntimeError(f"nothing between {memory} and {through}")

    amina, ben = a_reader("amina"), a_reader("ben", stories=3)
    store, composer = a_house(amina, ben)
    store.publish(an_arrival("Talks resume"))
    report = await compose(replace(composer, story_assigner=Broken(store)), now=SEVEN)  # type: ignore[arg-type]

    assert (report.issues, amina.titles, ben.titles) == (2, ["Talks resume"], ["Talks resume"])
    assert report.problems == (
        "new articles were not given their stories, nothing between 0 and 1; it is tried again",
    )


async def test_a_story_that_cannot_be_told_together_is_told_by_the_article_that_leads():
    def fails(
        _articles: Sequence[CondensedArticle], *, points: int, told: Sequence[CondensedArticle] = ()
    ) -> tuple[StoryPoint, ...]:
        raise ValueError(f"no {points} points behind {len(told)} articles")

    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Talks resume"))
    composer = replace(composer, merge=fails)
    report = await compose(composer, now=SEVEN)
    shown = await preview(composer, amina.edition, served_through=0, now=SEVEN)

    assert (report.issues, len(report.problems), amina.titles) == (1, 1, ["Talks resume"])
    assert "no 4 points behind 0 articles; it is told by its first" in report.problems[0]
    assert [p.text for p in shown.digest.stories[0].points] == ["Talks resume is what happened."]


async def test_an_article_that_cannot_be_read_is_left_out_and_named():
    class Torn(MemoryStore):
        async def tellable(self, edition: Edition, after: int, through: int) -> Sequence[CondensedArticle]:
            if after < 2 <= through:
                raise ValueError("no JSON")
            return await super().tellable(edition, after, through)

    amina = a_reader()
    _, composer = a_house()
    store = Torn([amina])
    store.publish(an_arrival("One"), an_arrival("Two"), an_arrival("Three"))
    report = await compose(replace(composer, store=store), now=SEVEN)

    assert amina.titles == ["One, Three"]
    assert report.problems == ("the article at position 2 cannot be read, no JSON; it is left out",)


async def test_a_newsletter_that_left_the_roster_is_named():
    store, composer = a_house(a_reader(newsletter="gone"))
    store.publish(an_arrival("Talks resume"))

    assert "'gone' is not in the roster any more" in (await compose(composer, now=SEVEN)).problems[0]


async def test_a_lost_database_is_not_one_groups_trouble():
    store, composer = a_house(a_reader())
    store.broken = True

    with pytest.raises(StoreError):
        await compose(composer, now=SEVEN)


async def test_progress_names_every_group():
    store, composer = a_house(a_reader("a"), a_reader("b", stories=3))
    store.publish(an_arrival("Talks resume"))
    seen = []
    await compose(composer, now=SEVEN, progress=lambda *what: seen.append(what))

    assert seen == [("The Morning Caveat", 1, 2), ("The Morning Caveat", 2, 2)]


# --- by hand -----------------------------------------------------------------------------------


async def test_a_manual_send_tells_what_was_not_told_and_leaves_the_hour_as_it_is():
    amina = a_reader(due_at=SEVEN + DAY)
    store, composer = a_house(amina)
    store.publish(an_arrival("Talks resume"))
    report = await compose_manual(composer, "morning", None, now=SEVEN)

    assert (report.deliveries, report.planned[0].subscribers, report.planned[0].stories) == (1, 1, 1)
    assert amina.titles == ["Talks resume"]
    assert (amina.next_due_at, amina.told_through) == (SEVEN + DAY, 1)


async def test_sending_twice_by_hand_finds_nothing_new():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Talks resume"))
    await compose_manual(composer, "morning", None, now=SEVEN)

    assert await compose_manual(composer, "morning", None, now=SEVEN + MINUTE) == ManualSendReport(
        nothing_new=1
    )
    assert len(amina.given) == 1


async def test_again_tells_the_last_issue_once_more_as_another_issue():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Talks resume"))
    await compose_manual(composer, "morning", None, now=SEVEN)
    await compose_manual(composer, "morning", None, now=SEVEN + MINUTE, repeat=True)
    await compose_manual(composer, "morning", None, now=SEVEN + 2 * MINUTE, repeat=True)

    assert amina.titles == ["Talks resume"] * 3
    assert len({issue.id for issue in amina.given}) == 3


@pytest.mark.usefixtures("one_word_stories")
async def test_again_tells_a_story_that_went_on_whole():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Fire at the port"))
    await compose(composer, now=SEVEN)
    store.publish(an_arrival("Fire was arson", HOUR - DAY))
    await compose(composer, now=SEVEN + DAY)
    await compose_manual(composer, "morning", None, now=SEVEN + DAY + HOUR, repeat=True)

    assert amina.titles == ["Fire at the port", "Update: Fire was arson", "Fire was arson"]


async def test_a_dry_run_says_who_would_get_what_and_changes_nothing():
    amina, ben = a_reader("amina"), a_reader("ben")
    store, composer = a_house(amina, ben)
    store.publish(an_arrival("Talks resume"))
    report = await compose_manual(composer, "morning", None, now=SEVEN, dry_run=True)

    assert [(p.subscribers, p.stories, p.already_sent) for p in report.planned] == [(2, 1, False)]
    assert report.planned[0].issue.rendered.subject == "Talks resume"
    assert (report.deliveries, amina.given, amina.told_through) == (0, [], 0)


async def test_only_those_who_are_named_get_it_and_rejoin_the_others_later():
    amina, ben = a_reader("amina"), a_reader("ben")
    store, composer = a_house(amina, ben)
    store.publish(an_arrival("Talks resume"))
    await compose_manual(composer, "morning", ["ben"], now=SEVEN - MINUTE)
    await compose(composer, now=SEVEN)

    assert (amina.titles, ben.titles) == (["Talks resume"], ["Talks resume"])
    assert amina.told_through == ben.told_through


async def test_who_got_it_meanwhile_is_said_to_have_it_already():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Talks resume"))
    [group] = await store.groups_of("morning", None)

    async def stale(_newsletter, _subscribers):
        return [group]

    await compose_manual(composer, "morning", None, now=SEVEN)
    store.groups_of = stale  # type: ignore[method-assign]
    report = await compose_manual(composer, "morning", None, now=SEVEN)

    assert (report.deliveries, [p.already_sent for p in report.planned]) == (0, [True])


async def test_an_unknown_newsletter_lists_those_there_are():
    _, composer = a_house()

    with pytest.raises(UnknownName, match="Did you mean morning"):
        await compose_manual(composer, "mornin", None, now=SEVEN)
    with pytest.raises(UnknownName):
        await preview(composer, an_edition("mornin"), served_through=0, now=SEVEN)


async def test_a_group_that_fails_by_hand_is_named():
    store, composer = a_house(a_reader(), theme="broken")
    store.publish(an_arrival("Talks resume"))

    assert "the theme is broken" in (await compose_manual(composer, "morning", None, now=SEVEN)).problems[0]


# --- preview -----------------------------------------------------------------------------------


async def test_a_preview_shows_what_would_come_and_leaves_no_trace():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Old", 2 * DAY), an_arrival("Talks <resume>"))
    shown = await preview(composer, amina.edition, served_through=1, now=SEVEN, name="A <B>")

    assert shown.issue.rendered == RenderedMail("Talks <resume>", "<p>A &lt;B&gt;</p>", "A <B>")
    assert [story.headline for story in shown.digest.stories] == ["Talks <resume>"]
    assert (amina.given, amina.told_through) == ([], 0)


async def test_a_preview_of_nothing_is_an_empty_digest():
    _, composer = a_house()
    shown = await preview(composer, an_edition(), served_through=9, now=SEVEN)

    assert (shown.digest.stories, shown.issue.served_through) == ((), 9)


@pytest.mark.usefixtures("one_word_stories")
async def test_a_preview_remembers_what_its_readers_were_told():
    amina = a_reader()
    store, composer = a_house(amina)
    store.publish(an_arrival("Fire at the port"))
    await compose(composer, now=SEVEN)
    store.publish(an_arrival("Fire was arson", HOUR - DAY))
    shown = await preview(composer, amina.edition, served_through=1, now=SEVEN + DAY)

    assert shown.issue.rendered.subject == "Update: Fire was arson"
