"""Rejected config: why the configuration that was saved last is not in force, for the log and the pages."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from service.core.errors import CaveatError, ConfigError

REJECTED = "the last valid configuration stays in force"

log = structlog.get_logger("service")


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
