"""Review: an issue waits as a draft before it is due, and is sent, held or stopped as its editor decided."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from service.compose.drafts.edits import apply_edits
from service.compose.render.theme import JinjaRenderer
from service.compose.stage import Composer, ComposeReport, compose, compose_manual
from service.compose.stories.assign import StoryAssigner
from service.core.errors import DraftChanged
from service.core.model import Draft, DraftState, Drop, FeedState, Group, Issue, Newsletter, Place, Placement
from service.gather.ports import PollResult
from service.settings.packaged_files import templates_folder
from service.store.backups.backup import back_up
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.drafts import SqlDraftStore
from service.store.stories import SqlStoryStore
from tests.builders import NOON, a_feed, a_newsletter, an_article, condensed
from tests.compose.digests import SITE
from tests.compose.fakes import merge_all
from tests.store.kills import killed_at
from tests.store.restored import restored
from tests.store.stores import HOUR, MINUTE, Stores

EARLY = NOON - 20 * MINUTE  # the time for review has begun
TITLES = ("Harbour reopens", "Talks resume", "Silo burns")


@pytest.fixture
def stores(database) -> Stores:
    return Stores(database)


class Office:
    """A newsroom: its stores, and its newsletter with 30 minutes for review."""

    def __init__(self, stores: Stores, store: SqlComposeStore | None = None, **newsletter: Any) -> None:
        self.stores = stores
        settings: dict[str, Any] = {"review": 30 * MINUTE, **newsletter}
        self.newsletters: dict[str, Newsletter] = {"morning": a_newsletter(**settings)}
        self.drafts = SqlDraftStore(stores.database)
        self.composer = Composer(
            store or stores.compose,
            JinjaRenderer(templates_folder(), SITE),
            merge_all,
            self.newsletters,
            timedelta(0),
            "file",
            StoryAssigner(SqlStoryStore(stores.database)),
            drafts=self.drafts,
        )

    async def compose(self, now: datetime) -> ComposeReport:
        return await compose(self.composer, now=now)

    async def draft(self) -> Draft:
        [draft] = await self.drafts.drafts_of("morning")
        return draft

    async def decide(self, state: DraftState, at: datetime = EARLY) -> None:
        await self.drafts.save((await self.draft()).changed(at, "mia", state=state))

    async def edit(self, *actions: Any) -> None:
        draft = await self.draft()
        for action in actions:
            draft = replace(draft, edits=draft.edits.added(action))
        await self.drafts.save(draft)

    async def issues(self) -> list[Issue]:
        found = [await self.stores.deliver.issue(one.id) for one in await self.stores.queries.issues()]
        return [one for one in reversed(found) if one is not None]

    async def headlines(self) -> list[str]:
        return [one.headline for one in (await self.draft()).digest.stories]


@pytest.fixture
async def office(stores: Stores) -> Office:
    await stores.subscribe("amina", "ben")
    await stores.publish(*TITLES, at=NOON - HOUR)
    return Office(stores)


async def test_a_draft_is_made_ahead_of_the_due_time_and_once(office: Office):
    assert await office.compose(NOON - 31 * MINUTE) == ComposeReport()
    [waiting] = (await office.compose(EARLY)).drafts
    assert (waiting.subscribers, waiting.due_at, waiting.is_sent) == (2, NOON, True)
    assert await office.compose(EARLY + MINUTE) == ComposeReport()

    draft = await office.draft()
    assert (draft.id, draft.size, draft.state) == (waiting.id, 2, DraftState.WAITING)
    assert sorted(await office.headlines()) == sorted(TITLES)
    assert await office.issues() == []


async def test_a_stored_draft_comes_back_as_it_was(office: Office):
    await office.compose(EARLY)
    draft = await office.draft()
    stored = await office.drafts.save(replace(draft, edits=draft.edits.added(Drop("x")), note="a note"))
    assert await office.draft() == stored


async def test_without_a_decision_the_draft_is_sent_on_time(office: Office):
    await office.compose(EARLY)
    draft = await office.draft()
    await office.stores.publish("News in the meantime", at=EARLY)
    report = await office.compose(NOON)

    assert (report.issues, report.deliveries) == (1, 2)
    [issue] = await office.issues()
    assert (issue.id, issue.served_through) == (draft.id, draft.served_through)
    assert "News in the meantime" not in issue.rendered.text
    assert await office.drafts.drafts_of() == []
    await office.compose((await office.stores.subscription()).next_due_at - MINUTE)
    assert await office.headlines() == ["News in the meantime"]


async def test_the_issue_is_as_its_editor_changed_it(office: Office):
    await office.compose(EARLY)
    draft = await office.draft()
    first, second, third = draft.digest.stories
    await office.edit(Drop(first.id), Place(third.id, Placement.LEAD))
    await office.decide(DraftState.APPROVED)
    await office.compose(NOON)

    [issue] = await office.issues()
    assert issue.rendered.subject.startswith(third.headline)
    assert second.headline in issue.rendered.text
    assert first.headline not in issue.rendered.text
    assert set(issue.article_ids) == {one.id for story in (second, third) for one in story.articles}


async def test_a_held_draft_waits_without_a_word_until_it_is_approved(office: Office):
    await office.compose(EARLY)
    await office.decide(DraftState.HELD)
    for hours in (0, 1, 5, 30):
        assert await office.compose(NOON + hours * HOUR) == ComposeReport()
    assert (await office.stores.queries.pending_work(NOON + 30 * HOUR)).groups == 0
    await office.decide(DraftState.APPROVED, NOON + 31 * HOUR)
    assert (await office.stores.queries.pending_work(NOON + 31 * HOUR)).groups == 1

    assert (await office.compose(NOON + 31 * HOUR + MINUTE)).deliveries == 2
    assert len(await office.issues()) == 1


@pytest.mark.parametrize(
    ("late", "hours", "outcome"), [("merge", 5, "issues"), ("merge", 7, "late"), ("skip", 7, "late")]
)
async def test_an_approved_issue_is_as_late_as_its_approval_is_old(office: Office, late, hours, outcome):
    office.newsletters["morning"] = replace(office.newsletters["morning"], late=late)
    await office.compose(EARLY)
    await office.decide(DraftState.HELD)
    await office.decide(DraftState.APPROVED, NOON + 10 * HOUR)

    assert getattr(await office.compose(NOON + (10 + hours) * HOUR), outcome) == 1
    assert await office.drafts.drafts_of() == []


async def test_without_a_decision_the_draft_is_held_if_the_newsletter_says_so(office: Office):
    office.newsletters["morning"] = replace(office.newsletters["morning"], unreviewed="hold")
    [waiting] = (await office.compose(EARLY)).drafts
    assert not waiting.is_sent
    await office.drafts.save((await office.draft()).changed(EARLY, "mia"))
    assert await office.compose(NOON) == ComposeReport()
    held = await office.draft()
    assert (held.state, held.changed_by) == (DraftState.HELD, "mia")
    assert "Nobody had decided when it was due" in held.note
    assert await office.issues() == []


async def test_drafts_without_a_decision_are_counted(office: Office):
    async def undecided() -> int:
        return (await office.stores.queries.backlog(NOON)).drafts

    assert await undecided() == 0
    await office.compose(EARLY)
    assert await undecided() == 1
    await office.decide(DraftState.HELD)
    assert await undecided() == 1
    await office.decide(DraftState.APPROVED)
    assert await undecided() == 0


async def test_what_was_never_a_draft_is_sent_or_becomes_a_held_draft(office: Office):
    office.newsletters["morning"] = replace(office.newsletters["morning"], unreviewed="hold")
    report = await office.compose(NOON + MINUTE)
    assert (report.issues, len(report.drafts)) == (0, 1)
    assert (await office.draft()).state is DraftState.HELD


async def test_the_stories_of_a_stopped_draft_wait_for_the_next_issue(office: Office):
    await office.compose(EARLY)
    await office.decide(DraftState.STOPPED)
    assert (await office.compose(NOON)).stopped == 1
    assert await office.drafts.drafts_of() == []
    assert (await office.stores.subscription()).served_through == 0

    due_at = (await office.stores.subscription()).next_due_at
    await office.compose(due_at - MINUTE)
    assert sorted(await office.headlines()) == sorted(TITLES)
    assert (await office.compose(due_at)).deliveries == 2


async def test_a_draft_without_stories_left_is_no_issue_and_its_stories_are_gone(office: Office):
    await office.compose(EARLY)
    draft = await office.draft()
    await office.edit(*(Drop(story.id) for story in draft.digest.stories))
    assert (await office.compose(NOON)).empty == 1
    assert (await office.stores.subscription()).served_through == draft.served_through


async def test_nothing_to_review_is_no_draft(office: Office):
    office.newsletters["morning"] = replace(office.newsletters["morning"], topics=("sport",))
    stores = office.stores
    await office.compose(EARLY)
    await office.compose(NOON)
    due_at = (await stores.subscription()).next_due_at
    assert await office.compose(due_at - MINUTE) == ComposeReport()
    assert await office.drafts.drafts_of() == []


async def test_a_manual_send_meanwhile_makes_another_draft_with_the_same_changes(office: Office):
    await office.compose(EARLY)
    await office.decide(DraftState.APPROVED)
    await office.edit(Drop("gone"))
    await compose_manual(office.composer, "morning", None, now=EARLY)
    await office.stores.publish("Later news", at=EARLY)
    await office.compose(EARLY + MINUTE)

    draft = await office.draft()
    assert (await office.headlines(), draft.state, draft.edits.actions) == (
        ["Later news"],
        DraftState.WAITING,
        (Drop("gone"),),
    )
    assert "were sent an issue meanwhile" in draft.note
    assert "1 of the changes to it no longer apply" in draft.note
    assert "approved again" in draft.note


# --- edits by publishers, crashes and other workers --------------------------------------------

FERRY = an_article("Two ferries hit", "Two ferries were hit. Nobody was hurt.", gathered_at=NOON - HOUR)
EDITED = replace(FERRY, title="Three ferries hit", text="Three ferries were hit. One sailor was hurt.")


async def edit_by_publisher(stores: Stores) -> None:
    await stores.gather.record_polls([PollResult(FeedState(a_feed()), edited=(EDITED,))])
    for article in await stores.condense.uncondensed(10):
        await stores.condense.record_summaries({article.id: condensed(article).summary}, NOON)


@pytest.fixture
async def ferry_office(office: Office) -> Office:
    await office.stores.store_articles([FERRY])
    await office.stores.condense.record_summaries({FERRY.id: condensed(FERRY).summary}, NOON)
    await office.compose(EARLY)
    return office


async def test_a_draft_is_made_again_from_an_edited_text_with_the_same_changes(ferry_office: Office):
    office = ferry_office
    harbour = next(one for one in (await office.draft()).digest.stories if one.headline == "Harbour reopens")
    await office.edit(Drop(harbour.id))
    await office.decide(DraftState.APPROVED)
    await edit_by_publisher(office.stores)
    assert len((await office.compose(EARLY + MINUTE)).drafts) == 1

    draft = await office.draft()
    assert draft.state is DraftState.WAITING
    assert "was edited by its publisher" in draft.note
    shown = apply_edits(draft.digest, draft.edits, draft.material)
    assert "Three ferries hit" in [story.headline for story in shown.stories]
    assert "Harbour reopens" not in [story.headline for story in shown.stories]
    await office.compose(NOON)
    [issue] = await office.issues()
    assert "Three ferries were hit." in issue.rendered.text
    assert "Two ferries" not in issue.rendered.text


async def test_an_edit_at_the_last_moment_is_not_sent_unreviewed(ferry_office: Office):
    office = ferry_office
    office.newsletters["morning"] = replace(office.newsletters["morning"], unreviewed="hold")
    await office.decide(DraftState.APPROVED)
    await edit_by_publisher(office.stores)

    assert (await office.compose(NOON)).issues == 0
    assert (await office.draft()).state is DraftState.HELD


class EditedDuringRecording(SqlComposeStore):
    """A store in which an article is edited right before the issue is recorded, once."""

    async def record_issue(self, group: Group, issue: Issue, *more: Any) -> int:
        await edit_by_publisher(Stores(self.database))
        return await super().record_issue(group, issue, *more)


async def test_an_article_edited_while_the_issue_is_recorded(ferry_office: Office):
    office = Office(ferry_office.stores, EditedDuringRecording(ferry_office.stores.database))
    assert (await office.compose(NOON)).deliveries == 2
    [issue] = await office.issues()
    assert "Three ferries were hit." in issue.rendered.text


class StoppedDuringRecording(SqlComposeStore):
    """A store in which the editor stops the draft right before its issue is recorded."""

    async def record_issue(self, group: Group, issue: Issue, *more: Any) -> int:
        drafts = SqlDraftStore(self.database)
        for draft in await drafts.drafts_of():
            await drafts.save(draft.changed(NOON, "mia", state=DraftState.STOPPED))
        return await super().record_issue(group, issue, *more)


async def test_a_stop_at_the_last_moment_stops(office: Office):
    late = Office(office.stores, StoppedDuringRecording(office.stores.database))
    await office.compose(EARLY)
    report = await late.compose(NOON)

    assert (report.issues, report.stopped) == (0, 1)
    assert await office.issues() == []


async def test_a_change_after_the_issue_was_made_is_refused(office: Office):
    await office.compose(EARLY)
    draft = await office.draft()
    await office.compose(NOON)
    with pytest.raises(DraftChanged):
        await office.drafts.save(draft.changed(NOON, "mia", state=DraftState.STOPPED))


async def test_a_change_to_an_outdated_version_is_refused(office: Office):
    await office.compose(EARLY)
    draft = await office.draft()
    await office.drafts.save(draft.changed(EARLY, "mia", state=DraftState.HELD))
    with pytest.raises(DraftChanged):
        await office.drafts.save(draft.changed(EARLY, "ben", state=DraftState.APPROVED))
    assert (await office.draft()).changed_by == "mia"


async def test_several_workers_make_one_draft_and_one_issue(office: Office):
    reports = await asyncio.gather(*(office.compose(EARLY) for _ in range(3)))
    assert sum(len(one.drafts) for one in reports) == 1
    await office.draft()
    reports = await asyncio.gather(*(office.compose(NOON) for _ in range(3)))
    assert sorted(one.deliveries for one in reports) == [0, 0, 2]
    assert [one.problems for one in reports] == [()] * 3
    assert len(await office.issues()) == 1


@pytest.mark.parametrize("state", [None, DraftState.APPROVED, DraftState.STOPPED])
@pytest.mark.parametrize("committed", [False, True])
async def test_after_a_crash_at_any_step_the_next_pass_finishes_the_work(
    office: Office, monkeypatch, state, committed
):
    step = 1
    while await killed_at(step, partial(office.compose, EARLY), monkeypatch, committed=committed):
        step += 1
    assert step > 1
    if state is not None:
        await office.decide(state)
    step = 1
    while await killed_at(step, partial(office.compose, NOON), monkeypatch, committed=committed):
        step += 1
    await office.compose(NOON)

    issues = await office.issues()
    assert len(issues) == (0 if state is DraftState.STOPPED else 1)
    for issue in issues:
        assert await office.stores.states(issue) == {"amina": "planned", "ben": "planned"}
    assert await office.drafts.drafts_of() == []
    assert await office.stores.compose.due_groups(NOON) == []


async def test_a_decision_survives_the_restore_of_an_older_backup(database_url: str, tmp_path: Path):
    database = await Database.open(database_url)
    stores = Stores(database)
    await stores.subscribe("amina")
    await stores.publish(*TITLES, at=NOON - HOUR)
    office = Office(stores)
    await office.compose(EARLY)
    back_up(database_url, tmp_path / "copy")
    await office.decide(DraftState.STOPPED)
    stopped = await office.draft()
    await database.close()

    await restored(database_url, tmp_path / "copy")

    database = await Database.open(database_url)
    assert await Office(Stores(database)).draft() == stopped
    await database.close()
