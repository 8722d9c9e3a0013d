"""Review: drafts are composed ahead of their due time, and become issues as their editors decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from service.compose.composition import Composition, IssuePlan
from service.compose.drafts.edits import apply_edits, lost_actions
from service.compose.lateness import DuePlan, LateAction, plan_due_group
from service.compose.ports import ComposeStore, DraftStore
from service.compose.waiting import stories_wait
from service.core import ids
from service.core.model import Draft, DraftState, Group, Newsletter

HOLD = "hold"  # Newsletter.unreviewed
SHORT_ID_CHARACTERS = 8
NOT_DECIDED = "Nobody had decided when it was due, so it is held."


class WaitingDraft(NamedTuple):
    """A draft that was made for an editor; `is_sent`: without a decision it is sent when it is due."""

    id: str
    newsletter: str
    subscribers: int
    due_at: datetime
    is_sent: bool

    def log_fields(self) -> dict[str, object]:
        """Return the fields of the log event, with the time of the decision and the command to run."""
        return {
            "draft": self.id,
            "newsletter": self.newsletter,
            "subscribers": self.subscribers,
            "due_at": self.due_at.isoformat(),
            "undecided": "sent" if self.is_sent else "held",
            "command": f"caveat draft show {self.id[:SHORT_ID_CHARACTERS]}",
        }


class ReviewOutcome(NamedTuple):
    """What became of a group, as counts of issues and deliveries, and the draft that waits for an editor."""

    issues: int = 0
    deliveries: int = 0
    empty: int = 0
    late: int = 0
    stopped: int = 0
    drafts: tuple[WaitingDraft, ...] = ()


async def groups_to_compose(
    store: ComposeStore, newsletters: Mapping[str, Newsletter], now: datetime
) -> Sequence[Group]:
    """Return the groups that are due at `now`, and those of `newsletters` whose time for review has begun."""
    reviews = {one.id: one.review for one in newsletters.values() if one.review is not None}
    if not reviews:
        return await store.due_groups(now)
    groups = await store.due_groups(now, max(reviews.values()))
    return [
        group
        for group in groups
        if group.due_at and group.due_at - reviews.get(group.edition.newsletter, timedelta()) <= now
    ]


@dataclass(frozen=True, slots=True)
class Review:
    """The drafts of one pass of compose, and the channel of the issues that are made of them."""

    drafts: DraftStore
    store: ComposeStore
    composition: Composition
    channel: str

    async def prepare(self, group: Group, newsletter: Newsletter) -> ReviewOutcome:
        """Make a draft for a group that is due soon, or make it again if its articles were edited."""
        draft, is_new = await self._draft(group, newsletter)
        return self._waiting(draft, newsletter) if draft and is_new else ReviewOutcome()

    async def serve(self, group: Group, newsletter: Newsletter) -> ReviewOutcome | None:
        """Do with a due group what the editor of its draft decided; None if there is nothing to review.

        A group whose draft is held stays due. Raises ArticleChanged, and DraftChanged if the editor changed
        the draft meanwhile.
        """
        draft, is_new = await self._draft(group, newsletter)
        if draft is None:
            return None
        now = self.composition.now
        if draft.state is DraftState.WAITING and newsletter.unreviewed == HOLD:
            held = replace(draft, note=f"{draft.note} {NOT_DECIDED}".strip())
            draft = await self.drafts.save(held.changed(now, draft.changed_by, state=DraftState.HELD))
        if draft.state is DraftState.HELD:
            return self._waiting(draft, newsletter) if is_new else ReviewOutcome()
        approved_at = draft.changed_at if draft.state is DraftState.APPROVED else None
        due = plan_due_group(group, newsletter, now, approved_at=approved_at)
        if draft.state is DraftState.STOPPED:
            await self.store.skip_issue(group, due.next_due_at, None, draft)
            return ReviewOutcome(stopped=1)
        if due.action is not LateAction.SEND:
            cursor = draft.served_through if due.action is LateAction.SKIP else None
            await self.store.skip_issue(group, due.next_due_at, cursor, draft)
            return ReviewOutcome(late=1)
        digest = replace(apply_edits(draft.digest, draft.edits, draft.material), at=due.shown_at)
        if not digest.stories and newsletter.empty == "skip":
            await self.store.skip_issue(group, due.next_due_at, draft.served_through, draft)
            return ReviewOutcome(empty=1)
        plan = await self._plan(group, newsletter, due, draft.served_through)
        _, issue = await self.composition.issue_of(plan, digest)
        deliveries = await self.store.record_issue(group, issue, due.next_due_at, self.channel, draft)
        return ReviewOutcome(issues=1 if deliveries else 0, deliveries=deliveries)

    async def _draft(self, group: Group, newsletter: Newsletter) -> tuple[Draft | None, bool]:
        """Return the group's draft, and whether it was made now; None if it would have no story."""
        draft = await self.drafts.draft_of(group)
        if draft and (draft.state is DraftState.STOPPED or await self.drafts.is_current(draft)):
            return draft, False
        composition = self.composition
        through = max(composition.release_position, group.served_through)
        through = draft.served_through if draft else through
        due = plan_due_group(group, newsletter, composition.now)
        # The picture is fetched when the issue is made, for the lead that the editor chose.
        plan = await self._plan(group, replace(newsletter, lead_picture=False), due, through)
        updates = await composition.story_updates(group, plan.served_from, through=through)
        wanted = await composition.wanted(group.edition, updates, due.shown_at)
        is_empty = not wanted and newsletter.empty == "skip"
        if draft is None and (is_empty or stories_wait(wanted, newsletter, due)):
            return None, False
        digest, _ = await composition.make_issue(plan, updates)
        articles = {article.id: article for story in digest.stories for article in story.articles}
        earlier = draft or await self.drafts.earlier_draft(group)
        made = Draft(
            id=ids.issue_id(group.edition_key, plan.occurrence, group.served_through),
            edition_key=group.edition_key,
            served_from=group.served_through,
            served_through=through,
            due_at=plan.due_at,
            digest=digest,
            material=await composition.with_all_points(digest, updates),
            edit_keys=tuple(ids.edit_key(one.id, one.title, one.text) for one in articles.values()),
            created_at=composition.now,
            changed_at=composition.now,
            version=draft.version if draft else 1,
            size=group.size,
        )
        if earlier is not None:
            made = _continued(made, earlier)
        return await self.drafts.save(made, is_new=draft is None), True

    async def _plan(self, group: Group, newsletter: Newsletter, due: DuePlan, through: int) -> IssuePlan:
        return IssuePlan(
            group,
            newsletter,
            due.occurrence.name,
            due.occurrence.at,
            due.shown_at,
            await self.composition.start_of_issue(group, due),
            through,
        )

    def _waiting(self, draft: Draft, newsletter: Newsletter) -> ReviewOutcome:
        is_sent = newsletter.unreviewed != HOLD and draft.state is not DraftState.HELD
        waiting = WaitingDraft(draft.id, newsletter.id, draft.size, draft.due_at, is_sent)
        return ReviewOutcome(drafts=(waiting,))


def _continued(draft: Draft, earlier: Draft) -> Draft:
    """Return the draft with the edits of an earlier one, and a note that tells what has changed.

    A held draft stays held and a stopped one stopped; an approval was for other texts, so it is gone.
    """
    is_same = (draft.served_from, draft.served_through) == (earlier.served_from, earlier.served_through)
    cause = (
        "An article was edited by its publisher"
        if is_same
        else "The subscribers were sent an issue meanwhile"
    )
    note = f"{cause}, so the draft was composed again."
    if lost := lost_actions(draft.digest, earlier.edits):
        note += f" {len(lost)} of the changes to it no longer apply."
    if earlier.state is DraftState.APPROVED:
        note += " It has to be approved again."
    state = DraftState.WAITING if earlier.state is DraftState.APPROVED else earlier.state
    return replace(draft, state=state, edits=earlier.edits, note=note, changed_by=earlier.changed_by)
