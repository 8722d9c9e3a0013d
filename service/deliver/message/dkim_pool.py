"""Signing: messages whose DKIM signatures were made by other processes, ahead of the sending.

An RSA signature takes longer than all else that a message costs, and nothing else would happen meanwhile. So
while one batch is sent, the digests of the next are signed elsewhere, many to a task. A key never travels:
each process reads its file itself. What was not signed ahead, for whatever reason, is signed when its turn
comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from service.core.errors import CaveatError
from service.core.model import Delivery, Issue, Message
from service.deliver.message.builder import MessageBuilder, with_signatures
from service.deliver.message.dkim import DkimSigner, UnsignedDkimHeader
from service.deliver.ports import DeliverStore

DIGESTS_PER_TASK = 32
"""So many digests go in one task: some ten milliseconds of work, beside which the way there is nothing."""
MIN_DELIVERIES = 16
"""For fewer than these it is not worth starting a process."""

log = logging.getLogger("deliver")


class PresignedMessages:
    """A MailMaker whose batches are signed in the processes of `executor`; every key lies in a file."""

    def __init__(self, builder: MessageBuilder, store: DeliverStore, executor: Executor) -> None:
        self._make, self._store, self._executor = builder, store, executor
        self._ready: dict[Delivery, Message] = {}

    def __call__(self, issue: Issue, delivery: Delivery) -> Message:
        """Return the finished message; the same bytes for the same delivery every time."""
        return self._ready.pop(delivery, None) or self._make(issue, delivery)

    async def prepare(self, deliveries: Sequence[Delivery]) -> None:
        """Make and sign the messages of a batch; what is left of the batch before the last is forgotten."""
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
            await asyncio.sleep(0)  # all in one turn of the loop would hold up what is being sent
        done = await asyncio.gather(*parts, return_exceptions=True)
        made: dict[Delivery, Message] = {}
        for part in done:
            if isinstance(part, BaseException):
                log.warning("some mails are signed while they are sent, and not ahead: %s", part)
            else:
                made |= part
        return made

    async def _signed(self, issue: Issue, deliveries: Sequence[Delivery]) -> dict[Delivery, Message]:
        drafted = [found for delivery in deliveries if (found := self._drafted(issue, delivery))]
        tasks = [
            self._elsewhere(*signer.key_reference, [drafts[n].digest for *_, drafts in drafted])
            for n, signer in enumerate(self._make.signers)
        ]
        signatures = zip(*await asyncio.gather(*tasks), strict=True)
        return {
            delivery: with_signatures(message, drafts, own)
            for (delivery, message, drafts), own in zip(drafted, signatures, strict=True)
        }

    async def _elsewhere(self, file: Path, fingerprint: bytes, digests: Sequence[bytes]) -> list[bytes]:
        # Handed over on a thread: the first task of all starts processes, and waits until they stand.
        task = await asyncio.to_thread(self._executor.submit, sign_digests, file, fingerprint, digests)
        return await asyncio.wrap_future(task)

    def _drafted(
        self, issue: Issue, delivery: Delivery
    ) -> tuple[Delivery, Message, tuple[UnsignedDkimHeader, ...]] | None:
        try:
            return delivery, *self._make.build_unsigned(issue, delivery)
        except CaveatError:
            return None  # it says why when its turn comes


def sign_digests(file: Path, fingerprint: bytes, digests: Sequence[bytes]) -> list[bytes]:
    """Return the signatures of the digests, by the key in that file; raises CaveatError if it is another."""
    signer = _signer(file, fingerprint)
    return [signer.sign(digest) for digest in digests]


@lru_cache(maxsize=8)
def _signer(file: Path, fingerprint: bytes) -> DkimSigner:
    signer = DkimSigner.from_file("", "", file)
    if signer.key_reference != (file, fingerprint):
        raise CaveatError(f"the DKIM key {file} is another one by now")
    return signer
