"""Every order of refusals on a kept connection: no blank, truncated or mixed mail arrives.

The server lists each accepted mail with envelope and body. A delivery that the server did not accept is never
sent in the ledger, and a reply about one recipient never counts for another.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product

import pytest

from service.core.errors import StoreError
from service.core.model import Delivery, DeliveryState, Issue, Message
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.leases import DeliverPolicy
from service.deliver.stage import Deliverer, DeliverReport, deliver
from tests.deliver.fakes import (
    SHORT_TIMEOUTS,
    Clock,
    MemoryLedger,
    a_delivery,
    a_message_builder,
    a_relay,
    some_deliveries,
)
from tests.deliver.server import ANY, DOT, Action, Close, MailServer, Reply, Wait

PIPELINING = {"pipelining": ("PIPELINING", "8BITMIME"), "in steps": ("8BITMIME",)}
OK = ("", "")
"""The event of an accepted message; the others are a command and the reply to it."""

AT_EACH_COMMAND = [
    *((command, f"450 4.2.0 <{{}}> not now ({command})") for command in ("MAIL", "RCPT", "DATA", DOT)),
    ("MAIL", "554 5.6.0 <{}> not like this (MAIL)"),
    ("RCPT", "550 5.1.1 <{}> no such user (RCPT)"),
    ("DATA", "554 5.6.0 <{}> not like this (DATA)"),
    (DOT, "554 5.6.0 <{}> not like this (final dot)"),
    *((command, f"421 4.3.2 <{{}}> closing ({command})") for command in ("MAIL", "RCPT", "DATA", DOT)),
    *((command, "close") for command in ("MAIL", "RCPT", "DATA", DOT)),
]
SELECTED = [
    OK,
    ("MAIL", "450 4.2.0 <{}> not now (MAIL)"),
    ("RCPT", "450 4.2.0 <{}> not now (RCPT)"),
    ("RCPT", "550 5.1.1 <{}> no such user (RCPT)"),
    ("DATA", "554 5.6.0 <{}> not like this (DATA)"),
    (DOT, "554 5.6.0 <{}> not like this (final dot)"),
    (DOT, "421 4.3.2 <{}> closing (final dot)"),
    ("RCPT", "close"),
]
RSET_REFUSED: dict[str, Action] = {
    "503": Reply("503 5.5.1 Error: no RSET now"),
    "500": Reply("500 5.5.2 Error: command not recognized"),
    "450": Reply("450 4.3.0 Error: not now"),
    "421": Reply("421 4.7.0 Error: too many errors"),
    "close": Close(),
}
SERVERS = {"usual": {}, "lenient": {"lenient": True}, "keeps the envelope": {"forgetful": False}}
AGAIN = timedelta(minutes=10)


def every_order(events: Sequence[tuple[str, str]], length: int) -> Iterator[tuple[str, str]]:
    """Yield events so that every sequence of `length` occurs (a de Bruijn sequence, not cyclic)."""
    word, size = [0] * length * len(events), len(events)
    indices: list[int] = []

    def extend(at: int, period: int) -> None:
        if at > length:
            if length % period == 0:
                indices.extend(word[1 : period + 1])
            return
        word[at] = word[at - period]
        extend(at + 1, period)
        for following in range(word[at - period] + 1, size):
            word[at] = following
            extend(at + 1, at)

    extend(1, 1)
    yield from (events[index] for index in [*indices, *indices[: length - 1]])


def test_every_order_occurs():
    line = "".join(letter for letter, _ in every_order([(letter, "") for letter in "abcd"], 3))
    assert {line[n : n + 3] for n in range(len(line) - 2)} == set(map("".join, product("abcd", repeat=3)))


def make(issue: Issue, delivery: Delivery) -> Message:
    """Return the message with the recipient as its sender, so that the server detects mixed envelopes."""
    return replace(MAKER(issue, delivery), sender=delivery.address)


MAKER = a_message_builder()


@dataclass
class Run:
    """Deliveries, the event of each, and the ledger."""

    deliveries: list[Delivery]
    events: list[tuple[str, str]]
    store: MemoryLedger = field(init=False)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.store = MemoryLedger.holding(*self.deliveries)

    @classmethod
    def of(cls, events: Sequence[tuple[str, str]]) -> Run:
        return cls(some_deliveries(len(events)), list(events))

    def actions(self) -> dict[str, dict[str, Action]]:
        actions: dict[str, dict[str, Action]] = {}
        for delivery, (command, what) in zip(self.deliveries, self.events, strict=True):
            if command:
                action = Close() if what == "close" else Reply(what.format(delivery.address))
                actions[delivery.address] = {command: action}
        return actions

    async def in_one_pass(self, deliverer: Deliverer) -> None:
        await deliver(deliverer, now=self.clock)

    async def in_a_pass_each(self, deliverer: Deliverer) -> None:
        """Send each message in its own pass; each pass reuses the kept connection."""
        waiting, self.store.rows = self.store.rows, {}
        for id_, row in waiting.items():
            self.store.rows = {id_: row}
            await deliver(deliverer, now=self.clock)
        self.store.rows = waiting

    async def to_the_end(self, deliverer: Deliverer) -> None:
        """Repeat passes until every delivery is sent or refused."""
        for _ in range(20):
            if self.store.states() <= {DeliveryState.SENT, DeliveryState.REFUSED}:
                return
            self.clock.now += AGAIN
            await deliver(deliverer, now=self.clock)

    async def against(self, server: MailServer, *, each: bool) -> None:
        channel = SmtpChannel(a_relay(server, max_messages=10**9), make)
        deliverer = Deliverer(self.store, channel)
        try:
            await (self.in_a_pass_each if each else self.in_one_pass)(deliverer)
            await self.to_the_end(deliverer)
        finally:
            await channel.close()

    def check(self, server: MailServer) -> None:
        """Compare each accepted mail with the ledger."""
        assert server.contents_without_recipient == []
        (issue,) = self.store.issues.values()
        accepted = Counter(server.ids)
        wanted = {d.id: make(issue, d) for d in self.deliveries}
        for taken in server.taken:
            message = wanted[taken.id]  # a blank mail has no id
            assert (taken.sender, taken.recipients) == (message.sender, (message.recipient,))
            assert taken.content == message.content
        for delivery, event in zip(self.deliveries, self.events, strict=True):
            row = self.store.rows[delivery.id]
            assert row.state in {DeliveryState.SENT, DeliveryState.REFUSED}, event
            assert accepted[delivery.id] == (row.state is DeliveryState.SENT), (event, row)
            if row.state is DeliveryState.REFUSED:
                assert row.reply == event[1].format(delivery.address), (event, row)
                assert event[1][0] == "5"
        refused_for_the_address = {
            d.address
            for d, event in zip(self.deliveries, self.events, strict=True)
            if event[1].startswith("550 5.1.1") and self.store.state(d) is DeliveryState.REFUSED
        }
        assert self.store.suppressed == refused_for_the_address


async def swept(
    events: Sequence[tuple[str, str]],
    extensions: tuple[str, ...],
    *,
    each: bool,
    script: Mapping[str, Mapping[int, Action]] | None = None,
    kind: str = "usual",
) -> tuple[Run, MailServer]:
    run = Run.of(events)
    async with MailServer(
        script, extensions=extensions, per_address=run.actions(), **SERVERS[kind]
    ) as server:
        await run.against(server, each=each)
    run.check(server)
    return run, server


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("each", [False, True], ids=["one pass", "a pass each"])
@pytest.mark.parametrize("extensions", PIPELINING.values(), ids=PIPELINING)
async def test_after_any_two_refusals_each_recipient_gets_their_own_mail(extensions, each, kind):
    run, _ = await swept(list(every_order([OK, *AT_EACH_COMMAND], 2)), extensions, each=each, kind=kind)
    for delivery, event in zip(run.deliveries, run.events, strict=True):
        expected = DeliveryState.REFUSED if event[1][:1] == "5" else DeliveryState.SENT
        # A server that keeps the envelope replies 503 instead of the refusal; the next time it accepts.
        assert run.store.state(delivery) is expected or kind == "keeps the envelope", event


@pytest.mark.parametrize("each", [False, True], ids=["one pass", "a pass each"])
@pytest.mark.parametrize("extensions", PIPELINING.values(), ids=PIPELINING)
async def test_after_any_three_refusals_each_recipient_gets_their_own_mail(extensions, each):
    await swept(list(every_order(SELECTED, 3)), extensions, each=each)


@pytest.mark.parametrize("answer", RSET_REFUSED)
@pytest.mark.parametrize("each", [False, True], ids=["one pass", "a pass each"])
@pytest.mark.parametrize("extensions", PIPELINING.values(), ids=PIPELINING)
async def test_a_connection_whose_reset_is_refused_carries_no_other_mail(extensions, each, answer):
    script = {"RSET": {ANY: RSET_REFUSED[answer]}}
    await swept(list(every_order(SELECTED, 2)), extensions, each=each, script=script)


@pytest.mark.long
@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("each", [False, True], ids=["one pass", "a pass each"])
@pytest.mark.parametrize("extensions", PIPELINING.values(), ids=PIPELINING)
async def test_after_any_three_refusals_at_any_command_each_recipient_gets_their_own_mail(
    extensions, each, kind
):
    await swept(list(every_order([OK, *AT_EACH_COMMAND], 3)), extensions, each=each, kind=kind)


# --- unrequested replies -----------------------------------------------------------------------

USUAL_REPLIES = {"MAIL": "250 2.1.0 fine", "RCPT": "250 2.1.5 fine", "DATA": "354 go", DOT: "250 2.0.0 taken"}
EXTRAS = [
    "250 2.0.0 again",
    "550 5.1.1 <nobody@example.org> no such user",
    "354 go on",
    "221 2.0.0 bye",
    "250-half of a reply",
]
AFTER_IT = [event for event in SELECTED if event[0] in {"", "RCPT"}]


@pytest.mark.parametrize("each", [False, True], ids=["one pass", "a pass each"])
@pytest.mark.parametrize("extensions", PIPELINING.values(), ids=PIPELINING)
async def test_an_extra_reply_refuses_no_recipient(extensions, each):
    for extra, (command, usual) in product(EXTRAS, USUAL_REPLIES.items()):
        too_many = (command, f"{usual}\r\n{extra}")
        events = [event for following in AFTER_IT for event in (OK, too_many, following, OK)]
        await swept(events, extensions, each=each)


@pytest.mark.parametrize("extra", [f"{extra}\r\n" for extra in EXTRAS] + ["421 4.4.2 timeout\r\n", "25"])
@pytest.mark.parametrize("extensions", PIPELINING.values(), ids=PIPELINING)
async def test_a_kept_connection_with_an_unrequested_reply_is_not_reused(extensions, extra):
    store, clock = MemoryLedger.holding(*some_deliveries(1)), Clock()
    async with MailServer(extensions=extensions) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        deliverer = Deliverer(store, channel)
        await deliver(deliverer, now=clock)
        (kept,) = channel._idle
        await server.send_unrequested(extra.encode())
        while kept.is_in_sync():  # noqa: ASYNC110 - a connection has no event to wait for
            await asyncio.sleep(0)
        store.rows = MemoryLedger.holding(*some_deliveries(3)).rows
        assert await deliver(deliverer, now=clock) == DeliverReport(sent=3)
        await channel.close()
    assert server.connections == 2
    assert len(server.ids) == 4


async def test_a_late_reply_is_not_taken_for_the_next_message():
    deliveries, late = some_deliveries(3), Wait(asyncio.Event())
    store = MemoryLedger.holding(*deliveries)
    async with MailServer({"RCPT": {1: late}}) as server:
        channel = SmtpChannel(a_relay(server, timeouts=SHORT_TIMEOUTS), a_message_builder())
        sending = asyncio.create_task(deliver(Deliverer(store, channel), now=Clock()))
        await late.reached.wait()
        while server.connections == 1:  # noqa: ASYNC110 - the server has no event to wait for
            await asyncio.sleep(0)
        late.event.set()
        assert await sending == DeliverReport(sent=3)
        await channel.close()
    assert {taken.connection for taken in server.taken} == {2}


@pytest.mark.parametrize("extensions", PIPELINING.values(), ids=PIPELINING)
async def test_a_connection_on_which_the_server_waits_for_content_is_not_kept(extensions):
    """The ledger fails after 354: the commands of the next pass would become content of a mail."""
    store, clock = MemoryLedger.holding(a_delivery()), Clock()
    store.lost = True
    async with MailServer(extensions=extensions) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        deliverer = Deliverer(store, channel, DeliverPolicy(lease=timedelta(milliseconds=1)))
        with pytest.raises(StoreError):
            await deliver(deliverer, now=clock)
        store.lost = False
        clock.now += AGAIN
        assert await deliver(replace(deliverer, policy=DeliverPolicy()), now=clock) == DeliverReport(sent=1)
        await channel.close()
    assert server.connections == 2
    assert len(server.ids) == 1


async def test_a_refusal_counts_when_the_server_closes_after_it():
    """Many servers close the connection after an unknown recipient; the refusal still counts."""
    deliveries = some_deliveries(3)
    store = MemoryLedger.holding(*deliveries)
    script = {"RCPT": {2: Reply("550 5.1.1 no such user\r\n421 4.7.0 too many errors")}}
    async with MailServer(script) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        report = await deliver(Deliverer(store, channel), now=Clock())
        await channel.close()
    assert (report.sent, report.refused) == (2, 1)
    assert store.suppressed == {deliveries[1].address}


async def test_a_reply_to_mail_never_refuses_the_recipient():
    deliveries = some_deliveries(2)
    store = MemoryLedger.holding(*deliveries)
    async with MailServer({"MAIL": {1: Reply("550 5.1.1 <digest@news.example.org> unknown")}}) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        report = await deliver(Deliverer(store, channel), now=Clock())
        await channel.close()
    assert (report.sent, report.deferred) == (1, 1)
    assert store.suppressed == set()


@pytest.mark.parametrize("extensions", PIPELINING.values(), ids=PIPELINING)
async def test_a_server_that_replies_503_to_every_command_does_not_pause_sending(extensions):
    """503 is an error of the session, not a refusal of our mail: no pause, no refused recipient."""
    store = MemoryLedger.holding(*some_deliveries(6))
    script = {"MAIL": {ANY: Reply("503 5.5.1 Error: nested MAIL command")}}
    async with MailServer(script, extensions=extensions) as server:
        channel = SmtpChannel(a_relay(server), a_message_builder())
        report = await deliver(Deliverer(store, channel), now=Clock())
        await channel.close()
    assert report.alert == ""
    assert report.refused == 0
    assert "503 5.5.1 Error: nested MAIL command" in report.problems[0]
    assert server.connections <= 4
