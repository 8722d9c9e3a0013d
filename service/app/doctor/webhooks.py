"""The webhooks that do not get their messages, as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from service.core.model import WebhookStatus


def webhook_problems(statuses: Sequence[WebhookStatus]) -> tuple[str, ...]:
    """Return a sentence for each webhook that is disabled, or that failed since its last success."""
    found = []
    for one in statuses:
        if one.disabled_at is not None:
            found.append(
                f"{one.url} is disabled since {one.disabled_at:%Y-%m-%d %H:%M} UTC: {one.last_error}; "
                f"{one.waiting:,} messages wait; caveat webhook resend enables it again"
            )
        elif one.failing_since is not None:
            found.append(
                f"{one.url} has failed since {one.failing_since:%Y-%m-%d %H:%M} UTC: {one.last_error}; "
                "its messages are sent again by themselves"
            )
    return tuple(found)
