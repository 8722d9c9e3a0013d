"""Channels: the one of the settings and those of subscribers, built without a database.

`caveat config check` asks them about addresses; it would take half a second longer with the database's
library.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.core.errors import Fault
from service.core.model import Roster
from service.deliver.channels.registry import (
    ChannelSettings,
    build_channel,
    build_nothing,
    build_personal_channel,
)
from service.deliver.channels.smtp.settings import Relay
from service.deliver.ports import Channel, MessageFactory, Prepare, RateLimits
from service.settings.values import Settings, SmtpSettings
from service.subscribers.links import subscriber_links

MAX_NAMED = 3  # subscribers in one sentence


def channel_of(
    settings: Settings, build_message: MessageFactory = build_nothing, prepare: Prepare | None = None
) -> Channel:
    """Return the channel of the settings. Without `build_message` it answers questions and sends nothing."""
    mail = settings.mail
    parts = ChannelSettings(mail.folder, relay_of(mail.smtp), rate_limits_of(mail.smtp))
    return build_channel(mail.channel, parts, build_message, prepare)


def personal_channel_of(name: str, settings: Settings, roster: Roster, key: bytes = b"") -> Channel:
    """Return the channel with the addresses that the roster names. Without `key` it can only be asked.

    Messages wait for addresses that could not be read from the files.
    """

    def preferences_url(subscriber_id: str, newsletter: str) -> str:
        return subscriber_links(key, settings.site.url, subscriber_id, newsletter).preferences

    addresses = {
        entry.subscriber.id: entry.channel_address
        for entry in roster.on_channels()
        if entry.subscriber.channel == name
    }
    unreadable = frozenset(roster.unreadable_subscribers)

    def waits(subscriber_id: str) -> bool:
        return not roster.is_complete or subscriber_id in unreadable

    return build_personal_channel(name, addresses, preferences_url, waits)


def personal_channels_of(settings: Settings, roster: Roster) -> list[Channel]:
    """Return the personal channels that the roster uses; they can be asked, and send nothing."""
    names = {entry.subscriber.channel or "" for entry in roster.on_channels()}
    return [personal_channel_of(name, settings, roster) for name in sorted(names)]


def channel_faults(settings: Settings, roster: Roster) -> list[Fault]:
    """Return a fault for each reason why addresses on personal channels cannot be used. It may block."""
    emails = {entry.subscriber.id: entry.subscriber.email for entry in roster.on_channels()}
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
