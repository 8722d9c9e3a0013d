"""The file channel: whole files under the delivery's id, or none."""

from __future__ import annotations

import os

import pytest

from service.core.errors import UnknownName
from service.core.model import DeliveryState
from service.deliver.channels.file.channel import FileChannel
from service.deliver.channels.registry import ChannelSettings, build_channel
from service.deliver.stage import Deliverer, DeliverReport, deliver
from tests.builders import NOON
from tests.deliver.fakes import MemoryLedger, a_delivery, a_message_builder, some_deliveries


async def written(folder, store) -> DeliverReport:
    return await deliver(Deliverer(store, FileChannel(folder, a_message_builder())), now=lambda: NOON)


async def test_each_message_becomes_a_file_named_by_its_delivery(tmp_path):
    deliveries = some_deliveries(20, channel="file")
    store = MemoryLedger.holding(*deliveries)
    report = await written(tmp_path / "outbox", store)
    assert report == DeliverReport(sent=20)
    assert {p.name for p in (tmp_path / "outbox").iterdir()} == {f"{d.id}.eml" for d in deliveries}
    content = (tmp_path / "outbox" / f"{deliveries[3].id}.eml").read_bytes()
    assert b"To: Reader 3 <reader3@example.org>" in content


async def test_a_repeat_replaces_the_same_file(tmp_path):
    delivery = a_delivery(channel="file")
    await written(tmp_path, MemoryLedger.holding(delivery))
    (before,) = [p.read_bytes() for p in tmp_path.iterdir()]
    await written(tmp_path, MemoryLedger.holding(delivery))
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [before]


async def test_deliveries_of_other_channels_stay(tmp_path):
    delivery = a_delivery(channel="smtp")
    store = MemoryLedger.holding(delivery)
    assert await written(tmp_path, store) == DeliverReport()
    assert store.state(delivery) is DeliveryState.PLANNED


async def test_a_folder_that_cannot_be_created_is_one_problem_and_all_deliveries_wait(tmp_path):
    (tmp_path / "outbox").write_text("in the way")
    store = MemoryLedger.holding(*some_deliveries(20, channel="file"))
    report = await written(tmp_path / "outbox", store)
    assert len(report.problems) == 1
    assert "mail cannot be written into" in report.problems[0]
    assert store.states() == {DeliveryState.PLANNED}


async def test_a_full_disk_loses_nothing_and_leaves_no_partial_file(tmp_path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    store = MemoryLedger.holding(*some_deliveries(20, channel="file"))
    report = await written(tmp_path, store)
    assert report.sent == 0
    assert "No space left on device" in report.problems[0]
    assert store.states() <= {DeliveryState.PLANNED, DeliveryState.DEFERRED}
    assert list(tmp_path.iterdir()) == []


async def test_the_registry_builds_known_channels_and_lists_them(tmp_path):
    settings = ChannelSettings(tmp_path)
    assert build_channel("file", settings).name == "file"
    assert build_channel("smtp", settings).name == "smtp"
    with pytest.raises(UnknownName, match="file, smtp"):
        build_channel("pigeon", settings)
