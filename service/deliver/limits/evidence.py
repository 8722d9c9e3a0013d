"""Evidence: which refusals concern everybody and which one recipient or one domain (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

RECIPIENTS = 3  # different ones that refuse, with nothing accepted in between
DOMAINS = 2  # different ones among them: one domain's policy is not everybody's
RECIPIENTS_OF_ONE_DOMAIN = 10  # enough without a second domain: an audience may have one domain only


def concerns_everybody(recipients: Collection[str]) -> bool:
    """Return whether the refusals of these addresses, with nothing accepted since, concern all mail."""
    several = len(recipients) >= RECIPIENTS and len(set(domains_of(recipients))) >= DOMAINS
    return several or len(recipients) >= RECIPIENTS_OF_ONE_DOMAIN


def domains_of(recipients: Iterable[str]) -> Iterable[str]:
    """Return the domain of each address."""
    return (recipient.rpartition("@")[2].lower() for recipient in recipients)
