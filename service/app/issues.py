"""Issues: find one by its id, verify its texts, choose the deliveries to send again, cancel the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.app.articles.edits import corrections_in
from service.core.errors import UsageError
from service.core.ids import delivery_prefix, subscriber_id
from service.core.model import Article, DeliveryState, Summary
from service.core.read_models import CancelCounts, DeliveryDetails, IssueDetails
from service.store.cancel import SqlCancellation
from service.store.deliver import SqlDeliverStore
from service.text.blocks import plain_blocks

if TYPE_CHECKING:
    from service.app.factories.application import Application

LEDGER_ROWS = 50  # of a page
SHORT_ID_CHARACTERS = 8  # beyond an ambiguous prefix, in the list of the issues that it matches


@dataclass(frozen=True, slots=True)
class Verification:
    """The comparison of an issue's `texts` with their sources.

    `texts` counts key points and their introductions, and corrected sentences.
    `altered` has the ids of the articles with a difference, `deleted` the number of articles that are no
    longer stored.
    """

    texts: int
    articles: int
    corrections: int
    deleted: int
    altered: tuple[str, ...]


async def issue_named(app: Application, prefix: str) -> IssueDetails:
    """Return the issue whose id begins with the prefix. Raises UsageError for none or several."""
    found = await app.queries.issues_by_prefix(prefix.strip().lower())
    if not found:
        raise UsageError(f"there is no issue {prefix!r}; caveat issue list shows the latest issues")
    if len(found) > 1:
        ids = ", ".join(issue.id[: len(prefix) + SHORT_ID_CHARACTERS] for issue in found)
        raise UsageError(f"several issue ids begin with {prefix!r}; type more characters: {ids}")
    return found[0]


async def verify(app: Application, issue: IssueDetails) -> Verification:
    """Compare every text of an issue with the stored source, character by character at its offsets.

    Each key point must be a part of one block of its source, with what introduces it before it.
    """
    texts, altered = 0, []
    articles = await app.queries.articles_by_id(issue.article_ids)
    for details in articles:
        if (summary := details.summary) is not None:
            texts += len(summary.key_points)
            texts += sum(point.introduction is not None for point in summary.key_points)
            if not _is_proven(details.article, summary):
                altered.append(details.article.id)
    corrections = await corrections_in(app, issue.id)
    for sent in corrections:
        texts += sum(1 + (change.current is not None) for change in sent.correction.changes)
        if not sent.is_verbatim:
            altered.append(sent.correction.article.id)
    deleted = len(issue.article_ids) - len(articles)
    return Verification(texts, len(articles), len(corrections), deleted, tuple(altered))


def _is_proven(article: Article, summary: Summary) -> bool:
    # An article that was stored before there were blocks has one block a line.
    blocks = article.blocks or plain_blocks(article.text, article.language)
    return summary.is_verbatim(article.text) and summary.is_within(blocks)


async def deliveries_to_resend(
    app: Application, issue: IssueDetails, states: Collection[DeliveryState], addresses: Sequence[str]
) -> list[DeliveryDetails]:
    """Return the deliveries of an issue in one of these states or to one of these addresses.

    Raises UsageError for a paused or cancelled issue, and for an address that the issue was not for.
    """
    require_resendable(issue)
    found = list(await app.queries.deliveries(issue.id, states=states)) if states else []
    unknown = []
    for address in addresses:
        if (delivery := await delivery_to(app, issue, address)) is None:
            unknown.append(address)
        elif delivery not in found:
            found.append(delivery)
    if unknown:
        raise UsageError(f"issue {issue.id[:SHORT_ID_CHARACTERS]} has no delivery to {', '.join(unknown)}")
    return found


def require_resendable(issue: IssueDetails) -> None:
    """Raise UsageError for a paused or cancelled issue."""
    require_not_cancelled(issue)
    if issue.paused_at:
        short_id = issue.id[:SHORT_ID_CHARACTERS]
        raise UsageError(f"issue {short_id} is paused; caveat issue resume {short_id} continues it")


async def resend(app: Application, issue: IssueDetails, deliveries: Sequence[DeliveryDetails]) -> int:
    """Make these deliveries of the issue due again, for the workers; return how many are."""
    people = sorted({delivery.subscriber_id for delivery in deliveries})
    due = await SqlDeliverStore(app.database).resend(
        issue.id, tuple(DeliveryState), app.clock(), subscribers=people
    )
    await app.notify_workers("deliver", due)
    return due


async def delivery_to(app: Application, issue: IssueDetails, address: str) -> DeliveryDetails | None:
    """Return the delivery of the issue to the subscriber with this address; None if there is none."""
    prefix = delivery_prefix(issue.id, issue.channel)
    return await app.queries.delivery(prefix + subscriber_id(address))


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Some deliveries of an issue, in a fixed order. `next` is the cursor of the next page, "" for none."""

    deliveries: Sequence[DeliveryDetails]
    next: str


async def ledger(
    app: Application,
    issue: IssueDetails,
    states: Collection[DeliveryState] | None,
    *,
    after: str = "",
    limit: int = LEDGER_ROWS,
) -> LedgerPage:
    """Return a page of the deliveries in these states (None: all), behind the cursor `after`."""
    found = await app.queries.deliveries(issue.id, states=states, after=after or None, limit=limit + 1)
    return LedgerPage(found[:limit], found[limit - 1].id if len(found) > limit else "")


def require_not_cancelled(issue: IssueDetails) -> None:
    """Raise UsageError for a cancelled issue."""
    if issue.cancelled_at:
        raise UsageError(
            f"issue {issue.id[:SHORT_ID_CHARACTERS]} was cancelled on "
            f"{issue.cancelled_at:%Y-%m-%d at %H:%M} UTC; those who did not get it get its stories with "
            f"their next issue, or now with caveat send {issue.newsletter} --all"
        )


async def cancel(app: Application, issue: IssueDetails, *, dry_run: bool = False) -> CancelCounts:
    """Cancel the deliveries of the issue that wait for an attempt; their subscribers get its stories later.

    `dry_run` changes nothing. Idempotent: a second call cancels what the server deferred since the first.
    """
    cancellation = SqlCancellation(app.database)
    if dry_run:
        return await cancellation.preview(issue.id) if issue.books.waiting else CancelCounts()
    return await cancellation.cancel(issue.id, app.clock())
