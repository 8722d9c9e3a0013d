"""Merging: the points of a story across its articles, each with its source and its caveats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.compose.stories.merging.merge import merge_key_points
from service.core.model import (
    CondensedArticle,
    KeyPoint,
    Role,
    StoryPoint,
    Summary,
    TextSpan,
)
from tests.builders import NOON, an_article
from tests.text.test_similarity import NEWS

AGREED = "The harbour board agreed on Sunday to pay the ferry crews for night crossings."
AGREED_TOO = "The ferry crews will be paid for night crossings, the harbour board agreed on Sunday."
TALKS = "Talks about summer timetables begin next week in the old customs house."
TIDES = "Spring tides will close the eastern lock for most of April."
ROOF = "A new roof for the fish market costs the town less than feared."
NOT_YET = "No money has been set aside for it, sentences treasurer Ruth Amsel."
DENIED = "The crews' union spoke of a promise, by no means of a contract."
TWELVE = "A storm killed twelve sailors off the northern coast on Friday."
NINE = "A storm killed nine sailors off the northern coast on Friday."


def article(
    *sentences: str | tuple[str, str], publisher: str = "The Example", position: int = 0
) -> CondensedArticle:
    """Return an article whose key points are these, weightiest first; a pair is a point and its caveat."""
    lines = [line for point in sentences for line in ([point] if isinstance(point, str) else point)]
    text = " ".join(lines)
    title = f"{publisher} {position}"
    url = f"https://{publisher.rsplit(maxsplit=1)[-1].lower()}.example/{position}"
    return CondensedArticle(
        an_article(title, text, publisher=publisher, position=position, url=url),
        Summary("keypoints", tuple(_points(text, sentences))),
    )


def _points(text: str, sentences: tuple[str | tuple[str, str], ...]) -> Iterator[KeyPoint]:
    count = 0
    for point in sentences:
        for line in (point,) if isinstance(point, str) else point:
            start = text.index(line)
            owner = count - 1 if line is not point and line == point[1] else None
            role = Role.POINT if owner is None else Role.CAVEAT
            yield KeyPoint.from_source(text, start, start + len(line), role, owner, rank=count)
            count += 1


def texts(points: tuple[StoryPoint, ...]) -> list[str]:
    return [point.text for point in points]


def test_one_article_gives_its_best_points_in_their_order():
    one = article(AGREED, TALKS, TIDES)
    key_points = tuple(
        replace(p, rank=rank) for p, rank in zip(one.summary.key_points, (2, 0, 1), strict=True)
    )
    ranked = replace(one, summary=replace(one.summary, key_points=key_points))
    assert texts(merge_key_points([ranked], points=2)) == [TALKS, TIDES]
    assert texts(merge_key_points([ranked], points=3)) == [AGREED, TALKS, TIDES]


def test_a_caveat_follows_its_point_and_replaces_the_weakest_point():
    points = merge_key_points([article((AGREED, NOT_YET), TALKS, TIDES)], points=3)
    assert texts(points) == [AGREED, NOT_YET, TALKS]
    assert [point.role for point in points] == [Role.POINT, Role.CAVEAT, Role.POINT]
    assert points[1].qualifies == 0


def test_a_claim_without_room_for_its_caveat_is_not_shown():
    told = [article(TALKS, (AGREED, NOT_YET), TIDES)]
    assert texts(merge_key_points(told, points=2)) == [TALKS]
    assert texts(merge_key_points(told, points=3)) == [TALKS, AGREED, NOT_YET]


def test_a_first_claim_is_shown_with_its_caveat_even_if_one_line_is_asked_for():
    assert texts(merge_key_points([article((AGREED, NOT_YET), TALKS)], points=1)) == [AGREED, NOT_YET]


def test_a_claim_with_many_caveats_keeps_as_many_as_fit():
    one = article((AGREED, NOT_YET), TALKS)
    start = one.article.text.index(TALKS)
    second = KeyPoint.from_source(one.article.text, start, start + len(TALKS), Role.CAVEAT, 0, rank=2)
    crowded = replace(one, summary=Summary("keypoints", (*one.summary.key_points[:2], second)))
    assert texts(merge_key_points([crowded], points=3)) == [AGREED, NOT_YET, TALKS]
    assert texts(merge_key_points([crowded], points=2)) == [AGREED, NOT_YET]


def with_headline_caveat(one: CondensedArticle, caveat: str) -> CondensedArticle:
    """Return the article with a caveat of its headline, a sentence of its text."""
    start = one.article.text.index(caveat)
    key_point = KeyPoint.from_source(one.article.text, start, start + len(caveat), Role.CAVEAT)
    others = (p for p in one.summary.key_points if p.text != caveat)
    return replace(one, summary=Summary("keypoints", (key_point, *others)))


def test_a_caveat_of_the_headline_comes_first_and_leaves_room_for_a_point():
    points = merge_key_points([with_headline_caveat(article(NOT_YET, AGREED, TALKS), NOT_YET)], points=2)
    assert [(p.text, p.role, p.qualifies) for p in points] == [
        (NOT_YET, Role.CAVEAT, None),
        (AGREED, Role.POINT, None),
    ]


def test_caveats_of_points_are_counted_after_those_of_the_headline():
    one = with_headline_caveat(article(NOT_YET, AGREED), NOT_YET)
    other = article((TALKS, DENIED), publisher="The Other")
    points = merge_key_points([one, other], points=4)
    assert [(p.text, p.qualifies) for p in points if p.role is Role.CAVEAT] == [(NOT_YET, None), (DENIED, 2)]
    assert points[2].text == TALKS


def test_a_caveat_of_a_headline_that_is_not_shown_is_a_point():
    other = with_headline_caveat(article(NOT_YET, TIDES, publisher="The Other"), NOT_YET)
    points = merge_key_points([article(TALKS), other], points=3)
    assert {(p.text, p.role) for p in points} >= {(NOT_YET, Role.POINT)}


def test_an_introduction_stays_with_its_point():
    text = "The rules:\n\nNo boats at night"
    point = KeyPoint.from_source(text, 12, len(text), introduction=TextSpan(0, 10), quoted=True)
    one = CondensedArticle(an_article("Rules", text), Summary("keypoints", (point,)))
    (shown,) = merge_key_points([one], points=3)
    assert (shown.introduction, shown.quoted) == ("The rules:", True)


def test_what_two_publishers_say_is_shown_once_with_the_other_points_of_both():
    points = merge_key_points(
        [article(AGREED, TALKS), article(AGREED_TOO, TIDES, publisher="The Other")], points=4
    )
    assert texts(points) == [AGREED, TALKS, TIDES]
    assert [point.article.publisher for point in points] == ["The Example", "The Example", "The Other"]


def test_a_caveat_of_the_second_publisher_follows_the_claim_of_the_first():
    points = merge_key_points(
        [article(AGREED, TALKS), article((AGREED_TOO, DENIED), publisher="The Other")], points=3
    )
    assert texts(points) == [AGREED, DENIED, TALKS]
    assert (points[1].role, points[1].qualifies, points[1].article.publisher) == (Role.CAVEAT, 0, "The Other")


def test_a_point_that_is_a_caveat_of_another_is_shown_once():
    points = merge_key_points(
        [article(NOT_YET, TALKS), article((AGREED, NOT_YET), publisher="The Other")], points=5
    )
    assert texts(points) == [TALKS, AGREED, NOT_YET]


def test_contradicting_publishers_are_shown_side_by_side():
    points = merge_key_points([article(TWELVE, TALKS), article(TIDES, NINE, publisher="The Other")], points=3)
    assert texts(points) == [TWELVE, NINE, TIDES] or texts(points) == [TWELVE, NINE, TALKS]
    assert [point.article.publisher for point in points[:2]] == ["The Example", "The Other"]


def test_a_contradicted_claim_is_shown_with_what_contradicts_it_or_not_at_all():
    told = [article(TALKS, TWELVE), article(NINE, publisher="The Other")]
    assert texts(merge_key_points(told, points=2)) == [TALKS]
    assert sorted(texts(merge_key_points(told, points=3))) == sorted([TALKS, TWELVE, NINE])
    assert texts(merge_key_points([told[1], article(TWELVE)], points=1)) == [NINE, TWELVE]


def test_of_two_numbers_of_a_publisher_the_newer_counts():
    points = merge_key_points([article(NINE, TALKS, position=3), article(TWELVE, position=7)], points=3)
    assert texts(points) == [TWELVE, TALKS]
    assert points[0].article.position == 7


def test_different_numbers_in_one_article_are_both_shown():
    assert texts(merge_key_points([article(TWELVE, NINE)], points=3)) == [TWELVE, NINE]


def test_an_article_that_is_only_a_headline_adds_nothing():
    headline = CondensedArticle(an_article(text=""), Summary("headline", ()))
    assert merge_key_points([headline], points=3) == ()
    assert texts(merge_key_points([headline, article(AGREED, publisher="The Other")], points=3)) == [AGREED]


def test_a_contradicted_caveat_is_shown_beside_the_contradiction():
    points = merge_key_points(
        [article((ROOF, TWELVE), TWELVE), article(NINE, publisher="The Other")], points=5
    )
    assert sorted(texts(points)) == sorted([ROOF, TWELVE, NINE])
    assert abs(texts(points).index(TWELVE) - texts(points).index(NINE)) == 1


def test_of_two_sentences_that_qualify_each_other_one_is_the_point():
    points = merge_key_points(
        [article((AGREED, NOT_YET)), article((NOT_YET, AGREED), publisher="The Other")], points=5
    )
    assert [point.role for point in points] == [Role.POINT, Role.CAVEAT]
    assert sorted(texts(points)) == sorted([AGREED, NOT_YET])


def test_a_caveat_of_a_caveat_qualifies_the_point():
    points = merge_key_points(
        [article((AGREED, NOT_YET)), article((NOT_YET, TIDES), publisher="The Other")], points=5
    )
    assert texts(points) == [AGREED, NOT_YET, TIDES]
    assert [point.qualifies for point in points] == [None, 0, 0]


EXPLODED = "A dust explosion lifted the roof from silo 6 shortly before half past three in the morning."
BROKE_OUT = (
    "The fire broke out at about 3:20 a.m. in silo 6, after an explosion of grain dust tore off the roof."
)
UNSURE = "The cause is not certain, the fire brigade sentences."
NOT_ALL = "Two of the three conveyor belts have not been looked at so far."


def test_of_two_equal_claims_the_caveats_of_both_are_shown():
    points = merge_key_points(
        [article((EXPLODED, UNSURE)), article((BROKE_OUT, NOT_ALL), publisher="The Other")], points=5
    )
    assert texts(points) == [EXPLODED, UNSURE, NOT_ALL]
    assert [point.qualifies for point in points] == [None, 0, 0]
    assert [point.article.publisher for point in points] == ["The Example", "The Example", "The Other"]


def test_a_caveat_that_contradicts_another_claim_is_kept_when_claims_merge():
    refused = "The harbour board did not agree on Sunday to pay the ferry crews for night crossings."
    first, second = article(EXPLODED, AGREED), article((BROKE_OUT, refused), publisher="The Other")
    assert refused in texts(merge_key_points([first, second], points=6))


def test_a_caveat_stays_if_the_claim_that_repeats_it_does_not_fit():
    first = article(TALKS, TIDES, (EXPLODED, UNSURE), (ROOF, UNSURE + " So did the owner."))
    points = merge_key_points([first], points=4)
    assert texts(points) == [TALKS, TIDES, EXPLODED, UNSURE]


def test_of_two_equal_claims_the_one_with_a_number_or_doubt_replaces_the_first():
    storm = "The storm killed sailors off the northern coast on Friday."
    toll = "The storm killed twelve sailors off the northern coast on Friday."
    unsure = "The storm may have killed sailors off the northern coast on Friday."
    for fuller in (toll, unsure):
        points = merge_key_points([article(storm, TALKS), article(fuller, publisher="The Other")], points=4)
        assert texts(points) == [fuller, TALKS]
        assert points[0].article.publisher == "The Other"


def test_claims_with_different_numbers_are_not_merged():
    some, exact = (
        "Some 20 people are dead after the storm that hit the northern coast on Friday.",
        "The storm that hit the northern coast on Friday killed 23 people.",
    )
    points = merge_key_points([article(some, TALKS), article(exact, publisher="The Other")], points=4)
    assert sorted(texts(points)) == sorted([some, exact, TALKS])


def test_a_repetition_of_the_opening_comes_after_other_points():
    opening, echo = NEWS[:2]
    points = merge_key_points(
        [article(opening, *NEWS[2:4]), article(echo, TIDES, publisher="The Other")], points=4
    )
    assert echo not in texts(points)
    assert TIDES in texts(points)


# --- points sent before --------------------------------------------------------------------------


def test_a_point_sent_before_is_not_sent_again_from_another_publisher():
    before = article(AGREED, TALKS)
    points = merge_key_points([article(AGREED_TOO, TIDES, publisher="The Other")], points=4, known=[before])
    assert texts(points) == [TIDES]


def test_a_point_sent_before_does_not_replace_a_new_one():
    before = article(AGREED, TALKS, TIDES)
    assert texts(merge_key_points([article(AGREED, TALKS, TIDES, ROOF)], points=1, known=[before])) == [ROOF]


def test_a_changed_number_is_a_new_point():
    assert texts(merge_key_points([article(TWELVE)], points=4, known=[article(NINE)])) == [TWELVE]


def test_a_new_caveat_is_sent_with_its_point_and_the_caveats_sent_before():
    before = article((AGREED, NOT_YET))
    now = article((AGREED, NOT_YET), publisher="The Other")
    assert merge_key_points([now], points=4, known=[before]) == ()
    points = merge_key_points(
        [now, article((AGREED_TOO, DENIED), publisher="The Third")], points=4, known=[before]
    )
    assert texts(points) == [AGREED, NOT_YET, DENIED]
    assert [point.qualifies for point in points] == [None, 0, 0]


def test_a_new_point_keeps_a_caveat_that_was_sent_before_with_another_point():
    points = merge_key_points(
        [article((TALKS, NOT_YET), position=2)], points=4, known=[article((AGREED, NOT_YET))]
    )
    assert texts(points) == [TALKS, NOT_YET]


def test_scripts_without_spaces_are_compared_too():
    old = article("新望远镜在试运行的第一个月里拍摄了两千多个遥远的星系。")
    same = article("新望远镜在试运行的第一个月里拍摄了两千多个星系。", position=2)
    other = article("研究团队强调这些数据尚未经过同行评审。", position=2)
    assert merge_key_points([same], points=4, known=[old]) == ()
    assert len(merge_key_points([other], points=4, known=[old])) == 1


def test_a_new_contradiction_is_shown_with_its_claim():
    points = merge_key_points(
        [article(TWELVE), article(NINE, publisher="The Other")], points=4, known=[article(TWELVE)]
    )
    assert sorted(texts(points)) == sorted([TWELVE, NINE])


SENTENCES = st.sampled_from([AGREED, AGREED_TOO, TALKS, TIDES, ROOF, TWELVE, NINE, NOT_YET, DENIED])
POINTS = SENTENCES | st.lists(SENTENCES, min_size=2, max_size=2, unique=True).map(tuple)
ARTICLES = st.lists(st.lists(POINTS, min_size=1, max_size=5, unique_by=str), min_size=1, max_size=4)


@given(ARTICLES, st.integers(0, 8))
def test_any_merged_points_fit_are_verbatim_and_keep_their_caveats(stories: list[list[str]], points: int):
    articles = [
        article(*dict.fromkeys(sentences), publisher=f"Paper {number % 3}", position=number)
        for number, sentences in enumerate(stories)
    ]
    found = merge_key_points(articles, points=points)
    assert len(found) <= points or {point.rank for point in found} == {0}
    assert len(set(texts(found))) == len(found)
    for index, point in enumerate(found):
        assert point.article.text[point.start : point.end] == point.text
        if point.qualifies is not None:
            assert found[point.qualifies].role is Role.POINT
            assert all(line.role is Role.CAVEAT for line in found[point.qualifies + 1 : index + 1])
    if points > 0:
        assert found


@given(ARTICLES, st.integers(0, 2))
def test_any_fewer_points_are_among_more(stories: list[list[str]], sent: int):
    articles = [
        article(*dict.fromkeys(sentences), publisher=f"Paper {number % 3}", position=number)
        for number, sentences in enumerate(stories)
    ]
    fewer: set[str] = set()
    for points in range(10):
        more = set(texts(merge_key_points(articles[sent:], points=points, known=articles[:sent])))
        assert fewer <= more
        fewer = more


# --- figures that changed ------------------------------------------------------------------------

TOLL = "A quake in Kessary killed at least 41 people."
NEW_TOLL = "The death toll of the Kessary quake rose to 44."
LIKELY = "The toll is likely to rise, officials said."
HOMES = "A storm left 12,000 homes in Westmark without power on Friday."
MORE_HOMES = "A storm left 15,000 homes in Westmark without power on Friday."


def told(
    hours_ago: float, *sentences: str | tuple[str, str], publisher: str = "The Wire"
) -> CondensedArticle:
    """Return an article with these key points that was published that many hours ago."""
    one, at = article(*sentences, publisher=publisher, position=10 - int(hours_ago)), NOON
    at -= timedelta(hours=hours_ago)
    return replace(one, article=replace(one.article, published_at=at, gathered_at=at))


def earlier(points: tuple[StoryPoint, ...]) -> dict[str, list[str]]:
    """Return the points that have earlier figures, with these."""
    return {point.text: [figure.text for figure in point.earlier] for point in points if point.earlier}


def test_the_newest_toll_takes_the_place_of_the_earlier_one():
    merged = merge_key_points([told(2, NEW_TOLL), told(6, TOLL, TALKS)], points=4)

    assert texts(merged) == [NEW_TOLL, TALKS]
    assert earlier(merged) == {NEW_TOLL: ["at least 41"]}


def test_the_newest_toll_is_chosen_before_points_of_the_first_article():
    first = told(6, TOLL, TALKS, TIDES)
    merged = merge_key_points([first, told(2, ROOF, AGREED, NEW_TOLL, publisher="The Herald")], points=2)

    assert NEW_TOLL in texts(merged)
    assert TOLL not in texts(merged)


def test_the_caveats_of_the_earlier_toll_are_kept():
    merged = merge_key_points([told(2, NEW_TOLL), told(6, (TOLL, LIKELY))], points=4)

    assert [(point.text, point.role) for point in merged] == [(NEW_TOLL, Role.POINT), (LIKELY, Role.CAVEAT)]


def test_a_sentence_with_the_number_of_the_headline_has_its_toll():
    rises = "Rescuers in Kessary have counted, after two days of digging in the ruins, 44."
    late = told(2, rises)
    late = replace(late, article=replace(late.article, title="Kessary quake: 44 dead"))
    merged = merge_key_points([late, told(6, TOLL)], points=4)

    assert texts(merged) == [rises]
    assert earlier(merged) == {rises: ["at least 41"]}


def test_an_earlier_toll_is_labelled_if_only_a_headline_has_the_newest():
    late = told(2, TALKS)
    late = replace(late, article=replace(late.article, title="Kessary quake: 44 dead"))
    merged = merge_key_points([late, told(6, TOLL)], points=4)

    assert earlier(merged) == {TOLL: ["at least 41"]}


def test_an_update_names_the_toll_that_was_sent():
    merged = merge_key_points([told(2, NEW_TOLL)], points=4, known=[told(6, TOLL)])

    assert earlier(merged) == {NEW_TOLL: ["at least 41"]}


def test_an_update_names_the_toll_that_the_reader_knows_rather_than_a_later_one():
    between = told(4, TOLL.replace("41", "43"), publisher="The Herald")
    merged = merge_key_points([told(2, NEW_TOLL), between], points=4, known=[told(6, TOLL)])

    assert earlier(merged) == {NEW_TOLL: ["at least 41"]}


def test_an_update_names_any_figure_that_the_reader_knows():
    known = [told(9, HOMES.replace("12,000", "9,000")), told(6, HOMES, publisher="The Herald")]
    merged = merge_key_points([told(2, MORE_HOMES, TALKS)], points=4, known=known)

    assert earlier(merged) == {MORE_HOMES: ["12,000"]}


def test_an_update_does_not_go_back_to_an_earlier_toll():
    late = told(6, TOLL, TALKS, publisher="The Herald")

    assert texts(merge_key_points([late], points=4, known=[told(2, NEW_TOLL)])) == [TALKS]


def test_a_newer_number_in_the_same_words_outdates_the_other():
    for order in ([0, 1], [1, 0]):
        both = [told(2, MORE_HOMES), told(6, HOMES, publisher="The Herald")]
        merged = merge_key_points([both[place] for place in order], points=4)

        assert texts(merged) == [MORE_HOMES]
        assert earlier(merged) == {MORE_HOMES: ["12,000"]}


def test_numbers_of_one_time_and_of_two_speakers_stay_side_by_side():
    police = "The police said that 200 people joined the march through Ostrel on Friday."
    union = "The union said that 2,000 people joined the march through Ostrel on Friday."
    disputed = merge_key_points([told(2, union), told(6, police, publisher="The Herald")], points=4)
    at_once = merge_key_points([told(2, MORE_HOMES), told(2, HOMES, publisher="The Herald")], points=4)

    assert (set(texts(disputed)), earlier(disputed)) == ({police, union}, {})
    assert (set(texts(at_once)), earlier(at_once)) == ({HOMES, MORE_HOMES}, {})
