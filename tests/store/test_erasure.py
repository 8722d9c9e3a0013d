"""Erasure: no table has any data of the erased subscriber."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import MetaData, select

from service.core import ids as identity
from service.core.model import AuditEntry, ManualSend, Preferences, SubscriptionStatus
from service.core.model import DeliveryState as State
from service.store.audit import SqlAuditStore
from service.store.bounces import SqlBounceStore
from service.store.database import Database
from service.store.schema import metadata
from service.store.sends import DraftComposeStore, ManualSendStore
from service.subscribers.actions import erase
from service.subscribers.ports import ERASED_REASON
from tests.builders import NOON, a_subscriber, an_edition
from tests.store.stores import DAY, HOUR, Stores, a_desired_subscription, an_issue

EMAIL, NAME = "amina.q@example.org", "Amina Quartz"
AMINA = a_subscriber(EMAIL, name=NAME, timezone="Pacific/Chatham")
REPLY = f"550 5.1.1 <{EMAIL}>: user {NAME} unknown"


@pytest.fixture
def stores(database: Database) -> Stores:
    return Stores(database)


async def record_everything(stores: Stores) -> list[str]:
    """Record every kind of row for Amina and some for Ben; return the ids of her deliveries."""
    desired = [
        a_desired_subscription(subscriber=AMINA, preferences=Preferences(schedule="daily 05:55")),
        a_desired_subscription("ben"),
    ]
    evening = a_desired_subscription(edition=an_edition("evening"), subscriber=AMINA, newsletter="evening")
    await stores.subscribers.save_roster_subscriptions(
        [*desired, evening], NOON - DAY, starts_after=NOON - DAY
    )
    ids = []
    for group in await stores.compose.due_groups(NOON):
        issue = an_issue(group)
        await stores.compose.record_issue(group, issue, NOON + DAY, "file")
        ids.append(identity.delivery_id(issue.id, AMINA.id, "file"))
    batch = (await stores.take_batch("a")).deliveries
    amina_deliveries = [delivery for delivery in batch if delivery.subscriber_id == AMINA.id]
    await stores.record_state("a", amina_deliveries, State.ATTEMPTING)
    await stores.record_state("a", amina_deliveries[:1], State.REFUSED, reply=REPLY, suppress=True)
    await stores.record_state("a", amina_deliveries[1:], State.UNCERTAIN, reply=f"no answer about {EMAIL}")
    for delivery in amina_deliveries:
        await SqlBounceStore(stores.database).record_bounce(delivery.id, hard=False, reason=REPLY, now=NOON)
    out = {AMINA.id: f"must not be mailed: {REPLY}", a_subscriber("ben@example.org").id: "paused it"}
    send = ManualSend("a-send", "a-request", NOON, left_out=out)
    await ManualSendStore(stores.database).record(send, DraftComposeStore(stores.database), "file", None)
    await stores.subscribers.set_status(AMINA.id, "evening", SubscriptionStatus.UNSUBSCRIBED, NOON)
    entry = AuditEntry(NOON, "", "vera", "subscriber_suppressed", AMINA.id, {"reason": f"{NAME} asked"})
    await SqlAuditStore(stores.database).append(entry)
    return ids


async def all_values(stores: Stores) -> str:
    """Return every value of every table, also of tables that are not ours."""
    async with stores.database.read() as connection:
        found = MetaData()
        await connection.run_sync(found.reflect)
        rows = [
            f"{table.name}: {row}"
            for table in found.tables.values()
            if table.name != "subscriber_trigrams"  # it cannot be read; its data are in tables beside it
            for row in await connection.execute(select(table))
        ]
    return "\n".join(rows)


async def test_no_table_has_data_of_an_erased_subscriber(stores: Stores):
    deliveries = await record_everything(stores)
    before = await all_values(stores)
    assert all(known in before for known in (EMAIL, NAME, AMINA.id, "Pacific/Chatham", "05:55"))
    assert before.count(EMAIL) >= 5

    assert await erase(stores.subscribers, EMAIL.upper(), NOON + HOUR)

    after = await all_values(stores)
    rest = [line for line in after.splitlines() if identity.address_hash(EMAIL) in line]
    # The consents stay with the hash alone: they prove that there was a reason to send.
    assert sorted({line.partition(":")[0] for line in rest}) == ["consents", "suppressions"]
    (suppression,) = (line for line in rest if line.startswith("suppressions: "))
    assert ERASED_REASON in suppression
    assert not [known for known in (EMAIL, NAME, "amina", "Quartz", AMINA.id) if known in after]
    assert "ben@example.org" in after
    assert "paused it" in after
    for delivery_id in deliveries:  # bounces that arrive later
        assert not await SqlBounceStore(stores.database).record_bounce(
            delivery_id, hard=True, reason=REPLY, now=NOON + DAY
        )
    assert await all_values(stores) == after


async def test_the_books_of_their_issues_still_close(stores: Stores):
    await record_everything(stores)
    await erase(stores.subscribers, EMAIL, NOON + HOUR)
    issues = await stores.queries.issues()
    assert len(issues) == 2
    assert all(issue.books.closed for issue in issues)


async def test_an_outcome_recorded_after_the_erasure_has_no_data_of_the_subscriber(stores: Stores):
    await stores.subscribers.save_roster_subscriptions(
        [a_desired_subscription(subscriber=AMINA)], NOON - DAY, starts_after=NOON - DAY
    )
    await stores.compose.record_issue(
        await stores.due_group(), an_issue(await stores.due_group()), NOON + DAY, "file"
    )
    batch = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", batch, State.ATTEMPTING)
    await erase(stores.subscribers, EMAIL, NOON)
    assert await stores.record_state("a", batch, State.REFUSED, reply=REPLY, suppress=True) == 0
    assert EMAIL not in await all_values(stores)


async def test_the_database_file_has_no_data_of_an_erased_subscriber(tmp_path: Path):
    path = tmp_path / "caveat.db"
    for work in (record_everything, lambda stores: erase(stores.subscribers, EMAIL, NOON)):
        database = await Database.open(f"sqlite:///{path}")
        await work(Stores(database))
        await database.close()
        if work is record_everything:
            assert EMAIL.encode() in path.read_bytes()
    kept = path.read_bytes()
    assert not [known for known in (EMAIL, NAME, AMINA.id) if known.encode() in kept]


HARMLESS = {
    "feeds": "what publishers say",
    "articles": "what publishers say",
    "article_topics": "what publishers say",
    "summaries": "what publishers say",
    "corrections": "what publishers say",
    "edits": "what publishers say",
    "told_corrections": "what publishers say",
    "story_articles": "what publishers say",
    "story_splits": "what publishers say",
    "judge_answers": "about articles",
    "judge_exports": "about articles",
    "labels": "no column names who labelled",
    "counters": "one number",
    "editions": "shared by all with the same preferences; no column names a person",
    "groups": "shared by all with the same preferences; no column names a person",
    "consent_texts": "our own words",
    "invitations": "a link that anybody may have been given, and the editor's own note",
    "issues": "rendered for all; links and names are placeholders",
    "issue_books": "numbers",
    "issue_digests": "rendered for all",
    "issue_pictures": "what publishers show",
    "listed_issues": "ids of issues",
    "drafts": "rendered for all; changed_by is an account",
    "turns": "names of mail servers",
    "halts": "names of mail servers",
    "learned_rates": "names of mail servers",
    "attempts": "keyed hashes, deleted after a day",
    "accounts": "editors, whom an administrator removes",
    "sessions": "editors, deleted with their session",
    "api_tokens": "programs",
    "webhooks": "programs",
    "settings": "the installation; held changes name newsletters and numbers",
}
"""Tables that have no data of subscribers, with the reason."""

ERASED = {
    "subscribers": {"id", "address_hash", "email", "name", "timezone", "channel"},
    "subscriber_search": {"subscriber", "text", "hash_key", "trigrams"},
    "subscriptions": {"subscriber", "wishes", "status", "choice", "changed_at", "paused_until"},
    "sign_ups": {"subscriber", "timezone", "schedule", "first_at", "last_at"},
    "consents": {"subscriber"},
    "bounces": {"subscriber", "reason"},
    "deliveries": {"reply"},
    "sends": {"left_out"},
    "suppressions": {"reason"},
    "webhook_messages": {"subscriber", "data"},
    "audit": {"subject", "details"},
}
"""Columns with data of a subscriber: `erase` empties them or deletes their rows."""

KEPT = {
    "subscribers": {"number"},
    "subscriptions": {"newsletter", "group_number", "declared", "chosen"},
    "sign_ups": {"newsletter", "consent_text", "invitation"},
    "consents": {"number", "address_hash", "newsletter", "at", "way", "text"},
    "bounces": {"issue", "at", "hard"},
    "deliveries": {
        *("issue", "subscriber", "state", "attempts", "due_at", "token", "at", "doubts"),
        *("transactional", "channel"),
    },
    "sends": {"id", "request", "at", "deliveries", "nothing_new", "issues", "problems"},
    "suppressions": {"address_hash", "at"},
    "webhook_messages": {
        *("number", "id", "webhook", "event", "created_at", "state", "attempts", "next_attempt_at"),
    },
    "audit": {"number", "at", "account", "name", "action"},
}
"""The other columns of these tables: numbers, ids, times, and the hash that keeps a person away."""


def test_every_table_and_column_is_known_to_the_erasure():
    """A new column is data of a person, which `erase` deletes, or has a reason to stay."""
    tables = {table.name: {column.name for column in table.columns} for table in metadata.sorted_tables}
    assert tables.keys() - HARMLESS.keys() == ERASED.keys()
    assert {name: ERASED[name] | KEPT.get(name, set()) for name in ERASED} == {
        name: tables[name] for name in ERASED
    }
