"""Every reader of hostile input takes time in proportion to its length.

Mail is attacked in tests/bounces/test_read_mail.py, lists of feeds in tests/gather/formats/test_opml.py,
regular expressions in tests/test_regexes.py.
"""

from __future__ import annotations

import pytest

from tests.attacks.budget import overspent


@pytest.mark.long
def test_feeds_in_any_format_and_charset():
    assert not overspent("tests.attacks.documents:feeds")


def test_pages_that_are_asked_for_their_feeds():
    assert not overspent("tests.attacks.documents:pages")


@pytest.mark.long
def test_tables_of_people_forms_and_rules_for_robots():
    assert not overspent("tests.attacks.documents:texts")


@pytest.mark.long
def test_pages_that_are_read_for_their_article():
    assert not overspent("tests.attacks.documents:articles", 10.0)
