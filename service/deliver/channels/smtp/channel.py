"""SMTP channel (EDGE aiosmtplib): persistent connections to one mail server.

aiosmtplib connects, greets, starts TLS and logs in; the transactions are ours (connection.py,
transaction.py).
"""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

import aiosmtplib
from typing_extensions import override

from service.core.errors import ChannelUnavailable
from service.core.model import Deferred, Message
from service.deliver.channels.mail import MailChannel
from service.deliver.channels.smtp.connection import ConnectionLost, SmtpConnection, SmtpExtensions
from service.deliver.channels.smtp.rate_replies import throttle_of, throttle_of_line
from service.deliver.channels.smtp.replies import reply_line
from service.deliver.channels.smtp.settings import Relay
from service.deliver.channels.smtp.transaction import SmtpTransaction
from service.deliver.limits.concurrency import run_connection_slots
from service.deliver.ports import NO_LIMITS, ChannelStatus, MessageFactory, Outbox, Prepare, RateLimits

MAX_LOSSES_PER_MESSAGE = 2  # connections that end with one message; then it is deferred
MAX_LOSSES = 3  # connections in a row that end without an accepted message; then the server is unavailable
OAUTH_METHODS = frozenset({"XOAUTH2", "OAUTHBEARER"})
IMPLICIT_TLS_PORT = 465
PLAIN_TEXT_ERRORS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"})  # OpenSSL's reasons
WRONG_PORT_SECONDS = 10  # timeout for a greeting that almost certainly never comes


class SmtpChannel(MailChannel):
    """Sends messages to one mail server, over at most `relay.connections` connections at a time."""

    name = "smtp"

    def __init__(
        self,
        relay: Relay,
        build_message: MessageFactory,
        prepare: Prepare | None = None,
        rate_limits: RateLimits = NO_LIMITS,
    ) -> None:
        super().__init__(build_message, prepare)
        self._relay, self.server, self.rate_limits = relay, relay.name, rate_limits
        self._idle: list[SmtpConnection] = []

    @override
    async def carry(self, outbox: Outbox) -> None:
        first = await outbox.next()
        if first is None:
            return
        try:
            # One connection first: a wrong password is tried once, not once in every connection slot.
            self._idle.append(await self._connection())
        finally:
            outbox.put_back(first)
        await run_connection_slots([self._send_all(outbox) for _ in range(self._relay.connections)])

    @override
    async def check(self) -> ChannelStatus:
        relay = self._relay
        connection = await connect(relay)
        await connection.quit(relay.timeouts.quit)
        how = "logged in" if relay.username else "connected, without a login"
        if relay.security == "none" and relay.username:
            text = f"{relay.name}: {how}, but the password went there in clear"
            return ChannelStatus(text, is_warning=True)
        return ChannelStatus(f"{relay.name}: {how}, security {relay.security}")

    @override
    async def close(self) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.quit(self._relay.timeouts.quit) for connection in idle))

    async def _send_all(self, outbox: Outbox) -> None:
        """Send one message after another; keep the connection for the next pass."""
        transaction, losses = None, 0
        message = await outbox.next()
        try:
            while message is not None:
                current = message
                transaction = await self._transaction_for(current, transaction, outbox)
                try:
                    message = await transaction.send(current)
                except ConnectionLost as lost:
                    # The message was not handed over, so it is sent again; but a message that makes the
                    # server hang up every time must not hold up the others.
                    losses = 0 if transaction.connection.accepted_count else losses + 1
                    if throttle := throttle_of_line(str(lost)):
                        outbox.settle(current, Deferred(str(lost), throttle))
                        losses, message = 0, None
                    if losses >= MAX_LOSSES_PER_MESSAGE:
                        outbox.settle(current, Deferred(str(lost)))
                        message = None
                    if losses >= MAX_LOSSES:
                        raise self._accepts_nothing(lost) from lost
                message = message or await outbox.next()
        finally:
            if transaction is not None:
                self._keep(transaction)

    def _accepts_nothing(self, lost: ConnectionLost) -> ChannelUnavailable:
        return ChannelUnavailable(f"the mail server {self._relay.name} accepts no message: {lost}")

    async def _transaction_for(
        self, message: Message, current: SmtpTransaction | None, outbox: Outbox
    ) -> SmtpTransaction:
        """Return a transaction that can send the message: the current one, or one on another connection."""
        if current is not None and (current.envelope_pipelined or self._is_fresh(current.connection)):
            return current
        try:
            if current is not None:
                await current.connection.quit(self._relay.timeouts.quit)
            return SmtpTransaction(await self._connection(), outbox, self._relay)
        except BaseException:
            outbox.put_back(message)
            raise

    def _keep(self, transaction: SmtpTransaction) -> None:
        if transaction.envelope_pipelined or not self._is_fresh(transaction.connection):
            transaction.connection.abort()
        else:
            self._idle.append(transaction.connection)

    def _is_fresh(self, connection: SmtpConnection) -> bool:
        relay = self._relay
        return (
            connection.is_usable
            and connection.offered_count < relay.max_messages
            and connection.age_seconds < relay.max_age_seconds
            and connection.idle_seconds < relay.max_idle_seconds
        )

    async def _connection(self) -> SmtpConnection:
        """Return a connection that waits for a message: an idle one, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            if self._is_fresh(connection):
                return connection
            connection.abort()
        return await connect(self._relay)


async def connect(relay: Relay) -> SmtpConnection:
    """Open a connection: TCP, greeting, TLS, login.

    Raises ChannelUnavailable, whose text names the setting to check.
    """
    client = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.security == "tls",
        start_tls=relay.security == "starttls",
        local_hostname=relay.hello,
        timeout=connect_timeout(relay),
        cert_bundle=relay.authority,
    )
    try:
        await client.connect()
        if not client.last_ehlo_response:
            await _greet(client)
        if relay.username:
            await _log_in(client, relay)
    except ChannelUnavailable:
        client.close()
        raise
    except (aiosmtplib.SMTPException, OSError) as error:
        client.close()
        raise _unavailable(relay, error) from error
    transport = client.transport
    if client.protocol is not None and client.protocol.transport is not None:
        transport = client.protocol.transport
    return SmtpConnection(cast("asyncio.Transport", transport), _extensions(client))


async def _greet(client: aiosmtplib.SMTP) -> None:
    """Send EHLO, and HELO to a server that does not know EHLO."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        await client.helo()


async def _log_in(client: aiosmtplib.SMTP, relay: Relay) -> None:
    """Log in by a method that the server offers. Raises ChannelUnavailable when we support none of them."""
    if not client.supports_extension("auth"):
        lacks = "offers no login"
        if relay.security == "none":
            lacks += " on a connection without encryption; set mail.smtp.security to starttls or tls"
        else:
            lacks += "; check mail.smtp.port, or leave mail.smtp.username out if it needs none"
    elif not client.supported_auth_methods:
        offered = [method.upper() for method in client.server_auth_methods]
        lacks = f"offers no login that we know ({', '.join(offered)}); check mail.smtp.host"
        if OAUTH_METHODS.intersection(offered):
            lacks = (
                f"accepts no password, only OAuth ({', '.join(offered)}), which is not supported; "
                "ask its operator for an app password or for a relay that accepts one"
            )
    else:
        await client.login(relay.username, relay.password)
        return
    raise ChannelUnavailable(f"the mail server {relay.name} {lacks}", permanent=True)


def connect_timeout(relay: Relay) -> float:
    """Return the timeout of each step of a connection, in seconds.

    It is short where plain text is sent to the port of implicit TLS (RFC 8314): that port stays silent.
    """
    is_wrong_port = relay.port == IMPLICIT_TLS_PORT and relay.security != "tls"
    return min(relay.timeouts.connect, WRONG_PORT_SECONDS) if is_wrong_port else relay.timeouts.connect


def _extensions(client: aiosmtplib.SMTP) -> SmtpExtensions:
    size = client.esmtp_extensions.get("size", "")
    return SmtpExtensions(
        pipelining=client.supports_extension("pipelining"),
        smtputf8=client.supports_extension("smtputf8"),
        announces_size=client.supports_extension("size"),
        max_size_bytes=int(size) if size.isdigit() else 0,
    )


def _unavailable(relay: Relay, error: Exception) -> ChannelUnavailable:
    """Return the error of a connection that could not be opened, with a text for the operator."""
    permanent = too_many = False
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            permanent = error.code >= 500
            text = f"refuses the login as {relay.username!r}: {reply_line(error.code, error.message)}"
            text += "; check mail.smtp.username and its password" if permanent else ""
        case aiosmtplib.SMTPResponseException(code=code) if code < 0:
            text = f"does not speak SMTP: {reply_line(0, error.message)[2:]}"
            text += "; check mail.smtp.port and mail.smtp.security"
        case aiosmtplib.SMTPResponseException():
            too_many = throttle_of(error.code, error.message, None) is not None
            text = f"refuses the connection: {reply_line(error.code, error.message)}"
        case aiosmtplib.SMTPTimeoutError():
            text = f"does not answer within {connect_timeout(relay):g} seconds"
            if relay.security != "tls":
                text += "; if it expects TLS from the first byte on, as port 465 does, "
                text += "set mail.smtp.security to tls"
        case aiosmtplib.SMTPException() if "STARTTLS" in str(error).upper():
            permanent, text = True, "offers no STARTTLS; check mail.smtp.security"
        case _:
            text = _unreachable(error)
    return ChannelUnavailable(
        f"the mail server {relay.name} {text}", permanent=permanent, too_many_connections=too_many
    )


def _unreachable(error: Exception) -> str:
    cause = error.__cause__ or error.__context__ or error
    tls = next((one for one in (error, cause) if isinstance(one, ssl.SSLError)), None)
    if tls is not None:
        reason = getattr(tls, "verify_message", "") or tls.reason or tls
        if tls.reason in PLAIN_TEXT_ERRORS:
            return "does not speak TLS from the first byte on; set mail.smtp.security to starttls"
        return f"fails the TLS handshake: {reason}; check mail.smtp.security and the server's certificate"
    reason = getattr(cause, "strerror", None) or cause
    return f"cannot be reached: {reason}; check mail.smtp.host and mail.smtp.port"
