"""Channel registry: every way to reach a subscriber, by its name in the configuration.

A channel's library is loaded when the channel is built or first sends, not when this module is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from service.core.errors import CaveatError, UnknownName
from service.core.model import Delivery, Issue, Message
from service.core.secret import Secret
from service.deliver.channels.apprise.channel import (
    AppriseChannel,
    IsWaiting,
    MakePreferencesUrl,
    waits_for_nobody,
)
from service.deliver.channels.file.channel import FileChannel
from service.deliver.channels.smtp.settings import Relay
from service.deliver.ports import Channel, MessageFactory, Prepare, RateLimits


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What the mail channels are built from: the folder for files; the relay and its limits for SMTP."""

    folder: Path
    relay: Relay = field(default=Relay())
    rate_limits: RateLimits = field(default=RateLimits())


def _smtp(settings: ChannelSettings, build: MessageFactory, prepare: Prepare | None) -> Channel:
    from service.deliver.channels.smtp.channel import SmtpChannel  # noqa: PLC0415 - aiosmtplib is loaded only where mail goes by SMTP

    return SmtpChannel(settings.relay, build, prepare, settings.rate_limits)


MAIL_CHANNELS: dict[str, Callable[[ChannelSettings, MessageFactory, Prepare | None], Channel]] = {
    "file": lambda settings, build, prepare: FileChannel(settings.folder, build, prepare),
    "smtp": _smtp,
}
"""The channels that carry whole mails: `mail.channel` in caveat.yaml names one of them."""


PERSONAL_CHANNELS: dict[str, Callable[[Mapping[str, Secret], MakePreferencesUrl, IsWaiting], Channel]] = {
    "apprise": AppriseChannel,
}
"""The channels that carry digests to an address of each subscriber's own: subscribers.yaml names them."""


def build_nothing(issue: Issue, delivery: Delivery) -> Message:
    """Stand in for the message factory where a channel is only asked about itself."""
    raise CaveatError(f"delivery {delivery.id} of issue {issue.id} has no message: this channel sends none")


def build_channel(
    name: str,
    settings: ChannelSettings,
    build_message: MessageFactory = build_nothing,
    prepare: Prepare | None = None,
) -> Channel:
    """Return the mail channel of that name. Raises UnknownName."""
    if name not in MAIL_CHANNELS:
        raise UnknownName("channel", name, MAIL_CHANNELS)
    return MAIL_CHANNELS[name](settings, build_message, prepare)


def build_personal_channel(
    name: str,
    addresses: Mapping[str, Secret],
    preferences_url: MakePreferencesUrl,
    is_waiting: IsWaiting = waits_for_nobody,
) -> Channel:
    """Return the personal channel of that name. Raises UnknownName.

    `addresses` are by subscriber id; `is_waiting` says of an id without one whether it may still be read.
    """
    if name not in PERSONAL_CHANNELS:
        raise UnknownName("channel", name, PERSONAL_CHANNELS)
    return PERSONAL_CHANNELS[name](addresses, preferences_url, is_waiting)
