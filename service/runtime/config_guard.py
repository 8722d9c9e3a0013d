"""Config guard: keeps a saved roster out of force while it would end too many subscriptions, and logs it."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from service.app.config.in_force import held_by_guard
from service.app.factories.application import Application
from service.core.model import HeldChange, Roster

log = structlog.get_logger("service")


@dataclass
class ConfigGuard:
    """The guard of one process. `held` is the change that it holds back; None when there is none."""

    held: HeldChange | None = None

    async def lets_pass(self, app: Application, roster: Roster) -> bool:
        """Return whether this roster may come into force; log when that changes. Raises StoreError."""
        before, self.held = self.held, await held_by_guard(app, roster)
        if self.held is not None and self.held != before:
            log.warning(
                "config_held",
                message=self.held.sentence,
                ended=self.held.ended,
                running=self.held.running,
                newsletters=dict(self.held.newsletters),
            )
        elif self.held is None and before is not None:
            log.info("config_no_longer_held")
        return self.held is None
