"""Corrections of sent articles: each edit is found, sent once, and stored as proof."""

from __future__ import annotations

from dataclasses import replace

from service.compose.ports import EditedArticle
from service.core.model import Article, Correction, Edit, Excerpt, FeedState, SentenceChange
from service.gather.ports import PollResult
from service.store.sent_corrections import CorrectionQueries
from tests.builders import NOON, a_feed, an_article, condensed
from tests.store.stores import DAY, HOUR, Stores, an_issue

FIRST = an_article("Two ferries hit", "Two ferries were hit. Nobody was hurt.", gathered_at=NOON - HOUR)
EDITED = replace(FIRST, title="Three ferries hit", text="Three ferries were hit. Nobody was hurt.")
FOUR = replace(FIRST, title="Four ferries hit", text="Four ferries were hit. Nobody was hurt.")
SENT = Excerpt("Two ferries were hit.", 0, 21)


async def record_edit(stores: Stores, edited: Article) -> None:
    """Record a poll that found this edited article."""
    await stores.gather.record_polls([PollResult(FeedState(a_feed()), edited=(edited,))])


async def send(stores: Stores, *corrections: Correction, day: int = 0, articles: tuple[str, ...] = ()) -> str:
    """Record an issue of that day for the due group; return its id."""
    group = await stores.due_group(NOON + day * DAY)
    issue = an_issue(group, through=1, occurrence=f"day {day}")
    issue = replace(issue, article_ids=articles, corrections=corrections, created_at=NOON + day * DAY)
    assert await stores.compose.record_issue(group, issue, NOON + (day + 1) * DAY, "file")
    return issue.id


async def a_sent_article(stores: Stores) -> None:
    await stores.store_articles([FIRST])
    await stores.condense.record_summaries({FIRST.id: condensed(FIRST).summary}, NOON)
    await stores.subscribe("amina")
    await send(stores, articles=(FIRST.id,))


async def edited(stores: Stores, day: int = 1) -> list[EditedArticle]:
    """Return the edits that were not sent to the group due that day."""
    now = NOON + day * DAY
    return list(await stores.compose.edited_articles(await stores.due_group(now), NOON - DAY, now))


def corrected(found: EditedArticle, sent: Excerpt = SENT) -> Correction:
    end = found.edit.text.index(".") + 1
    now = Excerpt(found.edit.text[:end], 0, end, found.edit.key)
    return Correction(found.article, found.edit, (SentenceChange(sent, now),))


async def test_an_edit_of_a_sent_article_is_found_with_the_sent_text(stores: Stores):
    await a_sent_article(stores)
    assert await edited(stores) == []
    await record_edit(stores, EDITED)

    [found] = await edited(stores)
    assert (found.article.text, found.edit.text) == (FIRST.text, EDITED.text)
    assert found.summary == condensed(FIRST).summary
    assert (found.sent_texts, found.previous_changes) == (("Talks resume",), ())


async def test_an_edit_settles_first_and_an_old_issue_is_not_corrected(stores: Stores):
    await a_sent_article(stores)
    await record_edit(stores, EDITED)
    group = await stores.due_group(NOON + DAY)

    assert await stores.compose.edited_articles(group, NOON - DAY, NOON - 2 * HOUR) == []
    assert await stores.compose.edited_articles(group, NOON + HOUR, NOON + DAY) == []


async def test_a_group_without_the_article_gets_no_correction(stores: Stores):
    await a_sent_article(stores)
    await stores.subscribe("amina", "ben")
    await record_edit(stores, EDITED)
    groups = await stores.compose.due_groups(NOON + DAY)
    found = [await stores.compose.edited_articles(group, NOON - DAY, NOON + DAY) for group in groups]

    assert [len(edits) for edits in found] == [0, 1]


async def test_a_correction_is_sent_once_and_stored_with_its_issue(stores: Stores):
    await a_sent_article(stores)
    await record_edit(stores, EDITED)
    [found] = await edited(stores)
    issue = await send(stores, corrected(found), day=1)

    assert await edited(stores, day=2) == []
    [line] = await CorrectionQueries(stores.database).of_issue(issue)
    assert line.correction == corrected(found)
    assert line.is_verbatim
    wrong = replace(
        line.correction, changes=(SentenceChange(replace(SENT, text="Two fairies were hit."), None),)
    )
    assert not replace(line, correction=wrong).is_verbatim


async def test_a_correction_of_a_headline_is_stored_and_known_to_the_next_one(stores: Stores):
    await a_sent_article(stores)
    await record_edit(stores, replace(EDITED, title="Talks fail"))
    [found] = await edited(stores)
    old = Excerpt(FIRST.title, 0, len(FIRST.title), is_headline=True)
    new = Excerpt("Talks fail", 0, len("Talks fail"), found.edit.key, is_headline=True)
    told = Correction(found.article, found.edit, (SentenceChange(old, new),))
    issue = await send(stores, told, day=1)
    await record_edit(stores, replace(EDITED, title="Talks end"))

    [line] = await CorrectionQueries(stores.database).of_issue(issue)
    assert line.correction == told
    assert line.is_verbatim
    wrong = replace(told, changes=(SentenceChange(replace(old, text="Talks"), replace(new, start=1)),))
    assert not replace(line, correction=wrong).is_verbatim
    [second] = await edited(stores, day=2)
    assert second.previous_changes == (told.changes,)


async def test_a_later_edit_has_the_changes_sent_for_the_previous_one(stores: Stores):
    await a_sent_article(stores)
    await record_edit(stores, EDITED)
    [first] = await edited(stores)
    await send(stores, corrected(first), day=1)
    await record_edit(stores, FOUR)

    [second] = await edited(stores, day=2)
    now = corrected(first).changes[0].current
    assert now
    assert (second.edit.text, second.previous_changes) == (FOUR.text, (corrected(first).changes,))
    await send(stores, corrected(second, sent=now), day=2)
    lines = await CorrectionQueries(stores.database).of_article(FIRST.id)
    assert [line.correction.changes[0].current.text for line in lines] == [
        "Three ferries were hit.",
        "Four ferries were hit.",
    ]
    assert all(line.is_verbatim for line in lines)


async def test_a_revert_of_a_corrected_edit_is_an_edit(stores: Stores):
    await a_sent_article(stores)
    await record_edit(stores, EDITED)
    [first] = await edited(stores)
    await send(stores, corrected(first), day=1)
    await record_edit(stores, FIRST)

    [reverted] = await edited(stores, day=2)
    assert reverted.edit.text == FIRST.text


async def test_an_issue_recorded_twice_has_its_correction_once(stores: Stores):
    await a_sent_article(stores)
    await record_edit(stores, EDITED)
    [found] = await edited(stores)
    group = await stores.due_group(NOON + DAY)
    issue = replace(an_issue(group, occurrence="day 1"), corrections=(corrected(found),))

    assert await stores.compose.record_issue(group, issue, NOON + 2 * DAY, "file") == 1
    assert await stores.compose.record_issue(group, issue, NOON + 2 * DAY, "file") == 0
    assert len(await CorrectionQueries(stores.database).of_issue(issue.id)) == 1


async def test_the_latest_edit_of_an_article_is_found_and_counted(stores: Stores):
    await a_sent_article(stores)
    queries = CorrectionQueries(stores.database)
    assert await queries.latest_edit(FIRST.id) is None
    await record_edit(stores, EDITED)

    edit = await queries.latest_edit(FIRST.id)
    assert isinstance(edit, Edit)
    assert (edit.title, edit.at) == ("Three ferries hit", NOON - HOUR)
    assert await queries.count_edited([FIRST.id, "another"]) == 1
