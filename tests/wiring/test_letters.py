"""The postman: a letter is sent once, tried again where a server says later, and given up in the end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from service.assets import templates_folder
from service.compose.letters import Letters
from service.core.contracts import Outbox
from service.core.errors import ChannelUnavailable
from service.core.model import Blame, Deferred, Message, Outcome, Refused, Rendered, Sent
from service.wiring.letters import TRIES_AFTER, Postman
from tests.builders import NOON
from tests.web.conftest import SITE

LETTER = Rendered("Please confirm", "<p>Please</p>", "Please")


class Line:
    """A channel that gives these answers, one for each time it is opened, and remembers what it was given."""

    name = "smtp"

    def __init__(self, *answers: Outcome | Exception) -> None:
        self.answers, self.carried = list(answers), list[str]()

    async def carry(self, outbox: Outbox) -> None:
        message = await outbox.next()
        assert message is not None
        assert await outbox.next() is None
        assert await outbox.attempt(message)
        self.carried.append(message.recipient)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            outbox.put_back(message)
            raise answer
        outbox.settle(message, answer)

    async def close(self) -> None:
        """Nothing is kept open."""


def a_postman(line: Line) -> Postman:
    async def maker() -> Any:
        def make(_issue: Any, delivery: Any) -> Message:
            return Message(delivery.id, "digest@news.example.org", delivery.address, (b"",))

        return SimpleNamespace(channel=line, make=make)

    return Postman(Letters(templates_folder(), SITE), maker, lambda: line, lambda: NOON)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.wiring.letters.TRIES_AFTER", (0.0,) * len(TRIES_AFTER))


@pytest.mark.parametrize(
    ("answers", "tries"),
    [
        ([Sent()], 1),
        ([Deferred("greylisted"), Deferred("greylisted"), Sent()], 3),
        ([ChannelUnavailable("refused"), Sent()], 2),
        ([Refused("no such user", Blame.ADDRESS)], 1),
        ([Deferred("full")] * len(TRIES_AFTER), len(TRIES_AFTER)),
    ],
)
async def test_a_letter_is_tried_until_there_is_an_answer(answers: list[Any], tries: int):
    line = Line(*answers)
    postman = a_postman(line)
    postman.send(LETTER, "morning", "nia@example.org")
    await postman.settled()
    assert line.carried == ["nia@example.org"] * tries


async def test_the_same_letter_at_the_same_moment_is_one():
    line = Line(Sent())
    postman = a_postman(line)
    for _ in range(5):
        postman.send(LETTER, "morning", "nia@example.org")
    await postman.settled()
    assert len(line.carried) == 1


async def test_a_close_lets_the_letter_in_hand_leave(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("service.wiring.letters.TRIES_AFTER", (0.0, 3600.0))
    monkeypatch.setattr("service.wiring.letters.GRACE_SECONDS", 0.05)
    line = Line(Sent(), Deferred("later"))
    postman = a_postman(line)
    postman.send(LETTER, "morning", "nia@example.org")
    postman.send(LETTER, "morning", "ben@example.org")
    await asyncio.wait_for(postman.close(), 10)
    assert sorted(line.carried) == ["ben@example.org", "nia@example.org"]
    assert not cast("Any", postman)._under_way
