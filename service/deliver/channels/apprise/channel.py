"""Apprise channel (EDGE apprise): a digest as a short message to a chat or push service.

    True                                           sent
    False                                          deferred: the service is down or did not accept it
    no answer in time, or an unknown error         uncertain: the service may have accepted it
    no address, or one that Apprise cannot use     refused, without consequence for the mail address
    no address while the files are not in force    deferred: it may be there when they are

Apprise blocks, so each send has a daemon thread of its own: a hanging service delays neither the event loop
nor the end of the process. Addresses are secrets: what the libraries log is dropped, and no error repeats it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from typing_extensions import override

from service.core.errors import ChannelUnavailable
from service.core.model import (
    Deferred,
    Delivery,
    Issue,
    Message,
    Outcome,
    RefusalCause,
    Refused,
    Sent,
    Uncertain,
)
from service.core.secret import Secret
from service.deliver.channels.apprise.digest_text import digest_text, title_of
from service.deliver.limits.concurrency import run_connection_slots
from service.deliver.ports import Channel, ChannelStatus, Outbox

CONCURRENT_SENDS = 4
SEND_SECONDS = 30.0  # for one message; a service that is silent for longer may have accepted it
READ_SECONDS = 60.0  # the library's own limit: longer, because it does not tell silence from a refusal
MAX_HANGING_SENDS = 32  # threads; with more, the channel counts as unavailable
NOT_INSTALLED = (
    "the channel apprise needs the extra `channels`, which is not installed; "
    "install it where Caveat runs: pip install 'caveat[channels]'"
)
NO_ADDRESS = "subscribers.yaml names no apprise address of this subscriber any more"
ADDRESS_UNREAD = "the apprise address of this subscriber is in subscribers.yaml, which is not in force"
UNUSABLE = "Apprise cannot use this address: its kind is unknown, or a part is missing"
_HTTP_STATUS = re.compile(r"\berror=(\d{3})\b")

if TYPE_CHECKING:
    from apprise import AppriseResult
    from apprise.plugins.base import NotifyBase

MakePreferencesUrl = Callable[[str, str], str]
"""Makes the URL of the preferences page of a subscriber (id) for a newsletter (id)."""


IsWaiting = Callable[[str], bool]
"""Says whether the address of a subscriber (id) is unknown only until the config files can be read."""


def waits_for_nobody(_subscriber_id: str) -> bool:
    """Say that every address is known."""
    return False


def is_installed() -> bool:
    """Return whether the library is there; it is not loaded."""
    return find_spec("apprise") is not None


class AppriseChannel(Channel):
    """Sends to the Apprise URL of each subscriber. `addresses` are the URLs by subscriber id.

    `is_waiting` says of a subscriber without one whether a message is deferred instead of refused.
    """

    name = "apprise"
    is_personal = True

    def __init__(
        self,
        addresses: Mapping[str, Secret],
        preferences_url: MakePreferencesUrl,
        is_waiting: IsWaiting = waits_for_nobody,
        *,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self._addresses, self._preferences_url = addresses, preferences_url
        self._is_waiting, self._send_seconds = is_waiting, send_seconds
        self._threads: list[threading.Thread] = []

    @override
    def payload(self, issue: Issue, delivery: Delivery) -> Message:
        """Return the short text of the issue; its first line is the title."""
        title = title_of(issue, delivery.name)
        text = digest_text(issue, self._preferences_url(delivery.subscriber_id, issue.newsletter))
        return Message(delivery.id, "", delivery.subscriber_id, (f"{title}\n{text}".encode(),))

    @override
    async def carry(self, outbox: Outbox) -> None:
        first = await outbox.next()
        if first is None:
            return
        outbox.put_back(first)
        if not is_installed():
            raise ChannelUnavailable(NOT_INSTALLED)
        await run_connection_slots([self._send_all(outbox) for _ in range(CONCURRENT_SENDS)])

    @override
    async def check(self) -> ChannelStatus:
        if not is_installed():
            raise ChannelUnavailable(NOT_INSTALLED)
        unusable = await asyncio.to_thread(self.address_problems)
        text = f"{len(self._addresses)} subscribers get their digests by the channel apprise"
        if unusable:
            text += f"; Apprise cannot use {len(unusable)} of their addresses, see caveat config check"
        return ChannelStatus(text, is_warning=bool(unusable))

    @override
    def address_problems(self) -> Mapping[str, str]:
        found = {subscriber: problem_of(address) for subscriber, address in self._addresses.items()}
        return {subscriber: problem for subscriber, problem in found.items() if problem}

    @override
    async def close(self) -> None:
        """Nothing is kept open."""

    async def _send_all(self, outbox: Outbox) -> None:
        while (message := await outbox.next()) is not None:
            address = self._addresses.get(message.recipient)
            if address is None:
                waits = self._is_waiting(message.recipient)
                outbox.settle(
                    message,
                    Deferred(ADDRESS_UNREAD) if waits else Refused(NO_ADDRESS, RefusalCause.TARGET),
                )
                continue
            if len(self._hanging()) >= MAX_HANGING_SENDS:
                outbox.put_back(message)
                raise ChannelUnavailable(f"{MAX_HANGING_SENDS} messages to Apprise services hang")
            if not await outbox.attempt(message):
                continue
            try:
                outcome = await self._send(address, message)
            except asyncio.CancelledError:
                outbox.settle(message, Uncertain("stopped before the service answered"))
                raise
            outbox.settle(message, outcome)

    async def _send(self, address: Secret, message: Message) -> Outcome:
        """Send in a thread of its own; return the outcome, Uncertain when it takes too long."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()
        title, _, text = message.content.decode().partition("\n")

        def run() -> None:
            outcome = notify(address, title, text)
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(_set, answer, outcome)

        thread = threading.Thread(target=run, name="apprise", daemon=True)
        self._threads = [*self._hanging(), thread]
        thread.start()
        try:
            async with asyncio.timeout(self._send_seconds):
                return await answer
        except TimeoutError:
            return Uncertain(f"no answer within {self._send_seconds:g} seconds")

    def _hanging(self) -> list[threading.Thread]:
        return [thread for thread in self._threads if thread.is_alive()]


def _set(answer: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not answer.done():
        answer.set_result(outcome)


def notify(address: Secret, title: str, text: str) -> Outcome:
    """Send one message by Apprise and return the outcome; blocks, and raises nothing."""
    try:
        service = _service(address)
        if service is None:
            return Refused(UNUSABLE, RefusalCause.TARGET)
        from apprise import Apprise, NotifyFormat  # noqa: PLC0415 - as in _service

        result = Apprise(service, asset=service.asset).notify(text, title, body_format=NotifyFormat.TEXT)
        return Sent("accepted") if result else Deferred(_reason(result))
    except Exception as error:  # noqa: BLE001 - plugins of many authors: each error is an outcome
        return outcome_of(error)


def outcome_of(error: Exception) -> Outcome:
    """Return what an error of the library means; its text can hold the address and is left out.

    A connection that was not made sent nothing. A wrong argument is an address that cannot work. After any
    other error the service may have the message.
    """
    kind = type(error).__name__
    match error:
        case ConnectionRefusedError() | socket.gaierror():
            return Deferred(f"the service cannot be reached ({kind})")
        case TypeError() | ValueError():
            return Refused(f"{UNUSABLE} ({kind})", RefusalCause.TARGET)
        case _:
            return Uncertain(f"the library failed while it sent ({kind})")


def problem_of(address: Secret) -> str:
    """Return why the address cannot be used, without repeating it; empty when it can. Loads the library."""
    if not is_installed():
        return NOT_INSTALLED
    try:
        return "" if _service(address) is not None else UNUSABLE
    except Exception as error:  # noqa: BLE001 - plugins of many authors, and their text can hold the address
        return f"{UNUSABLE} ({type(error).__name__})"


def _service(address: Secret) -> NotifyBase | None:
    """Return the service that the address leads to, None when Apprise cannot use the address."""
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - an optional extra, and half a second

    # What these log can hold the address: apprise and urllib3 log the URL of each request.
    for library in ("apprise", "urllib3"):
        logging.getLogger(library).propagate = False
    logging.getLogger("apprise").setLevel(logging.WARNING)  # results repeat these: the HTTP status is there
    asset = AppriseAsset(async_mode=False, secure_logging=True, storage_mode="memory", service_timeout=0)
    service = Apprise.instantiate(address.reveal(), asset=asset)
    if service is not None:
        service.socket_read_timeout = max(service.socket_read_timeout, READ_SECONDS)
    return service


def _reason(result: AppriseResult) -> str:
    """Return what is known of a failure: the HTTP status, where the service answered with one."""
    found = next((found for entry in result.logs() if (found := _HTTP_STATUS.search(entry.message))), None)
    return f"the service answered {found[1]}" if found else "the service is down or did not accept it"
