"""Every parser of hostile input takes linear time.

Mail is attacked in tests/bounces/test_read_mail.py, lists of feeds in tests/gather/formats/test_opml.py,
regular expressions in tests/test_regexes.py.
"""

from __future__ import annotations

import pytest

from tests.attacks.budget import overspent


@pytest.mark.long
def test_parsing_hostile_feeds_takes_linear_time():
    assert not overspent("tests.attacks.documents:feeds")


def test_finding_the_feeds_of_hostile_pages_takes_linear_time():
    assert not overspent("tests.attacks.documents:pages")


@pytest.mark.long
def test_parsing_hostile_tables_forms_and_robots_rules_takes_linear_time():
    assert not overspent("tests.attacks.documents:texts")


@pytest.mark.long
def test_extracting_the_article_of_hostile_pages_takes_linear_time():
    assert not overspent("tests.attacks.documents:articles", 10.0)
