"""An error's text is one sentence for a person: what, where, and what to do."""

from __future__ import annotations

import pytest

from service.core.errors import CaveatError, ChannelUnavailable, ConfigError, Fault, UnknownName, UsageError


def test_an_unknown_name_offers_the_nearest_and_lists_the_rest():
    error = UnknownName("newsletter", "mornin", ["weekly", "morning"])

    assert str(error) == "there is no newsletter 'mornin'. Did you mean morning? Known: morning, weekly."
    assert error.known == ("morning", "weekly")


def test_an_unknown_name_far_from_all_offers_none():
    assert str(UnknownName("theme", "x", ["daily"])) == "there is no theme 'x'. Known: daily."


def test_an_unknown_name_among_none_says_so():
    assert str(UnknownName("feed", "x", [])) == "there is no feed 'x'. Known: none so far."


def test_a_fault_names_its_place_and_what_was_expected():
    fault = Fault("feeds.yaml", 3, 7, "'every' is soon", "a time span such as 15m")

    assert str(fault) == "feeds.yaml:3:7: 'every' is soon, expected a time span such as 15m"


def test_a_fault_without_a_line_names_its_file_alone():
    assert str(Fault("feeds.yaml", 0, 0, "cannot be read")) == "feeds.yaml: cannot be read"


def test_a_configuration_error_names_every_fault():
    faults = [Fault("a.yaml", 1, 1, "one"), Fault("b.yaml", 2, 2, "two")]

    assert str(ConfigError(faults)) == "a.yaml:1:1: one\nb.yaml:2:2: two"
    assert ConfigError(faults).faults == tuple(faults)


@pytest.mark.parametrize("error", [UnknownName("feed", "x", []), ConfigError([]), ChannelUnavailable("down")])
def test_all_of_them_can_be_caught_as_one(error: Exception):
    assert isinstance(error, CaveatError)


def test_a_name_that_does_not_exist_is_a_wrong_use():
    assert issubclass(UnknownName, UsageError)


def test_a_channel_waits_for_better_times_unless_told_otherwise():
    assert not ChannelUnavailable("connection refused").permanent
    assert ChannelUnavailable("wrong password", permanent=True).permanent
