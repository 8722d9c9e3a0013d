"""Rate reports: sentences and log lines for the operator about a server that limits our rate."""

from __future__ import annotations

import logging

from service.deliver.metrics import LEARNED_RATE
from service.deliver.ports import LearnedRate

log = logging.getLogger("deliver")


def rate_sentence(relay: str, domain: str, rate: LearnedRate) -> str:
    """Return a sentence about a limit and its setting; `domain` is empty for the relay's own."""
    who = f"the mail server {relay}" if not domain else f"the mail server of {domain}"
    if rate.busy and rate.refused_at is not None:
        return f"{who} cannot take mail at the moment ({rate.reply}); what waits is sent when it can"
    setting = "mail.smtp.per_minute" if not domain else f"mail.smtp.domains for {domain}"
    if rate.refused_at is not None:
        state = "sending waits until it accepts again"
    else:
        state = f"it is sent {_number(rate.per_minute)} mails a minute now"
    return (
        f"{who} limits how fast mail may be sent ({rate.reply}); {state}, and the rate is adapted to what it "
        f"takes; nothing is lost; {setting} sets a limit beforehand"
    )


def log_rate_change(relay: str, domain: str, before: LearnedRate | None, after: LearnedRate | None) -> None:
    """Log that a limit was met or measured for the first time; later refusals only adapt the rate."""
    fields = {"relay": relay, "domain": domain}
    if after is None:
        if before is not None:
            log.info("rate_limit_ended", extra=fields)
    else:
        fields["reason"] = rate_sentence(relay, domain, after)
        if before is None or (before.per_minute is None and after.per_minute is not None):
            log.warning("rate_limited", extra=fields | {"per_minute": after.per_minute})
        elif before.refused_at is None and after.refused_at is not None:
            log.info("rate_limited", extra=fields | {"per_minute": after.per_minute})
    if not domain:
        LEARNED_RATE.set((after.per_minute or 0) if after is not None else 0)


def _number(per_minute: float | None) -> str:
    if per_minute is None:
        return "as many"
    return f"{per_minute:.0f}" if per_minute >= 10 else f"{per_minute:.1f}"
