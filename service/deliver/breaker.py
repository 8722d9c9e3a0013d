"""Breaker: stops sending when the server refuses our mail as such, before our name is ruined (pure).

A refusal for policy (5.7.x, a block list, a wrong password) is never about the person. Several in a row, with
nothing taken in between, say that everything we send now will be refused: so we pause, say so once, and later
try with a single message.
"""

from __future__ import annotations

from datetime import datetime, timedelta

IN_A_ROW = 3
FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=4)


class Breaker:
    """Closed while all is well; open while sending pauses; half open while one message tries."""

    def __init__(self) -> None:
        self._reason = ""
        self._close()

    def _close(self) -> None:
        self._refusals = 0
        self._pause = FIRST_PAUSE
        self._until: datetime | None = None
        self._trying = False

    def is_open(self, now: datetime) -> bool:
        """Return whether nothing may be sent at this moment."""
        return self._until is not None and (now < self._until or self._trying)

    def lets_through(self, now: datetime) -> bool:
        """Return whether a message may be sent; after a pause one alone, until it is known how it went."""
        if self.is_open(now):
            return False
        self._trying = self._until is not None
        return True

    def taken(self) -> None:
        """Learn that the server took a message."""
        self._close()

    def refused(self, reason: str, now: datetime, *, for_sure: bool = False) -> bool:
        """Learn of a refusal for policy; return whether it was the one that stops everything.

        `reason` is a clause for a person. `for_sure`: one is enough, such as a wrong password.
        """
        self._refusals += 1
        tripped = self._trying or (self._until is None and (for_sure or self._refusals >= IN_A_ROW))
        if tripped:
            self._until, self._reason = now + self._pause, reason
            self._pause, self._trying = min(self._pause * 2, LONGEST_PAUSE), False
        return tripped

    def undecided(self) -> None:
        """Learn that the message that tried came to nothing, neither taken nor refused for policy."""
        self._trying = False

    def alert(self, now: datetime) -> str | None:
        """Return the sentence for the operator while sending pauses, else None."""
        if self._until is None or now >= self._until:
            return None
        return (
            f"sending is paused until {self._until:%Y-%m-%d %H:%M} UTC, because {self._reason}; "
            "no address is blamed, and what was refused is tried again"
        )
