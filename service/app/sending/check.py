"""Check of a manual send: how many would get it, what they would get, who is left out; nothing is recorded.

Counting needs the stories of each group, but only the largest groups' issues are rendered: so the check of a
million subscribers in hundreds of editions takes seconds, and ends at a time limit in any case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from service.app.sending.addresses import sort_recipients
from service.app.sending.manual_send import UNREACHABLE
from service.compose.composition import Composition, IssuePlan
from service.compose.stage import start_composition
from service.core.errors import UnknownName
from service.core.ids import subscriber_id
from service.core.model import Group, Issue, ManualSend, Newsletter, Placement
from service.core.progress import Progress, no_progress
from service.core.send_request import SendRequest
from service.store.send_audience import SendAudience
from service.store.sends import ManualSendStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

CHECK_SECONDS = 20.0  # for counting; what is not counted then is named
MAX_SAMPLES = 3  # issues that are rendered
EARLIER_PERIOD = timedelta(days=1)  # within which an equal send is named


@dataclass(frozen=True, slots=True)
class SampleIssue:
    """An issue as it would be sent to a number of `subscribers`, with its number of stories."""

    issue: Issue
    subscribers: int
    stories: int


@dataclass(frozen=True, slots=True)
class SendCheck:
    """What a send would do now. `request` names only addresses with a subscription.

    `mails` subscribers would get it, in `editions` different issues. `nothing_new` subscribers would get
    none, as no article has come since their last issue. `left_out` are named addresses with the reason, and
    `left_out_counts` the numbers of the newsletter's other subscribers by reason. `unchecked` of the `mails`
    were not looked at within the time limit. `earlier` is an equal send of the last day.
    """

    request: SendRequest
    newsletter: Newsletter
    at: datetime
    mails: int = 0
    editions: int = 0
    nothing_new: int = 0
    left_out: tuple[tuple[str, str], ...] = ()
    left_out_counts: Mapping[str, int] | None = None
    samples: tuple[SampleIssue, ...] = ()
    problems: tuple[str, ...] = ()
    unchecked: int = 0
    earlier: ManualSend | None = None


async def check_send(
    app: Application,
    request: SendRequest,
    *,
    progress: Progress = no_progress,
    seconds: float = CHECK_SECONDS,
) -> SendCheck:
    """Return what `send` would do. Raises UnknownName for an unknown newsletter.

    `seconds` is the time limit for counting.
    """
    newsletter = app.roster.newsletter(request.newsletter)
    if newsletter is None:
        raise UnknownName("newsletter", request.newsletter, [known.id for known in app.roster.newsletters])
    check = SendCheck(request, newsletter, app.clock())
    ids = None
    if request.addresses is None:
        check = replace(check, left_out_counts=await _left_out_counts(app, newsletter))
    else:
        named = await sort_recipients(app, newsletter.id, request.addresses)
        request = replace(request, addresses=named.known)
        ids = tuple(map(subscriber_id, named.reached))
        check = replace(check, request=request, left_out=named.left_out)
    groups = sorted(await app.composer.store.groups_of(newsletter.id, ids), key=lambda one: -_size(one))
    counter = _Counter(await start_composition(app.composer, check.at, assign_stories=False), check)
    until = asyncio.get_running_loop().time() + seconds
    for done, group in enumerate(groups):
        progress("Editions", done, len(groups))
        if asyncio.get_running_loop().time() > until:
            counter.leave(groups[done:])
            break
        await counter.count(group)
    window = SendRequest(request.newsletter, request.addresses, request.repeat).as_send(check.at)
    earlier = await ManualSendStore(app.database).find(window, EARLIER_PERIOD)
    return replace(counter.check, earlier=earlier)


class _Counter:
    """Counts group by group; the first ones are rendered as samples."""

    def __init__(self, composition: Composition, check: SendCheck) -> None:
        self.composition, self.check = composition, check

    async def count(self, group: Group) -> None:
        """Count one group."""
        check, composition = self.check, self.composition
        repeated_from = await composition.store.last_issue_start(group) if check.request.repeat else None
        served_from = group.served_through if repeated_from is None else repeated_from
        updates = await composition.story_updates(group, served_from, repeated=repeated_from is not None)
        if not updates:
            self.check = replace(check, nothing_new=check.nothing_new + _size(group))
            return
        self.check = replace(check, mails=check.mails + _size(group), editions=check.editions + 1)
        if len(check.samples) >= MAX_SAMPLES:
            return
        through = max(composition.release_position, group.served_through)
        plan = IssuePlan(group, check.newsletter, "sample", check.at, check.at, served_from, through)
        try:
            digest, issue = await composition.make_issue(plan, updates)
        except Exception as error:  # noqa: BLE001 - the send would name it as a problem of this group
            problem = f"The issue for {_size(group):,} subscribers cannot be made: {error}"
            self.check = replace(self.check, problems=(*check.problems, problem))
            return
        stories = len(digest.placed(Placement.LEAD, Placement.STORY, Placement.SHORT))
        sample = SampleIssue(issue, _size(group), stories)
        self.check = replace(self.check, samples=(*check.samples, sample))

    def leave(self, groups: list[Group]) -> None:
        """Count these groups as if they had news."""
        left, check = sum(map(_size, groups)), self.check
        self.check = replace(
            check, mails=check.mails + left, editions=check.editions + len(groups), unchecked=left
        )


async def _left_out_counts(app: Application, newsletter: Newsletter) -> Mapping[str, int]:
    audience = SendAudience(app.database)
    statuses = await audience.statuses(newsletter.id)
    counts = {reason: statuses[status] for status, reason in UNREACHABLE.items()}
    counts["must not be mailed (suppressed)"] = await audience.suppressed(newsletter.id)
    return {reason: count for reason, count in counts.items() if count}


def _size(group: Group) -> int:
    return group.size if group.subscriber_ids is None else len(group.subscriber_ids)
