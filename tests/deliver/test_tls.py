"""Sending over TLS, on asyncio's event loop and on uvloop's."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.bounces.imap import poll
from service.core.errors import ChannelUnavailable
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.stage import Deliverer, DeliverReport, deliver
from tests.bounces.test_imap import ImapServer, a_mailbox
from tests.deliver.fakes import (
    SHORT_TIMEOUTS,
    Clock,
    MemoryLedger,
    a_message_builder,
    a_relay_at,
    some_deliveries,
)
from tests.deliver.server import DOT, Close, MailServer, Raw

WAYS = {"starttls": ("PIPELINING", "STARTTLS"), "tls": ("PIPELINING",)}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """Return a file with a self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        built.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def a_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def sent(
    certificate: Path, security: str, *, trusting: bool, script=None
) -> tuple[DeliverReport, MailServer]:
    store, extensions = MemoryLedger.holding(*some_deliveries(30)), WAYS[security]
    async with MailServer(script, extensions=extensions, tls=a_context(certificate)) as server:
        authority = str(certificate) if trusting else None
        relay = a_relay_at(
            server.port, security=security, connections=3, authority=authority, timeouts=SHORT_TIMEOUTS
        )
        channel = SmtpChannel(relay, a_message_builder())
        report = await deliver(Deliverer(store, channel), now=Clock())
        await channel.close()
    return report, server


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("security", WAYS)
def test_mail_is_sent_over_tls(certificate, security, run):
    report, server = run(sent(certificate, security, trusting=True))
    assert report == DeliverReport(sent=30)
    assert len(set(server.ids)) == 30
    assert server.connections <= 3


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_lost_tls_connection_is_replaced_by_another(certificate, run):
    script = {"RCPT": {5: Close()}, DOT: {9: Close()}}
    report, server = run(sent(certificate, "starttls", trusting=True, script=script))
    assert (report.sent, report.uncertain) == (29, 1)
    assert len(set(server.ids)) == 29


@pytest.mark.parametrize("security", WAYS)
def test_a_server_with_an_untrusted_certificate_gets_no_mail(certificate, security):
    report, server = asyncio.run(sent(certificate, security, trusting=False))
    assert server.taken == []
    assert len(report.problems) == 1
    assert "self-signed certificate" in report.problems[0]
    assert "mail.smtp.security" in report.problems[0]


def test_a_silent_server_that_expects_implicit_tls_is_reported(certificate):
    async def run() -> DeliverReport:
        async with MailServer(extensions=WAYS["tls"], tls=a_context(certificate)) as server:
            channel = SmtpChannel(
                a_relay_at(server.port, security="starttls", timeouts=SHORT_TIMEOUTS), a_message_builder()
            )
            return await deliver(Deliverer(MemoryLedger.holding(*some_deliveries(1)), channel), now=Clock())

    (problem,) = asyncio.run(run()).problems
    assert (
        "if it expects TLS from the first byte on, as port 465 does, set mail.smtp.security to tls" in problem
    )


def test_a_server_without_implicit_tls_is_reported(certificate):
    async def run() -> DeliverReport:
        async with MailServer(extensions=WAYS["starttls"], tls=a_context(certificate)) as server:
            channel = SmtpChannel(
                a_relay_at(server.port, security="tls", timeouts=SHORT_TIMEOUTS), a_message_builder()
            )
            return await deliver(Deliverer(MemoryLedger.holding(*some_deliveries(1)), channel), now=Clock())

    (problem,) = asyncio.run(run()).problems
    assert problem.endswith("does not speak TLS from the first byte on; set mail.smtp.security to starttls")


def test_plain_text_after_the_reply_to_starttls_is_discarded(certificate):
    """An attacker could inject replies that would be read as if sent under TLS (CVE-2011-0411)."""
    injected = b"220 2.0.0 go ahead\r\n250-mail.example\r\n250 AUTH PLAIN\r\n550 5.1.1 unknown\r\n"
    script = {"STARTTLS": {1: Raw(injected)}}
    report, server = asyncio.run(sent(certificate, "starttls", trusting=True, script=script))
    assert report == DeliverReport(sent=30)
    assert len(set(server.ids)) == 30
    assert not any(command.startswith("AUTH") for command in server.commands)


@pytest.mark.parametrize("trusting", [True, False])
async def test_the_bounce_mailbox_is_trusted_by_its_own_authority(certificate, trusting):
    imap = ImapServer(b"Subject: one\r\n\r\n1\r\n")
    found: list[bytes] = []

    async def handle(content: bytes) -> None:
        found.append(content)

    server = await asyncio.start_server(imap.serve, "127.0.0.1", 0, ssl=a_context(certificate))
    async with server:
        mailbox = a_mailbox(
            server.sockets[0].getsockname()[1],
            security="tls",
            authority=str(certificate) if trusting else None,
        )
        if trusting:
            assert await poll(mailbox, handle) == 1
        else:
            with pytest.raises(ChannelUnavailable, match="certificate"):
                await poll(mailbox, handle)
    assert len(found) == trusting
