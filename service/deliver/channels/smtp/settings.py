"""Relay settings: the mail server that takes our messages, its timeouts and connection limits."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for the reply to each command: RFC 5321, 4.5.3.2.

    `connect` covers connection, greeting, TLS and login together.
    """

    connect: float = 60
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    dot: float = 600
    quit: float = 2


@dataclass(frozen=True, slots=True)
class Relay:
    """The mail server. `security` is `starttls`, `tls` (implicit TLS) or `none`.

    `hello` is our name in EHLO (None: this machine's). A connection is closed after `max_messages` messages,
    after `max_age_seconds`, or when it was idle for `max_idle_seconds`. `authority` is a file of CA
    certificates to trust instead of the system's.
    """

    host: str = "localhost"
    port: int = 587
    security: str = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    connections: int = 10
    hello: str | None = None
    authority: str | None = None
    max_messages: int = 1000
    max_age_seconds: float = 600
    max_idle_seconds: float = 20
    timeouts: Timeouts = field(default=Timeouts())

    @property
    def name(self) -> str:
        """The server as `host:port`."""
        return f"{self.host}:{self.port}"
