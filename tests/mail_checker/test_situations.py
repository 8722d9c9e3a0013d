"""The messages of generated situations keep every rule of the mail checker."""

from __future__ import annotations

import pytest

from tests.mail_checker.checker import check_message
from tests.mail_checker.situations import SITUATIONS, situation

SAMPLE = (11, 25, 30, 31, 49, 75, 120, 135, 195, 225, 240)  # in the default suite: most of them are quick


async def findings(number: int) -> list[str]:
    made = await situation(number)
    return [
        f"{number}: {found} ({made.settings})"
        for found in check_message(made.content, made.digest, made.site)
    ]


@pytest.mark.parametrize("number", SAMPLE)
async def test_a_message_of_the_sample_keeps_every_rule(number: int):
    assert not await findings(number)


@pytest.mark.long
@pytest.mark.parametrize("number", [number for number in range(SITUATIONS) if number not in SAMPLE])
async def test_every_other_message_keeps_every_rule(number: int):
    assert not await findings(number)


async def test_the_same_number_gives_the_same_message():
    assert (await situation(11)).content == (await situation(11)).content
