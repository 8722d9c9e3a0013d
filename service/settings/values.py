"""Settings as the other packages use them: frozen dataclasses without pydantic."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from service.core.errors import Fault
from service.core.model import Roster, Site
from service.core.secret import Secret


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """The SMTP server. `security` is `starttls`, `tls` or `none`.

    A rate limit of 0 means no limit; `domains` are mails per minute. `authority` is a file of certificates
    to trust instead of the system's; `hello` is the name for EHLO (None: the machine's name).
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
    """A private key (PEM file) that signs mail for `domain` under `selector`."""

    domain: str
    selector: str
    key_file: Path


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """The mailbox that receives bounces. `keep`: mails are marked as read instead of deleted.

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
    """The address for bounces, and how they arrive from there.

    `address` None: bounces go to the sender's address and are not processed. `imap`: the mailbox to read.
    `listen`: the host and port where a mail server delivers bounces by LMTP or SMTP.
    """

    address: str | None = None
    imap: ImapSettings | None = None
    listen: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class MailSettings:
    """How mail is sent. `channel` is `file` or `smtp`, `on_uncertain` is `resend` or `hold`."""

    channel: str
    folder: Path
    smtp: SmtpSettings
    on_uncertain: str
    dkim: tuple[DkimSettings, ...] = ()
    bounces: BouncesSettings = BouncesSettings()


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """The HTTP proxy for feeds and pages. `resolves`: only the proxy can resolve host names."""

    url: str
    username: str
    password: Secret
    resolves: bool


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """How feeds are fetched. `settle` is the time between the arrival of an article and its release."""

    allow_private: tuple[str, ...]
    settle: timedelta
    user_agent: str
    timeout: timedelta
    connections: int
    host_spacing: timedelta
    proxy: ProxySettings | None = None


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """The editors' pages. `listen` is an address that serves only them; None: the web server does.

    `networks` (CIDR) are those of the clients that may open them. `user_header` is the header by which a
    trusted proxy names the account; "" for none. `timezone` None: that of the first newsletter.
    """

    enabled: bool = True
    listen: tuple[str, int] | None = None
    networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    user_header: str = ""
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The web server. `metrics_listen` is a second address that serves only /metrics.

    /metrics exists if that address or a token is set; /api exists if its token is set. `trusted_proxies`
    are networks and host names whose X-Forwarded-For is believed. `sign_up` are the ids of the newsletters
    with public sign-up. Pages of the sites `embed` may show the sign-up form in a frame.
    """

    listen_host: str
    listen_port: int
    metrics_listen: tuple[str, int] | None
    metrics_token: Secret
    api_token: Secret
    trusted_proxies: tuple[str, ...]
    sign_up: tuple[str, ...]
    admin: AdminSettings = AdminSettings()
    embed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """The language model that is asked about articles: `url` is the base address of its API.

    `seconds` is the maximum time for one article; `per_pass` and `per_day` are maximum numbers of articles.
    """

    url: str
    model: str
    key: Secret
    seconds: int
    per_pass: int
    per_day: int

    @property
    def host(self) -> str:
        """The name or address of the machine that is asked."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_local(self) -> bool:
        """Whether that machine is this one."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class CondenseSettings:
    """How articles are condensed: default method, key points per article, processes (0: one per core).

    `judge` None: no language model is asked.
    """

    method: str
    points: int
    processes: int
    judge: JudgeSettings | None = None


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """A program that is told about `events` at `url`; `secret` signs the messages."""

    url: str
    events: tuple[str, ...]
    secret: Secret


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """How long deliveries, bounces and the audit record are kept; None: until the person is erased."""

    deliveries: timedelta | None = None
    bounces: timedelta | None = None
    audit: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of caveat.yaml and the environment; paths are absolute.

    `operator` are the addresses that get a mail when something is wrong.
    `storage` is a database URL with the password; `storage_shown` is the same without it, for output.
    """

    folder: Path
    site: Site
    storage: str = field(repr=False)
    storage_shown: str
    mail: MailSettings
    fetch: FetchSettings
    web: WebSettings
    condense: CondenseSettings
    webhooks: tuple[WebhookSettings, ...] = ()
    operator: tuple[str, ...] = ()
    privacy: PrivacySettings = PrivacySettings()


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """A setting in force. `origin` is `caveat.yaml:3`, the name of the environment variable, or `default`."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """The content of a config folder. `warnings` do not keep it from loading.

    `faults` are those of roster files that cannot be used: `roster` is then empty, and the last one holds.
    """

    settings: Settings
    roster: Roster
    warnings: tuple[Fault, ...] = ()
    effective: tuple[EffectiveSetting, ...] = ()
    faults: tuple[Fault, ...] = ()
