"""`doctor --dns` over real DNS: a name server on loopback that answers from a small zone."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dns.asyncresolver import Resolver

from service.app.doctor import dns_records
from service.app.doctor.checks import CheckStatus
from service.app.doctor.dns_records import check_dns
from service.settings.load import load_config
from service.settings.values import BouncesSettings, DkimSettings, Settings
from tests.end_to_end.installation import write_config

DOMAIN, SITE = "news.example.org", "www.example.org"
KEY = Ed25519PrivateKey.generate()
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
).decode()

Zone = dict[tuple[str, str], list[str]]

GOOD: Zone = {
    (DOMAIN, "TXT"): ['"site-verification=1"', '"v=spf1 a:smtp.example.org " "-all"'],
    (f"caveat._domainkey.{DOMAIN}", "TXT"): [f'"v=DKIM1; k=ed25519; " "p={PUBLIC}"'],
    ("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org"'],
    (DOMAIN, "MX"): ["10 mx.example.org."],
    (SITE, "AAAA"): ["2001:db8::7"],
}


class NameServer(asyncio.DatagramProtocol):
    """Answers from a zone; silent without one."""

    def __init__(self, zone: Zone | None) -> None:
        self.zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if self.zone is None:
            return
        asked = dns.message.from_wire(data)
        question = asked.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        if name not in {known for known, _ in self.zone}:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif found := self.zone.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        self.transport.sendto(answer.to_wire(), address)  # type: ignore[attr-defined]


@asynccontextmanager
async def name_server(zone: Zone | None) -> AsyncIterator[Resolver]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: NameServer(zone), ("127.0.0.1", 0)
    )
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
    yield resolver
    transport.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_config(tmp_path, storage="sqlite:///x.db", news_url="http://x", smtp_port=1, web_port=1)
    found = load_config(tmp_path, {}).settings
    pem = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "dkim.secret").write_bytes(pem)
    mail = replace(
        found.mail,
        dkim=(DkimSettings(DOMAIN, "caveat", tmp_path / "dkim.secret"),),
        bounces=BouncesSettings(f"bounces@{DOMAIN}"),
    )
    site = replace(found.site, url=f"https://{SITE}", sender=f"The Test <digest@{DOMAIN}>")
    return replace(found, mail=mail, site=site)


async def findings(settings: Settings, zone: Zone | None) -> dict[str, tuple[CheckStatus, str]]:
    async with name_server(zone) as resolver:
        return {one.what: (one.verdict, one.said) async for one in check_dns(settings, resolver)}


async def test_a_correct_domain_passes(settings: Settings):
    found = await findings(settings, GOOD)

    assert list(found) == ["dns spf", "dns dkim", "dns dmarc", "dns mx", "dns site"]
    assert {verdict for verdict, _ in found.values()} == {CheckStatus.OK}, found


async def test_a_domain_without_records_is_told_what_to_publish(settings: Settings):
    found = await findings(settings, {})

    assert {what: verdict for what, (verdict, _) in found.items()} == {
        "dns spf": CheckStatus.WARNING,
        "dns dkim": CheckStatus.FAULT,
        "dns dmarc": CheckStatus.WARNING,
        "dns mx": CheckStatus.WARNING,
        "dns site": CheckStatus.FAULT,
    }
    assert (
        f'publish TXT at caveat._domainkey.{DOMAIN}: "v=DKIM1; k=ed25519; p={PUBLIC}"' in found["dns dkim"][1]
    )
    assert f'publish TXT at {DOMAIN}: "v=spf1 ' in found["dns spf"][1]
    assert f'publish TXT at _dmarc.{DOMAIN}: "v=DMARC1; p=none"' in found["dns dmarc"][1]


@pytest.mark.parametrize(
    ("name", "texts", "what", "verdict", "said"),
    [
        (DOMAIN, ['"v=spf1 -all"', '"v=spf1 mx -all"'], "dns spf", CheckStatus.FAULT, "2 SPF records"),
        (DOMAIN, ['"v=spf1 +all"'], "dns spf", CheckStatus.WARNING, "every server"),
        (DOMAIN, ['"v=spf1 mx"'], "dns spf", CheckStatus.WARNING, "end it with -all"),
        (DOMAIN, ['"v=spf10 mx -all"'], "dns spf", CheckStatus.WARNING, "no SPF record"),
        (DOMAIN, ['"v=spf1 redirect=example.org"'], "dns spf", CheckStatus.OK, ""),
        (f"caveat._domainkey.{DOMAIN}", ['"v=DKIM1; p=AAAA"'], "dns dkim", CheckStatus.FAULT, "another key"),
        (f"caveat._domainkey.{DOMAIN}", ['"v=DKIM1; p="'], "dns dkim", CheckStatus.FAULT, "another key"),
        (f"caveat._domainkey.{DOMAIN}", ['"p=!"'], "dns dkim", CheckStatus.FAULT, "another key"),
        (f"_dmarc.{DOMAIN}", ['"v=DMARC1; p=maybe"'], "dns dmarc", CheckStatus.FAULT, "no valid p="),
        (f"_dmarc.{DOMAIN}", ['"v=DMARC1; p=none"', '"v=DMARC1; p=none"'], "dns dmarc", CheckStatus.OK, ""),
        (
            f"_dmarc.{DOMAIN}",
            ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'],
            "dns dmarc",
            CheckStatus.FAULT,
            "2",
        ),
    ],
)
async def test_each_record_is_judged(
    settings: Settings, name: str, texts: list[str], *, what: str, verdict: CheckStatus, said: str
):
    found = await findings(settings, GOOD | {(name, "TXT"): texts})

    assert found[what][0] == verdict, found[what]
    assert said in found[what][1]


async def test_a_key_of_another_domain_than_the_sender_s_is_named(settings: Settings):
    other = replace(settings, site=replace(settings.site, sender="digest@elsewhere.example"))

    verdict, said = (await findings(other, GOOD))["dns dkim"]
    assert (verdict, "does not count for DMARC" in said) == (CheckStatus.WARNING, True)


async def test_unreachable_name_servers_are_reported_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dns_records, "QUERY_SECONDS", 0.05)
    found = await findings(settings, None)

    assert list(found) == ["dns"]
    assert found["dns"][0] == CheckStatus.WARNING
    assert "no name server answers" in found["dns"][1]
