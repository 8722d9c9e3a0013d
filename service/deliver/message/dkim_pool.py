"""DKIM pool: DKIM signatures made by other processes, ahead of sending.

An RSA signature takes longer than all other work for a message, and would block the event loop. So while one
batch is sent, other processes sign the digests of the next, many in a task. A key is never passed between
processes: each reads the key's file itself. A message without a signature made ahead is signed when it is
sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from typing_extensions import override

from service.core.errors import CaveatError
from service.core.model import Delivery, Issue, Message
from service.deliver.message.builder import MessageBuilder, with_signatures
from service.deliver.message.dkim import DkimSigner, UnsignedDkimHeader
from service.deliver.ports import DeliverStore, MessageFactory

DIGESTS_PER_TASK = 32  # some ten milliseconds of work, much more than the transfer costs
MIN_DELIVERIES = 16  # a smaller batch does not justify starting a process

log = logging.getLogger("deliver")


class PresignedMessages(MessageFactory):
    """Builds messages whose signatures were made in the processes of `executor`; every key has a file."""

    def __init__(self, builder: MessageBuilder, store: DeliverStore, executor: Executor) -> None:
        self._builder, self._store, self._executor = builder, store, executor
        self._ready: dict[Delivery, Message] = {}

    @override
    def __call__(self, issue: Issue, delivery: Delivery) -> Message:
        return self._ready.pop(delivery, None) or self._builder(issue, delivery)

    async def prepare(self, deliveries: Sequence[Delivery]) -> None:
        """Build and sign the messages of a batch; keep those of this batch and the one before."""
        if len(deliveries) < MIN_DELIVERIES:
            return
        made: dict[Delivery, Message] = {}
        for issue_id, some in groupby(deliveries, lambda delivery: delivery.issue_id):
            if issue := await self._store.issue(issue_id):
                made |= await self._made(issue, tuple(some))
        last = list(self._ready.items())[-len(deliveries) :]
        self._ready = dict(last) | made

    async def _made(self, issue: Issue, deliveries: Sequence[Delivery]) -> dict[Delivery, Message]:
        parts = []
        for start in range(0, len(deliveries), DIGESTS_PER_TASK):
            parts.append(
                asyncio.create_task(self._signed(issue, deliveries[start : start + DIGESTS_PER_TASK]))
            )
            await asyncio.sleep(0)  # all in one turn of the event loop would delay the messages being sent
        done = await asyncio.gather(*parts, return_exceptions=True)
        made: dict[Delivery, Message] = {}
        for part in done:
            if isinstance(part, BaseException):
                reason = f"some mails are signed while they are sent, and not ahead: {part}"
                log.warning("dkim_pool_failed", extra={"reason": reason})
            else:
                made |= part
        return made

    async def _signed(self, issue: Issue, deliveries: Sequence[Delivery]) -> dict[Delivery, Message]:
        built = [found for delivery in deliveries if (found := self._build_unsigned(issue, delivery))]
        tasks = [
            self._sign_in_pool(*signer.key_reference, [unsigned[n].digest for *_, unsigned in built])
            for n, signer in enumerate(self._builder.signers)
        ]
        signatures = zip(*await asyncio.gather(*tasks), strict=True)
        return {
            delivery: with_signatures(message, unsigned, own)
            for (delivery, message, unsigned), own in zip(built, signatures, strict=True)
        }

    async def _sign_in_pool(self, file: Path, fingerprint: bytes, digests: Sequence[bytes]) -> list[bytes]:
        # Submitted by a thread: the first task starts the processes, and waits until they run.
        task = await asyncio.to_thread(self._executor.submit, sign_digests, file, fingerprint, digests)
        return await asyncio.wrap_future(task)

    def _build_unsigned(
        self, issue: Issue, delivery: Delivery
    ) -> tuple[Delivery, Message, tuple[UnsignedDkimHeader, ...]] | None:
        try:
            return delivery, *self._builder.build_unsigned(issue, delivery)
        except CaveatError:
            return None  # the reason is reported when it is sent


def sign_digests(file: Path, fingerprint: bytes, digests: Sequence[bytes]) -> list[bytes]:
    """Return the signatures of the digests by the key in `file`; raises CaveatError if it has changed."""
    signer = _signer(file, fingerprint)
    return [signer.sign(digest) for digest in digests]


@lru_cache(maxsize=8)
def _signer(file: Path, fingerprint: bytes) -> DkimSigner:
    signer = DkimSigner.from_file("", "", file)
    if signer.key_reference != (file, fingerprint):
        raise CaveatError(f"the DKIM key {file} has changed")
    return signer
