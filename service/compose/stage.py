"""Compose: the groups that are due -> issues in the outbox.

    take     the groups whose due time has come, and the articles that may be sent by now
    work     group into stories, choose, order, limit, render once for all members of the group
    record   the issue, a delivery for each member, and the members' new cursor: one transaction

A manual send does the same for groups that are not due; a preview does the same but records nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from html import escape

from service.compose.composition import STORY_MEMORY, Composition, IssuePlan
from service.compose.drafts.review import Review, WaitingDraft, groups_to_compose
from service.compose.fault_isolation import error_text
from service.compose.lateness import DuePlan, LateAction, plan_due_group
from service.compose.notices import NoticeFinder
from service.compose.ports import (
    ComposeStore,
    DraftStore,
    KeyPointMerger,
    PictureSource,
    Renderer,
    SourceHealthReader,
)
from service.compose.released_stories import KeptStories
from service.compose.render.lead_picture import LeadPictures
from service.compose.render.shared_text import MailRenderer
from service.compose.stories.assign import StoryAssigner
from service.compose.waiting import stories_wait
from service.core import ids
from service.core.errors import ArticleChanged, DraftChanged, StoreError, UnknownName
from service.core.model import Digest, Edition, Group, Issue, Newsletter, Placement, RenderedMail
from service.core.placeholders import Placeholder, fill
from service.core.progress import Progress, no_progress


@dataclass(frozen=True, slots=True)
class Composer:
    """The dependencies and settings of compose.

    `settle` is the time between gathering an article and sending it. `story_assigner` gives each article its
    story permanently; without one, stories are found again for each edition. Without `source_health`, issues
    name no unhealthy sources. `feed_weights` are those of the feeds (ids), `subscribe_urls` the sign-up pages
    of newsletters (ids). Without `drafts`, none is reviewed; without `pictures`, no issue shows one.
    `kept` is what one pass leaves to the next.
    """

    store: ComposeStore
    renderer: Renderer
    merge: KeyPointMerger
    newsletters: Mapping[str, Newsletter]
    settle: timedelta
    channel: str
    story_assigner: StoryAssigner | None = None
    source_health: SourceHealthReader | None = None
    feed_weights: Mapping[str, float] = field(default_factory=dict)
    subscribe_urls: Mapping[str, str] = field(default_factory=dict)
    drafts: DraftStore | None = None
    pictures: PictureSource | None = None
    kept: KeptStories = field(default_factory=KeptStories, compare=False)


@dataclass(frozen=True, slots=True)
class ComposeReport:
    """The result of one pass.

    `empty`, `waiting` (for more stories), `late` and `stopped` (by an editor) count groups that advanced
    without an issue. `drafts` were made for an editor.
    """

    issues: int = 0
    deliveries: int = 0
    empty: int = 0
    waiting: int = 0
    late: int = 0
    problems: tuple[str, ...] = ()
    stopped: int = 0
    drafts: tuple[WaitingDraft, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedIssue:
    """An issue of a manual send for a number of `subscribers`; `already_sent` if they got it before.

    `stories` are those of the mail, with points or in one line.
    """

    issue: Issue
    edition: Edition
    subscribers: int
    stories: int
    already_sent: bool = False


@dataclass(frozen=True, slots=True)
class ManualSendReport:
    """The result of a manual send, or of its dry run. `nothing_new` counts subscribers who got no issue."""

    planned: tuple[PlannedIssue, ...] = ()
    deliveries: int = 0
    nothing_new: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """The issue that an edition would get, not recorded."""

    digest: Digest
    issue: Issue


async def compose(composer: Composer, *, now: datetime, progress: Progress = no_progress) -> ComposeReport:
    """Make the issues that are due at `now` (UTC), and the drafts whose time for review begins.

    A group that fails stays due and is named in `problems`; the others get their issues. Raises StoreError.
    """
    report = ComposeReport()
    reviewed = composer.newsletters if composer.drafts is not None else {}
    groups = sorted(await groups_to_compose(composer.store, reviewed, now), key=_shared_work)
    if groups:  # mostly there are none: each condensed article brings a signal
        composition = await start_composition(composer, now, assign_stories=True, kept=composer.kept)
        for done, group in enumerate(groups, start=1):
            report = _add_reports(report, await _compose_group(composer, composition, group))
            progress(_name_of(composer, group), done, len(groups))
        report = _add_reports(ComposeReport(problems=tuple(composition.problems)), report)
    if composer.drafts is not None:
        await composer.drafts.delete_unused()
    return report


async def compose_manual(
    composer: Composer,
    newsletter: str,
    subscribers: Collection[str] | None,
    *,
    now: datetime,
    repeat: bool = False,
    dry_run: bool = False,
    key: str = "",
    progress: Progress = no_progress,
) -> ManualSendReport:
    """Make an issue now for all subscribers of the newsletter, or for those of `subscribers` (ids).

    The issue has what they did not get so far and does not change their next due time; a second send finds
    nothing new. `repeat` sends the stories of their last issue again, with the new ones. `dry_run` records
    nothing. Each `key` has its own issues. Raises UnknownName for an unknown newsletter.
    """
    _newsletter(composer, newsletter)
    composition = await start_composition(composer, now, assign_stories=not dry_run)
    report = ManualSendReport()
    groups = await composer.store.groups_of(newsletter, subscribers)
    for done, group in enumerate(groups, start=1):
        try:
            report = await _make_manual_issue(
                composer, composition, group, report, repeat=repeat, dry_run=dry_run, key=key
            )
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - one bad group must not stop the others
            problem = _problem(composer, group, error)
            report = replace(report, problems=(*report.problems, problem))
        progress(_name_of(composer, group), done, len(groups))
    return replace(report, problems=tuple(dict.fromkeys((*composition.problems, *report.problems))))


async def preview(
    composer: Composer, edition: Edition, *, served_through: int, now: datetime, name: str = ""
) -> Preview:
    """Return the issue of an edition at `now`, for a group with the cursor `served_through`.

    `name` fills the placeholder for the subscriber's name. Raises UnknownName for an unknown newsletter.
    """
    newsletter = _newsletter(composer, edition.newsletter)
    composition = await start_composition(composer, now, assign_stories=False)
    group = Group(edition, ids.edition_key(edition), served_through, due_at=None, size=1)
    through = max(composition.release_position, served_through)
    plan = IssuePlan(group, newsletter, "preview", now, now, served_through, through)
    digest, issue = await composition.make_issue(plan, await composition.story_updates(group, served_through))
    return Preview(digest, replace(issue, rendered=_fill_name(issue.rendered, name)) if name else issue)


async def start_composition(
    composer: Composer, now: datetime, *, assign_stories: bool, kept: KeptStories | None = None
) -> Composition:
    """Return the composition of this pass; with `assign_stories`, each released article has its story."""
    release_position = await composer.store.release_position(now - composer.settle)
    memory_position = await composer.store.release_position(now - STORY_MEMORY)
    problems: list[str] = []
    if assign_stories and composer.story_assigner is not None:
        try:
            assignment = await composer.story_assigner.assign(
                memory_position=memory_position, release_position=release_position
            )
            problems += assignment.problems
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - without the index, stories are found for each edition
            problems.append(f"new articles got no stories, {error_text(error)}; it is tried again")
    return Composition(
        composer.store,
        MailRenderer(composer.renderer, composer.subscribe_urls),
        composer.merge,
        release_position,
        memory_position,
        now,
        NoticeFinder(composer.store, composer.source_health, now, composer.settle, problems.append),
        composer.feed_weights,
        problems,
        LeadPictures(composer.pictures),
        kept or KeptStories(),
    )


async def _compose_group(composer: Composer, composition: Composition, group: Group) -> ComposeReport:
    """Serve one due group; a failure becomes a problem in the report."""
    newsletter = composer.newsletters.get(group.edition.newsletter)
    if newsletter is None:
        missing = f"the newsletter {group.edition.newsletter!r} is not in the roster any more"
        return ComposeReport(problems=(f"{missing}: {_count_subscribers(group)} of it wait for an issue",))
    try:
        try:
            return await _serve_group(composer, composition, newsletter, group)
        except (ArticleChanged, DraftChanged):
            composition.forget_articles()
            return await _serve_group(composer, composition, newsletter, group)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - one bad group must not stop the others
        return ComposeReport(problems=(_problem(composer, group, error),))


async def _serve_group(
    composer: Composer, composition: Composition, newsletter: Newsletter, group: Group
) -> ComposeReport:
    """Make the issue of a due group, or the draft of one that is due soon."""
    is_due = group.due_at is not None and group.due_at <= composition.now
    if composer.drafts is not None and newsletter.review is not None:
        review = Review(composer.drafts, composer.store, composition, composer.channel)
        outcome = await (review.serve if is_due else review.prepare)(group, newsletter)
        if outcome is not None:
            return ComposeReport(**outcome._asdict())
    due = plan_due_group(group, newsletter, composition.now)
    return await _make_due_issue(composer, composition, newsletter, group, due)


async def _make_due_issue(
    composer: Composer, composition: Composition, newsletter: Newsletter, group: Group, due: DuePlan
) -> ComposeReport:
    store = composer.store
    through = max(composition.release_position, group.served_through)
    if due.action is not LateAction.SEND:
        await store.skip_issue(group, due.next_due_at, through if due.action is LateAction.SKIP else None)
        return ComposeReport(late=1)
    served_from = await composition.start_of_issue(group, due)
    updates = await composition.story_updates(group, served_from)
    wanted = await composition.wanted(group.edition, updates, due.shown_at)
    if not wanted and newsletter.empty == "skip":
        await store.skip_issue(group, due.next_due_at, through)
        return ComposeReport(empty=1)
    if stories_wait(wanted, newsletter, due):
        await store.skip_issue(group, due.next_due_at, None)
        return ComposeReport(waiting=1)
    occurrence = due.occurrence
    plan = IssuePlan(group, newsletter, occurrence.name, occurrence.at, due.shown_at, served_from, through)
    _, issue = await composition.make_issue(plan, updates)
    deliveries = await store.record_issue(group, issue, due.next_due_at, composer.channel)
    return ComposeReport(issues=1 if deliveries else 0, deliveries=deliveries)


async def _make_manual_issue(
    composer: Composer,
    composition: Composition,
    group: Group,
    report: ManualSendReport,
    *,
    repeat: bool,
    dry_run: bool,
    key: str,
) -> ManualSendReport:
    """Return the report with the issue of this group added."""
    store = composer.store
    subscribers = group.size if group.subscriber_ids is None else len(group.subscriber_ids)
    newsletter = _newsletter(composer, group.edition.newsletter)
    repeated_from = await store.last_issue_start(group) if repeat else None
    served_from = group.served_through if repeated_from is None else repeated_from
    through = max(composition.release_position, group.served_through)
    updates = await composition.story_updates(group, served_from, repeated=repeated_from is not None)
    if not updates:
        return replace(report, nothing_new=report.nothing_new + subscribers)
    number = ids.content_id("manual", key, str(served_from), str(through))
    if repeated_from is not None:  # at another time it is another issue
        number = ids.content_id("again", number, str(group.served_through), composition.now.isoformat())
    occurrence = f"{'manual' if repeated_from is None else 'again'}:{number[:12]}"
    plan = IssuePlan(group, newsletter, occurrence, composition.now, composition.now, served_from, through)
    digest, issue = await composition.make_issue(plan, updates)
    deliveries = 0 if dry_run else await store.record_issue(group, issue, None, composer.channel)
    stories = len(digest.placed(Placement.LEAD, Placement.STORY, Placement.SHORT))
    planned = PlannedIssue(
        issue, group.edition, subscribers, stories, already_sent=not (dry_run or deliveries)
    )
    return replace(report, planned=(*report.planned, planned), deliveries=report.deliveries + deliveries)


def _shared_work(group: Group) -> tuple[tuple[str, ...], tuple[str, ...], str, str]:
    """Return a key by which groups that share articles, a text part (HTML first) or an issue adjoin."""
    edition = group.edition
    alike = ids.edition_key(replace(edition, schedule="", format=""))
    return edition.topics, edition.languages, alike, edition.format


def _fill_name(rendered: RenderedMail, name: str) -> RenderedMail:
    return RenderedMail(
        subject=fill(rendered.subject, {Placeholder.NAME: name}),
        html=fill(rendered.html, {Placeholder.NAME: escape(name)}),
        text=fill(rendered.text, {Placeholder.NAME: name}),
    )


def _newsletter(composer: Composer, newsletter: str) -> Newsletter:
    found = composer.newsletters.get(newsletter)
    if found is None:
        raise UnknownName("newsletter", newsletter, composer.newsletters)
    return found


def _name_of(composer: Composer, group: Group) -> str:
    newsletter = composer.newsletters.get(group.edition.newsletter)
    return newsletter.title if newsletter else group.edition.newsletter


def _problem(composer: Composer, group: Group, error: Exception) -> str:
    return (
        f"{_name_of(composer, group)}, edition {group.edition.schedule} {group.edition.timezone}: "
        f"no issue for {_count_subscribers(group)}, {error_text(error)}; it is tried again"
    )


def _count_subscribers(group: Group) -> str:
    return f"{group.size} subscriber{'' if group.size == 1 else 's'}"


def _add_reports(one: ComposeReport, other: ComposeReport) -> ComposeReport:
    sums = {each.name: getattr(one, each.name) + getattr(other, each.name) for each in fields(one)}
    return ComposeReport(**{**sums, "problems": tuple(dict.fromkeys(sums["problems"]))})
