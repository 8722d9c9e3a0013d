"""Story traps: lookalikes of different events, and different reports of one event."""

from __future__ import annotations

import pytest

from service.compose.stories.index import StoryIndex
from tests.builders import an_article
from tests.compose.story_traps import TRAPS, Trap


def as_a_case(trap: Trap) -> object:
    marks = [pytest.mark.xfail(reason=trap.not_seen, strict=True)] if trap.not_seen else []
    return pytest.param(trap, id=trap.name, marks=marks)


def an_index(others: int, language: str) -> StoryIndex:
    """Return an index with so many other articles of the language."""
    index = StoryIndex()
    for number in range(others):
        index.place(an_article(f"Report {number}", url=f"https://crowd.example/{number}", language=language))
    return index


@pytest.mark.parametrize("trap", [as_a_case(trap) for trap in TRAPS.values()])
def test_each_event_is_one_story_and_no_two_events_are(trap: Trap):
    for background in (0, 300):
        index = an_index(background, trap.language)
        found: dict[str, set[str]] = {}
        events = sorted({piece.event for piece in trap.pieces})
        for piece, article in zip(trap.pieces, trap.articles(), strict=True):
            found.setdefault(index.place(article), set()).add(piece.event)
        assert sorted(map(sorted, found.values())) == [[event] for event in events]


def test_a_report_of_the_next_day_by_the_same_paper_joins_the_story():
    index = StoryIndex()
    growing = TRAPS["a fire from the first report to the arrest"].by_one_paper()
    assert len({index.place(article) for article in growing.articles()}) == 1
