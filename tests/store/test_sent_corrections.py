"""What readers were told and a publisher edited since is found, told once, and can be proven ever after."""

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
TOLD = Excerpt("Two ferries were hit.", 0, 21)


async def see(stores: Stores, edited: Article) -> None:
    """Look at the feed and find this edited."""
    await stores.gather.record_poll(PollResult(FeedState(a_feed()), edited=(edited,)))


async def tell(stores: Stores, *corrections: Correction, day: int = 0, articles: tuple[str, ...] = ()) -> str:
    """Let a day's issue say this to whoever is due; return its id."""
    group = await stores.due_group(NOON + day * DAY)
    issue = an_issue(group, through=1, occurrence=f"day {day}")
    issue = replace(issue, article_ids=articles, corrections=corrections, created_at=NOON + day * DAY)
    assert await stores.compose.record_issue(group, issue, NOON + (day + 1) * DAY, "file")
    return issue.id


async def a_told_article(stores: Stores) -> None:
    await stores.store_articles([FIRST])
    await stores.condense.record_summary(FIRST.id, condensed(FIRST).summary, NOON)
    await stores.subscribe("amina")
    await tell(stores, articles=(FIRST.id,))


async def edited(stores: Stores, day: int = 1) -> list[EditedArticle]:
    """Return the edits that the readers who are due that day were not told of."""
    now = NOON + day * DAY
    return list(await stores.compose.edited_articles(await stores.due_group(now), NOON - DAY, now))


def corrected(found: EditedArticle, told: Excerpt = TOLD) -> Correction:
    end = found.edit.text.index(".") + 1
    now = Excerpt(found.edit.text[:end], 0, end, found.edit.key)
    return Correction(found.article, found.edit, (SentenceChange(told, now),))


async def test_an_edit_of_what_was_told_is_found_with_the_issue_that_told_it(stores: Stores):
    await a_told_article(stores)
    assert await edited(stores) == []
    await see(stores, EDITED)

    [found] = await edited(stores)
    assert (found.article.text, found.edit.text) == (FIRST.text, EDITED.text)
    assert found.summary == condensed(FIRST).summary
    assert (found.sent_texts, found.previous_changes) == (("Talks resume",), ())


async def test_an_edit_rests_before_it_is_told_and_an_old_issue_is_not_corrected(stores: Stores):
    await a_told_article(stores)
    await see(stores, EDITED)
    group = await stores.due_group(NOON + DAY)

    assert await stores.compose.edited_articles(group, NOON - DAY, NOON - 2 * HOUR) == []
    assert await stores.compose.edited_articles(group, NOON + HOUR, NOON + DAY) == []


async def test_who_was_not_told_the_article_has_nothing_to_be_corrected(stores: Stores):
    await a_told_article(stores)
    await stores.subscribe("amina", "ben")
    await see(stores, EDITED)
    groups = await stores.compose.due_groups(NOON + DAY)
    found = [await stores.compose.edited_articles(group, NOON - DAY, NOON + DAY) for group in groups]

    assert [len(edits) for edits in found] == [0, 1]


async def test_a_correction_is_told_once_with_its_issue_and_stays_provable(stores: Stores):
    await a_told_article(stores)
    await see(stores, EDITED)
    [found] = await edited(stores)
    issue = await tell(stores, corrected(found), day=1)

    assert await edited(stores, day=2) == []
    [line] = await CorrectionQueries(stores.database).of_issue(issue)
    assert line.correction == corrected(found)
    assert line.is_verbatim
    wrong = replace(
        line.correction, changes=(SentenceChange(replace(TOLD, text="Two fairies were hit."), None),)
    )
    assert not replace(line, correction=wrong).is_verbatim


async def test_a_later_edit_comes_with_what_was_told_of_the_one_before(stores: Stores):
    await a_told_article(stores)
    await see(stores, EDITED)
    [first] = await edited(stores)
    await tell(stores, corrected(first), day=1)
    await see(stores, FOUR)

    [second] = await edited(stores, day=2)
    now = corrected(first).changes[0].current
    assert now
    assert (second.edit.text, second.previous_changes) == (FOUR.text, (corrected(first).changes,))
    await tell(stores, corrected(second, told=now), day=2)
    lines = await CorrectionQueries(stores.database).of_article(FIRST.id)
    assert [line.correction.changes[0].current.text for line in lines] == [
        "Three ferries were hit.",
        "Four ferries were hit.",
    ]
    assert all(line.is_verbatim for line in lines)


async def test_an_edit_that_is_taken_back_after_it_was_told_is_an_edit_too(stores: Stores):
    await a_told_article(stores)
    await see(stores, EDITED)
    [first] = await edited(stores)
    await tell(stores, corrected(first), day=1)
    await see(stores, FIRST)

    [back] = await edited(stores, day=2)
    assert back.edit.text == FIRST.text


async def test_an_issue_that_is_made_twice_is_corrected_once(stores: Stores):
    await a_told_article(stores)
    await see(stores, EDITED)
    [found] = await edited(stores)
    group = await stores.due_group(NOON + DAY)
    issue = replace(an_issue(group, occurrence="day 1"), corrections=(corrected(found),))

    assert await stores.compose.record_issue(group, issue, NOON + 2 * DAY, "file") == 1
    assert await stores.compose.record_issue(group, issue, NOON + 2 * DAY, "file") == 0
    assert len(await CorrectionQueries(stores.database).of_issue(issue.id)) == 1


async def test_what_is_kept_beside_articles_can_be_listed(stores: Stores):
    await a_told_article(stores)
    records = CorrectionQueries(stores.database)
    assert await records.latest_edit(FIRST.id) is None
    await see(stores, EDITED)

    edit = await records.latest_edit(FIRST.id)
    assert isinstance(edit, Edit)
    assert (edit.title, edit.at) == ("Three ferries hit", NOON - HOUR)
    assert await records.count_edited([FIRST.id, "another"]) == 1
