"""Key points: word for word, within their budget, with the caveat beside the claim, whatever the text is."""

from __future__ import annotations

import pytest

from service.condense.keypoints import KeyPoints
from service.core.errors import SummaryRefused
from service.core.model import Role

TALKS = """Officials of Norland and Suderland held talks in the port of Vessel on Sunday, the first for nine years.

the ferry line

In a statement after the talks, Suderland said that Norland had agreed to reopen the ferry line to its islands.

The statement said that the talks are in no way a step towards recognising the island council, which seized power in 2031.

The delegations dined on board of a museum ship.
"""


@pytest.fixture
def method() -> KeyPoints:
    return KeyPoints()


def test_a_claim_comes_with_the_caveat_that_limits_it(method):
    summary = method.summarize(TALKS)

    claim = next(p for p in summary.key_points if "had agreed to reopen" in p.text)
    caveat = next(p for p in summary.key_points if "in no way a step" in p.text)
    assert caveat.role is Role.CAVEAT
    assert summary.key_points[caveat.qualifies] == claim
    assert summary.is_verbatim(TALKS)


def test_headings_are_no_key_points(method):
    assert "the ferry line" not in [point.text for point in method.summarize(TALKS, points=9).key_points]


def test_a_text_without_a_sentence_is_refused(method):
    with pytest.raises(SummaryRefused):
        method.summarize("")
