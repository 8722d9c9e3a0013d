"""Bounce server: the LMTP listener where a mail server delivers bounces; a reload can change its address."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from service.app.clock import Clock
from service.core.errors import CaveatError
from service.runtime.reload import ReloadableApp

if TYPE_CHECKING:
    from service.bounces.lmtp_server import LmtpServer

HostPort = tuple[str, int]

log = structlog.get_logger("service")


class BounceServer:
    """Receives inbound mails; the application that is current at that time handles each."""

    def __init__(self, apps: ReloadableApp, clock: Clock) -> None:
        self._apps, self._clock = apps, clock
        self._server: LmtpServer | None = None
        self._address: HostPort | None = None
        self._key = b""

    async def reconfigure(self, address: HostPort | None) -> None:
        """Listen at this address, or close the listener (None).

        Raises CaveatError when the address is not available; the server then keeps its old address.
        """
        if address == self._address:
            return
        server, previous = self._server, self._address
        await self.close()
        try:
            if address is not None:
                self._server = await self._start(address)
        except CaveatError:
            if server is not None:
                await server.start()
                self._server, self._address = server, previous
            raise
        self._address = address

    async def run(self, stopping: asyncio.Event) -> None:
        """Accept mails until `stopping` is set, then finish recording those that were accepted."""
        try:
            await stopping.wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Accept no more mails."""
        if self._server is not None:
            await self._server.close()
        self._server = self._address = None

    async def _start(self, address: HostPort) -> LmtpServer:
        from service.bounces.lmtp_server import LmtpServer  # noqa: PLC0415 - few sites listen for bounces

        self._key = await self._apps.current.subscribers.signing_key()
        server = LmtpServer(*address, self._receive, self._accepts)
        await server.start()
        log.info("bounce_server_started", address=server.address)
        return server

    async def _receive(self, content: bytes, recipients: Sequence[str]) -> bool:
        from service.app.bounces import UNREADABLE, bounce_handler, handle_mail  # noqa: PLC0415 - needed by few

        async with self._apps.use() as app:
            handler = bounce_handler(app, self._key)
            result = await handle_mail(handler, content, now=self._clock(), recipients=recipients)
            return result != UNREADABLE

    def _accepts(self, address: str) -> bool:
        from service.app.bounces import is_accepted_recipient  # noqa: PLC0415 - needed by few

        return is_accepted_recipient(self._apps.current.settings, self._key, address)
