"""What `caveat send` prints when some mails were not sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from service.cli.send import MAX_REASONS, MAX_SHOWN_REASONS, FailureSummary
from tests.cli.runner import CliRunner
from tests.deliver.server import ANY, MailServer, Reply

SUBSCRIBERS = 40


@contextmanager
def in_a_thread(server: MailServer) -> Iterator[MailServer]:
    """Serve on an event loop in a thread, because a command runs its own in the main thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_many_unsent_mails_are_summarized_by_reason(caveat: CliRunner):
    script = {"RCPT": {ANY: Reply("450 4.2.0 not now")}}
    refused = {"reader7@example.org": {"RCPT": Reply("550 5.1.1 <reader7@example.org> no such user")}}
    with in_a_thread(MailServer(script, per_address=refused)) as server:
        smtp = f"{{host: 127.0.0.1, port: {server.port}, security: none, connections: 2}}"
        people = "".join(
            f"  - {{email: reader{n}@example.org, newsletters: [morning]}}\n" for n in range(SUBSCRIBERS)
        )
        caveat.replace(
            "caveat.yaml", "{channel: file, folder: ../outbox}", f"{{channel: smtp, smtp: {smtp}}}"
        )
        caveat.write("subscribers.yaml", f"subscribers:\n{people}")
        for stage in ("gather", "condense"):
            assert caveat(stage).code == 0
        done = caveat("send", "morning", "--all", "--yes")
        assert done.code == 1
        assert done.out == ""
        assert f"{SUBSCRIBERS - 1} deferred (450 4.2.0 not now): reader" in done.err
        assert "1 refused (550 5.1.1 ... no such user): reader7@example.org\n" in done.err
        assert "--who lists them all" in done.err
        assert sum("@example.org" in line for line in done.err.splitlines()) == 2
        again = caveat("send", "morning", "--all", "--yes", "--json")
        assert len(again.records) == SUBSCRIBERS


def test_replies_that_differ_in_the_address_are_one_reason():
    reasons = FailureSummary()
    for n in range(5):
        reasons.add("refused", f"550 5.1.1 <r{n}@example.org>: unknown", f"r{n}@example.org")
    assert reasons.sentences() == [
        "5 refused (550 5.1.1 ... unknown): r0@example.org, r1@example.org, r2@example.org, ..."
    ]


def test_the_number_of_counted_and_shown_reasons_is_limited():
    reasons = FailureSummary()
    for n in range(3 * MAX_REASONS):
        reasons.add("deferred", f"450 queue id {n}", "r@example.org")
    lines = reasons.sentences()
    assert len(lines) == MAX_SHOWN_REASONS + 1
    assert lines[0].startswith(f"{2 * MAX_REASONS:,} deferred (other reasons)")
    assert lines[-1] == f"{MAX_REASONS - MAX_SHOWN_REASONS + 1:,} more for other reasons."
