"""The deliver stage with its production parts."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial

from service.bounces.verp import return_paths
from service.core.archive_links import NONE, IssueLinks, issue_links
from service.core.errors import Fault
from service.core.model import Roster
from service.deliver.channels.registry import (
    ChannelSettings,
    build_channel,
    build_nothing,
    build_personal_channel,
)
from service.deliver.channels.smtp.settings import Relay
from service.deliver.leases import DeliverPolicy
from service.deliver.limits.circuit_breaker import CircuitBreaker
from service.deliver.limits.rate_limit import RateLimiter
from service.deliver.message.builder import MailLinks, MessageBuilder
from service.deliver.message.dkim import DkimSigner
from service.deliver.message.dkim_pool import PresignedMessages
from service.deliver.ports import Channel, MessageFactory, Prepare, RateLimits
from service.deliver.stage import Deliverer
from service.settings.values import Settings, SmtpSettings
from service.store.coordination import SqlCoordination
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from service.subscribers.links import subscriber_links
from service.subscribers.sign_up import confirm_url

MAX_NAMED = 3  # subscribers in one sentence


def deliverer_of(
    settings: Settings, roster: Roster, database: Database, key: bytes, executor: Executor
) -> Deliverer:
    """Return the deliver stage. `key` signs links and return paths; `executor` makes DKIM signatures.

    Raises CaveatError for an unreadable DKIM key.
    """
    mail = settings.mail

    def links(subscriber_id: str, newsletter: str) -> MailLinks:
        theirs = subscriber_links(key, settings.site.url, subscriber_id, newsletter)
        return MailLinks(theirs.unsubscribe, theirs.preferences, theirs.token)

    def pages(issue_id: str, newsletter: str) -> IssueLinks:
        # The link of a newsletter that the roster no longer has leads nowhere, but a mail must have one.
        found = roster.newsletter(newsletter)
        return issue_links(key, settings.site.url, issue_id, found.archive if found else NONE)

    store = SqlDeliverStore(database)
    build = MessageBuilder(
        settings.site,
        links,
        return_paths(key, mail.bounces.address) if mail.bounces.address else None,
        signers=[DkimSigner.from_file(own.domain, own.selector, own.key_file) for own in mail.dkim],
        repeat_header=mail.smtp.repeat_header,
        confirm_link=partial(confirm_url, key, settings.site.url),
        issue_links=pages,
    )
    ahead = PresignedMessages(build, store, executor) if mail.dkim else None
    channel = channel_of(settings, ahead or build, ahead.prepare if ahead else None)
    has_server = bool(channel.server)
    return Deliverer(
        store,
        channel,
        DeliverPolicy(resend_uncertain=mail.on_uncertain == "resend"),
        RateLimiter(channel.rate_limits, shared=has_server),
        CircuitBreaker(shared=has_server),
        coordination_store=SqlCoordination(database) if has_server else None,
        relay=channel.server,
    )


def channel_of(
    settings: Settings, build_message: MessageFactory = build_nothing, prepare: Prepare | None = None
) -> Channel:
    """Return the channel of the settings. Without `build_message` it answers questions and sends nothing."""
    mail = settings.mail
    parts = ChannelSettings(mail.folder, relay_of(mail.smtp), rate_limits_of(mail.smtp))
    return build_channel(mail.channel, parts, build_message, prepare)


def personal_deliverer(
    name: str, settings: Settings, roster: Roster, database: Database, key: bytes
) -> Deliverer:
    """Return deliver for a channel that subscribers chose for themselves, by its name."""
    policy = DeliverPolicy(resend_uncertain=settings.mail.on_uncertain == "resend")
    channel = personal_channel_of(name, settings, roster, key)
    return Deliverer(SqlDeliverStore(database), channel, policy)


def personal_channel_of(name: str, settings: Settings, roster: Roster, key: bytes = b"") -> Channel:
    """Return the channel with the addresses that the roster names. Without `key` it can only be asked."""

    def preferences_url(subscriber_id: str, newsletter: str) -> str:
        return subscriber_links(key, settings.site.url, subscriber_id, newsletter).preferences

    addresses = {
        entry.subscriber.id: entry.channel_address
        for entry in roster.subscribers
        if entry.subscriber.channel == name
    }
    return build_personal_channel(name, addresses, preferences_url)


def personal_channels_of(settings: Settings, roster: Roster) -> list[Channel]:
    """Return the personal channels that the roster uses; they can be asked, and send nothing."""
    names = {entry.subscriber.channel for entry in roster.subscribers}
    return [personal_channel_of(name, settings, roster) for name in sorted(filter(None, names))]


def channel_faults(settings: Settings, roster: Roster) -> list[Fault]:
    """Return a fault for each reason why addresses on personal channels cannot be used. It may block."""
    emails = {entry.subscriber.id: entry.subscriber.email for entry in roster.subscribers}
    reasons: dict[str, list[str]] = {}
    for channel in personal_channels_of(settings, roster):
        for subscriber_id, reason in channel.address_problems().items():
            reasons.setdefault(reason, []).append(emails[subscriber_id])
    return [
        Fault("subscribers.yaml", 0, 0, f"the channel of {_named(names)} does not work: {reason}")
        for reason, names in reasons.items()
    ]


def _named(emails: Sequence[str]) -> str:
    more = f" and {len(emails) - MAX_NAMED} more" if len(emails) > MAX_NAMED else ""
    return ", ".join(emails[:MAX_NAMED]) + more


def rate_limits_of(smtp: SmtpSettings) -> RateLimits:
    """Return the rate limits of the settings."""
    return RateLimits(smtp.per_second, smtp.per_minute, smtp.per_domain_minute, smtp.domains)


def relay_of(smtp: SmtpSettings) -> Relay:
    """Return the SMTP relay of the settings."""
    return Relay(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        username=smtp.username,
        password=smtp.password.reveal(),
        connections=smtp.connections,
        hello=smtp.hello,
        authority=str(smtp.authority) if smtp.authority else None,
    )
