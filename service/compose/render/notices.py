"""Notices: corrections and unhealthy sources as the themes get them (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from service.compose.render.links import sentence_link, web_link
from service.compose.render.points import longest_sentence
from service.compose.render.sources import MAX_NAME_CHARACTERS, shown_title
from service.compose.render.story_view import foreign_language
from service.compose.render.text_cleaning import clean
from service.compose.render.typography import typographic
from service.core.model import Article, Correction, Digest, SentenceChange, SourceHealth
from service.text.i18n import Localizer, text_direction

MAX_CORRECTIONS_BYTES = 8_000
MAX_UNHEALTHY_SOURCES = 5


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A sentence or headline that was sent, and the one in its place `now`, "" if it was removed."""

    told: str
    now: str
    url: str
    is_headline: bool = False


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """An article that was edited after it was sent; `time` is that of the edit, `lang` as in a story."""

    headline: str
    url: str
    publisher: str
    time: str
    lang: str
    direction: str
    changes: tuple[ChangeView, ...]


def view_corrections(digest: Digest, localizer: Localizer) -> tuple[CorrectionView, ...]:
    """Return the corrections of the digest; in many of them, long sentences are shortened."""
    pairs = [(change.sent, change.current) for found in digest.corrections for change in found.changes]
    longest = longest_sentence([line.text for pair in pairs for line in pair if line], MAX_CORRECTIONS_BYTES)
    return tuple(
        CorrectionView(
            headline=shown_title(replace(found.article, title=_headline(found)), localizer),
            url=web_link(found.article.url),
            publisher=clean(found.article.publisher, MAX_NAME_CHARACTERS),
            time=localizer.time(found.edit.at, digest.at),
            lang=foreign_language(found.article, localizer),
            direction=text_direction(found.article.language)
            if foreign_language(found.article, localizer)
            else localizer.direction,
            changes=tuple(_change(change, found.article, longest) for change in found.changes),
        )
        for found in digest.corrections
    )


def _headline(found: Correction) -> str:
    """Return the headline above a correction: the new one if it has changed, else the one that was sent."""
    changed = any(change.sent.is_headline for change in found.changes)
    return found.edit.title if changed else found.article.title


def unhealthy_sources(digest: Digest, localizer: Localizer) -> str:
    """Return the first unhealthy sources and the number of the others, "" if all are healthy."""
    names = [_with_day(source, digest.at, localizer) for source in digest.unhealthy_sources]
    listed = ", ".join(names[:MAX_UNHEALTHY_SOURCES])
    more = len(names) - MAX_UNHEALTHY_SOURCES
    return localizer.text("and_more", listed=listed, n=more) if more > 0 else listed


def _change(change: SentenceChange, article: Article, longest: int) -> ChangeView:
    told = typographic(clean(change.sent.text, longest), article.language)
    if change.current is None:
        return ChangeView(told, "", "")
    is_headline = change.current.is_headline
    url = web_link(article.url) if is_headline else sentence_link(article.url, change.current.text)
    now = typographic(clean(change.current.text, longest), article.language)
    return ChangeView(told, now, url, is_headline=is_headline)


def _with_day(source: SourceHealth, at: datetime, localizer: Localizer) -> str:
    """Return the name of the source, with the day on which it was last healthy, if there is one."""
    name = clean(source.name, MAX_NAME_CHARACTERS)
    if source.last_healthy_at is None:
        return name
    return localizer.text("since", name=name, day=localizer.short_date(source.last_healthy_at, at))
