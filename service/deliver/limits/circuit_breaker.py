"""Circuit breaker: pauses sending when the server refuses all our mail, before our reputation suffers (pure).

A refusal for policy (5.7.x, a block list, a wrong password) may be one recipient's own ("you are not on my
list") or about everything we send. It is about everything when several recipients at several domains refuse
within minutes and nothing is accepted in between. Then sending is paused, with one alert, and resumed later
with a single trial message.

Workers that share a breaker share its pauses, and one of them sends the trial message for all. A change is
`unreported` until it is stored; the shared state is valid for a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.deliver.limits.refusal_evidence import concerns_all_mail
from service.deliver.ports import SendingPause

REFUSAL_WINDOW = timedelta(minutes=10)  # older refusals do not count
MAX_REMEMBERED_RECIPIENTS = 100  # recipients that refused; bounds memory
FIRST_PAUSE = timedelta(minutes=15)
MAX_PAUSE = timedelta(hours=4)
SHARED_STATE_VALID_FOR = timedelta(seconds=1)
"""Time that a worker relies on the state that it read from the database."""


@dataclass(frozen=True, slots=True)
class PauseEnded:
    """The pause is over: the server accepted a message again."""

    pause: SendingPause


def pause_sentence(pause: SendingPause) -> str:
    """Return the alert for the operator about a pause."""
    return (
        f"sending is paused until {pause.until:%Y-%m-%d %H:%M} UTC, because {pause.reason}; "
        "no address is suppressed for it, and refused mails are retried; once the cause is removed, "
        "caveat issue resume --all resumes sending at once"
    )


class CircuitBreaker:
    """Closed in normal operation; open while sending is paused; half open during the trial message."""

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared
        self._shared_state_until = datetime.min.replace(tzinfo=UTC) if shared else None
        self.unreported: SendingPause | PauseEnded | None = None
        self._close()

    def _close(self) -> None:
        # Time of the refusal by recipient, the latest last.
        self._refusals: dict[str, datetime] = {}
        self._set_pause(None)

    def _set_pause(self, pause: SendingPause | None) -> None:
        self._pause = pause
        self._trial_sent, self._may_send_trial = False, not self._shared

    def is_open(self, now: datetime) -> bool:
        """Return whether no message may be sent at this moment."""
        return self._pause is not None and (
            now < self._pause.until or self._trial_sent or not self._may_send_trial
        )

    def allow(self, now: datetime) -> bool:
        """Return whether a message may be sent; after a pause only one, until its outcome is known."""
        if (self._shared_state_until is not None and now >= self._shared_state_until) or self.is_open(now):
            return False
        self._trial_sent = self._pause is not None
        return True

    def record_accepted(self) -> None:
        """Record that the server accepted a message: the breaker closes."""
        if self._pause is not None:
            self.unreported = PauseEnded(self._pause)
        self._close()

    def record_refused(
        self, reason: str, now: datetime, *, recipient: str = "", conclusive: bool = False
    ) -> None:
        """Count a refusal for policy; enough of them open the breaker.

        `reason` is a clause for the operator. `conclusive`: one refusal is enough, such as a wrong password.
        After a pause, a refused trial message renews it, unless its recipient refused before: repeated
        refusals by one recipient prove nothing about the others.
        """
        known = recipient in self._refusals
        self._refusals.pop(recipient, None)
        self._refusals[recipient] = now
        if len(self._refusals) > MAX_REMEMBERED_RECIPIENTS:
            del self._refusals[next(iter(self._refusals))]
        if self._trial_sent and known and not conclusive:
            self._trial_sent = False
            return
        recent = [address for address, at in self._refusals.items() if now - at < REFUSAL_WINDOW]
        enough = conclusive or self._trial_sent or concerns_all_mail(recent)
        if enough and (self._pause is None or now >= self._pause.until):
            times = 1 if self._pause is None else self._pause.consecutive + 1
            pause = min(FIRST_PAUSE * 2 ** min(times - 1, 10), MAX_PAUSE)
            self.unreported = new_pause = SendingPause(reason, now, now + pause, times)
            self._set_pause(new_pause)

    def record_inconclusive(self) -> None:
        """Record that the trial message was neither accepted nor refused for policy."""
        self._trial_sent = False

    def alert(self, now: datetime) -> str | None:
        """Return the sentence for the operator while sending is paused, else None."""
        return None if self._pause is None or now >= self._pause.until else pause_sentence(self._pause)

    # --- shared state --------------------------------------------------------------------------

    def needs_sync(self, now: datetime) -> bool:
        """Return whether there is a change to store, or shared state to read."""
        return self.unreported is not None or (
            self._shared_state_until is not None
            and (now >= self._shared_state_until or self.needs_trial(now))
        )

    def needs_trial(self, now: datetime) -> bool:
        """Return whether the pause is over and a worker has to claim the trial."""
        return self._pause is not None and now >= self._pause.until and not self._may_send_trial

    def grant_trial(self) -> None:
        """Let this worker send the trial message."""
        self._may_send_trial = True

    def apply_shared(self, pause: SendingPause | None, now: datetime) -> None:
        """Apply the shared state: the pause, or None."""
        self._shared_state_until = now + SHARED_STATE_VALID_FOR
        if pause is None and self._pause is not None:
            self._close()
        elif pause is not None and (self._pause is None or pause.since != self._pause.since):
            self._set_pause(pause)
