"""DNS records (EDGE dnspython): whether DNS authenticates the mail that we send from a domain.

Checked are SPF of the return path's domain (RFC 7208), DKIM keys (RFC 6376), DMARC of the sender's domain
(RFC 7489), the MX record of the bounce address, and the address of the site.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from email.utils import parseaddr
from urllib.parse import urlsplit

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.rdatatype import RdataType
from dns.resolver import NXDOMAIN, NoAnswer

from service.app.doctor.checks import CheckResult, CheckStatus
from service.core.errors import CaveatError
from service.deliver.message.dkim import DkimSigner
from service.settings.values import DkimSettings, Settings

QUERY_SECONDS = 5.0
"""Time limit of one query, over all name servers."""


class NameServerUnreachable(CaveatError):
    """No name server answered."""


async def check_dns(settings: Settings, resolver: Resolver | None = None) -> AsyncIterator[CheckResult]:
    """Yield a result for each record, or only one when no name server answers. Default: system resolver."""
    mail = settings.mail
    sender = _domain(parseaddr(settings.site.sender)[1])
    returned = _domain(mail.bounces.address) if mail.bounces.address else sender
    try:
        records = DnsRecords(resolver or Resolver())
        yield await _spf(records, returned, own=mail.smtp.host)
        for key in mail.dkim:
            yield await _dkim(records, key, sender)
        if not mail.dkim:
            said = (
                "Caveat does not sign (mail.dkim); the relay must, and its key cannot be looked up from here"
            )
            yield CheckResult("dns dkim", CheckStatus.WARNING, said)
        yield await _dmarc(records, sender)
        if mail.bounces.address:
            yield await _mx(records, returned)
        yield await _site(records, urlsplit(settings.site.url).hostname or "")
    except (NameServerUnreachable, DNSException) as error:
        yield CheckResult(
            "dns", CheckStatus.WARNING, f"no name server answers, so no record was checked: {error}"
        )


class DnsRecords:
    """Queries name servers. Raises NameServerUnreachable when none answers."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def values(self, name: str, kind: RdataType) -> list[str]:
        """Return the records of a type at a name; [] without any."""
        try:
            found = await self._resolver.resolve(name, kind, lifetime=QUERY_SECONDS)
        except (NXDOMAIN, NoAnswer):
            return []
        except DNSException as error:
            raise NameServerUnreachable(" ".join(str(error).split())[:200]) from error
        if kind is RdataType.TXT:
            return [b"".join(record.strings).decode("utf-8", "replace") for record in found]
        return [record.to_text() for record in found]

    async def texts(self, name: str, version: str) -> list[str]:
        """Return the TXT records at a name with this version tag, such as `v=spf1`."""
        found = await self.values(name, RdataType.TXT)
        return [text for text in found if text.replace(" ", "").lower().startswith(version.lower())]


async def _spf(records: DnsRecords, domain: str, *, own: str) -> CheckResult:
    found = [
        text for text in await records.texts(domain, "v=spf1") if text.lower() == "v=spf1" or text[6] == " "
    ]
    server = f"a:{own}" if own.strip("0123456789.") and "." in own else "mx"
    example = f'publish TXT at {domain}: "v=spf1 {server} -all", with every server that sends your mail'
    if not found:
        return CheckResult("dns spf", CheckStatus.WARNING, f"{domain} has no SPF record; {example}")
    if len(found) > 1:
        said = f"{domain} has {len(found)} SPF records, which receivers treat as an error; keep one"
        return CheckResult("dns spf", CheckStatus.FAULT, said)
    terms = found[0].lower().split()[1:]
    if {"+all", "all"} & set(terms):
        return CheckResult(
            "dns spf", CheckStatus.WARNING, f"the SPF record of {domain} lets every server send: {found[0]}"
        )
    if not any(term.endswith("all") or term.startswith("redirect=") for term in terms):
        said = f"the SPF record of {domain} does not say what of others; end it with -all or ~all: {found[0]}"
        return CheckResult("dns spf", CheckStatus.WARNING, said)
    return CheckResult("dns spf", CheckStatus.OK, f"{domain}: {found[0]}; see that it includes {own}")


async def _dkim(records: DnsRecords, key: DkimSettings, sender: str) -> CheckResult:
    name = f"{key.selector}._domainkey.{key.domain}"
    try:
        wanted = DkimSigner.from_file(key.domain, key.selector, key.key_file).dns_record
    except CaveatError as error:
        return CheckResult("dns dkim", CheckStatus.FAULT, str(error))
    found = [text for text in await records.values(name, RdataType.TXT) if "p=" in text]
    publish = f'publish TXT at {name}: "{wanted}"'
    if not found:
        return CheckResult(
            "dns dkim", CheckStatus.FAULT, f"{name} has no key, so no signature is valid; {publish}"
        )
    if len(found) > 1:
        return CheckResult("dns dkim", CheckStatus.FAULT, f"{name} has {len(found)} keys; keep one")
    if _key_in(found[0]) != _key_in(wanted):
        said = f"{name} holds another key than {key.key_file}, so no signature is valid; {publish}"
        return CheckResult("dns dkim", CheckStatus.FAULT, said)
    if not _aligned(key.domain, sender):
        said = f"the key of {key.domain} does not count for DMARC, because mail is from {sender}"
        return CheckResult("dns dkim", CheckStatus.WARNING, said)
    return CheckResult("dns dkim", CheckStatus.OK, f"{name} holds the key that signs")


async def _dmarc(records: DnsRecords, sender: str) -> CheckResult:
    labels = sender.split(".")
    # The sender's own record, else that of a domain above (RFC 7489, 6.6.3); a top level has none.
    for start in range(max(1, len(labels) - 1)):
        domain = ".".join(labels[start:])
        found = await records.texts(f"_dmarc.{domain}", "v=DMARC1")
        if len(found) > 1:
            said = f"_dmarc.{domain} has {len(found)} records, which receivers ignore; keep one"
            return CheckResult("dns dmarc", CheckStatus.FAULT, said)
        if found and _tags(found[0]).get("p", "").lower() not in ("none", "quarantine", "reject"):
            said = f"the record at _dmarc.{domain} has no valid p=: {found[0]}"
            return CheckResult("dns dmarc", CheckStatus.FAULT, said)
        if found:
            return CheckResult("dns dmarc", CheckStatus.OK, f"_dmarc.{domain}: {found[0]}")
    said = (
        f"{sender} has no DMARC record, which large mailbox providers ask of bulk senders; "
        f'publish TXT at _dmarc.{sender}: "v=DMARC1; p=none"'
    )
    return CheckResult("dns dmarc", CheckStatus.WARNING, said)


async def _mx(records: DnsRecords, domain: str) -> CheckResult:
    found = [text.split()[-1].rstrip(".") for text in await records.values(domain, RdataType.MX)]
    if not any(found):
        said = f"{domain} has no MX record, so bounces may not find their way back"
        return CheckResult("dns mx", CheckStatus.WARNING, said)
    return CheckResult("dns mx", CheckStatus.OK, f"bounces to {domain} go to {', '.join(sorted(found))}")


async def _site(records: DnsRecords, host: str) -> CheckResult:
    found = [*await records.values(host, RdataType.A), *await records.values(host, RdataType.AAAA)]
    if not found:
        said = f"{host} has no address, so the links in mails lead nowhere"
        return CheckResult("dns site", CheckStatus.FAULT, said)
    return CheckResult("dns site", CheckStatus.OK, f"{host} is {', '.join(found)}")


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _aligned(one: str, other: str) -> bool:
    """Return whether the domains are equal or one is a subdomain of the other (relaxed, RFC 7489, 3.1)."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _tags(record: str) -> dict[str, str]:
    """Return the tags of a DKIM or DMARC record."""
    pairs: Sequence[Sequence[str]] = [tag.partition("=")[::2] for tag in record.split(";")]
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _key_in(record: str) -> bytes:
    """Return the public key of a DKIM record; b"" for a revoked or invalid one."""
    try:
        return base64.b64decode("".join(_tags(record).get("p", "").split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
