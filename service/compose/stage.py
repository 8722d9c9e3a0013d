"""Compose: the groups that are due -> issues in the outbox.

    take     the groups whose moment has come, and what may be told to them by now
    work     group into stories, choose, order, cap, render once for everybody in the group
    record   the issue, a delivery for each reader, and where the readers stand now: one transaction

A manual send takes the same road; a preview walks it up to the last step and leaves no trace.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from html import escape

from service.compose.composition import STORY_MEMORY, Composition, IssuePlan
from service.compose.fault_isolation import error_text
from service.compose.lateness import DuePlan, LateAction, plan_due_group
from service.compose.notices import NoticeFinder
from service.compose.ports import ComposeStore, KeyPointMerger, Renderer, SentenceSplitter, SourceHealthReader
from service.compose.stories.assign import StoryAssigner
from service.core import ids as identity
from service.core.errors import ArticleChanged, StoreError, UnknownName
from service.core.model import Digest, Edition, Group, Issue, Newsletter, RenderedMail
from service.core.placeholders import Placeholder
from service.core.progress import Progress, no_progress


@dataclass(frozen=True, slots=True)
class Composer:
    """What compose works with. `settle` is how long an article rests before it is told.

    The `joiner` gives each article its story once and for all; without one, stories are found anew each time.
    Without a `splitter` nothing is corrected, without `sources` no source is named that is not heard from.
    """

    store: ComposeStore
    renderer: Renderer
    merge: KeyPointMerger
    newsletters: Mapping[str, Newsletter]
    settle: timedelta
    channel: str
    story_assigner: StoryAssigner | None = None
    split_sentences: SentenceSplitter | None = None
    source_health: SourceHealthReader | None = None


@dataclass(frozen=True, slots=True)
class ComposeReport:
    """What one pass did. `empty` and `late` count groups that moved on without an issue."""

    issues: int = 0
    deliveries: int = 0
    empty: int = 0
    late: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedIssue:
    """An issue of a manual send. `already`: its readers got it meanwhile, so that nothing was planned."""

    issue: Issue
    edition: Edition
    subscribers: int
    stories: int
    already_sent: bool = False


@dataclass(frozen=True, slots=True)
class ManualSendReport:
    """What a manual send did, or would do. `nothing_new` counts the readers who are told everything."""

    planned: tuple[PlannedIssue, ...] = ()
    deliveries: int = 0
    nothing_new: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What an edition would get; nothing of it is recorded."""

    digest: Digest
    issue: Issue


async def compose(composer: Composer, *, now: datetime, progress: Progress = no_progress) -> ComposeReport:
    """Make the issues that are due at `now` (aware, UTC) and return what was done.

    A group that fails is named in `problems`, stays due, and never stops the others. Raises StoreError when
    the record itself cannot be reached.
    """
    report = ComposeReport()
    groups = await composer.store.due_groups(now)
    desk = await _start_composition(composer, now, joining=bool(groups))
    for done, group in enumerate(groups, start=1):
        report = _add_reports(report, await _compose_group(composer, desk, group))
        progress(_name_of(composer, group), done, len(groups))
    return _add_reports(ComposeReport(problems=tuple(desk.problems)), report)


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
    """Make an issue now for the newsletter's readers, or for those of `subscribers` (ids) alone.

    It tells what they were not told so far and leaves the moment of their next issue as it is; sending twice
    in a row finds nothing new. `again` tells the last issue's stories once more, on purpose. `dry_run`
    records nothing. Each `key` makes issues of its own. Raises UnknownName for a newsletter that is not in
    the roster.
    """
    _newsletter(composer, newsletter)
    desk = await _start_composition(composer, now, joining=not dry_run)
    report = ManualSendReport()
    groups = await composer.store.groups_of(newsletter, subscribers)
    for done, group in enumerate(groups, start=1):
        try:
            report = await _make_manual_issue(
                composer, desk, group, report, again=repeat, dry_run=dry_run, key=key
            )
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - one group's trouble must not cost the others their issue
            problem = _problem(composer, group, error)
            report = replace(report, problems=(*report.problems, problem))
        progress(_name_of(composer, group), done, len(groups))
    return replace(report, problems=tuple(dict.fromkeys((*desk.problems, *report.problems))))


async def preview(
    composer: Composer, edition: Edition, *, served_through: int, now: datetime, name: str = ""
) -> Preview:
    """Return what readers of `edition` who were told through `told_through` would get at `now`.

    `name` goes where a theme greets the reader. Raises UnknownName for a newsletter not in the roster.
    """
    newsletter = _newsletter(composer, edition.newsletter)
    desk = await _start_composition(composer, now, joining=False)
    group = Group(edition, identity.edition_key(edition), served_through, due_at=None, size=1)
    through = max(desk.release_position, served_through)
    slot = IssuePlan(group, newsletter, "preview", now, now, served_through, through)
    digest, issue = await desk.make_issue(slot, await desk.story_updates(group, served_through))
    return Preview(digest, replace(issue, rendered=_fill_name(issue.rendered, name)) if name else issue)


async def _start_composition(composer: Composer, now: datetime, *, joining: bool) -> Composition:
    """Return the desk for this pass; with `joining`, every article that may be told has its story by then."""
    through = await composer.store.release_position(now - composer.settle)
    memory = await composer.store.release_position(now - STORY_MEMORY)
    problems: list[str] = []
    proofreader = NoticeFinder(
        composer.store,
        composer.split_sentences,
        composer.source_health,
        now,
        composer.settle,
        problems.append,
    )
    desk = Composition(
        composer.store, composer.renderer, composer.merge, through, memory, now, proofreader, problems
    )
    if joining and composer.story_assigner is not None:
        try:
            joined = await composer.story_assigner.assign(memory_position=memory, release_position=through)
            desk.problems += joined.problems
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - without the index, stories are found anew for each edition
            desk.problems.append(
                f"new articles were not given their stories, {error_text(error)}; it is tried again"
            )
    return desk


async def _compose_group(composer: Composer, desk: Composition, group: Group) -> ComposeReport:
    """Do what is to be done about one due group; whatever goes wrong with it becomes a problem's sentence."""
    newsletter = composer.newsletters.get(group.edition.newsletter)
    if newsletter is None:
        problem = (
            f"the newsletter {group.edition.newsletter!r} is not in the roster any more: "
            f"{_count_subscribers(group)} of it wait for an issue"
        )
        return ComposeReport(problems=(problem,))
    planned = plan_due_group(group, newsletter, desk.now)
    try:
        try:
            return await _make_due_issue(composer, desk, newsletter, group, planned)
        except ArticleChanged:
            desk.forget_articles()
            return await _make_due_issue(composer, desk, newsletter, group, planned)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - one group's trouble must not cost the others their issue
        return ComposeReport(problems=(_problem(composer, group, error),))


async def _make_due_issue(
    composer: Composer, desk: Composition, newsletter: Newsletter, group: Group, planned: DuePlan
) -> ComposeReport:
    store = composer.store
    through = max(desk.release_position, group.served_through)
    if planned.action is not LateAction.SEND:
        told = through if planned.action is LateAction.SKIP else None
        await store.skip_issue(group, planned.next_due_at, told)
        return ComposeReport(late=1)
    there_is = await desk.story_updates(group, group.served_through)
    if not there_is and newsletter.empty == "skip":
        await store.skip_issue(group, planned.next_due_at, through)
        return ComposeReport(empty=1)
    slot = IssuePlan(
        group=group,
        newsletter=newsletter,
        occurrence=planned.occurrence.name,
        due_at=planned.occurrence.at,
        shown_at=planned.shown_at,
        served_from=group.served_through,
        served_through=through,
    )
    _, issue = await desk.make_issue(slot, there_is)
    deliveries = await store.record_issue(group, issue, planned.next_due_at, composer.channel)
    return ComposeReport(issues=1 if deliveries else 0, deliveries=deliveries)


async def _make_manual_issue(
    composer: Composer,
    desk: Composition,
    group: Group,
    report: ManualSendReport,
    *,
    again: bool,
    dry_run: bool,
    key: str,
) -> ManualSendReport:
    """Return the report with what came of this group added."""
    store, readers = composer.store, group.size if group.subscriber_ids is None else len(group.subscriber_ids)
    newsletter = _newsletter(composer, group.edition.newsletter)
    repeated = await store.last_issue_start(group) if again else None
    told_from = group.served_through if repeated is None else repeated
    through = max(desk.release_position, group.served_through)
    there_is = await desk.story_updates(group, told_from, repeated=repeated is not None)
    if not there_is:
        return replace(report, nothing_new=report.nothing_new + readers)
    which = identity.content_id("manual", key, str(told_from), str(through))
    if repeated is not None:
        # Asking again at another moment means it again, so the moment is part of what the issue is.
        which = identity.content_id("again", which, str(group.served_through), desk.now.isoformat())
    occurrence = f"{'manual' if repeated is None else 'again'}:{which[:12]}"
    slot = IssuePlan(group, newsletter, occurrence, desk.now, desk.now, told_from, through)
    digest, issue = await desk.make_issue(slot, there_is)
    deliveries = 0 if dry_run else await store.record_issue(group, issue, None, composer.channel)
    planned = PlannedIssue(
        issue, group.edition, readers, len(digest.stories), already_sent=not (dry_run or deliveries)
    )
    return replace(report, planned=(*report.planned, planned), deliveries=report.deliveries + deliveries)


def _fill_name(rendered: RenderedMail, name: str) -> RenderedMail:
    mark = Placeholder.NAME.marker
    return RenderedMail(
        subject=rendered.subject.replace(mark, name),
        html=rendered.html.replace(mark, escape(name)),
        text=rendered.text.replace(mark, name),
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
    return f"{group.size} reader{'' if group.size == 1 else 's'}"


def _add_reports(one: ComposeReport, other: ComposeReport) -> ComposeReport:
    return ComposeReport(
        issues=one.issues + other.issues,
        deliveries=one.deliveries + other.deliveries,
        empty=one.empty + other.empty,
        late=one.late + other.late,
        problems=tuple(dict.fromkeys((*one.problems, *other.problems))),
    )
