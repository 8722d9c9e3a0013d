"""House file: every key of caveat.yaml, with what it means."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from service.settings.field_types import (
    DEFAULT_METHOD,
    Block,
    BounceAddress,
    ChannelName,
    Duration,
    Email,
    HeaderName,
    Identifier,
    Label,
    ListenAddress,
    Mailbox,
    Method,
    Network,
    ProxyUrl,
    SiteUrl,
    StorageUrl,
    wrong_value,
)


class SiteBlock(Block):
    """Who sends; shown in every mail and on every page."""

    name: Label = Field(description="What the place is called.", examples=["The Morning Caveat"])
    url: SiteUrl = Field(
        description="Where readers reach the web door; the links in mails begin with it.",
        examples=["https://news.example.org"],
    )
    sender: Mailbox = Field(
        alias="from",
        description="The sender of every mail.",
        examples=["The Morning Caveat <digest@news.example.org>"],
    )
    postal_address: Label = Field(
        description="A postal address for the foot of every mail; the law asks for it in many countries.",
        examples=["The Morning Caveat, 1 Example Street, Exampleton"],
    )
    unsubscribe_address: Email | None = Field(
        default=None,
        description="Where mail that asks to unsubscribe goes: an address whose mail reaches us as "
        "bounces do. Left out: `mail.bounces.address` if its mail is read here; if not, mails name none.",
    )


class SmtpBlock(Block):
    """The mail server that takes the mails; used when `channel` is smtp."""

    host: Label = Field(default="localhost", description="The mail server's name.")
    port: int = Field(
        default=587, ge=1, le=65535, description="Its port: 587 (starttls), 465 (tls) or 25 (none)."
    )
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="starttls: encrypt after the greeting. tls: from the first byte on. none: never.",
    )
    username: str = Field(default="", description="The name to log in with. Empty: no log-in.")
    password: str = Field(
        default="",
        description="The password itself. Better: password_file.",
        json_schema_extra={"writeOnly": True},
    )
    password_file: str = Field(
        default="", description="A file that holds the password, relative to this folder."
    )
    connections: int = Field(default=10, ge=1, le=500, description="How many connections a worker opens.")
    per_second: float = Field(
        default=0, ge=0, description="Mails a second at most, over all connections and workers. 0: no limit."
    )
    per_minute: float = Field(default=0, ge=0, description="Mails a minute at most. 0: no limit.")
    per_domain_minute: float = Field(
        default=0, ge=0, description="Mails a minute at most to each domain of readers. 0: no limit."
    )
    domains: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description="The same for some domains by name.",
        examples=["{gmail.com: 600}"],
    )
    repeat_header: HeaderName = Field(
        default="",
        description="A header with the mail's id, by which some relays know a repeat. Empty: none.",
        examples=["X-Idempotency-Key"],
    )
    hello: Label | None = Field(
        default=None, description="The name that we greet with. Left out: this machine's."
    )
    authority_file: str = Field(
        default="",
        description="A file of certificates to trust instead of the system's, relative to this folder.",
    )

    @model_validator(mode="after")
    def _log_in_by_name(self) -> Self:
        if (self.password or self.password_file) and not self.username:
            raise wrong_value("there is a password without `username`", "the name to log in with")
        return self


class DkimBlock(Block):
    """A key that signs every mail for a domain (RFC 6376)."""

    domain: Label = Field(description="The domain that vouches.", examples=["news.example.org"])
    selector: Label = Field(
        description="Its public part stands in DNS at SELECTOR._domainkey.DOMAIN.", examples=["caveat"]
    )
    key_file: Label = Field(
        description="The private key (PEM, RSA or Ed25519), relative to this folder.",
        examples=["dkim.secret"],
    )


class ImapBlock(Block):
    """The mailbox that bounces come to, asked by IMAP."""

    host: Label = Field(description="The mail server's name.", examples=["imap.example.org"])
    port: int = Field(default=993, ge=1, le=65535, description="Its port: 993 (tls) or 143 (starttls, none).")
    security: Literal["tls", "starttls", "none"] = Field(default="tls", description="How it is encrypted.")
    username: Label = Field(description="The name to log in with.", examples=["bounces@news.example.org"])
    password: str = Field(
        default="",
        description="The password itself. Better: password_file.",
        json_schema_extra={"writeOnly": True},
    )
    password_file: str = Field(
        default="", description="A file that holds the password, relative to this folder."
    )
    folder: Label = Field(default="INBOX", description="The folder that is read.")
    keep: bool = Field(default=False, description="Mark letters as read instead of deleting them.")
    every: Duration = Field(default=timedelta(minutes=5), description="How often it is asked.")
    authority_file: str = Field(
        default="",
        description="A file of certificates to trust instead of the system's, relative to this folder.",
    )


class BouncesBlock(Block):
    """What happens to mail that comes back."""

    address: BounceAddress | None = Field(
        default=None,
        description="The mailbox that bounces come to. Each mail gets a return path of its own there, "
        "such as bounces+TOKEN@news.example.org, so the server must deliver addresses with a plus. How they "
        "reach us is one of the next two, or both.",
        examples=["bounces@news.example.org"],
    )
    listen: ListenAddress | None = Field(
        default=None,
        description="An address and port where your mail server hands them over, by LMTP or SMTP. It asks "
        "nobody who they are, so keep it on this machine or in a private network. Left out: no such door.",
        examples=["127.0.0.1:2525"],
    )
    imap: ImapBlock | None = Field(
        default=None,
        description="How that mailbox is read.",
        examples=["{host: imap.example.org, username: bounces, password_file: imap.secret}"],
    )


class MailBlock(Block):
    """How mail leaves."""

    channel: ChannelName = Field(
        default="file", description="file: write each mail as an .eml file, to try things out. smtp: send it."
    )
    folder: str = Field(
        default="../outbox", min_length=1, description="Where the .eml files go, relative to this folder."
    )
    smtp: SmtpBlock = Field(default=SmtpBlock(), description="The mail server.")
    dkim: list[DkimBlock] = Field(
        default_factory=list,
        description="Keys that sign each mail. Leave it out if your relay signs.",
        examples=["[{domain: news.example.org, selector: caveat, key_file: dkim.secret}]"],
    )
    bounces: BouncesBlock = Field(default=BouncesBlock(), description="What happens to mail that comes back.")
    on_uncertain: Literal["resend", "hold"] = Field(
        default="resend",
        description="When the line broke before the server answered: resend (the same mail, same Message-ID, "
        "three times at most) or hold it until somebody decides.",
    )


class FetchBlock(Block):
    """How feeds and pages are fetched."""

    allow_private: list[Network] = Field(
        default_factory=list,
        description="Networks (CIDR) and host names that may be asked although they are not public.",
        examples=[["10.0.0.0/8"]],
    )
    settle: Duration = Field(
        default=timedelta(minutes=10),
        description="How long an article rests before it is told, so that edits come to rest.",
    )
    user_agent: Label = Field(
        default="Caveat/0.1 (news digest; feed reader)",
        description="Who we say that we are, to the servers we ask.",
    )
    timeout: Duration = Field(
        default=timedelta(seconds=30), description="The longest time that one request may take."
    )
    connections: int = Field(default=50, ge=1, le=1000, description="How many servers are asked at once.")
    host_spacing: Duration = Field(
        default=timedelta(seconds=0.5), description="The pause between two requests to one server."
    )
    proxy: ProxyUrl | None = Field(
        default=None,
        description="An HTTP proxy that fetches everything. It must refuse private addresses itself, because "
        "a name may mean another address to it than to us. Variables such as HTTPS_PROXY are ignored.",
        examples=["http://proxy.intern:3128"],
    )
    proxy_username: str = Field(default="", description="The name to log in with at the proxy.")
    proxy_password: str = Field(
        default="",
        description="The password itself. Better: proxy_password_file.",
        json_schema_extra={"writeOnly": True},
    )
    proxy_password_file: str = Field(
        default="", description="A file that holds that password, relative to this folder."
    )
    proxy_resolves: bool = Field(
        default=False,
        description="true: only the proxy can look names up, and no name is checked before it is asked.",
    )


class WebBlock(Block):
    """The web door: unsubscribe, preferences, health."""

    listen: ListenAddress = Field(
        default="127.0.0.1:8080", description="The address and port that it listens at."
    )
    metrics_listen: ListenAddress | None = Field(
        default=None,
        description="A second address, for /metrics alone. Left out: no such door.",
        examples=["127.0.0.1:9090"],
    )
    metrics_token: str = Field(
        default="",
        description="Who sends it (Authorization: Bearer ...) may read /metrics at the first address.",
        json_schema_extra={"writeOnly": True},
    )
    metrics_token_file: str = Field(
        default="", description="A file that holds that token, relative to this folder."
    )
    api_token: str = Field(
        default="",
        description="Whoever sends it (Authorization: Bearer ...) may send by the API. Empty: no API at all.",
        json_schema_extra={"writeOnly": True},
    )
    api_token_file: str = Field(
        default="",
        description="A file that holds it, relative to this folder; `openssl rand -hex 32` tells it.",
        examples=["api.secret"],
    )
    trusted_proxies: list[Network] = Field(
        default_factory=list,
        description="Proxies on other machines whose X-Forwarded-For is believed, as one on this machine is.",
    )
    sign_up: list[Identifier] = Field(
        default_factory=list,
        description="Newsletters (ids) that anybody may ask for at /subscribe, and confirm by mail.",
        examples=[["morning"]],
    )


class CondenseBlock(Block):
    """How articles become key points."""

    method: Method = Field(
        default=DEFAULT_METHOD, description="The usual method; a feed or newsletter can name another."
    )
    points: int = Field(default=6, ge=1, le=12, description="How many key points are kept of each article.")
    processes: int = Field(
        default=0, ge=0, le=64, description="Processes that condense. 0: as many as there are cores."
    )


class MainConfig(Block):
    """caveat.yaml: the house itself."""

    site: SiteBlock = Field(
        description="Who sends.", examples=["{name: ..., url: ..., from: ..., postal_address: ...}"]
    )
    storage: StorageUrl = Field(
        default="sqlite:///../data/caveat.db",
        description="The database: sqlite:///PATH, relative to this folder, or postgresql://USER@HOST/NAME.",
        examples=["sqlite:///../data/caveat.db", "postgresql://caveat@db/caveat"],
        json_schema_extra={"writeOnly": True},
    )
    storage_password_file: str = Field(
        default="", description="A file that holds the password for PostgreSQL, relative to this folder."
    )
    mail: MailBlock = Field(default=MailBlock(), description="How mail leaves.")
    fetch: FetchBlock = Field(default=FetchBlock(), description="How feeds are fetched.")
    web: WebBlock = Field(default=WebBlock(), description="The web door.")
    condense: CondenseBlock = Field(default=CondenseBlock(), description="How articles become key points.")
