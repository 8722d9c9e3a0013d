"""Evidence: which refusals concern everybody and which one recipient or one domain (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

MIN_RECIPIENTS = 3  # different ones that refuse, with nothing accepted in between
MIN_DOMAINS = 2  # different ones among them: one domain's policy is not everybody's
MIN_RECIPIENTS_OF_ONE_DOMAIN = 10  # enough without a second domain: an audience may have one domain only


def concerns_all_mail(recipients: Collection[str]) -> bool:
    """Return whether the refusals of these addresses, with nothing accepted since, concern all mail."""
    several = len(recipients) >= MIN_RECIPIENTS and len(set(domains_of(recipients))) >= MIN_DOMAINS
    return several or len(recipients) >= MIN_RECIPIENTS_OF_ONE_DOMAIN


def domains_of(recipients: Iterable[str]) -> Iterable[str]:
    """Return the domain of each address."""
    return (recipient.rpartition("@")[2].lower() for recipient in recipients)
