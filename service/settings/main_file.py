"""Main file: the keys of caveat.yaml with their meaning; editors and `caveat config schema` show it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from service.settings.condense_block import CondenseBlock
from service.settings.field_types import (
    BounceAddress,
    ChannelName,
    ConfigBlock,
    Duration,
    Email,
    HeaderName,
    Identifier,
    Label,
    ListenAddress,
    Mailbox,
    Network,
    Origin,
    ProxyUrl,
    SiteUrl,
    StorageUrl,
    Zone,
    wrong_value,
)
from service.settings.operator.addresses import OperatorAddresses
from service.settings.privacy.block import PrivacyBlock
from service.settings.values import AdminSettings
from service.settings.webhooks.block import MAX_WEBHOOKS, WebhookBlock


class SiteBlock(ConfigBlock):
    """The sender, named in every mail and on every page."""

    name: Label = Field(description="The name of the site.", examples=["The Morning Caveat"])
    url: SiteUrl = Field(
        description="The public address of the web server; the links in mails start with it.",
        examples=["https://news.example.org"],
    )
    sender: Mailbox = Field(
        alias="from",
        description="The sender of every mail.",
        examples=["The Morning Caveat <digest@news.example.org>"],
    )
    postal_address: Label = Field(
        description="A postal address for the footer of every mail; the law requires one in many countries.",
        examples=["The Morning Caveat, 1 Example Street, Exampleton"],
    )
    unsubscribe_address: Email | None = Field(
        default=None,
        description="The address for unsubscribe requests by mail; its mail must arrive the way bounces do. "
        "Left out: `mail.bounces.address` if Caveat receives its mail; otherwise mails name no address.",
    )


class SmtpBlock(ConfigBlock):
    """The mail server that mail is sent through; used when `channel` is smtp."""

    host: Label = Field(default="localhost", description="The host name of the mail server.")
    port: int = Field(
        default=587, ge=1, le=65535, description="The port: 587 (starttls), 465 (tls) or 25 (none)."
    )
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="starttls: encrypt after the greeting. tls: encrypt from the first byte. none: never.",
    )
    username: str = Field(default="", description="The user name for the login. Empty: no login.")
    password: str = Field(
        default="",
        description="The password. Better: password_file.",
        json_schema_extra={"writeOnly": True},
    )
    password_file: str = Field(
        default="", description="The file that contains the password, relative to this folder."
    )
    connections: int = Field(default=10, ge=1, le=500, description="Maximum connections per worker.")
    per_second: float = Field(
        default=0, ge=0, description="Maximum mails per second, of all workers together. 0: no limit."
    )
    per_minute: float = Field(
        default=0, ge=0, description="Maximum mails per minute, of all workers together. 0: no limit."
    )
    per_domain_minute: float = Field(
        default=0, ge=0, description="Maximum mails per minute to each recipient domain. 0: no limit."
    )
    domains: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description="Maximum mails per minute for the domains listed here.",
        examples=["{gmail.com: 600}"],
    )
    repeat_header: HeaderName = Field(
        default="",
        description="A header with the mail's id, by which some relays recognise a duplicate. Empty: none.",
        examples=["X-Idempotency-Key"],
    )
    hello: Label | None = Field(
        default=None, description="The host name for EHLO. Left out: this machine's name."
    )
    authority_file: str = Field(
        default="",
        description="A file of CA certificates to trust instead of the system's, relative to this folder.",
    )

    @model_validator(mode="after")
    def _log_in_by_name(self) -> Self:
        if (self.password or self.password_file) and not self.username:
            raise wrong_value("there is a password without `username`", "the user name for the login")
        return self


class DkimBlock(ConfigBlock):
    """A key that signs every mail for a domain (RFC 6376)."""

    domain: Label = Field(description="The domain that signs.", examples=["news.example.org"])
    selector: Label = Field(
        description="The selector: DNS has the public key at SELECTOR._domainkey.DOMAIN.", examples=["caveat"]
    )
    key_file: Label = Field(
        description="The private key (PEM, RSA or Ed25519), relative to this folder.",
        examples=["dkim.secret"],
    )


class ImapBlock(ConfigBlock):
    """The mailbox that receives bounces, read by IMAP."""

    host: Label = Field(description="The host name of the IMAP server.", examples=["imap.example.org"])
    port: int = Field(default=993, ge=1, le=65535, description="The port: 993 (tls) or 143 (starttls, none).")
    security: Literal["tls", "starttls", "none"] = Field(
        default="tls", description="The encryption of the connection."
    )
    username: Label = Field(description="The user name for the login.", examples=["bounces@news.example.org"])
    password: str = Field(
        default="",
        description="The password. Better: password_file.",
        json_schema_extra={"writeOnly": True},
    )
    password_file: str = Field(
        default="", description="The file that contains the password, relative to this folder."
    )
    folder: Label = Field(default="INBOX", description="The folder to read.")
    keep: bool = Field(default=False, description="Mark mails as read instead of deleting them.")
    every: Duration = Field(default=timedelta(minutes=5), description="The time between two visits.")
    authority_file: str = Field(
        default="",
        description="A file of CA certificates to trust instead of the system's, relative to this folder.",
    )


class BouncesBlock(ConfigBlock):
    """How bounces are received."""

    address: BounceAddress | None = Field(
        default=None,
        description="The address for bounces. Each mail gets its own return path there, such as "
        "bounces+TOKEN@news.example.org, so the mail server must accept addresses with a plus. "
        "Set `listen` or `imap` as well, or both.",
        examples=["bounces@news.example.org"],
    )
    listen: ListenAddress | None = Field(
        default=None,
        description="The address and port where your mail server delivers bounces, by LMTP or SMTP. There is "
        "no login, so keep it on this machine or in a private network. Left out: no such server.",
        examples=["127.0.0.1:2525"],
    )
    imap: ImapBlock | None = Field(
        default=None,
        description="The mailbox to read.",
        examples=["{host: imap.example.org, username: bounces, password_file: imap.secret}"],
    )


class MailBlock(ConfigBlock):
    """How mail is sent."""

    channel: ChannelName = Field(
        default="file", description="file: write each mail as an .eml file, for trials. smtp: send it."
    )
    folder: str = Field(
        default="../outbox", min_length=1, description="The folder for .eml files, relative to this folder."
    )
    smtp: SmtpBlock = Field(default=SmtpBlock(), description="The mail server.")
    dkim: list[DkimBlock] = Field(
        default_factory=list,
        description="The keys that sign each mail. Leave it out if your mail server signs.",
        examples=["[{domain: news.example.org, selector: caveat, key_file: dkim.secret}]"],
    )
    bounces: BouncesBlock = Field(default=BouncesBlock(), description="How bounces are received.")
    on_uncertain: Literal["resend", "hold"] = Field(
        default="resend",
        description="If the connection broke before the server answered. resend: send the same mail with the "
        "same Message-ID, at most three times. hold: wait for a decision of the operator.",
    )


class FetchBlock(ConfigBlock):
    """How feeds and pages are fetched."""

    allow_private: list[Network] = Field(
        default_factory=list,
        description="Networks (CIDR) and host names that may be fetched from although they are not public.",
        examples=[["10.0.0.0/8"]],
    )
    settle: Duration = Field(
        default=timedelta(minutes=10),
        description="The time that an article waits before it may be sent, for the publisher's first edits.",
    )
    user_agent: Label = Field(
        default="Caveat/0.1 (news digest; feed reader)",
        description="The User-Agent header of each request.",
    )
    timeout: Duration = Field(default=timedelta(seconds=30), description="The maximum time for one request.")
    connections: int = Field(
        default=50,
        ge=1,
        le=1000,
        description="Maximum number of servers that are fetched from at the same time.",
    )
    host_spacing: Duration = Field(
        default=timedelta(seconds=0.5), description="The minimum time between two requests to one server."
    )
    proxy: ProxyUrl | None = Field(
        default=None,
        description="An HTTP proxy for all requests. It must refuse private addresses itself, because a name "
        "may resolve to another address there than here. Variables such as HTTPS_PROXY are ignored.",
        examples=["http://proxy.intern:3128"],
    )
    proxy_username: str = Field(default="", description="The user name for the login at the proxy.")
    proxy_password: str = Field(
        default="",
        description="The password for the proxy. Better: proxy_password_file.",
        json_schema_extra={"writeOnly": True},
    )
    proxy_password_file: str = Field(
        default="", description="The file that contains that password, relative to this folder."
    )
    proxy_resolves: bool = Field(
        default=False,
        description="true: only the proxy can resolve host names; their addresses are not checked here.",
    )


class AdminBlock(ConfigBlock):
    """The editors' pages at /admin."""

    enabled: bool = Field(default=True, description="false: there are no such pages.")
    listen: ListenAddress | None = Field(
        default=None,
        description="An address that serves only /admin. Left out: `web.listen` serves it as well.",
        examples=["127.0.0.1:8081"],
    )
    networks: list[Network] = Field(
        default_factory=lambda: list(AdminSettings().networks),
        description="Networks (CIDR) that may open /admin; behind a proxy, those of its clients.",
        examples=[["127.0.0.0/8", "10.0.0.0/8"]],
    )
    user_header: HeaderName = Field(
        default="",
        description="A header by which a trusted proxy names the account that it has logged in. Empty: "
        "accounts log in with a password.",
        examples=["X-Remote-User"],
    )
    timezone: Zone | None = Field(
        default=None,
        description="The time zone of times in /admin. Left out: that of the first newsletter.",
        examples=["Europe/Paris"],
    )


class WebBlock(ConfigBlock):
    """The web server: unsubscribe links, preferences, sign-up, API, health."""

    listen: ListenAddress = Field(
        default="127.0.0.1:8080", description="The address and port that it listens at."
    )
    metrics_listen: ListenAddress | None = Field(
        default=None,
        description="A second address that serves only /metrics. Left out: no such address.",
        examples=["127.0.0.1:9090"],
    )
    metrics_token: str = Field(
        default="",
        description="Requests with this token (Authorization: Bearer ...) may read /metrics at `listen`.",
        json_schema_extra={"writeOnly": True},
    )
    metrics_token_file: str = Field(
        default="", description="The file that contains that token, relative to this folder."
    )
    api_token: str = Field(
        default="",
        description="Requests with this token (Authorization: Bearer ...) may use the API. Empty: no API.",
        json_schema_extra={"writeOnly": True},
    )
    api_token_file: str = Field(
        default="",
        description="The file that contains it, relative to this folder; `openssl rand -hex 32` makes one.",
        examples=["api.secret"],
    )
    admin: AdminBlock = Field(default=AdminBlock(), description="The editors' pages.")
    trusted_proxies: list[Network] = Field(
        default_factory=list,
        description="Proxies whose X-Forwarded-For is believed. A proxy on this machine always is.",
    )
    sign_up: list[Identifier] = Field(
        default_factory=list,
        description="Newsletters (ids) with public sign-up at /subscribe, confirmed by mail.",
        examples=[["morning"]],
    )
    embed: list[Origin] = Field(
        default_factory=list,
        description="Sites whose pages may show the sign-up form of /subscribe/embed in a frame.",
        examples=[["https://www.example.org"]],
    )


class MainConfig(ConfigBlock):
    """caveat.yaml: sender, database, mail, fetching, web server, condensing."""

    site: SiteBlock = Field(
        description="The sender.", examples=["{name: ..., url: ..., from: ..., postal_address: ...}"]
    )
    storage: StorageUrl = Field(
        default="sqlite:///../data/caveat.db",
        description="The database: sqlite:///PATH (relative to this folder) or postgresql://USER@HOST/NAME.",
        examples=["sqlite:///../data/caveat.db", "postgresql://caveat@db/caveat"],
        json_schema_extra={"writeOnly": True},
    )
    storage_password_file: str = Field(
        default="", description="The file that contains PostgreSQL's password, relative to this folder."
    )
    mail: MailBlock = Field(default=MailBlock(), description="How mail is sent.")
    fetch: FetchBlock = Field(default=FetchBlock(), description="How feeds are fetched.")
    web: WebBlock = Field(default=WebBlock(), description="The web server.")
    condense: CondenseBlock = Field(default=CondenseBlock(), description="How articles become key points.")
    operator: OperatorAddresses = Field(
        default_factory=list,
        description="Addresses that get a mail, once a day at most, when something is wrong.",
        examples=["vera@example.org"],
    )
    privacy: PrivacyBlock = Field(default=PrivacyBlock(), description="How long data about people are kept.")
    webhooks: Annotated[list[WebhookBlock], Field(max_length=MAX_WEBHOOKS)] = Field(
        default_factory=list,
        description="Programs that are told about events.",
        examples=["[{url: ..., events: [issue.sent], secret_file: webhook.secret}]"],
    )
