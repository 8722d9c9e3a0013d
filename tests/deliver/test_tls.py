"""The same road over TLS, on asyncio's loop and on uvloop's: our own protocol takes over their transports."""

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

from service.deliver.smtp import SmtpChannel
from service.deliver.stage import Deliverer, DeliverReport, deliver
from tests.deliver.fakes import HASTE, Clock, MemoryLedger, a_crowd, a_maker, a_relay_at
from tests.deliver.server import DOT, Close, MailServer

WAYS = {"starttls": ("PIPELINING", "STARTTLS"), "tls": ("PIPELINING",)}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """Return a file with a certificate for 127.0.0.1 that signed itself, and its key."""
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
    store, extensions = MemoryLedger.holding(*a_crowd(30)), WAYS[security]
    async with MailServer(script, extensions=extensions, tls=a_context(certificate)) as server:
        authority = str(certificate) if trusting else None
        relay = a_relay_at(server.port, security=security, connections=3, authority=authority, timeouts=HASTE)
        channel = SmtpChannel(relay)
        report = await deliver(Deliverer(store, channel, a_maker()), now=Clock())
        await channel.close()
    return report, server


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("security", WAYS)
def test_mail_goes_over_tls(certificate, security, run):
    report, server = run(sent(certificate, security, trusting=True))
    assert report == DeliverReport(sent=30)
    assert len(set(server.ids)) == 30
    assert server.connections <= 3


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_line_that_ends_under_tls_is_met_by_another(certificate, run):
    script = {"RCPT": {5: Close()}, DOT: {9: Close()}}
    report, server = run(sent(certificate, "starttls", trusting=True, script=script))
    assert (report.sent, report.uncertain) == (29, 1)
    assert len(set(server.ids)) == 29


@pytest.mark.parametrize("security", WAYS)
def test_a_certificate_that_nobody_vouches_for_gets_no_mail(certificate, security):
    report, server = asyncio.run(sent(certificate, security, trusting=False))
    assert server.taken == []
    assert len(report.problems) == 1
    assert "self-signed certificate" in report.problems[0]
    assert "mail.smtp.security" in report.problems[0]
