"""Values: the settings as the rest of the house sees them, frozen and free of any library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from service.core.errors import Fault
from service.core.model import Roster, Site
from service.core.secret import Secret


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """The relay. `security` is `starttls`, `tls` or `none`. A limit of 0 is none; `domains` are per minute.

    `authority` is a file of certificates to trust instead of the system's, `hello` the name we greet with.
    """

    host: str
    port: int
    security: str
    username: str
    password: Secret
    connections: int
    per_second: float
    hello: str | None
    authority: Path | None
    per_minute: float = 0
    per_domain_minute: float = 0
    domains: Mapping[str, float] = field(default_factory=dict)
    repeat_header: str = ""


@dataclass(frozen=True, slots=True)
class DkimSettings:
    """A key (a PEM file) that signs for `domain`, under `selector`."""

    domain: str
    selector: str
    key_file: Path


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """The mailbox that bounces come to. `keep`: letters are marked as read and not deleted.

    `authority` is a file of certificates to trust instead of the system's.
    """

    host: str
    port: int
    security: str
    username: str
    password: Secret
    folder: str
    keep: bool
    every: timedelta
    authority: Path | None = None


@dataclass(frozen=True, slots=True)
class BouncesSettings:
    """Where bounces go (None: to the sender, and nobody reads them), and how they reach us from there.

    `imap`: that mailbox is read. `listen`: at this host and port a mail server hands them over.
    """

    address: str | None = None
    imap: ImapSettings | None = None
    listen: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class MailSettings:
    """How mail leaves: `channel` is `file` or `smtp`, `on_uncertain` is `resend` or `hold`."""

    channel: str
    folder: Path
    smtp: SmtpSettings
    on_uncertain: str
    dkim: tuple[DkimSettings, ...] = ()
    bounces: BouncesSettings = BouncesSettings()


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """An HTTP proxy that fetches. `resolves`: only the proxy can look names up."""

    url: str
    username: str
    password: Secret
    resolves: bool


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """How feeds are fetched; `settle` is how long an article rests before it is told."""

    allow_private: tuple[str, ...]
    settle: timedelta
    user_agent: str
    timeout: timedelta
    connections: int
    host_spacing: timedelta
    proxy: ProxySettings | None = None


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the web door listens. `metrics_listen` is a second address, for /metrics alone.

    Without that address and without a token, /metrics is not there; nor is /api without its own token.
    `trusted_proxies` may say whom a request came from; `sign_up` names the newsletters that anybody can ask
    for.
    """

    listen_host: str
    listen_port: int
    metrics_listen: tuple[str, int] | None
    metrics_token: Secret
    api_token: Secret
    trusted_proxies: tuple[str, ...]
    sign_up: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CondenseSettings:
    """How articles are condensed: the usual method, key points kept of each, processes (0: by cores)."""

    method: str
    points: int
    processes: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set in caveat.yaml or the environment; paths are absolute.

    `storage` is an SQLAlchemy-style URL, complete with its password: print `storage_shown` instead.
    """

    folder: Path
    site: Site
    storage: str = field(repr=False)
    storage_shown: str
    mail: MailSettings
    fetch: FetchSettings
    web: WebSettings
    condense: CondenseSettings


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One setting as it is in force. `origin` is `caveat.yaml:3`, the environment variable, or `default`."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """What came out of a config folder: the settings, the roster, and what is odd but does no harm."""

    settings: Settings
    roster: Roster
    warnings: tuple[Fault, ...] = ()
    effective: tuple[EffectiveSetting, ...] = ()
