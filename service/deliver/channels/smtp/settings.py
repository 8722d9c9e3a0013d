"""Relay: the mail server that we hand messages to, and how patient we are with it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for an answer, by command: RFC 5321, 4.5.3.2.

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
    """Where mail goes. `security` is `starttls`, `tls` (from the first byte on) or `none`.

    `hello` is the name that we greet with (None: this machine's). A connection is given up after `messages`
    messages or `age` seconds, and when it was idle for `idle` seconds. `authority` is a file of certificates
    to trust instead of the system's.
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
        """The server as a person writes it."""
        return f"{self.host}:{self.port}"
