"""Poll one feed now, on the request of an editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.app.background_jobs import Job
from service.core.errors import UsageError
from service.core.model import Feed
from service.core.progress import Progress

if TYPE_CHECKING:
    from service.app.factories.application import Application


def poll_now(app: Application, feed: Feed) -> Job:
    """Start a poll of the feed, or return the one that runs. Raises UsageError for a muted feed."""
    if feed.muted:
        raise UsageError(f"{feed.name} is muted, so it is not polled; unmute it first")
    key = f"poll of {feed.id}"

    async def work(progress: Progress) -> int:
        report = await app.gather(only=[feed.id], force=True, progress=progress)
        await app.notify_workers("condense", report.new)
        return report.new

    app.jobs.forget(key)
    return app.jobs.start(key, app, work)
