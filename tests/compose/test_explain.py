"""The reason why an article is, or is not, in a subscriber's issue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.compose.explain import (
    ArticleExplanation,
    ExplainInput,
    PastIssue,
    ShownArticle,
    explain,
    shown_article,
)
from service.compose.issue_place import in_words
from service.core import ids as identity
from service.core.model import (
    DeliveryState,
    Digest,
    Membership,
    Placement,
    Preferences,
    RenderedMail,
    Score,
    Subscription,
    SubscriptionStatus,
)
from service.core.read_models import IssuePlace
from tests.builders import NOON, a_newsletter, a_subscriber, an_article, an_edition, condensed
from tests.compose.digests import a_digest, a_story, point, the_marathon

SETTLE = timedelta(minutes=10)
ARTICLE = an_article("Talks resume", position=7, gathered_at=NOON - timedelta(hours=1))
SUMMARY = condensed(ARTICLE).summary
DUE = "their next issue is due 2026-03-03 07:00 Europe/Berlin"


def a_membership(served_through=5, suppressed=None, status="active", **wishes) -> Membership:
    edition = an_edition(**wishes)
    key, due_at = identity.edition_key(edition), NOON + timedelta(hours=18)
    subscription = Subscription(
        a_subscriber().id, "morning", Preferences(), key, due_at, served_through, SubscriptionStatus(status)
    )
    return Membership(a_subscriber(), subscription, edition, suppressed)


SHOWN = ShownArticle(ARTICLE, has_sentences=True, is_linked=True)
LEAD = an_article("Delegates\nreturn to the table", publisher="The Wire", position=6)
LINKED = ShownArticle(LEAD, has_sentences=False, is_linked=True)
HINT = f"(if it is about another event: caveat story split {ARTICLE.id[:8]})"


def past_issue(shown: ShownArticle | None = SHOWN, state: DeliveryState = DeliveryState.SENT) -> PastIssue:
    return PastIssue(NOON, shown, state)


def explained(now=NOON, **changes) -> ArticleExplanation:
    """Return the explanation of an article that waits for nothing, with these changes."""
    case = ExplainInput(a_membership(), ARTICLE, SUMMARY, a_newsletter(), release_position=9)
    return explain(replace(case, **changes), now=now, settle=SETTLE)


def test_a_sent_article_names_its_issue():
    assert explained(past_issue=past_issue()) == ArticleExplanation(
        sent=True, reason="it is in the issue of 2026-03-02 13:00 Europe/Berlin, which was sent", shown=SHOWN
    )


def test_an_article_with_sentences_in_another_story_names_that_story():
    there = explained(past_issue=past_issue(replace(LINKED, has_sentences=True)))

    assert there.sent
    assert there.reason == (
        "it is in the issue of 2026-03-02 13:00 Europe/Berlin, joined to “Delegates return to the table” "
        "(The Wire), which was sent"
    )
    assert (there.joined_to, there.shown_parts) == (LEAD.id, "sentences")


def test_an_article_with_only_its_headline_in_another_story_is_joined_to_it():
    linked = explained(past_issue=past_issue(LINKED))

    assert linked.sent
    assert linked.reason == (
        "it is joined to “Delegates return to the table” (The Wire) in the issue of 2026-03-02 13:00 "
        f"Europe/Berlin, which was sent; nothing of it is shown but its headline with a link {HINT}"
    )
    assert (linked.joined_to, linked.shown_parts) == (LEAD.id, "link")


def test_an_article_of_which_nothing_is_shown_was_not_sent():
    hidden = explained(past_issue=past_issue(replace(LINKED, is_linked=False)))

    assert hidden.sent is False
    assert hidden.reason.endswith(f"which was sent; nothing of it is shown {HINT}")
    assert hidden.shown_parts == "nothing"


def test_the_first_article_of_a_story_is_in_its_issue_without_a_sentence_too():
    assert explained(past_issue=past_issue(replace(SHOWN, has_sentences=False))).reason.startswith(
        "it is in the issue of"
    )


@pytest.mark.parametrize("state", DeliveryState)
def test_every_state_of_the_delivery_has_a_sentence(state: DeliveryState):
    assert explained(past_issue=past_issue(state=state)).sent


def test_a_sent_article_stays_sent_after_unsubscribing():
    assert explained(past_issue=past_issue(), membership=a_membership(status="unsubscribed")).sent


def test_an_article_that_its_issue_left_out():
    left_out = explained(past_issue=past_issue(None))

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
    assert explained(membership=membership, past_issue=past_issue(None)) == outside


def test_an_article_in_a_language_that_they_do_not_read():
    unread = explained(membership=a_membership(languages=("fr", "ar")))

    assert unread == ArticleExplanation(sent=False, reason="its language (en) is not among theirs (fr, ar)")
    assert explained(membership=a_membership(languages=("fr", "en"))).sent is None


def test_without_topics_every_article_fits():
    assert explained(membership=a_membership(topics=())).sent is None


def test_an_article_that_was_set_aside_has_the_reason():
    assert explained(summary=None, set_aside="no sentence in it").reason.endswith("failed: no sentence in it")


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
    assert explained(summary=None) == ArticleExplanation(
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


def test_an_article_that_has_nothing_new():
    assert explained(next_digest=a_digest(the_marathon())).reason == (
        f"as things stand it is left out: it has nothing new of a known story; {DUE}"
    )


def test_an_article_of_a_story_that_an_issue_does_not_even_name():
    assert explained(next_digest=a_digest(the_marathon(), left_out=7)).reason.startswith(
        "as things stand it is left out: 1 of 8 stories are named, or it has nothing new"
    )


def test_an_article_whose_story_an_editor_dropped():
    dropped = replace(a_digest(the_marathon()), dropped=(ARTICLE.id,))
    assert explained(past_issue=replace(past_issue(None), digest=dropped)).reason == (
        "the issue of 2026-03-02 13:00 Europe/Berlin left it out: an editor dropped its story"
    )
    drafted = replace(dropped, stories=(*dropped.stories, a_story([point(ARTICLE, "One.")])))
    assert explained(next_digest=drafted).reason == (
        f"as things stand it is left out: an editor dropped its story; {DUE}"
    )


def test_an_article_that_will_be_joined_to_another():
    story = a_story([point(LEAD, "One.")], LEAD, ARTICLE)
    next_digest = a_digest(the_marathon(), story)
    linked = explained(next_digest=next_digest, next_shown=LINKED)
    told = explained(next_digest=next_digest, next_shown=replace(LINKED, has_sentences=True))

    assert linked.sent is None
    assert linked.reason == (
        "as things stand it will be joined to “Delegates return to the table” (The Wire), story 2 of 2; "
        f"nothing of it is shown but its headline with a link {HINT}; {DUE}"
    )
    assert told.reason == (
        "as things stand it will be in story 2 of 2, joined to “Delegates return to the table” (The Wire); "
        + DUE
    )


# --- the place in an issue -----------------------------------------------------------------------

OURS = a_story([point(ARTICLE, "One.")])
SCORED = replace(OURS, score=Score((("publishers", 1.5), ("freshness", -0.2))))


def an_issue_of(in_mail: int, *, ours: int, placement: Placement, left_out: int = 0) -> Digest:
    """Return an issue with this number of stories in the mail, ours at this place."""
    others = [replace(the_marathon(), placement=Placement.STORY) for _ in range(max(in_mail, ours))]
    stories = [*others[: ours - 1], replace(SCORED, placement=placement), *others[ours:]]
    placed = [
        one if number < in_mail else replace(one, placement=Placement.WEB)
        for number, one in enumerate(stories)
    ]
    return a_digest(*placed, left_out=left_out)


def explained_past(
    digest: Digest | None, shown: ShownArticle | None = SHOWN, **changes
) -> ArticleExplanation:
    return explained(past_issue=replace(past_issue(shown), digest=digest), **changes)


def test_a_story_with_key_points_has_its_rank():
    there = explained_past(an_issue_of(5, ours=2, placement=Placement.STORY, left_out=1))

    assert there.reason.endswith(", which was sent; 2nd of 6, with key points")
    assert there.place is not None
    assert (there.place.number, there.place.total, there.place.in_mail) == (2, 6, 5)
    assert there.place.score == SCORED.score


def test_the_first_story_and_a_story_of_one_line_say_so():
    leads = explained_past(an_issue_of(5, ours=1, placement=Placement.LEAD))
    line = explained_past(
        an_issue_of(23, ours=23, placement=Placement.SHORT), replace(SHOWN, has_sentences=False)
    )

    assert leads.reason.endswith("; 1st of 5, as the lead")
    assert line.sent
    assert line.reason.endswith("; 23rd of 23, in one line")


def test_the_only_story_needs_no_rank():
    only = explained_past(a_digest(replace(SCORED, placement=Placement.LEAD)))

    assert only.reason.endswith("Berlin, which was sent")
    assert only.place is not None


def test_a_story_outside_the_mail_says_where_the_mail_was_full():
    outside = explained_past(an_issue_of(17, ours=18, placement=Placement.WEB, left_out=43), None)

    assert outside.sent is False
    assert outside.reason == (
        "it is only on the web page of the issue of 2026-03-02 13:00 Europe/Berlin: 18th of 61; the mail was "
        "full at 17"
    )
    assert outside.place is not None
    assert outside.shown_parts is None


def test_a_newsletter_without_web_pages_left_it_out():
    outside = explained_past(
        an_issue_of(17, ours=18, placement=Placement.WEB), None, newsletter=a_newsletter(archive="none")
    )

    assert outside.reason.endswith("Berlin left it out: 18th of 18; the mail was full at 17")


def test_an_article_that_its_stored_issue_does_not_have():
    assert explained_past(a_digest(the_marathon()), None).reason.endswith(
        "left it out: it has nothing new of a known story"
    )


def test_a_muted_word_is_named():
    muting = a_membership(mute=("harbour", "talks"))
    muted = explained(membership=muting)

    assert (muted.sent, muted.reason) == (False, "it is about “talks”, which they mute")
    assert explained_past(a_digest(the_marathon()), None, membership=muting).reason == muted.reason


def test_a_past_issue_is_explained_by_what_was_wanted_then():
    then = replace(past_issue(None), edition=an_edition(mute=("talks",)), digest=a_digest(the_marathon()))

    assert explained(past_issue=then).reason == "it is about “talks”, which they mute"


def test_a_story_of_the_next_issue_in_one_line_or_outside_the_mail():
    line = explained(next_digest=an_issue_of(9, ours=9, placement=Placement.SHORT))
    outside = explained(next_digest=an_issue_of(9, ours=10, placement=Placement.WEB))

    assert line.reason.startswith("as things stand it will be story 9 of 9, in one line; ")
    assert outside.reason.startswith(
        "as things stand it will be story 10 of 10, not in the mail, which is full at 9; "
    )


def test_the_next_issue_waits_for_more_stories():
    waiting = explained(next_digest=a_digest(OURS), newsletter=a_newsletter(min_stories=3))

    assert waiting.reason.endswith(f"{DUE}, and waits for more stories: it has 1 of at least 3")


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (112, "112th"), (121, "121st")],
)
def test_ordinal_numbers(number: int, words: str):
    assert in_words(IssuePlace(OURS, number, 200, 100)) == f"{words} of 200"


# --- what a mail shows ---------------------------------------------------------------------------

TALKS = condensed(replace(ARTICLE, text="Talks resume on Monday in the harbour town."))


def shown_in(text: str, html: str = "") -> tuple[bool, bool]:
    """Return whether the mail shows a sentence of the article, and a link to it."""
    shown = shown_article(TALKS.article, TALKS.summary, LEAD, RenderedMail("", html, text))
    return shown.has_sentences, shown.is_linked


def test_a_sentence_is_found_in_wrapped_text():
    assert shown_in("   * Talks resume on\n     Monday in the harbour town.\n") == (True, False)


def test_a_link_is_found_in_the_text_or_in_the_html():
    url = ARTICLE.url

    assert shown_in(f"Also:\n   - Talks resume\n     {url}\n") == (False, True)
    assert shown_in("", f'<a href="{url}">Talks resume</a>') == (False, True)


def test_a_longer_address_is_no_link_to_the_article():
    assert shown_in(f"{ARTICLE.url}0\n", f'<a href="{ARTICLE.url}0">') == (False, False)
