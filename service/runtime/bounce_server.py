"""Reception: the door where a mail server hands bounces over, open while the settings name a place for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from service.app.clock import Clock
from service.core.errors import CaveatError
from service.runtime.reload import ReloadableApp
from service.settings.values import Settings

if TYPE_CHECKING:
    from service.bounces.lmtp_server import LmtpServer

HostPort = tuple[str, int]
"""Host and port."""

log = structlog.get_logger("service")


class BounceServer:
    """Takes letters for the house that is lived in at that moment."""

    def __init__(self, tenancy: ReloadableApp, clock: Clock) -> None:
        self._tenancy, self._clock = tenancy, clock
        self._listener: LmtpServer | None = None
        self._wanted: HostPort | None = None
        self._key = b""

    async def reconfigure(self, settings: Settings) -> None:
        """Listen where these settings say, or nowhere.

        Raises CaveatError when that place cannot be had; then the one that was held before is held again.
        """
        wanted = settings.mail.bounces.listen
        if wanted == self._wanted:
            return
        before, held = self._listener, self._wanted
        await self.close()
        try:
            if wanted is not None:
                self._listener = await self._opened(wanted)
        except CaveatError:
            if before is not None:
                await before.start()
                self._listener, self._wanted = before, held
            raise
        self._wanted = wanted

    async def run(self, stopping: asyncio.Event) -> None:
        """Take letters until `stopping` is set, then let those that are being recorded be so."""
        try:
            await stopping.wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Take no more letters."""
        if self._listener is not None:
            await self._listener.close()
        self._listener = self._wanted = None

    async def _opened(self, place: HostPort) -> LmtpServer:
        from service.bounces.lmtp_server import LmtpServer  # noqa: PLC0415 - most houses have no such door

        self._key = await self._tenancy.current.subscribers.signing_key()
        listener = LmtpServer(*place, self._receive, self._ours)
        await listener.start()
        log.info("bounces are taken", at=listener.address)
        return listener

    async def _receive(self, content: bytes, recipients: Sequence[str]) -> bool:
        from service.app.bounces import UNREADABLE, bounce_handler, handle_mail  # noqa: PLC0415 - as above

        async with self._tenancy.use() as house:
            returns = bounce_handler(house, self._key)
            word = await handle_mail(returns, content, now=self._clock(), recipients=recipients)
            return word != UNREADABLE

    def _ours(self, address: str) -> bool:
        from service.app.bounces import is_accepted_recipient  # noqa: PLC0415 - as above

        return is_accepted_recipient(self._tenancy.current.settings, self._key, address)
