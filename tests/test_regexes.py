"""Every regular expression of the service takes at most linear time."""

from __future__ import annotations

import pytest

from tests.attacks import patterns
from tests.attacks.budget import overspent
from tests.attacks.regexes import KNOWN_SLOW


@pytest.mark.long
def test_the_attacks_detect_patterns_that_are_quadratic_or_worse():
    found = overspent("tests.attacks.regexes:known_slow", 0.5)

    assert tuple(name.partition("\t")[0] for name in found) == KNOWN_SLOW


def test_each_function_that_makes_a_pattern_is_known_to_the_attacks():
    assert not patterns.unexplained()


@pytest.mark.long
def test_no_pattern_of_the_service_is_quadratic():
    assert not overspent("tests.attacks.regexes:regexes")
