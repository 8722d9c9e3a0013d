"""Checkup: is everything in place to gather, condense and mail? One finding for each thing looked at."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from service.app.clock import Clock, utc_now
from service.app.doctor.open_files import open_paths
from service.core.errors import CaveatError
from service.core.read_models import TransactionalCounts
from service.deliver.limits.circuit_breaker import sentence
from service.deliver.limits.rate_reports import rate_sentence
from service.runtime.bounce_server import Place, who_holds
from service.settings.values import ImapSettings, Loaded, MailSettings, Settings
from service.store.coordination import AccordRecords
from service.store.database import Database, read_url
from service.store.queries import Overview
from service.store.sending_hold import SendingHold
from service.store.transactional import TransactionalRecords

FEW_BYTES = 200 * 2**20
MOST_NAMED = 5
"""How many open files a finding names."""
LATE = timedelta(minutes=15)
"""How long a transactional mail may wait before it is named: greylisting takes five to ten minutes."""
RESERVED = (".example", ".test", ".invalid", ".localhost", "example.org", "example.com", "example.net")
"""Names that nobody can own (RFC 2606, RFC 6761): mail that says them was never set up for real readers."""


class Verdict(StrEnum):
    """FAULT: it will not work. LOOK: it works, but perhaps not as it is meant to."""

    OK = "ok"
    LOOK = "look"
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what came of it, and a sentence about it."""

    what: str
    verdict: Verdict
    said: str


async def check_up(loaded: Loaded, clock: Clock = utc_now, *, dns: bool = False) -> AsyncIterator[Finding]:
    """Yield the findings one by one, as they are made; sends no mail and asks no feed.

    With `dns` name servers are asked for the records that vouch for the mail.
    """
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("program", Verdict.OK, f"Caveat {version('caveat')} on Python {python}")
    yield _configuration(loaded)
    for finding in await _storage(loaded.settings, clock):
        yield finding
    yield _space(loaded.settings)
    for finding in _privacy(loaded.settings):
        yield finding
    yield await _mail(loaded.settings.mail)
    for finding in await _bounces(loaded.settings.mail):
        yield finding
    for finding in _unsubscribing(loaded.settings):
        yield finding
    yield _site(loaded.settings)
    if dns:
        from service.app.doctor.dns_records import check_dns  # noqa: PLC0415 - only where it is asked for

        async for finding in check_dns(loaded.settings):
            yield finding


def _configuration(loaded: Loaded) -> Finding:
    roster = loaded.roster
    counted = (
        f"in the files: feeds {len(roster.feeds)}, newsletters {len(roster.newsletters)}, "
        f"subscribers {len(roster.subscribers)}"
    )
    if loaded.warnings:
        return Finding(
            "configuration", Verdict.LOOK, f"{counted}; {len(loaded.warnings)} warnings, see config check"
        )
    if not (roster.feeds and roster.newsletters):
        return Finding(
            "configuration", Verdict.LOOK, f"{counted}; nothing can be sent without a feed and a newsletter"
        )
    return Finding("configuration", Verdict.OK, counted)


async def _storage(settings: Settings, clock: Clock) -> list[Finding]:
    """Return how the record is, and whether it says that all sending is halted."""
    from service.app.factories.deliver import relay_of  # noqa: PLC0415 - not before doctor is asked

    try:
        database = await Database.open(settings.storage)
    except CaveatError as error:
        return [Finding("database", Verdict.FAULT, str(error))]
    try:
        faults = await database.faults()
        held = await SendingHold(database).sentence()
        waiting = await Overview(database).unfinished(clock())
        mails = await TransactionalRecords(database).counts(clock() - timedelta(days=1))
        shared, relay = AccordRecords(database), relay_of(settings.mail.smtp).name
        halt = await shared.halt(relay)
        learned, _ = await shared.learned_rates(relay)
    except CaveatError as error:
        return [Finding("database", Verdict.FAULT, str(error))]
    finally:
        await database.close()
    counted = (
        f"{database.name} is up to date; waiting: feeds {waiting.feeds}, articles {waiting.articles}, "
        f"issues {waiting.groups}, deliveries {waiting.deliveries}"
    )
    halted = [Finding("sending", Verdict.LOOK, sentence(halt))] if halt and clock() < halt.until else []
    halted += [
        Finding("sending", Verdict.LOOK, rate_sentence(relay, domain, rate))
        for domain, rate in learned.items()
    ]
    if held:
        halted.append(Finding("sending", Verdict.FAULT, held))
    if faults:
        said = (
            f"{database.name} is damaged: {'; '.join(faults)}; restore the last backup (caveat restore FILE)"
        )
        return [Finding("database", Verdict.FAULT, said), *halted]
    return [Finding("database", Verdict.OK, counted), *halted, *_transactional(mails, clock())]


def _transactional(mails: TransactionalCounts, now: datetime) -> list[Finding]:
    """Say how confirmations and welcomes fared in the last day, if there were any."""
    if not (mails.waiting or mails.sent or mails.refused or mails.uncertain or mails.suppressed):
        return []
    said = (
        f"confirmations and welcomes of the last day: sent {mails.sent}, waiting {mails.waiting}, "
        f"refused {mails.refused}, uncertain {mails.uncertain}, suppressed {mails.suppressed}"
    )
    late = mails.oldest is not None and now - mails.oldest > LATE
    if late and mails.oldest is not None:
        said += f"; the oldest has waited since {mails.oldest:%Y-%m-%d %H:%M} UTC"
    return [Finding("transactional", Verdict.LOOK if late else Verdict.OK, said)]


def _privacy(settings: Settings) -> list[Finding]:
    """Name what others on this machine may read, though it holds addresses or the signing key."""
    found = open_paths(settings)
    if not found:
        return []
    named = ", ".join(map(str, found[:MOST_NAMED]))
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    said = f"everybody on this machine may read {named}{more}; chmod o= takes that away"
    return [Finding("privacy", Verdict.LOOK, said)]


def _space(settings: Settings) -> Finding:
    place = read_url(settings.storage)
    folder = Path(place.database or "").parent if place.drivername == "sqlite" else settings.folder
    free = shutil.disk_usage(_nearest(folder)).free
    said = f"{free / 2**30:.1f} GB free in {folder}"
    return Finding("disk", Verdict.OK if free > FEW_BYTES else Verdict.LOOK, said)


async def _mail(mail: MailSettings) -> Finding:
    if mail.channel != "smtp":
        folder = _nearest(mail.folder)
        if not os.access(folder, os.W_OK):
            return Finding(
                "mail", Verdict.FAULT, f"{folder} may not be written to; mail goes into files there"
            )
        return Finding("mail", Verdict.LOOK, f"mail goes into files in {mail.folder}; nobody is sent any")
    from service.app.factories.deliver import relay_of  # noqa: PLC0415 - as above
    from service.deliver.channels.smtp.channel import connect  # noqa: PLC0415 - not where mail goes into files

    relay = relay_of(mail.smtp)
    try:
        session = await connect(relay)
    except CaveatError as error:
        return Finding("mail", Verdict.FAULT, str(error))
    await session.quit(relay.timeouts.quit)
    how = "logged in" if relay.username else "connected, without a login"
    if relay.security == "none" and relay.username:
        return Finding("mail", Verdict.LOOK, f"{relay.name}: {how}, but the password went there in clear")
    return Finding("mail", Verdict.OK, f"{relay.name}: {how}, security {relay.security}")


async def _bounces(mail: MailSettings) -> list[Finding]:
    """Look at every way on which mails come back; nothing is to be said while mail goes into files."""
    bounces = mail.bounces
    if bounces.address is None:
        said = "mail that comes back goes to the sender, and nobody here learns of it; see mail.bounces"
        return [Finding("bounces", Verdict.LOOK, said)] if mail.channel == "smtp" else []
    if bounces.imap is None and bounces.listen is None:
        said = f"mail comes back to {bounces.address}, where nobody reads it; set mail.bounces.listen or imap"
        return [Finding("bounces", Verdict.LOOK, said)]
    found = [await _mailbox(bounces.imap)] if bounces.imap else []
    return [*found, await _reception(bounces.listen)] if bounces.listen else found


def _unsubscribing(settings: Settings) -> list[Finding]:
    """Say whether mail that asks to unsubscribe is read; nothing is to be said while mail goes into files."""
    address, bounces = settings.site.unsubscribe_address, settings.mail.bounces
    is_read = bounces.imap is not None or bounces.listen is not None
    if settings.mail.channel != "smtp":
        return []
    if not address:
        said = "by the link and by one click; mails name no address for it, because mail to none is read here"
        return [Finding("unsubscribe", Verdict.OK, said)]
    if not is_read:
        said = f"mail to {address} asks to unsubscribe, and nobody here reads it"
        advice = "set mail.bounces.listen or imap, or leave out site.unsubscribe_address"
        return [Finding("unsubscribe", Verdict.LOOK, f"{said}; {advice}")]
    if address.lower() != (bounces.address or "").lower():
        said = f"mail to {address} unsubscribes only if it reaches us as mail to {bounces.address} does"
        return [Finding("unsubscribe", Verdict.LOOK, said)]
    return [
        Finding("unsubscribe", Verdict.OK, f"mail to {address} unsubscribes; it is read with the bounces")
    ]


async def _mailbox(imap: ImapSettings) -> Finding:
    from service.app.bounces import greet, mailbox_of  # noqa: PLC0415 - not where there is no mailbox

    try:
        await greet(mailbox_of(imap))
    except CaveatError as error:
        return Finding("bounces", Verdict.FAULT, str(error))
    return Finding(
        "bounces", Verdict.OK, f"the mailbox {imap.username} at {imap.host}:{imap.port}: logged in"
    )


async def _reception(place: Place) -> Finding:
    from service.settings.field_types import is_exposed  # noqa: PLC0415 - as above

    where, holder = f"{place[0]}:{place[1]}", await who_holds(place)
    if holder not in (None, "caveat"):
        return Finding("bounces", Verdict.FAULT, f"they cannot be taken at {where}: {holder}")
    if is_exposed(place[0]):
        said = f"{where} can be reached from outside; keep it on this machine or in a private network"
        return Finding("bounces", Verdict.LOOK, said)
    how = "a running Caveat takes them" if holder else "they can be taken"
    return Finding("bounces", Verdict.OK, f"{how} at {where}")


def _site(settings: Settings) -> Finding:
    url = urlsplit(settings.site.url)
    host = url.hostname or ""
    if host.endswith(RESERVED) and settings.mail.channel == "smtp":
        return Finding(
            "site",
            Verdict.LOOK,
            f"{settings.site.url} is an example's address: unsubscribe links lead nowhere",
        )
    if url.scheme != "https" and settings.mail.channel == "smtp":
        return Finding(
            "site", Verdict.LOOK, f"{settings.site.url} is not https: mail programs will not offer one click"
        )
    return Finding("site", Verdict.OK, f"links in the mail lead to {settings.site.url}")


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return next((place for place in (folder, *folder.resolve().parents) if place.is_dir()), Path("/"))
