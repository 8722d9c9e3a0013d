"""Refusal evidence: whether refusals are about all our mail, one recipient or one domain (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

MIN_RECIPIENTS = 3  # that refuse, with no message accepted in between
MIN_DOMAINS = 2  # of those recipients: a single domain may have a policy of its own
MIN_RECIPIENTS_OF_ONE_DOMAIN = 10  # enough without a second domain: all subscribers may have the same


def concerns_all_mail(recipients: Collection[str]) -> bool:
    """Return whether refusals by these addresses, with no message accepted since, are about all mail."""
    several = len(recipients) >= MIN_RECIPIENTS and len(set(domains_of(recipients))) >= MIN_DOMAINS
    return several or len(recipients) >= MIN_RECIPIENTS_OF_ONE_DOMAIN


def domains_of(recipients: Iterable[str]) -> Iterable[str]:
    """Return the domain of each address."""
    return (recipient.rpartition("@")[2].lower() for recipient in recipients)
