"""A feed is followed to the address to which it has moved."""

from __future__ import annotations

import pytest

from service.core.ids import feed_id
from service.core.model import Feed
from service.gather.entries.seen_items import FeedStatistics, to_timestamp
from service.gather.moves import new_address, with_announced_move, with_redirect, without_move
from service.gather.polling_interval import move_is_confirmed
from tests.builders import NOON

OLD, NEW = "https://a.example/feed", "https://b.example/feed"
FEED = Feed(feed_id(OLD), OLD, "Feed")


def test_an_announced_move_is_confirmed_at_once() -> None:
    moved = with_announced_move(FeedStatistics(), NEW, NOON)
    assert move_is_confirmed(moved, NOON)
    assert move_is_confirmed(with_redirect(moved, None, NOON), NOON)


def test_a_redirect_needs_several_polls() -> None:
    once = with_redirect(FeedStatistics(), NEW, NOON)
    assert (once.moved_to, once.moved_since, once.moved_looks) == (NEW, to_timestamp(NOON), 1)
    assert with_redirect(once, NEW, NOON).moved_looks == 2
    assert not move_is_confirmed(once, NOON)
    assert with_redirect(once, None, NOON) == FeedStatistics()


def test_a_redirect_of_the_new_address_must_be_confirmed() -> None:
    moved = with_announced_move(FeedStatistics(), NEW, NOON)
    assert not move_is_confirmed(with_redirect(moved, "https://c.example/", NOON), NOON)


def test_a_move_that_failed_is_forgotten() -> None:
    assert without_move(with_announced_move(FeedStatistics(), NEW, NOON)) == FeedStatistics()


def test_a_feed_is_followed_to_the_address_that_it_names() -> None:
    assert new_address(FEED, OLD, NEW) == NEW


@pytest.mark.parametrize(
    "announced",
    ["", OLD, "/feed", "file:///etc/passwd", "https://", "https://[x", f"https://b/{'x' * 3_000}"],
)
def test_other_addresses_are_ignored(announced: str) -> None:
    assert new_address(FEED, OLD, announced) == ""


def test_a_feed_that_moved_names_no_further_address() -> None:
    assert new_address(FEED, NEW, "https://c.example/feed") == ""
    assert new_address(FEED, NEW, OLD) == ""
