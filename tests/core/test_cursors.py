"""A cancelled issue gives its articles back, and no article is in two issues that a subscriber gets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.cursors import IssueRange, cursor_after_cancel

CANCELLED, KEPT = True, False

CASES = {
    "the only issue": ((5, 9), [], 5),
    "after an issue that was sent": ((5, 9), [(0, 5, KEPT)], 5),
    "before an issue that was sent": ((5, 9), [(9, 12, KEPT)], 12),
    "after a cancelled issue": ((5, 9), [(0, 5, CANCELLED)], 0),
    "after two cancelled issues": ((5, 9), [(0, 2, CANCELLED), (2, 5, CANCELLED)], 0),
    "before a cancelled issue": ((5, 9), [(9, 12, CANCELLED)], 5),
    "after a cancelled issue, whose articles were sent again": ((5, 9), [(0, 3, CANCELLED), (0, 5, KEPT)], 5),
    "a repetition of an issue that was sent": ((0, 9), [(0, 5, KEPT)], 5),
    "after a cancelled issue long ago": ((500, 509), [(0, 5, CANCELLED)], 500),
    "without an article": ((5, 5), [], 5),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cursor_goes_back_as_far_as_nothing_is_sent_twice(case: str):
    (start, end), others, cursor = CASES[case]
    assert cursor_after_cancel(IssueRange(start, end), [IssueRange(*one) for one in others]) == cursor


@dataclass
class Subscription:
    """A subscription through its life; `waiting` are the places of issues that were not attempted."""

    cursor: int = 0
    newest: int = 0
    issues: list[IssueRange] = field(default_factory=list)
    waiting: set[int] = field(default_factory=set)

    def publish(self, articles: int) -> None:
        self.newest += articles

    def compose(self, _: int) -> None:
        self.waiting.add(len(self.issues))
        self.issues.append(IssueRange(self.cursor, self.newest))
        self.cursor = self.newest

    def skip(self, _: int) -> None:
        self.cursor = self.newest

    def send(self, which: int) -> None:
        self.waiting.discard(which % (len(self.issues) or 1))

    def cancel(self, which: int) -> None:
        place = which % (len(self.issues) or 1)
        if place in self.waiting:
            self.waiting.remove(place)
            others = [one for other, one in enumerate(self.issues) if other != place]
            self.cursor = min(self.cursor, cursor_after_cancel(self.issues[place], others))
            self.issues[place] = replace(self.issues[place], is_cancelled=True)


STEPS = st.lists(
    st.tuples(st.sampled_from(["publish", "compose", "skip", "send", "cancel"]), st.integers(0, 7)),
    max_size=40,
)


@given(STEPS)
def test_no_article_is_in_two_issues_that_a_subscriber_gets(steps: list[tuple[str, int]]):
    one = Subscription()
    for step, number in steps:
        getattr(one, step)(number)
        kept = [issue for issue in one.issues if not issue.is_cancelled]
        assert all(
            min(a.served_through, b.served_through) <= max(a.served_from, b.served_from)
            for a, b in combinations([issue for issue in kept if issue.served_from < issue.served_through], 2)
        )
        assert all(issue.served_through <= one.cursor for issue in kept)


@given(STEPS)
def test_no_article_is_lost_if_no_later_issue_is_kept(steps: list[tuple[str, int]]):
    one = Subscription()
    for step, number in steps:
        if step != "skip":
            getattr(one, step)(number)
    last_kept = max((issue.served_through for issue in one.issues if not issue.is_cancelled), default=0)
    for place in sorted(one.waiting, reverse=True):
        one.cancel(place)
    sent = max((issue.served_through for issue in one.issues if not issue.is_cancelled), default=0)
    assert one.cursor == sent <= last_kept
