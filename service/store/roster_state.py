"""The roster in force: its newsletters and fingerprint, and a change that is held; rows of `settings`.

The newsletters are stored because only config/ has them, and commands need them while a file is broken. They
hold no secret. Feeds and subscriptions have tables of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, select, true
from typing_extensions import override

from service.core.model import HeldChange, Newsletter, SubscriptionStatus
from service.store import alike_subscriptions
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import lock_groups
from service.store.schema import settings, subscribers, subscriptions
from service.store.setting_rows import read_setting
from service.subscribers.ports import AlikeSubscriptions, RosterState, SubscriptionPlace

NEWSLETTERS, FINGERPRINT = "roster_newsletters", "roster_fingerprint"
HELD, CONFIRMED = "roster_held_change", "roster_confirmed"
EDITIONS = "roster_editions"
"""Names of the rows in `settings`."""

RUNNING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED)
DURATIONS = ("late_limit", "review")  # fields of Newsletter, stored as seconds


@dataclass(frozen=True, slots=True)
class SqlRosterState(RosterState):
    """RosterState on the tables settings and subscriptions."""

    database: Database

    @override
    async def newsletters(self) -> Sequence[Newsletter] | None:
        stored = await read_setting(self.database, NEWSLETTERS)
        if stored is None:
            return None
        return tuple(_newsletter_of(values) for values in json.loads(stored))

    @override
    async def fingerprint(self) -> str:
        return await read_setting(self.database, FINGERPRINT) or ""

    @override
    async def declared_running(self) -> Collection[tuple[str, str]]:
        query = (
            select(subscribers.c.id, subscriptions.c.newsletter)
            .join(subscribers, subscribers.c.number == subscriptions.c.subscriber)
            .where(subscriptions.c.declared, subscriptions.c.status.in_(RUNNING))
        )
        async with self.database.read() as connection:
            return {(row.id, row.newsletter) for row in await connection.execute(query)}

    @override
    async def undeclared_running(self) -> Mapping[str, int]:
        query = (
            select(subscriptions.c.newsletter, func.count().label("people"))
            .where(~subscriptions.c.declared, subscriptions.c.status.in_(RUNNING))
            .group_by(subscriptions.c.newsletter)
        )
        async with self.database.read() as connection:
            return {row.newsletter: row.people for row in await connection.execute(query)}

    @override
    async def record(self, newsletters: Sequence[Newsletter], fingerprint: str) -> None:
        values = {NEWSLETTERS: json.dumps([_values(one) for one in newsletters]), FINGERPRINT: fingerprint}
        if await self._all() == values:
            return
        async with self.database.write() as connection:
            await lock_groups(connection)  # two processes may apply a roster at once
            await _remove(connection, *values, HELD, CONFIRMED)
            rows = [{"name": name, "value": value} for name, value in values.items()]
            await connection.execute(settings.insert(), rows)

    @override
    async def confirm(self, fingerprint: str) -> None:
        async with self.database.write() as connection:
            await _remove(connection, CONFIRMED)
            await connection.execute(settings.insert().values(name=CONFIRMED, value=fingerprint))

    @override
    async def confirmed(self) -> str:
        return await read_setting(self.database, CONFIRMED) or ""

    @override
    async def applied_editions(self) -> Mapping[str, str]:
        stored: dict[str, str] = json.loads(await read_setting(self.database, EDITIONS) or "{}")
        return stored

    @override
    async def record_edition(self, newsletter: str, edition_key: str) -> None:
        query = select(settings.c.value).where(settings.c.name == EDITIONS)
        async with self.database.write() as connection:
            await lock_groups(connection)  # two processes may apply a roster at once
            known = json.loads(await connection.scalar(query) or "{}")
            await _remove(connection, EDITIONS)
            stored = json.dumps(known | {newsletter: edition_key})
            await connection.execute(settings.insert().values(name=EDITIONS, value=stored))

    @override
    async def alike_subscriptions(
        self, newsletter: str, *, outside_files: bool = False
    ) -> Sequence[AlikeSubscriptions]:
        outside = ~subscriptions.c.declared if outside_files else true()
        async with self.database.read() as connection:
            whose = and_(subscriptions.c.newsletter == newsletter, outside)
            return [alike for _, alike in await alike_subscriptions.read(connection, whose)]

    @override
    async def addresses_of(self, alike: AlikeSubscriptions, limit: int) -> Sequence[str]:
        async with self.database.read() as connection:
            return await alike_subscriptions.addresses(connection, alike, limit)

    @override
    async def move_subscriptions(
        self, groups: Collection[int], rule: Callable[[AlikeSubscriptions], SubscriptionPlace]
    ) -> int:
        return await alike_subscriptions.move(self.database, groups, rule)

    @override
    async def hold(self, change: HeldChange, now: datetime) -> bool:
        known = await self.held()
        if known is not None and replace(known, since=None) == replace(change, since=None):
            return False
        stored = json.dumps(asdict(replace(change, since=None)) | {"since": now.isoformat()})
        async with self.database.write() as connection:
            await _remove(connection, HELD)
            await connection.execute(settings.insert().values(name=HELD, value=stored))
        return True

    @override
    async def held(self) -> HeldChange | None:
        stored = await read_setting(self.database, HELD)
        if stored is None:
            return None
        values = json.loads(stored)
        named = tuple((name, count) for name, count in values["newsletters"])
        since = datetime.fromisoformat(values["since"])
        return HeldChange(values["ended"], values["running"], named, since)

    @override
    async def release(self) -> bool:
        async with self.database.write() as connection:
            return await _remove(connection, HELD) > 0

    async def _all(self) -> dict[str, str]:
        query = select(settings).where(settings.c.name.in_((NEWSLETTERS, FINGERPRINT, HELD, CONFIRMED)))
        async with self.database.read() as connection:
            return {row.name: row.value for row in await connection.execute(query)}


async def _remove(connection: StoreConnection, *names: str) -> int:
    return (await connection.execute(delete(settings).where(settings.c.name.in_(names)))).rowcount


def _values(newsletter: Newsletter) -> dict[str, Any]:
    values = asdict(newsletter)
    return {k: v.total_seconds() if isinstance(v, timedelta) else v for k, v in values.items()}


def _newsletter_of(stored: Mapping[str, Any]) -> Newsletter:
    """Return the newsletter; keys of another version of Caveat are left out."""
    values: dict[str, Any] = {}
    for name in (field.name for field in fields(Newsletter)):
        if name in stored:
            value = stored[name]
            if name in DURATIONS and value is not None:
                value = timedelta(seconds=value)
            values[name] = tuple(value) if isinstance(value, list) else value
    return Newsletter(**values)
