"""Grouping features: what is compared of an article."""

from __future__ import annotations

import pytest

from service.compose.stories.features import compared_terms, grouping_features
from service.core.model import Block, BlockKind
from tests.builders import an_article

TEXT = "Follow us on all channels\n\nThe treaty\n\nEnvoys met in Tarn."
BLOCKS = (
    Block(BlockKind.PARAGRAPH, 0, 25, repeated=True),
    Block(BlockKind.HEADING, 27, 37),
    Block(BlockKind.PARAGRAPH, 39, 58),
)


def test_repeated_lines_and_headings_are_no_part_of_the_opening():
    features = grouping_features(an_article("Talks", TEXT, blocks=BLOCKS))
    assert features.terms.keys() == {"talks", "envoys", "met", "in", "tarn"}


def test_without_other_blocks_the_text_is_read():
    features = grouping_features(an_article("Talks", TEXT, blocks=BLOCKS[:2]))
    assert "channel" in features.terms


@pytest.mark.parametrize("title", ["Talks", "Court list: 29 November 2026", ""])
@pytest.mark.parametrize("blocks", [(), BLOCKS])
def test_compared_terms_are_those_of_the_features(title: str, blocks: tuple[Block, ...]):
    article = an_article(title, TEXT, blocks=blocks)
    assert compared_terms(article) == grouping_features(article).terms.keys()


def test_the_first_words_stand_for_a_missing_title():
    assert grouping_features(an_article("", "Envoys met in Tarn.")).title == ("envoys", "met", "in", "tarn")


def test_the_parts_of_a_divided_title_are_its_labels():
    assert grouping_features(an_article("Obituary: Lena Marsh")).labels == {"obituary", "lena marsh"}
    assert grouping_features(an_article("Nurse - Harwick Hospital")).labels == {"nurse", "harwick hospital"}
    assert grouping_features(an_article("Storm cuts off 4,000 homes")).labels == frozenset()


def test_the_date_of_a_title_is_no_term():
    assert grouping_features(an_article("Court list: 29 November 2026", "")).title == ("court", "list")
