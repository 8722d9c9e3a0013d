"""Why an article is, or is not, in a reader's issue: the one sentence that fits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.compose.explain import Case, Given, explain
from service.core import identity
from service.core.model import (
    DeliveryState,
    Issue,
    Membership,
    Rendered,
    Subscription,
    SubscriptionStatus,
    Wishes,
)
from tests.builders import NOON, a_subscriber, an_article, an_edition
from tests.compose.digests import a_digest, a_story, point, the_marathon

SETTLE = timedelta(minutes=10)
ARTICLE = an_article("Talks resume", position=7, gathered_at=NOON - timedelta(hours=1))


def a_membership(
    told_through: int = 5, suppressed: str | None = None, status="active", **wishes
) -> Membership:
    edition = an_edition(**wishes)
    key = identity.edition_key(edition)
    standing = Subscription(
        a_subscriber().id,
        "morning",
        Wishes(),
        key,
        NOON + timedelta(hours=18),
        told_through,
        SubscriptionStatus(status),
    )
    return Membership(a_subscriber(), standing, edition, suppressed)


def an_issue(*article_ids: str) -> Issue:
    rendered = Rendered("subject", "", "")
    return Issue("issue", "morning", "edition", "2026-03-02T07:00", NOON, 4, 9, rendered, article_ids, NOON)


def a_case(**changes) -> Case:
    """Return the case of an article that nothing holds up."""
    case = Case(a_membership(), ARTICLE, condensed=True, through=9)
    return replace(case, **changes)


def said(case: Case, now=NOON) -> str:
    """Return what is said beyond when the article was gathered."""
    first, *rest = explain(case, now=now, settle=SETTLE)
    assert first == "'Talks resume' by The Example was gathered 2026-03-02 12:00 (Europe/Berlin)."
    return " ".join(rest)


def test_an_article_that_was_never_gathered():
    assert explain(a_case(article=None), now=NOON, settle=SETTLE)[0] == (
        "No article of that address or id was gathered."
    )


@pytest.mark.parametrize("state", DeliveryState)
def test_an_article_that_was_told_names_its_issue_and_what_became_of_it(state: DeliveryState):
    text = said(a_case(given=Given(an_issue(ARTICLE.id), state)))

    assert text.startswith("It is in their issue of 2026-03-02 13:00 (Europe/Berlin), ")


def test_what_was_sent_is_said_to_be_sent():
    assert said(a_case(given=Given(an_issue(ARTICLE.id), DeliveryState.SENT))).endswith("which was sent.")


def test_an_article_that_was_left_out_of_its_issue():
    assert "others were the 8 stories that an issue holds at most" in said(
        a_case(given=Given(an_issue("another"), DeliveryState.SENT))
    )


def test_an_article_outside_the_topics():
    text = said(a_case(membership=a_membership(topics=("economy", "science"))))

    assert text == "It is outside their topics: its feed is about world, they want economy, science."


def test_who_wants_all_topics_has_none_that_it_is_outside_of():
    assert "outside" not in said(a_case(membership=a_membership(topics=())))


def test_an_article_that_was_set_aside_says_why():
    assert said(a_case(condensed=False, set_aside="no sentence in it")).endswith(
        "three tries: no sentence in it"
    )


def test_an_article_from_before_the_subscription():
    assert "They had not subscribed then" in said(a_case(membership=a_membership(told_through=7)))


def test_nothing_goes_to_a_suppressed_address():
    assert said(a_case(membership=a_membership(suppressed="it bounced"))) == (
        "Nothing is mailed to this address: it bounced."
    )


@pytest.mark.parametrize(
    ("status", "word"), [("paused", "paused"), ("unsubscribed", "unsubscribed"), ("ended", "ended")]
)
def test_who_is_not_active_gets_no_issue(status: str, word: str):
    assert word in said(a_case(membership=a_membership(status=status)))


def test_an_article_that_is_not_condensed_yet():
    assert said(a_case(condensed=False)) == (
        "It has not been condensed yet. Their next issue is due 2026-03-03 07:00 (Europe/Berlin)."
    )


def test_an_article_that_settles():
    text = said(a_case(), now=ARTICLE.gathered_at + timedelta(minutes=1))

    assert text.startswith("It settles until 2026-03-02 12:10 (Europe/Berlin).")


def test_an_article_that_others_hold_up():
    assert said(a_case(through=6)).startswith("It waits for articles gathered before it")


def test_an_article_that_will_be_told():
    assert said(a_case()) == "It can be told in their next issue, due 2026-03-03 07:00 (Europe/Berlin)."


def test_an_article_that_is_among_the_next_stories():
    ours = a_story([point(ARTICLE, "One.")])

    assert said(a_case(coming=a_digest(the_marathon(), ours))).startswith(
        "It is story 2 of 2 in their next issue"
    )
    update = a_digest(replace(ours, update=True))
    assert said(a_case(coming=update)).startswith("It is the update 1 of 1 in their next issue")


def test_an_article_that_would_be_left_out():
    text = said(a_case(coming=a_digest(the_marathon(), left_out=1)))

    assert text.startswith(
        "It is not in their next issue, due 2026-03-03 07:00 (Europe/Berlin), as things stand"
    )
