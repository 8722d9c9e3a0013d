"""Issue place: where a story stands in an issue, for explanations (pure)."""

from __future__ import annotations

from service.core.model import Digest, Placement
from service.core.read_models import IssuePlace

IN_MAIL = (Placement.LEAD, Placement.STORY, Placement.SHORT)


def place_of(article_id: str, digest: Digest) -> IssuePlace | None:
    """Return the place of the story with this article, None if the digest does not have it."""
    for number, story in enumerate(digest.stories, start=1):
        if any(article.id == article_id for article in story.articles):
            return IssuePlace(story, number, story_count(digest), len(digest.placed(*IN_MAIL)))
    return None


def story_count(digest: Digest) -> int:
    """Return the number of stories that were ranked for the issue, those included that it does not name."""
    return len(digest.stories) + digest.left_out


def in_words(place: IssuePlace) -> str:
    """Return the place as "18th of 61"."""
    number = place.number
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending} of {place.total}"
