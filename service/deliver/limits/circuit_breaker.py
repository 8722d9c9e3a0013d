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

from service.deliver.limits.refusal_evidence import concerns_all_mail
from service.deliver.ports import SendingPause

REFUSAL_WINDOW = timedelta(minutes=10)  # older refusals say nothing about now
MAX_REMEMBERED_RECIPIENTS = 100  # recipients who refused, so that the list has an end
FIRST_PAUSE = timedelta(minutes=15)
MAX_PAUSE = timedelta(hours=4)
SHARED_STATE_VALID_FOR = timedelta(seconds=1)
"""How long a worker relies on what it heard of the others."""


@dataclass(frozen=True, slots=True)
class PauseEnded:
    """The halt is over: the server took a message again."""

    pause: SendingPause


def pause_sentence(pause: SendingPause) -> str:
    """Return what the operator is told about a halt."""
    return (
        f"sending is paused until {pause.until:%Y-%m-%d %H:%M} UTC, because {pause.reason}; "
        "no address is blamed, and what was refused is tried again; once the cause is mended, "
        "caveat issue resume --all goes on at once"
    )


class CircuitBreaker:
    """Closed while all is well; open while sending halts; half open while one message tries."""

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared
        self._heard_until = datetime.min.replace(tzinfo=UTC) if shared else None
        self.unreported: SendingPause | PauseEnded | None = None
        self._close()

    def _close(self) -> None:
        # When each recipient refused; the latest stands last.
        self._refusals: dict[str, datetime] = {}
        self._stand(None)

    def _stand(self, halt: SendingPause | None) -> None:
        self._halt = halt
        self._trying, self._may_try = False, not self._shared

    def is_open(self, now: datetime) -> bool:
        """Return whether nothing may be sent at this moment."""
        return self._halt is not None and (now < self._halt.until or self._trying or not self._may_try)

    def allow(self, now: datetime) -> bool:
        """Return whether a message may be sent; after a halt one alone, until it is known how it went."""
        if (self._heard_until is not None and now >= self._heard_until) or self.is_open(now):
            return False
        self._trying = self._halt is not None
        return True

    def record_accepted(self) -> None:
        """Learn that the server took a message."""
        if self._halt is not None:
            self.unreported = PauseEnded(self._halt)
        self._close()

    def record_refused(
        self, reason: str, now: datetime, *, recipient: str = "", conclusive: bool = False
    ) -> None:
        """Count a refusal for policy; enough of them open the breaker.

        `reason` is a clause for a person. `for_sure`: one is enough, such as a wrong password. After a halt
        the message that tries renews it when it is refused, unless its recipient refused before: what one
        recipient keeps saying is no news about the others.
        """
        known = recipient in self._refusals
        self._refusals.pop(recipient, None)
        self._refusals[recipient] = now
        if len(self._refusals) > MAX_REMEMBERED_RECIPIENTS:
            del self._refusals[next(iter(self._refusals))]
        if self._trying and known and not conclusive:
            self._trying = False
            return
        recent = [address for address, at in self._refusals.items() if now - at < REFUSAL_WINDOW]
        enough = conclusive or self._trying or concerns_all_mail(recent)
        if enough and (self._halt is None or now >= self._halt.until):
            times = 1 if self._halt is None else self._halt.consecutive + 1
            pause = min(FIRST_PAUSE * 2 ** min(times - 1, 10), MAX_PAUSE)
            self.unreported = halt = SendingPause(reason, now, now + pause, times)
            self._stand(halt)

    def record_inconclusive(self) -> None:
        """Learn that the message that tried came to nothing, neither taken nor refused for policy."""
        self._trying = False

    def alert(self, now: datetime) -> str | None:
        """Return the sentence for the operator while sending halts, else None."""
        return None if self._halt is None or now >= self._halt.until else pause_sentence(self._halt)

    # --- what is shared ------------------------------------------------------------------------

    def needs_sync(self, now: datetime) -> bool:
        """Return whether there is something to say to the others, or to ask them."""
        return self.unreported is not None or (
            self._heard_until is not None and (now >= self._heard_until or self.needs_trial(now))
        )

    def needs_trial(self, now: datetime) -> bool:
        """Return whether the halt is over and somebody has to try; `may_try` says that it is us."""
        return self._halt is not None and now >= self._halt.until and not self._may_try

    def grant_trial(self) -> None:
        """Learn that we are the one who tries."""
        self._may_try = True

    def apply_shared(self, pause: SendingPause | None, now: datetime) -> None:
        """Learn what holds for all at this moment: a halt, or none."""
        self._heard_until = now + SHARED_STATE_VALID_FOR
        if pause is None and self._halt is not None:
            self._close()
        elif pause is not None and (self._halt is None or pause.since != self._halt.since):
            self._stand(pause)
