"""The sentences of `caveat issue cancel`."""

from __future__ import annotations

from collections.abc import Iterator

from service.cli.ui.output import quantity
from service.core.read_models import CancelCounts, IssueDetails


def cancel_sentences(issue: IssueDetails, done: CancelCounts, *, dry_run: bool) -> Iterator[str]:
    """Yield the sentences that tell what a cancellation did, or would do."""
    mails = f"{quantity(done.cancelled, 'mail')} {'would be ' if dry_run else ''}cancelled"
    yield f"{mails}; {quantity(issue.books.sent, 'mail')} had been sent before."
    rows = (
        (done.returned, "will get the stories with the next issue"),
        (done.in_later_issue, "will not get them: a later issue was made already"),
        (done.maybe_arrived, "will not get them again: the mail may have arrived"),
        (done.inactive, "will not get them: no active subscription"),
    )
    yield from (f"  {quantity(count, 'subscriber')} {what}" for count, what in rows if count)
    if done.in_transfer:
        yield (
            f"{quantity(done.in_transfer, 'mail')} in transfer may still arrive. One that the server defers "
            "is cancelled by the running service within a minute; without a service, run this command again."
        )
