"""A line that several articles of a feed have is marked; an article that a publisher sends again is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.model import Article, Block, BlockKind
from service.gather.entries.repeated_lines import MAX_LINES, count_lines, with_repeated_lines
from service.gather.entries.seen_items import FeedStatistics, serialize, statistics_of
from tests.builders import a_report_on, an_article

ABOUT = "The Courier has been printed in Tarn since 1931."


def with_blocks(*lines: str, kind: BlockKind = BlockKind.PARAGRAPH) -> Article:
    """Return an article of these lines, each a block of the kind."""
    blocks: list[Block] = []
    place = 0
    for line in lines:
        blocks.append(Block(kind, place, place + len(line)))
        place += len(line) + 2
    return an_article(lines[0], "\n\n".join(lines), blocks=tuple(blocks))


def about(*subjects: str) -> list[Article]:
    """Return an article on each subject, with the publisher's line at its end."""
    return [with_blocks(a_report_on(subject), a_report_on(subject + "2"), ABOUT) for subject in subjects]


def repeated(statistics: FeedStatistics, article: Article) -> list[str]:
    (marked,) = with_repeated_lines(statistics, [article])
    return [marked.text[block.start : block.end] for block in marked.blocks if block.repeated]


def test_a_line_in_three_articles_of_one_poll_is_marked():
    articles = about("a", "b", "c")
    statistics = count_lines(FeedStatistics(lined=20), articles)
    assert [repeated(statistics, article) for article in articles] == [[ABOUT]] * 3


def test_articles_of_earlier_polls_count():
    statistics = FeedStatistics(lined=20)
    for article in about("a", "b"):
        statistics = count_lines(statistics, [article])
        assert repeated(statistics, article) == []
    (third,) = about("c")
    assert repeated(count_lines(statistics, [third]), third) == [ABOUT]


def test_two_articles_are_enough_in_a_feed_of_few():
    articles = about("a", "b")
    assert repeated(count_lines(FeedStatistics(), articles), articles[1]) == [ABOUT]


def test_spaces_marks_and_capitals_make_no_difference():
    first, second, _ = about("a", "b", "c")
    third = with_blocks(
        a_report_on("d"), a_report_on("e"), "THE COURIER has been printed in Tarn, since 1931!"
    )
    statistics = count_lines(FeedStatistics(lined=20), [first, second, third])
    assert len(repeated(statistics, third)) == 1


def test_a_line_twice_in_one_article_counts_once():
    article = with_blocks(a_report_on("a"), a_report_on("b"), *["A line of its own."] * 3)
    assert repeated(count_lines(FeedStatistics(lined=20), [article]), article) == []


def test_versions_of_one_article_are_not_marked():
    story = [a_report_on(name) for name in "abcdef"]
    versions = [with_blocks(f"Update {n}: the toll rises.", *story) for n in range(4)]
    statistics = count_lines(FeedStatistics(lined=20), versions)
    assert all(repeated(statistics, version) == [] for version in versions)


def test_a_line_of_most_articles_is_marked_although_it_is_longer_than_the_rest():
    long = f"{ABOUT} {a_report_on('itself')}"
    articles = [with_blocks(f"Pier {n} is open.", long) for n in range(6)]
    statistics = count_lines(FeedStatistics(), articles)
    assert [repeated(statistics, article) for article in articles] == [[long]] * 6


def test_the_whole_article_is_never_marked():
    articles = [with_blocks("The line is closed today.") for _ in range(6)]
    assert repeated(count_lines(FeedStatistics(), articles), articles[0]) == []


def test_a_line_that_denies_or_limits_may_be_a_caveat():
    warning = "No tsunami warning was issued."
    articles = [with_blocks(a_report_on(name), a_report_on(name + "2"), warning) for name in "abcd"]
    assert repeated(count_lines(FeedStatistics(lined=20), articles), articles[0]) == []


@pytest.mark.parametrize("kind", [BlockKind.ROW, BlockKind.HEADING, BlockKind.PREFORMATTED])
def test_rows_and_headings_repeat_by_their_nature(kind: BlockKind):
    articles = [
        with_blocks(a_report_on(name), a_report_on(name + "2"), "Wind | moderate", kind=kind)
        for name in "abcd"
    ]
    assert repeated(count_lines(FeedStatistics(lined=20), articles), articles[0]) == []


def test_an_article_without_blocks_is_left_alone():
    article = an_article()
    assert count_lines(FeedStatistics(), [article]) == FeedStatistics()
    assert with_repeated_lines(FeedStatistics(), [article]) == (article,)


def test_the_counts_are_remembered():
    statistics = count_lines(FeedStatistics(), about("a", "b"))
    assert statistics_of(serialize(statistics, [])) == statistics


@given(st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=8), max_size=8))
def test_marking_changes_nothing_but_the_mark(polls: Sequence[Sequence[str]]):
    statistics = FeedStatistics()
    for names in polls:
        articles = about(*names)
        statistics = count_lines(statistics, articles)
        for article, marked in zip(articles, with_repeated_lines(statistics, articles), strict=True):
            assert tuple(block._replace(repeated=False) for block in marked.blocks) == article.blocks
            assert not marked.blocks or not all(block.repeated for block in marked.blocks)


def test_the_memory_is_bounded_and_keeps_what_was_repeated():
    statistics = count_lines(FeedStatistics(), about("a", "b", "c"))
    for n in range(0, 4 * MAX_LINES, 8):
        articles = [
            with_blocks(*(f"{name} line {k}." for k in range(8))) for name in map(str, range(n, n + 8))
        ]
        statistics = count_lines(statistics, articles)
        assert len(statistics.lines) <= MAX_LINES
    (again,) = about("d")
    assert repeated(count_lines(statistics, [again]), again) == [ABOUT]
