"""Breaker: stops sending when the server refuses our mail as such, before our name is ruined (pure).

A refusal for policy (5.7.x, a block list, a wrong password) may be one recipient's own ("you are not on my
list") or about everything we send. It is about everything when several recipients at several domains refuse
within minutes and nothing is accepted in between. Then sending halts, says so once, and is tried again later
with a single message.

Workers that share a breaker hear of each other's halts, and one of them alone tries again for all. What a
worker has to say is `unsaid` until it stands in the record; what it heard is good for a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.deliver.limits.evidence import concerns_everybody
from service.deliver.ports import Halt

WINDOW = timedelta(minutes=10)  # older refusals say nothing about now
REMEMBERED = 100  # recipients who refused, so that the list has an end
FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=4)
GOOD_FOR = timedelta(seconds=1)
"""How long a worker relies on what it heard of the others."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The halt is over: the server took a message again."""

    halt: Halt


def sentence(halt: Halt) -> str:
    """Return what the operator is told about a halt."""
    return (
        f"sending is paused until {halt.until:%Y-%m-%d %H:%M} UTC, because {halt.reason}; "
        "no address is blamed, and what was refused is tried again; once the cause is mended, "
        "caveat issue resume --all goes on at once"
    )


class Breaker:
    """Closed while all is well; open while sending halts; half open while one message tries."""

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared
        self._heard_until = datetime.min.replace(tzinfo=UTC) if shared else None
        self.unsaid: Halt | Ended | None = None
        self._close()

    def _close(self) -> None:
        # When each recipient refused; the latest stands last.
        self._refusals: dict[str, datetime] = {}
        self._stand(None)

    def _stand(self, halt: Halt | None) -> None:
        self._halt = halt
        self._trying, self._may_try = False, not self._shared

    def is_open(self, now: datetime) -> bool:
        """Return whether nothing may be sent at this moment."""
        return self._halt is not None and (now < self._halt.until or self._trying or not self._may_try)

    def lets_through(self, now: datetime) -> bool:
        """Return whether a message may be sent; after a halt one alone, until it is known how it went."""
        if (self._heard_until is not None and now >= self._heard_until) or self.is_open(now):
            return False
        self._trying = self._halt is not None
        return True

    def taken(self) -> None:
        """Learn that the server took a message."""
        if self._halt is not None:
            self.unsaid = Ended(self._halt)
        self._close()

    def refused(self, reason: str, now: datetime, *, recipient: str = "", for_sure: bool = False) -> None:
        """Count a refusal for policy; enough of them open the breaker.

        `reason` is a clause for a person. `for_sure`: one is enough, such as a wrong password. After a halt
        the message that tries renews it when it is refused, unless its recipient refused before: what one
        recipient keeps saying is no news about the others.
        """
        known = recipient in self._refusals
        self._refusals.pop(recipient, None)
        self._refusals[recipient] = now
        if len(self._refusals) > REMEMBERED:
            del self._refusals[next(iter(self._refusals))]
        if self._trying and known and not for_sure:
            self._trying = False
            return
        recent = [address for address, at in self._refusals.items() if now - at < WINDOW]
        enough = for_sure or self._trying or concerns_everybody(recent)
        if enough and (self._halt is None or now >= self._halt.until):
            times = 1 if self._halt is None else self._halt.times + 1
            pause = min(FIRST_PAUSE * 2 ** min(times - 1, 10), LONGEST_PAUSE)
            self.unsaid = halt = Halt(reason, now, now + pause, times)
            self._stand(halt)

    def undecided(self) -> None:
        """Learn that the message that tried came to nothing, neither taken nor refused for policy."""
        self._trying = False

    def alert(self, now: datetime) -> str | None:
        """Return the sentence for the operator while sending halts, else None."""
        return None if self._halt is None or now >= self._halt.until else sentence(self._halt)

    # --- what is shared ------------------------------------------------------------------------

    def wants_word(self, now: datetime) -> bool:
        """Return whether there is something to say to the others, or to ask them."""
        return self.unsaid is not None or (
            self._heard_until is not None and (now >= self._heard_until or self.wants_to_try(now))
        )

    def wants_to_try(self, now: datetime) -> bool:
        """Return whether the halt is over and somebody has to try; `may_try` says that it is us."""
        return self._halt is not None and now >= self._halt.until and not self._may_try

    def may_try(self) -> None:
        """Learn that we are the one who tries."""
        self._may_try = True

    def heard(self, halt: Halt | None, now: datetime) -> None:
        """Learn what holds for all at this moment: a halt, or none."""
        self._heard_until = now + GOOD_FOR
        if halt is None and self._halt is not None:
            self._close()
        elif halt is not None and (self._halt is None or halt.since != self._halt.since):
            self._stand(halt)
