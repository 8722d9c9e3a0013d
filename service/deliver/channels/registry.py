"""Channels: the registry of ways to reach someone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from service.core.errors import UnknownName
from service.deliver.channels.file.channel import FileChannel
from service.deliver.channels.smtp.settings import Relay
from service.deliver.ports import Channel


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What channels are built from: the folder for files, the relay for SMTP."""

    folder: Path
    relay: Relay = field(default=Relay())


def _smtp(settings: ChannelSettings) -> Channel:
    from service.deliver.channels.smtp.channel import SmtpChannel  # noqa: PLC0415 - aiosmtplib is loaded only where mail goes by SMTP

    return SmtpChannel(settings.relay)


CHANNELS: dict[str, Callable[[ChannelSettings], Channel]] = {
    "file": lambda settings: FileChannel(settings.folder),
    "smtp": _smtp,
}


def build_channel(name: str, settings: ChannelSettings) -> Channel:
    """Return the channel of that name; raises UnknownName."""
    if name not in CHANNELS:
        raise UnknownName("channel", name, CHANNELS)
    return CHANNELS[name](settings)
