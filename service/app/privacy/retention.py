"""Retention: data about people are deleted after the times that caveat.yaml names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.store.audit import SqlAuditStore
from service.store.retention import Retention

if TYPE_CHECKING:
    from service.app.factories.application import Application


async def delete_expired(app: Application) -> int:
    """Delete what has expired, a limited number at once; return the number of rows.

    Nothing without the keys of `privacy`. The numbers of issues must have been stored before.
    """
    privacy, now, store = app.settings.privacy, app.clock(), Retention(app.database)
    deleted = 0
    if privacy.deliveries is not None:
        deleted += await store.delete_deliveries(now - privacy.deliveries)
    if privacy.bounces is not None:
        deleted += await store.delete_bounces(now - privacy.bounces)
    if privacy.audit is not None:
        deleted += await SqlAuditStore(app.database).prune(now - privacy.audit)
    return deleted
