"""Settings builder: turns a valid caveat.yaml into Settings; checks files, secrets and combinations."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path

from service.core.errors import Fault
from service.core.model import Site
from service.core.secret import Secret
from service.settings.checks.admin_pages import admin_faults, admin_warnings
from service.settings.condense_block import CondenseBlock, JudgeBlock
from service.settings.field_types import EXPECTED_DATABASE, is_reachable_from_outside, split_host_port
from service.settings.main_file import (
    AdminBlock,
    BouncesBlock,
    DkimBlock,
    FetchBlock,
    ImapBlock,
    MailBlock,
    MainConfig,
    SiteBlock,
    SmtpBlock,
    WebBlock,
)
from service.settings.storage_url import InvalidStorageUrl, storage_url
from service.settings.values import (
    AdminSettings,
    BouncesSettings,
    CondenseSettings,
    DkimSettings,
    FetchSettings,
    ImapSettings,
    JudgeSettings,
    MailSettings,
    ProxySettings,
    Settings,
    SmtpSettings,
    WebSettings,
)
from service.settings.webhooks.block import built_webhooks
from service.settings.yaml.document import KeyPath as Keys
from service.settings.yaml.document import YamlDocument

EXPECTED_BOUNCE_ADDRESS = "`address: bounces@example.org`"
IMPLICIT_TLS_PORTS = frozenset({465, 993})  # submissions, imaps
PLAIN_START_PORTS = {25: 465, 587: 465, 143: 993}
"""Ports of unencrypted or STARTTLS services -> the port of the same service with implicit TLS (RFC 8314)."""

MAIL_PROGRAM_NAMES = re.compile(
    r"(?i)mailer(-daemon)?|m?daemon|system|postmaster|bounces?|double-bounce|uucp|smtpd?"
)
"""Local parts of automatic senders. A newsletter from such an address is taken for a bounce."""

BEARER_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*")
"""The syntax of RFC 6750, 2.1, with at least 16 characters against guessing."""

API_KEY = re.compile(r"[!-~]{1,4096}")
"""What can stand behind `Authorization: Bearer`: visible ASCII characters (RFC 9110, 5.5)."""


class SettingsBuilder:
    """Builds Settings from a MainConfig; collects `faults` (invalid) and `warnings` (careless)."""

    def __init__(self, folder: Path, written: YamlDocument, secrets: Mapping[Keys, Secret]) -> None:
        self._folder, self._written, self._secrets = folder, written, secrets
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []

    def build(self, file: MainConfig) -> Settings:
        """Return the settings. They are incomplete if `faults` is not empty."""
        storage, shown = self._storage(file)
        webhooks, faults, warnings = built_webhooks(file.webhooks, self._folder, self._written)
        self.faults += faults
        self.warnings += warnings
        return Settings(
            folder=self._folder,
            site=self._site(file.site, file.mail.bounces),
            storage=storage,
            storage_shown=shown,
            mail=self._mail(file.mail),
            fetch=self._fetch(file.fetch),
            web=self._web(file.web, file.site.url),
            condense=self._condense(file.condense),
            webhooks=webhooks,
            operator=tuple(dict.fromkeys(file.operator)),
            privacy=file.privacy.settings,
        )

    def _site(self, site: SiteBlock, bounces: BouncesBlock) -> Site:
        address = parseaddr(site.sender)[1]
        if MAIL_PROGRAM_NAMES.fullmatch(address.partition("@")[0]):
            what = f"mail programs send bounces from addresses such as {address}"
            self.warnings.append(
                self._written.fault_at_path(("site", "from"), what, "an address such as digest@example.org")
            )
        return _built_site(site, bounces)

    def _storage(self, file: MainConfig) -> tuple[str, str]:
        password = self._secrets["storage_password",]
        try:
            found = storage_url(file.storage, self._folder, password.reveal())
        except InvalidStorageUrl as error:
            self.faults.append(self._written.fault_at_path(("storage",), str(error), EXPECTED_DATABASE))
            return "", ""
        if found[0] != found[1] and not password and self._is_world_readable(("storage",)):
            what = "`storage` contains a password, and every user of this machine can read the file"
            self.warnings.append(self._written.fault_at_path(("storage",), what, "`storage_password_file`"))
        return found

    def _is_world_readable(self, key: tuple[str, ...]) -> bool:
        """Return whether the key was read from a file that every user of this machine can read."""
        file = self._folder / self._written.file
        return key not in self._written.overridden_by and bool(file.stat().st_mode & stat.S_IROTH)

    def _fetch(self, fetch: FetchBlock) -> FetchSettings:
        password, proxy = self._secrets["fetch", "proxy_password"], None
        if fetch.proxy:
            proxy = ProxySettings(fetch.proxy, fetch.proxy_username, password, fetch.proxy_resolves)
        if password and not (fetch.proxy and fetch.proxy_username):
            what, expected = "a password without `proxy` and `proxy_username`", "both of them"
            self.faults.append(self._written.fault_at_path(("fetch",), what, expected))
        return FetchSettings(
            allow_private=tuple(fetch.allow_private),
            settle=fetch.settle,
            user_agent=fetch.user_agent,
            timeout=fetch.timeout,
            connections=fetch.connections,
            host_spacing=fetch.host_spacing,
            proxy=proxy,
        )

    def _mail(self, mail: MailBlock) -> MailSettings:
        smtp, is_used = mail.smtp, getattr(mail, mail.channel, None) is mail.smtp
        password = self._secrets["mail", "smtp", "password"]
        if password and not smtp.username:
            at = self._written.fault_at_path(
                ("mail", "smtp"), "a password without `username`", "the user name for the login"
            )
            self.faults.append(at)
        if password and smtp.security == "none" and is_used:
            what = "the password goes to the mail server unencrypted"
            self.warnings.append(
                self._written.fault_at_path(("mail", "smtp", "security"), what, "starttls or tls")
            )
        if is_used:
            self._compare_port(("mail", "smtp"), smtp)
        return MailSettings(
            channel=mail.channel,
            folder=self._path(mail.folder),
            smtp=SmtpSettings(
                host=smtp.host,
                port=smtp.port,
                security=smtp.security,
                username=smtp.username,
                password=password,
                connections=smtp.connections,
                per_second=float(smtp.per_second),
                hello=smtp.hello,
                authority=self._file(smtp.authority_file, ("mail", "smtp", "authority_file")),
                per_minute=float(smtp.per_minute),
                per_domain_minute=float(smtp.per_domain_minute),
                domains={domain.lower(): float(limit) for domain, limit in smtp.domains.items()},
                repeat_header=smtp.repeat_header,
            ),
            on_uncertain=mail.on_uncertain,
            bounces=self._bounces(mail.bounces),
            dkim=tuple(self._dkim(number, key) for number, key in enumerate(mail.dkim)),
        )

    def _bounces(self, bounces: BouncesBlock) -> BouncesSettings:
        here = ("mail", "bounces", "listen")
        listen = split_host_port(bounces.listen) if bounces.listen else None
        if listen and bounces.address is None:
            what = "there is a server for bounces without an `address` for them"
            self.faults.append(self._written.fault_at_path(here, what, EXPECTED_BOUNCE_ADDRESS, key=True))
        if listen and is_reachable_from_outside(listen[0]):
            what = "every machine on the internet can deliver mail to this server"
            self.warnings.append(
                self._written.fault_at_path(here, what, "127.0.0.1 or an address of a private network")
            )
        return BouncesSettings(bounces.address, self._imap(bounces), listen)

    def _imap(self, bounces: BouncesBlock) -> ImapSettings | None:
        imap, here = bounces.imap, ("mail", "bounces", "imap")
        if imap is None:
            return None
        if bounces.address is None:
            what = "there is a mailbox for bounces without an `address` for them"
            self.faults.append(self._written.fault_at_path(here, what, EXPECTED_BOUNCE_ADDRESS, key=True))
        self._compare_port(here, imap)
        return ImapSettings(
            host=imap.host,
            port=imap.port,
            security=imap.security,
            username=imap.username,
            password=self._secrets[*here, "password"],
            folder=imap.folder,
            keep=imap.keep,
            every=imap.every,
            authority=self._file(imap.authority_file, (*here, "authority_file")),
        )

    def _compare_port(self, here: Keys, server: SmtpBlock | ImapBlock) -> None:
        """Warn when `security` does not fit a well-known port (RFC 8314)."""
        if server.port in IMPLICIT_TLS_PORTS and server.security != "tls":
            what = f"port {server.port} expects TLS from the first byte on, not `security: {server.security}`"
            self.warnings.append(self._written.fault_at_path((*here, "port"), what, "`security: tls`"))
        elif server.security == "tls" and (implicit := PLAIN_START_PORTS.get(server.port)):
            what = f"port {server.port} starts without encryption, not with `security: tls`"
            expected = f"`security: starttls`, or port {implicit}"
            self.warnings.append(self._written.fault_at_path((*here, "security"), what, expected))

    def _dkim(self, number: int, key: DkimBlock) -> DkimSettings:
        here = ("mail", "dkim", number, "key_file")
        path = self._path(key.key_file)
        if self._file(key.key_file, here) and path.stat().st_mode & stat.S_IROTH:
            what = f"every user of this machine can read {path}"
            self.warnings.append(self._written.fault_at_path(here, what, f"`chmod 600 {path}`"))
        return DkimSettings(key.domain.lower(), key.selector, path)

    def _file(self, text: str, key: Keys) -> Path | None:
        """Return the path of a readable file; None if no file is set, or with a fault if it is unreadable."""
        path = self._path(text)
        if text and not (path.is_file() and os.access(path, os.R_OK)):
            self.faults.append(self._written.fault_at_path(key, f"{path} cannot be read", "a readable file"))
            return None
        return path if text else None

    def _web(self, web: WebBlock, site_url: str) -> WebSettings:
        host, port = split_host_port(web.listen)
        self.faults += [self._written.fault_at_path(*found) for found in admin_faults(web)]
        self.warnings += [self._written.fault_at_path(*found) for found in admin_warnings(web, site_url)]
        return WebSettings(
            listen_host=host,
            listen_port=port,
            metrics_listen=split_host_port(web.metrics_listen) if web.metrics_listen else None,
            metrics_token=self._secrets["web", "metrics_token"],
            api_token=self._api_token(),
            trusted_proxies=tuple(web.trusted_proxies),
            sign_up=tuple(dict.fromkeys(web.sign_up)),
            embed=tuple(dict.fromkeys(web.embed)),
            admin=_built_admin(web.admin),
        )

    def _api_token(self) -> Secret:
        token, here = self._secrets["web", "api_token"], ("web", "api_token")
        if token and not BEARER_TOKEN.fullmatch(token.reveal()):
            what = "the API token is too short or has characters that are not allowed in a header"
            self.faults.append(self._written.fault_at_path(here, what, "one from `openssl rand -hex 32`"))
        return token

    def _condense(self, condense: CondenseBlock) -> CondenseSettings:
        judge = self._judge(condense.judge) if condense.judge else None
        return CondenseSettings(condense.method, condense.points, condense.processes, judge)

    def _judge(self, judge: JudgeBlock) -> JudgeSettings:
        here = ("condense", "judge")
        key = self._secrets[*here, "key"]
        found = JudgeSettings(judge.url, judge.model, key, judge.seconds, judge.per_pass, judge.per_day)
        if key and not API_KEY.fullmatch(key.reveal()):
            what = "the API key has characters that are not allowed in a header"
            self.faults.append(self._written.fault_at_path(here, what, "the key of the judge's API"))
        if key and found.url.startswith("http:") and not found.is_local:
            what = "the key goes to the judge unencrypted"
            place = (*here, "url")
            self.warnings.append(self._written.fault_at_path(place, what, "an address with https"))
        return found

    def _path(self, text: str) -> Path:
        return (self._folder / Path(text).expanduser()).resolve()


def _built_admin(admin: AdminBlock) -> AdminSettings:
    return AdminSettings(
        enabled=admin.enabled,
        listen=split_host_port(admin.listen) if admin.listen else None,
        networks=tuple(admin.networks),
        user_header=admin.user_header,
        timezone=admin.timezone,
    )


def _built_site(site: SiteBlock, bounces: BouncesBlock) -> Site:
    """Return the sender. Unsubscribe requests by mail go to the address for bounces if Caveat receives it."""
    received = bounces.address if bounces.imap or bounces.listen else None
    return Site(
        name=site.name,
        url=site.url,
        sender=site.sender,
        postal_address=site.postal_address,
        unsubscribe_address=site.unsubscribe_address or received or "",
    )
