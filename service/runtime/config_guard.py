"""Config guard: keeps a saved configuration with faults, or one that would end too much, out of force."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from service.app.config.in_force import held_by_guard
from service.app.factories.application import Application
from service.core.errors import CaveatError, ConfigError
from service.core.model import HeldChange, Roster

REJECTED = "the last valid configuration stays in force"

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


@dataclass
class RejectedConfig:
    """The faults of one process's saved configuration. `error` is None while it is in force."""

    error: ConfigError | None = None

    def reject(self, error: CaveatError) -> None:
        """Log why the saved configuration is not taken; keep its faults if it has any."""
        if isinstance(error, ConfigError):
            self.error = error
        errors = error.faults if isinstance(error, ConfigError) else (error,)
        log.warning("config_rejected", message=REJECTED, errors=[str(one) for one in errors])

    def accept(self) -> None:
        """Forget the faults, because a valid configuration was saved; log it if there were any."""
        if self.error is not None:
            log.info("config_valid_again")
        self.error = None

    def sentences(self) -> tuple[str, ...]:
        """Return each fault with file, line and column; () while the saved configuration is in force."""
        return tuple(map(str, self.error.faults)) if self.error else ()
