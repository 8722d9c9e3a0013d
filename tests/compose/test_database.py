"""Compose with a real database and the real themes: due groups are found, composed, rendered and planned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.compose.render.theme import JinjaRenderer
from service.compose.stage import Composer, ComposeReport, compose, compose_manual, preview
from service.compose.stories.assign import StoryAssigner
from service.core.model import Article, DeliveryState, FeedState
from service.gather.ports import PollResult
from service.settings.packaged_files import templates_folder
from service.store.database import Database
from service.store.sent_corrections import CorrectionQueries
from service.store.stories import SqlStoryStore
from tests.builders import NOON, a_feed, a_newsletter, a_report_on, an_article, an_edition, condensed
from tests.compose.digests import SITE
from tests.compose.fakes import merge_all
from tests.compose.reports import a_report
from tests.store.stores import DAY, HOUR, Stores


@pytest.fixture
def stores(sqlite_database: Database) -> Stores:
    return Stores(sqlite_database)


@pytest.fixture
def composer(stores: Stores) -> Composer:
    renderer = JinjaRenderer(templates_folder(), SITE)
    newsletters = {"morning": a_newsletter()}
    joiner = StoryAssigner(SqlStoryStore(stores.database))
    settle = timedelta(minutes=10)
    return Composer(
        stores.compose,
        renderer,
        merge_all,
        newsletters,
        settle,
        "file",
        joiner,
    )


async def test_subscribers_get_an_issue_of_articles_since_their_cursor(stores: Stores, composer: Composer):
    await stores.subscribe("amina", "ben")
    await stores.publish("Harbour reopens", "Talks resume")
    assert await compose(composer, now=NOON) == ComposeReport(issues=1, deliveries=2)

    [issue] = await stores.queries.issues()
    stored = await stores.deliver.issue(issue.id)
    assert stored is not None
    assert set(stored.rendered.subject.split(" · ")) == {"Harbour reopens", "Talks resume"}
    assert a_report_on("Harbour reopens").split(". ")[0] in stored.rendered.html
    assert set((await stores.states(stored)).values()) == {DeliveryState.PLANNED.value}
    assert (await stores.subscription("ben")).next_due_at == NOON + 18 * HOUR


async def test_the_next_issue_has_only_new_articles(stores: Stores, composer: Composer):
    await stores.subscribe("amina")
    await stores.publish("Harbour reopens")
    await compose(composer, now=NOON)
    await stores.publish("Talks resume", at=NOON + HOUR)

    assert await compose(composer, now=NOON + DAY) == ComposeReport(issues=1, deliveries=1)
    newest, _ = await stores.queries.issues()
    stored = await stores.deliver.issue(newest.id)
    assert stored is not None
    assert stored.rendered.subject == "Talks resume"


async def test_a_manual_send_and_a_preview_have_the_same_articles(stores: Stores, composer: Composer):
    await stores.subscribe("amina")
    await stores.publish("Harbour reopens")
    shown = await preview(composer, an_edition(), served_through=0, now=NOON, name="Amina")
    sent = await compose_manual(composer, "morning", None, now=NOON)

    assert sent.deliveries == 1
    assert [story.headline for story in shown.digest.stories] == ["Harbour reopens"]
    assert shown.issue.article_ids == sent.planned[0].issue.article_ids


async def store_and_condense(stores: Stores, report: Article) -> None:
    """Store a report and condense it to its first sentence."""
    await stores.store_articles([report])
    await stores.condense.record_summaries({report.id: condensed(report).summary}, NOON)


@pytest.mark.parametrize("theme", ["daily", "brief"])
async def test_an_edit_of_a_sent_article_is_corrected_once_in_the_next_issue(
    stores: Stores, composer: Composer, theme: str
):
    composer = replace(composer, newsletters={"morning": a_newsletter(theme=theme, empty="send")})
    old = "Insurers estimate the damage at 18 million marks."
    report = an_article("Silo burns", f"{old} Ships wait in the roads. Wheat is dear.")
    await stores.subscribe("amina")
    await store_and_condense(stores, report)
    await compose(composer, now=NOON)
    edited = replace(report, text=report.text.replace("18", "81"), gathered_at=NOON + HOUR)
    await stores.gather.record_polls([PollResult(FeedState(a_feed()), edited=(edited,))])
    for day in (1, 2):
        await compose(composer, now=NOON + day * DAY)

    last, corrected, first = await stores.queries.issues()
    records = CorrectionQueries(stores.database)
    [line] = await records.of_issue(corrected.id)
    stored = await stores.deliver.issue(corrected.id)
    assert stored
    assert line.is_verbatim
    for part in (stored.rendered.html, stored.rendered.text):
        shown_text = " ".join(part.split())
        assert old in shown_text
        assert old.replace("18", "81") in shown_text
    assert [await records.of_issue(issue.id) for issue in (first, last)] == [[], []]


async def test_a_continued_story_keeps_its_id_and_is_sent_again_only_for_new_points(
    stores: Stores, composer: Composer
):
    await stores.subscribe("amina")
    await store_and_condense(stores, a_report(7, hours=-2))
    await compose(composer, now=NOON)
    await store_and_condense(stores, a_report(7, publisher="The Copyist", hours=2))
    assert await compose(composer, now=NOON + DAY) == ComposeReport(empty=1)
    await store_and_condense(stores, a_report(8, hours=26))
    assert await compose(composer, now=NOON + 2 * DAY) == ComposeReport(issues=1, deliveries=1)

    update, first = [await stores.deliver.issue(line.id) for line in await stores.queries.issues()]
    assert first is not None
    assert update is not None
    assert first.rendered.text.count("1. Earthquake of magnitude 6.1 shakes northern Tarvia")
    assert "1. Update: At least eight dead in Tarvia quake" in update.rendered.text
    released = await stores.compose.released_articles(an_edition(), 0, 99)
    assert len({article.story for article in released}) == 1
    assert released[0].story == released[0].article.id


async def test_a_preview_gives_no_article_its_story(stores: Stores, composer: Composer):
    await stores.publish("Harbour reopens")
    await preview(composer, an_edition(), served_through=0, now=NOON)

    assert [released.story for released in await stores.compose.released_articles(an_edition(), 0, 99)] == [
        ""
    ]
