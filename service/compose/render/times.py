"""The time of an article as readers see it (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from service.core.model import Article
from service.text.i18n import Localizer


def publication_label(article: Article, at: datetime, localizer: Localizer) -> str:
    """Return when the article was published: the local time, the day if only that is known, "" if neither is.

    The time at which we found an article is never shown for that of its publication. A time has no date if it
    is that of `at`.
    """
    if article.published_at is None:
        return ""
    if article.published_day_only:
        return localizer.short_day(article.published_at.date(), at)
    return localizer.time(article.effective_published_at, at)


def newest_dated(articles: Sequence[Article]) -> Article:
    """Return the article published last; one without a date only if all have none."""
    return max(articles, key=lambda one: (one.published_at is not None, one.effective_published_at))
