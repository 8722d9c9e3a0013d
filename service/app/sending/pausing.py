"""Pausing: the deliveries of an issue wait, in every worker, until somebody resumes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.app.factories.channels import channel_of
from service.deliver.ports import SendingPause
from service.store.coordination import SqlCoordination
from service.store.deliver import SqlDeliverStore

if TYPE_CHECKING:
    from service.app.factories.application import Application


@dataclass(frozen=True, slots=True)
class ResumeResult:
    """Number of deliveries that `resume` released, by issue (id), and the sending pause that it ended."""

    deliveries: Mapping[str, int]
    sending_pause: SendingPause | None = None


async def pause(app: Application, issue_ids: Sequence[str]) -> None:
    """Pause the deliveries of these issues until they are resumed."""
    await SqlDeliverStore(app.database).pause_issues(issue_ids, app.clock())


async def resume(app: Application, issue_ids: Sequence[str]) -> ResumeResult:
    """Resume these issues and end the sending pause, if there is one."""
    ended = None
    if server := channel_of(app.settings).server:
        coordination = SqlCoordination(app.database)
        sending_pause = await coordination.sending_pause(server)
        ended = sending_pause if await coordination.end_pause(server) else None
    store = SqlDeliverStore(app.database)
    released = {issue_id: await store.resume(issue_id, app.clock()) for issue_id in issue_ids}
    await app.notify_workers("deliver", sum(released.values()))
    return ResumeResult(released, ended)
