"""Webhooks and their messages: which are due, and what became of each attempt."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update

from service.core.model import WebhookEvent, WebhookMessage, WebhookMessageState, WebhookStatus
from service.store.database import Database
from service.store.schema import feeds, issue_books, issues, webhook_messages, webhooks
from service.store.webhook_events import called_for, insert_message

State = WebhookMessageState
COUNTED = ("sent", "suppressed", "refused", "uncertain", "cancelled")
NEWEST_ISSUES = 200  # that are looked through for a finished one; more are never unannounced at once


@dataclass(frozen=True, slots=True)
class SqlWebhookStore:
    """The tables webhooks and webhook_messages. Every coroutine may raise StoreError."""

    database: Database

    async def declare(self, declared: Mapping[str, tuple[str, Sequence[str]]], now: datetime) -> None:
        """Store the webhooks of the configuration: id -> address and events. The others become inactive."""
        async with self.database.write() as connection:
            known = {row.id for row in (await connection.execute(select(webhooks.c.id))).all()}
            for key, (url, events) in declared.items():
                values = {"url": url, "events": list(events), "active": True}
                if key in known:
                    await connection.execute(update(webhooks).where(webhooks.c.id == key).values(values))
                else:
                    new = {**values, "id": key, "created_at": now, "last_error": ""}
                    await connection.execute(webhooks.insert().values(new))
            others = webhooks.c.id.not_in(list(declared))
            await connection.execute(update(webhooks).where(others).values(active=False))

    async def webhooks(self) -> Sequence[WebhookStatus]:
        """Return the webhooks of the configuration with the counts of their messages."""
        counting = select(webhook_messages.c.webhook, webhook_messages.c.state, func.count()).group_by(
            webhook_messages.c.webhook, webhook_messages.c.state
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(select(webhooks).where(webhooks.c.active))).mappings().all()
            counts: dict[str, Counter[str]] = defaultdict(Counter)
            for webhook, state, count in (await connection.execute(counting)).all():
                counts[webhook][state] = count
        names = [one.name for one in fields(WebhookStatus)][:7]
        found = [WebhookStatus(**{name: row[name] for name in names}) for row in rows]
        return [
            replace(
                one,
                events=tuple(one.events),
                waiting=counts[one.id][State.WAITING],
                sent=counts[one.id][State.SENT],
                failed=counts[one.id][State.FAILED],
            )
            for one in sorted(found, key=lambda one: one.url)
        ]

    async def plan_finished_issues(self, now: datetime) -> int:
        """Record the finished issues that are newer than the webhooks; return how many messages are new."""
        newest = select(issue_books).order_by(issue_books.c.issue.desc()).limit(NEWEST_ISSUES).subquery()
        finished = select(newest, *issues.c["id", "newsletter", "due_at", "readers"]).join(
            issues, issues.c.number == newest.c.issue
        )
        planned = 0
        async with self.database.write() as connection:
            called = (await connection.scalars(called_for(WebhookEvent.ISSUE_SENT))).all()
            ages = (await connection.execute(select(webhooks.c.id, webhooks.c.created_at))).all()
            since = {row.id: row.created_at for row in ages}
            for row in (await connection.execute(finished)).mappings().all() if called else ():
                data = {
                    "issue": row["id"],
                    "newsletter": row["newsletter"],
                    "due_at": row["due_at"].isoformat(),
                    "deliveries": {"planned": row["readers"], **{name: row[name] for name in COUNTED}},
                }
                for webhook in called:
                    if row["created_at"] > since[webhook]:
                        planned += await insert_message(
                            connection, webhook, WebhookEvent.ISSUE_SENT, row["id"], data, now=now
                        )
        return planned

    async def plan_failing_feeds(self, failures: int, event_ids: Mapping[str, str], now: datetime) -> int:
        """Record the feeds (id -> id of the event) with so many failed polls; return how many are new."""
        failing = select(feeds).where(feeds.c.active, feeds.c.failures >= failures)
        planned = 0
        async with self.database.write() as connection:
            called = (await connection.scalars(called_for(WebhookEvent.FEED_FAILING))).all()
            for row in (await connection.execute(failing)).mappings().all() if called else ():
                if row["id"] not in event_ids:
                    continue
                data = {"feed": row["id"], "url": row["url"], "failures": row["failures"]}
                for webhook in called:
                    planned += await insert_message(
                        connection, webhook, WebhookEvent.FEED_FAILING, event_ids[row["id"]], data, now=now
                    )
        return planned

    async def plan_test(self, webhook: str, event_id: str, now: datetime) -> None:
        """Record a test message for a webhook (id)."""
        async with self.database.write() as connection:
            await insert_message(connection, webhook, WebhookEvent.TEST, event_id, {"test": True}, now=now)

    async def take(
        self, webhook: str, now: datetime, lease_until: datetime, limit: int
    ) -> Sequence[WebhookMessage]:
        """Lease due messages of a webhook (id), oldest first; when the lease ends they are due again."""
        of = webhook_messages.c
        due = (
            select(of.number)
            .where(of.webhook == webhook, of.next_attempt_at <= now)
            .order_by(of.next_attempt_at, of.number)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self.database.write() as connection:
            numbers = (await connection.scalars(due)).all()
            if not numbers:
                return []
            these = of.number.in_(numbers)
            leased = update(webhook_messages).where(these).values(next_attempt_at=lease_until)
            await connection.execute(leased)
            found = select(webhook_messages).where(these).order_by(of.number)
            rows = (await connection.execute(found)).mappings().all()
        return [
            WebhookMessage(
                row["id"],
                row["webhook"],
                WebhookEvent(row["event"]),
                row["created_at"],
                row["data"],
                row["attempts"],
            )
            for row in rows
        ]

    async def release(self, messages: Sequence[WebhookMessage], at: datetime) -> None:
        """Give leased messages back that were not attempted; they are due at `at`."""
        ids = [message.id for message in messages]
        back = update(webhook_messages).where(webhook_messages.c.id.in_(ids)).values(next_attempt_at=at)
        async with self.database.write() as connection:
            await connection.execute(back)

    async def record_accepted(self, message: WebhookMessage, now: datetime) -> None:
        """Record that the receiver has accepted the message."""
        of, hook = webhook_messages.c, webhooks.c.id == message.webhook
        values = {"state": State.SENT.value, "next_attempt_at": None, "attempts": message.attempts + 1}
        well = {"last_success_at": now, "failing_since": None, "last_error": ""}
        async with self.database.write() as connection:
            await connection.execute(update(webhook_messages).where(of.id == message.id).values(values))
            await connection.execute(update(webhooks).where(hook).values(well))

    async def record_failure(
        self, message: WebhookMessage, error: str, now: datetime, next_attempt_at: datetime | None
    ) -> None:
        """Record a failed attempt; with `next_attempt_at` None the message is given up."""
        of, hook = webhook_messages.c, webhooks.c.id == message.webhook
        state = State.FAILED if next_attempt_at is None else State.WAITING
        values = {
            "state": state.value,
            "next_attempt_at": next_attempt_at,
            "attempts": message.attempts + 1,
        }
        begins = bindparam(None, now, type_=webhooks.c.failing_since.type)
        failing = {"last_error": error, "failing_since": func.coalesce(webhooks.c.failing_since, begins)}
        async with self.database.write() as connection:
            await connection.execute(update(webhook_messages).where(of.id == message.id).values(values))
            await connection.execute(update(webhooks).where(hook).values(failing))

    async def disable(self, webhook: str, now: datetime) -> None:
        """Disable a webhook (id): its messages wait until it is enabled."""
        async with self.database.write() as connection:
            await connection.execute(update(webhooks).where(webhooks.c.id == webhook).values(disabled_at=now))

    async def enable(self, webhook: str, now: datetime) -> int:
        """Enable a webhook (id) again; its waiting and failed messages are due. Return how many."""
        of = webhook_messages.c
        unsent = (of.webhook == webhook, of.state != State.SENT.value)
        again = {"state": State.WAITING.value, "attempts": 0, "next_attempt_at": now}
        fresh = {"disabled_at": None, "failing_since": None}
        async with self.database.write() as connection:
            await connection.execute(update(webhooks).where(webhooks.c.id == webhook).values(fresh))
            return (await connection.execute(update(webhook_messages).where(*unsent).values(again))).rowcount

    async def prune(self, before: datetime) -> int:
        """Delete the messages from before then; return how many."""
        async with self.database.write() as connection:
            old = delete(webhook_messages).where(webhook_messages.c.created_at < before)
            return (await connection.execute(old)).rowcount
