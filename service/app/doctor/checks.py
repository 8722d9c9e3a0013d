"""Checks: configuration, database, disk, mail, bounces and site of an installation."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from urllib.parse import urlsplit

from service.app.clock import Clock, utc_now
from service.app.config.in_force import held_change_of
from service.app.doctor.health import rejected_sentence
from service.app.doctor.open_files import readable_by_others
from service.app.doctor.port_owner import port_owner
from service.app.factories.channels import channel_of, personal_channels_of
from service.app.operator.observations import Installation, Observations, disk_spaces, observe
from service.app.operator.problems import MIN_FREE_BYTES, Problem, ProblemKind, dated, problems_of
from service.core.errors import CaveatError
from service.deliver.limits.rate_reports import rate_sentence
from service.deliver.ports import Channel
from service.settings.values import ImapSettings, LoadedConfig, MailSettings, Settings
from service.store.coordination import SqlCoordination
from service.store.database import Database
from service.store.operator_state import SqlOperatorState
from service.store.queries import Queries

MAX_NAMED_PATHS = 5  # in one sentence
MAX_WARNINGS_SHOWN = 5  # of the configuration; `config check` shows all

RESERVED_NAMES = (".example", ".test", ".invalid", ".localhost", "example.org", "example.com", "example.net")
"""Names reserved for examples and tests (RFC 2606, RFC 6761); a real site has another."""


class CheckStatus(StrEnum):
    """Result of a check. FAULT: it does not work. WARNING: it works, but perhaps not as intended."""

    OK = "ok"
    WARNING = "look"
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check. The field names are keys of the command's JSON: `said` is a sentence for the operator."""

    what: str
    verdict: CheckStatus
    said: str


async def run_checks(
    loaded: LoadedConfig, clock: Clock = utc_now, *, dns: bool = False
) -> AsyncIterator[CheckResult]:
    """Yield the results as the checks finish. Sends no mail and polls no feed.

    With `dns` the records for mail authentication are looked up.
    """
    python = ".".join(map(str, sys.version_info[:3]))
    yield CheckResult("program", CheckStatus.OK, f"Caveat {version('caveat')} on Python {python}")
    for result in await _configuration(loaded, clock):
        yield result
    channel = channel_of(loaded.settings)
    for result in await _storage(loaded, channel, clock):
        yield result
    for result in (*_space(loaded.settings), *_privacy(loaded.settings)):
        yield result
    yield await _channel("mail", channel)
    for personal in personal_channels_of(loaded.settings, loaded.roster):
        yield await _channel("channel", personal)
    for result in await _bounces(loaded.settings.mail, channel):
        yield result
    for result in _unsubscribing(loaded.settings, channel):
        yield result
    yield _site(loaded.settings, channel)
    if judge := loaded.settings.condense.judge:
        from service.app.doctor.judge import check_judge  # noqa: PLC0415 - only with a judge

        # Without its judge the service sends the same issues: no fault.
        is_well, said = await check_judge(judge)
        yield CheckResult("judge", CheckStatus.OK if is_well else CheckStatus.WARNING, said)
    if dns:
        from service.app.doctor.dns_records import check_dns  # noqa: PLC0415 - dnspython, only for --dns

        async for result in check_dns(loaded.settings):
            yield result


async def _configuration(loaded: LoadedConfig, clock: Clock) -> list[CheckResult]:
    """Check the files, and whether a change in them is held back."""
    held = await held_change_of(loaded, clock)
    return [
        *_files(loaded, is_held=bool(held)),
        *(CheckResult("configuration", CheckStatus.FAULT, change.message) for change in held),
    ]


def _files(loaded: LoadedConfig, *, is_held: bool) -> Iterator[CheckResult]:
    """Yield the faults, else the counts and the first warnings; held files are not in force."""
    roster = loaded.roster
    if loaded.faults:
        said = rejected_sentence([str(fault) for fault in loaded.faults])
        yield CheckResult("configuration", CheckStatus.FAULT, said)
        return
    counted = (
        f"in the files: feeds {len(roster.feeds)}, newsletters {len(roster.newsletters)}, "
        f"subscribers {len(roster.subscribers)}"
    )
    if is_held:
        counted = f"{counted}, which are not in force"
        yield CheckResult("configuration", CheckStatus.WARNING, counted)
    elif not (loaded.warnings or (roster.feeds and roster.newsletters)):
        problem = f"{counted}; nothing can be sent without a feed and a newsletter"
        yield CheckResult("configuration", CheckStatus.WARNING, problem)
    elif not loaded.warnings:
        yield CheckResult("configuration", CheckStatus.OK, counted)
    else:
        warnings = f"{counted}; {len(loaded.warnings)} warnings, see config check"
        yield CheckResult("configuration", CheckStatus.WARNING, warnings)
        for warning in loaded.warnings[:MAX_WARNINGS_SHOWN]:
            yield CheckResult("configuration", CheckStatus.WARNING, str(warning))


async def _storage(loaded: LoadedConfig, channel: Channel, clock: Clock) -> list[CheckResult]:
    """Check the database, and report what is wrong as it knows it, and limited sending."""
    try:
        database = await Database.open(loaded.settings.storage)
    except CaveatError as error:
        return [CheckResult("database", CheckStatus.FAULT, str(error))]
    try:
        faults = await database.check_integrity()
        waiting = await Queries(database).pending_work(clock())
        learned, _ = await SqlCoordination(database).learned_rates(channel.server)
        seen = await observe(Installation(loaded.settings, database, loaded.roster.newsletters), clock())
        first_seen = (await SqlOperatorState(database).read()).seen
    except CaveatError as error:
        return [CheckResult("database", CheckStatus.FAULT, str(error))]
    finally:
        await database.close()
    counted = (
        f"{database.name} is up to date; waiting: feeds {waiting.feeds}, articles {waiting.articles}, "
        f"issues {waiting.groups}, deliveries {waiting.deliveries}"
    )
    rates = [
        CheckResult("sending", CheckStatus.WARNING, rate_sentence(channel.server, domain, rate))
        for domain, rate in learned.items()
    ]
    # The check of the files compares them now; the database has what the service held back.
    wrong = [one for one in problems_of(seen, clock()) if one.kind is not ProblemKind.CONFIGURATION]
    found = [*rates, *map(_result_of, dated(wrong, first_seen))]
    if faults:
        said = (
            f"{database.name} is damaged: {'; '.join(faults)}; restore the last backup (caveat restore FILE)"
        )
        return [CheckResult("database", CheckStatus.FAULT, said), *found]
    return [CheckResult("database", CheckStatus.OK, counted), *found, *_in_order(seen, found)]


def _result_of(problem: Problem) -> CheckResult:
    status = CheckStatus.FAULT if problem.is_fault else CheckStatus.WARNING
    return CheckResult(problem.kind.value, status, problem.sentence)


def _in_order(seen: Observations, found: Sequence[CheckResult]) -> Iterator[CheckResult]:
    """Yield what is there and in order: drafts, transactional mails, the last backup."""
    wrong = {one.what for one in found}
    mails = seen.transactional
    if seen.drafts and "drafts" not in wrong:
        said = f"{len(seen.drafts)} wait for an editor (caveat draft list)"
        yield CheckResult("drafts", CheckStatus.OK, said)
    counts = (mails.sent, mails.waiting, mails.refused, mails.uncertain, mails.suppressed)
    if any(counts) and "transactional" not in wrong:
        said = (
            f"confirmations and welcomes of the last day: sent {mails.sent}, waiting {mails.waiting}, "
            f"refused {mails.refused}, uncertain {mails.uncertain}, suppressed {mails.suppressed}"
        )
        yield CheckResult("transactional", CheckStatus.OK, said)
    if "backup" not in wrong:
        last = seen.last_backup
        said = (
            f"the last one was made at {last:%Y-%m-%d %H:%M} UTC" if last else "caveat backup never made one"
        )
        yield CheckResult("backup", CheckStatus.OK, said)


def _privacy(settings: Settings) -> list[CheckResult]:
    """Report files with addresses or the signing key that every user of this machine may read."""
    found = readable_by_others(settings)
    if not found:
        return []
    named = ", ".join(map(str, found[:MAX_NAMED_PATHS]))
    more = f" and {len(found) - MAX_NAMED_PATHS} more" if len(found) > MAX_NAMED_PATHS else ""
    said = f"everybody on this machine may read {named}{more}; chmod o= takes that away"
    return [CheckResult("privacy", CheckStatus.WARNING, said)]


def _space(settings: Settings) -> Iterator[CheckResult]:
    """Report the free space of each disk that has enough; the problems have the others."""
    for disk in disk_spaces(settings):
        if disk.free_bytes >= MIN_FREE_BYTES:
            said = f"{disk.free_bytes / 2**30:.1f} GB free in {disk.folder}"
            yield CheckResult("disk", CheckStatus.OK, said)


async def _channel(name: str, channel: Channel) -> CheckResult:
    try:
        found = await channel.check()
    except CaveatError as error:
        return CheckResult(name, CheckStatus.FAULT, str(error))
    return CheckResult(name, CheckStatus.WARNING if found.is_warning else CheckStatus.OK, found.text)


async def _bounces(mail: MailSettings, channel: Channel) -> list[CheckResult]:
    """Check how bounces come back; no result for a channel without recipients."""
    bounces = mail.bounces
    if bounces.address is None:
        said = "mail that comes back goes to the sender, and nobody here learns of it; see mail.bounces"
        return [CheckResult("bounces", CheckStatus.WARNING, said)] if channel.sends_to_people else []
    if bounces.imap is None and bounces.listen is None:
        said = f"mail comes back to {bounces.address}, where nobody reads it; set mail.bounces.listen or imap"
        return [CheckResult("bounces", CheckStatus.WARNING, said)]
    found = [await _mailbox(bounces.imap)] if bounces.imap else []
    return [*found, await _bounce_server(bounces.listen)] if bounces.listen else found


def _unsubscribing(settings: Settings, channel: Channel) -> list[CheckResult]:
    """Check whether unsubscribe mail is read; no result for a channel without recipients."""
    address, bounces = settings.site.unsubscribe_address, settings.mail.bounces
    is_read = bounces.imap is not None or bounces.listen is not None
    if not channel.sends_to_people:
        return []
    if not address:
        said = "by the link and by one click; mails name no address for it, because mail to none is read here"
        return [CheckResult("unsubscribe", CheckStatus.OK, said)]
    if not is_read:
        said = f"mail to {address} asks to unsubscribe, and nobody here reads it"
        advice = "set mail.bounces.listen or imap, or leave out site.unsubscribe_address"
        return [CheckResult("unsubscribe", CheckStatus.WARNING, f"{said}; {advice}")]
    if address.lower() != (bounces.address or "").lower():
        said = f"mail to {address} unsubscribes only if it reaches us as mail to {bounces.address} does"
        return [CheckResult("unsubscribe", CheckStatus.WARNING, said)]
    return [
        CheckResult(
            "unsubscribe", CheckStatus.OK, f"mail to {address} unsubscribes; it is read with the bounces"
        )
    ]


async def _mailbox(imap: ImapSettings) -> CheckResult:
    from service.app.bounces import check_login, mailbox_of  # noqa: PLC0415 - only with a mailbox

    try:
        await check_login(mailbox_of(imap))
    except CaveatError as error:
        return CheckResult("bounces", CheckStatus.FAULT, str(error))
    return CheckResult(
        "bounces", CheckStatus.OK, f"the mailbox {imap.username} at {imap.host}:{imap.port}: logged in"
    )


async def _bounce_server(place: tuple[str, int]) -> CheckResult:
    from service.settings.field_types import is_reachable_from_outside  # noqa: PLC0415 - pydantic, only for this check

    where, holder = f"{place[0]}:{place[1]}", await port_owner(*place)
    if holder not in (None, "caveat"):
        return CheckResult("bounces", CheckStatus.FAULT, f"they cannot be taken at {where}: {holder}")
    if is_reachable_from_outside(place[0]):
        said = f"{where} can be reached from outside; keep it on this machine or in a private network"
        return CheckResult("bounces", CheckStatus.WARNING, said)
    how = "a running Caveat takes them" if holder else "they can be taken"
    return CheckResult("bounces", CheckStatus.OK, f"{how} at {where}")


def _site(settings: Settings, channel: Channel) -> CheckResult:
    url = urlsplit(settings.site.url)
    host = url.hostname or ""
    if host.endswith(RESERVED_NAMES) and channel.sends_to_people:
        return CheckResult(
            "site",
            CheckStatus.WARNING,
            f"{settings.site.url} is an example's address: unsubscribe links lead nowhere",
        )
    if url.scheme != "https" and channel.sends_to_people:
        return CheckResult(
            "site",
            CheckStatus.WARNING,
            f"{settings.site.url} is not https: mail programs will not offer one click",
        )
    return CheckResult("site", CheckStatus.OK, f"links in the mail lead to {settings.site.url}")
