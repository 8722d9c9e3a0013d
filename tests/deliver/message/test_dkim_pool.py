"""DKIM signatures that other processes make before sending."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.core.model import DeliveryState
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.leases import DeliverPolicy, Leases
from service.deliver.message import dkim_pool as signing
from service.deliver.message.builder import MessageBuilder
from service.deliver.message.dkim import DkimSigner
from service.deliver.message.dkim_pool import PresignedMessages
from service.deliver.stage import Deliverer, deliver
from tests.deliver.fakes import SITE, Clock, MemoryLedger, a_relay, an_issue, links, some_deliveries
from tests.deliver.server import MailServer


def write_key(path: Path, key: rsa.RSAPrivateKey | Ed25519PrivateKey) -> Path:
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


@pytest.fixture
def make(tmp_path: Path) -> MessageBuilder:
    """Return a message builder with two keys in files."""
    files = (
        write_key(tmp_path / "rsa.pem", rsa.generate_private_key(65537, 2048)),
        write_key(tmp_path / "ed.pem", Ed25519PrivateKey.generate()),
    )
    signers = [DkimSigner.from_file("news.example.org", file.stem, file) for file in files]
    return MessageBuilder(SITE, links, signers=signers)


@pytest.fixture
def process() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, get_context("forkserver")) as executor:
        yield executor


class ThreadExecutor(ThreadPoolExecutor):
    """Signs on a thread, and records the arguments."""

    def __init__(self) -> None:
        super().__init__(1)
        self.given: list[tuple[object, ...]] = []

    def submit(self, fn, /, *args, **options):
        self.given.append(args)
        return super().submit(fn, *args, **options)


async def test_a_message_signed_by_another_process_has_the_same_bytes(make, process):
    deliveries, issue = some_deliveries(40), an_issue()
    ahead = PresignedMessages(make, MemoryLedger.holding(*deliveries), process)
    await ahead.prepare(deliveries)
    assert len(ahead._ready) == 40
    assert [ahead(issue, d).content for d in deliveries] == [make(issue, d).content for d in deliveries]
    assert make(issue, deliveries[0]).content.count(b"DKIM-Signature:") == 2


async def test_digests_are_passed_to_the_process_and_keys_are_not(make):
    deliveries = some_deliveries(70)
    with ThreadExecutor() as executor:
        await PresignedMessages(make, MemoryLedger.holding(*deliveries), executor).prepare(deliveries)
    places = {signer.key_reference for signer in make.signers}
    assert {(file, fingerprint) for file, fingerprint, _ in executor.given} == places
    assert {len(digest) for *_, digests in executor.given for digest in digests} == {32}
    assert sum(len(digests) for *_, digests in executor.given) == 140


async def test_a_small_batch_is_signed_when_it_is_sent(make):
    deliveries = some_deliveries(3)
    with ThreadExecutor() as executor:
        ahead = PresignedMessages(make, MemoryLedger.holding(*deliveries), executor)
        await ahead.prepare(deliveries)
        assert executor.given == []
    assert ahead(an_issue(), deliveries[0]).content == make(an_issue(), deliveries[0]).content


async def test_a_process_that_dies_loses_no_message(make, process, caplog):
    deliveries = some_deliveries(20)
    with pytest.raises(BrokenProcessPool):
        process.submit(os._exit, 1).result()
    ahead = PresignedMessages(make, MemoryLedger.holding(*deliveries), process)
    await ahead.prepare(deliveries)
    events = [record for record in caplog.records if record.getMessage() == "dkim_pool_failed"]
    assert any("signed while they are sent" in event.reason for event in events)
    assert ahead(an_issue(), deliveries[0]).content == make(an_issue(), deliveries[0]).content


async def test_a_key_file_that_has_changed_signs_nothing(make, tmp_path):
    deliveries = some_deliveries(20)
    write_key(tmp_path / "rsa.pem", rsa.generate_private_key(65537, 2048))
    signing._signer.cache_clear()
    with ThreadExecutor() as executor:
        ahead = PresignedMessages(make, MemoryLedger.holding(*deliveries), executor)
        await ahead.prepare(deliveries)
    assert ahead(an_issue(), deliveries[0]).content == make(an_issue(), deliveries[0]).content


async def test_a_delivery_that_cannot_be_built_does_not_affect_the_others(make):
    good, bad = some_deliveries(20), replace(some_deliveries(1)[0], address="no address")
    with ThreadExecutor() as executor:
        ahead = PresignedMessages(make, MemoryLedger.holding(*good), executor)
        await ahead.prepare([bad, *good])
    assert set(ahead._ready) == set(good)


async def test_a_message_signed_for_an_old_name_is_not_sent_under_the_new_name(make):
    deliveries = some_deliveries(20)
    with ThreadExecutor() as executor:
        ahead = PresignedMessages(make, MemoryLedger.holding(*deliveries), executor)
        await ahead.prepare(deliveries)
    assert b"Somebody" in ahead(an_issue(), replace(deliveries[0], name="Somebody")).content


async def test_signed_messages_that_are_not_fetched_are_discarded(make):
    deliveries = some_deliveries(120)
    with ThreadExecutor() as executor:
        ahead = PresignedMessages(make, MemoryLedger.holding(*deliveries), executor)
        for start in range(0, 120, 20):
            await ahead.prepare(deliveries[start : start + 20])
    assert list(ahead._ready) == deliveries[80:]


async def test_a_whole_pass_is_signed_ahead(make):
    deliveries, here = some_deliveries(100), threading.get_ident()
    store, signed_by = MemoryLedger.holding(*deliveries), []
    for signer in make.signers:
        assert signer.file is not None
    async with MailServer() as server:
        with ThreadExecutor() as executor:
            ahead = PresignedMessages(make, store, executor)
            channel = SmtpChannel(a_relay(server, connections=3), ahead, ahead.prepare)
            deliverer = Deliverer(store, channel, DeliverPolicy(batch_size=30))
            real = DkimSigner.sign

            def signed(self: DkimSigner, digest: bytes) -> bytes:
                signed_by.append(threading.get_ident())
                return real(self, digest)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(DkimSigner, "sign", signed)
                report = await deliver(deliverer, now=Clock())
            await channel.close()
        assert report.sent == 100
        assert sorted(server.ids) == sorted(d.id for d in deliveries)
        # The last batch is too small to be signed ahead.
        assert signed_by.count(here) == 20
        assert all(taken.content.count(b"DKIM-Signature:") == 2 for taken in server.taken)


async def test_a_prepared_batch_that_is_not_sent_is_released():
    deliveries, clock = some_deliveries(20), Clock()
    store = MemoryLedger.holding(*deliveries)

    async def prepare(_deliveries) -> None:
        pass

    leases = Leases(store, "smtp", DeliverPolicy(batch_size=5), clock, iter("abcd").__next__, prepare=prepare)
    assert await leases.lease_batch()
    assert len(leases.queue) == 5
    await leases.release()
    assert {row.state for row in store.rows.values()} == {DeliveryState.PLANNED}
    assert {row.token for row in store.rows.values()} == {None}
