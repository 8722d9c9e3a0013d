"""The reason why an article is, or is not, in a subscriber's issue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.compose.explain import ArticleExplanation, ExplainInput, PastIssue, explain
from service.core import ids as identity
from service.core.model import (
    DeliveryState,
    Membership,
    Preferences,
    Subscription,
    SubscriptionStatus,
)
from tests.builders import NOON, a_subscriber, an_article, an_edition
from tests.compose.digests import a_digest, a_story, point, the_marathon

SETTLE = timedelta(minutes=10)
ARTICLE = an_article("Talks resume", position=7, gathered_at=NOON - timedelta(hours=1))
DUE = "their next issue is due 2026-03-03 07:00 Europe/Berlin"


def a_membership(served_through=5, suppressed=None, status="active", **wishes) -> Membership:
    edition = an_edition(**wishes)
    key, due_at = identity.edition_key(edition), NOON + timedelta(hours=18)
    subscription = Subscription(
        a_subscriber().id, "morning", Preferences(), key, due_at, served_through, SubscriptionStatus(status)
    )
    return Membership(a_subscriber(), subscription, edition, suppressed)


def past_issue(*article_ids: str, state: DeliveryState = DeliveryState.SENT) -> PastIssue:
    return PastIssue(NOON, article_ids, state)


def explained(now=NOON, **changes) -> ArticleExplanation:
    """Return the explanation of an article that waits for nothing, with these changes."""
    case = ExplainInput(a_membership(), ARTICLE, condensed=True, release_position=9)
    return explain(replace(case, **changes), now=now, settle=SETTLE)


def test_a_sent_article_names_its_issue():
    assert explained(past_issue=past_issue(ARTICLE.id)) == ArticleExplanation(
        sent=True, reason="it is in the issue of 2026-03-02 13:00 Europe/Berlin, which was sent"
    )


@pytest.mark.parametrize("state", DeliveryState)
def test_every_state_of_the_delivery_has_a_sentence(state: DeliveryState):
    assert explained(past_issue=past_issue(ARTICLE.id, state=state)).sent


def test_a_sent_article_stays_sent_after_unsubscribing():
    assert explained(past_issue=past_issue(ARTICLE.id), membership=a_membership(status="unsubscribed")).sent


def test_an_article_that_its_issue_left_out():
    left_out = explained(past_issue=past_issue("another"))

    assert left_out.sent is False
    assert left_out.reason.startswith(
        "the issue of 2026-03-02 13:00 Europe/Berlin left it out: at most 8 stories"
    )


def test_an_article_outside_the_topics():
    outside = ArticleExplanation(
        sent=False, reason="its topics (world) are not among theirs (economy, science)"
    )
    membership = a_membership(topics=("economy", "science"))

    assert explained(membership=membership) == outside
    assert explained(membership=membership, past_issue=past_issue("another")) == outside


def test_without_topics_every_article_fits():
    assert explained(membership=a_membership(topics=())).sent is None


def test_an_article_that_was_set_aside_has_the_reason():
    assert explained(condensed=False, set_aside="no sentence in it").reason.endswith(
        "failed: no sentence in it"
    )


def test_an_article_from_before_the_subscription():
    assert "they had not subscribed" in explained(membership=a_membership(served_through=7)).reason


def test_nothing_is_sent_to_a_suppressed_address():
    assert explained(membership=a_membership(suppressed="it bounced")) == ArticleExplanation(
        sent=False, reason="nothing is mailed to this address: it bounced"
    )


@pytest.mark.parametrize("status", ["paused", "unsubscribed", "ended"])
def test_an_inactive_subscription_gets_no_issue(status: str):
    stopped = explained(membership=a_membership(status=status))

    assert stopped.sent is False
    assert status in stopped.reason


def test_an_article_that_is_not_condensed_yet():
    assert explained(condensed=False) == ArticleExplanation(
        sent=None, reason=f"it has not been condensed yet; {DUE}"
    )


def test_an_article_that_settles():
    fresh = explained(now=ARTICLE.gathered_at + timedelta(minutes=1))

    assert fresh.reason == f"it settles until 2026-03-02 12:10 Europe/Berlin; {DUE}"


def test_an_article_that_waits_for_others():
    assert explained(release_position=6).reason.startswith("it waits for articles gathered before it")


def test_an_article_that_waits_for_nothing():
    assert explained() == ArticleExplanation(sent=None, reason=f"it waits for nothing else; {DUE}")


def test_an_article_that_is_among_the_next_stories():
    ours = a_story([point(ARTICLE, "One.")])
    new, update = a_digest(the_marathon(), ours), a_digest(replace(ours, is_update=True))

    assert explained(next_digest=new).reason == f"as things stand it will be story 2 of 2; {DUE}"
    assert (
        explained(next_digest=update).reason == f"as things stand it will be an update, story 1 of 1; {DUE}"
    )


def test_an_article_that_would_be_left_out():
    assert explained(next_digest=a_digest(the_marathon())).reason.startswith(
        "as things stand it is left out: at most 8"
    )
