"""Privacy block: the keys of `privacy` in caveat.yaml."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from service.settings.field_types import ConfigBlock, Duration, wrong_value
from service.settings.values import PrivacySettings

SHORTEST = timedelta(days=30)
"""Bounces arrive within days, and soft bounces of the last 30 days count together."""


def _long_enough(value: timedelta) -> timedelta:
    if value < SHORTEST:
        raise wrong_value(f"{value.days} days are too short", f"at least {SHORTEST.days}d")
    return value


Retention = Annotated[Duration, AfterValidator(_long_enough)]


class PrivacyBlock(ConfigBlock):
    """How long data about people are kept. Without a key they are kept until the person is erased."""

    deliveries: Retention | None = Field(
        default=None,
        description="The time that the ledger keeps who got an issue; its numbers stay. At least 30d.",
        examples=["365d"],
    )
    bounces: Retention | None = Field(
        default=None, description="The time that a bounce is kept. At least 30d.", examples=["180d"]
    )
    audit: Retention | None = Field(
        default=None,
        description="The time that an entry of the audit record is kept. At least 30d.",
        examples=["730d"],
    )

    @property
    def settings(self) -> PrivacySettings:
        """The values as the other packages use them."""
        return PrivacySettings(self.deliveries, self.bounces, self.audit)
