"""An error's text is one sentence for a person: the error, its place and the remedy."""

from __future__ import annotations

import pytest

from service.core.errors import CaveatError, ChannelUnavailable, ConfigError, Fault, UnknownName, UsageError


def test_an_unknown_name_suggests_the_nearest_and_lists_all():
    error = UnknownName("newsletter", "mornin", ["weekly", "morning"])

    assert str(error) == "there is no newsletter 'mornin'. Did you mean morning? Known: morning, weekly."
    assert error.known == ("morning", "weekly")


def test_an_unknown_name_without_a_near_one_suggests_none():
    assert str(UnknownName("theme", "x", ["daily"])) == "there is no theme 'x'. Known: daily."


def test_an_unknown_name_in_an_empty_registry_says_so():
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
def test_every_error_is_a_caveat_error(error: Exception):
    assert isinstance(error, CaveatError)


def test_an_unknown_name_is_a_usage_error():
    assert issubclass(UnknownName, UsageError)


def test_an_unavailable_channel_is_temporary_by_default():
    assert not ChannelUnavailable("connection refused").permanent
    assert ChannelUnavailable("wrong password", permanent=True).permanent
