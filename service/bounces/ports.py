"""The port that bounces need: where a delivery that came back is recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class BounceStore(Protocol):
    """Records bounces; the store implements it."""

    async def record_bounce(self, delivery_id: str, *, hard: bool, reason: str, now: datetime) -> bool:
        """Record that a delivery came back; return whether the delivery exists.

        A hard bounce suppresses the address. So does the fifth issue within thirty days that bounced softly.
        Recording the same bounce again changes nothing. Raises StoreError.
        """
        ...
