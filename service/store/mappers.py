"""Conversion of the model's values to rows, and back. schema.py lists the columns with other names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any

from service.core.ids import address_hash, delivery_prefix
from service.core.model import (
    DEFAULT_MAX_AGE,
    PREFERENCE_FIELDS,
    Article,
    Block,
    BlockKind,
    CaveatKind,
    Edition,
    Feed,
    FeedState,
    Grade,
    Issue,
    KeyPoint,
    MailKind,
    Preferences,
    RenderedMail,
    Role,
    Subscriber,
    Summary,
    TextSpan,
)
from service.store.columns import EPOCH
from service.store.schema import summaries

Row = Mapping[Any, Any]
"""A row of a result: the value of each column by its name."""

Values = dict[str, Any]
"""A row to write: the value of each column by its name."""


def feed_values(feed: Feed) -> Values:
    """Return the columns of `feeds` that the roster declares."""
    return {
        "id": feed.id,
        "url": feed.url,
        "name": feed.name,
        "topics": feed.topics,
        "language": feed.language,
        "method": feed.method,
        "full_text": feed.full_text,
        "every_seconds": round(feed.poll_interval.total_seconds()),
        "first_items": feed.first_entries,
        "max_age_seconds": None if feed.max_age is None else round(feed.max_age.total_seconds()),
        "default_max_age_seconds": round(feed.default_max_age.total_seconds()),
        "weight": feed.weight,
        "categories": [list(pair) for pair in feed.categories],
    }


def poll_values(state: FeedState) -> Values:
    """Return the columns of `feeds` that a poll writes."""
    return {
        "etag": state.etag,
        "last_modified": state.last_modified,
        "next_look_at": state.next_poll_at or EPOCH,
        "claimed_until": None,
        "last_look_at": state.last_poll_at,
        "last_success_at": state.last_success_at,
        "failures": state.failures,
        "last_error": state.last_error,
        "memory": state.seen_items,
    }


def feed_of(row: Row) -> Feed:
    """Return the feed."""
    return Feed(
        id=row["id"],
        url=row["url"],
        name=row["name"],
        topics=tuple(row["topics"]),
        language=row["language"],
        method=row["method"],
        full_text=row["full_text"],
        poll_interval=timedelta(seconds=row["every_seconds"]),
        first_entries=row["first_items"],
        max_age=None if row["max_age_seconds"] is None else timedelta(seconds=row["max_age_seconds"]),
        default_max_age=timedelta(seconds=row["default_max_age_seconds"] or DEFAULT_MAX_AGE.total_seconds()),
        weight=1.0 if row["weight"] is None else row["weight"],
        categories=tuple((category, topic) for category, topic in row["categories"] or ()),
    )


def feed_state_of(row: Row) -> FeedState:
    """Return the feed with the results of its polls."""
    return FeedState(
        feed=feed_of(row),
        etag=row["etag"],
        last_modified=row["last_modified"],
        next_poll_at=None if row["next_look_at"] == EPOCH else row["next_look_at"],
        last_poll_at=row["last_look_at"],
        last_success_at=row["last_success_at"],
        failures=row["failures"],
        last_error=row["last_error"],
        seen_items=row["memory"],
    )


def article_values(article: Article, position: int) -> Values:
    """Return a new article's row."""
    return {
        "position": position,
        "id": article.id,
        "feed_id": article.feed_id,
        "state": "new",
        "tries": 0,
        "problem": "",
        "gathered_at": article.gathered_at,
        "published_at": article.published_at,
        "language": article.language,
        "publisher": article.publisher,
        "topics": article.topics,
        "method": article.method,
        "url": article.url,
        "title": article.title,
        "text": article.text,
        "blocks": blocks_values(article.blocks),
        "published_day_only": article.published_day_only,
        "text_note": article.text_note,
        "feed_rank": article.feed_rank,
        "picture": article.picture or None,
    }


def article_of(row: Row) -> Article:
    """Return the article."""
    return Article(
        id=row["id"],
        feed_id=row["feed_id"],
        url=row["url"],
        title=row["title"],
        text=row["text"],
        language=row["language"],
        publisher=row["publisher"],
        published_at=row["published_at"],
        gathered_at=row["gathered_at"],
        topics=tuple(row["topics"]),
        method=row["method"],
        position=row["position"],
        blocks=blocks_of(row["blocks"]),
        published_day_only=bool(row["published_day_only"]),
        text_note=row["text_note"] or "",
        feed_rank=row["feed_rank"],
        picture=row["picture"] or "",
    )


_KIND_LETTERS = {kind: kind.value[0] for kind in BlockKind} | {BlockKind.PREFORMATTED: "f"}
_KINDS = {letter: kind for kind, letter in _KIND_LETTERS.items()}


def blocks_values(blocks: Sequence[Block]) -> list[list[Any]]:
    """Return the blocks as JSON: kind (a letter), start, end.

    Where they say something, [start, end] of the introduction and 1 for a repeated line follow.
    """
    return [_block_values(block) for block in blocks]


def _block_values(block: Block) -> list[Any]:
    values = [_KIND_LETTERS[block.kind], block.start, block.end]
    if block.repeated:
        return [*values, block.introduction, 1]
    return [*values, block.introduction] if block.introduction else values


def blocks_of(stored: Sequence[Sequence[Any]] | None) -> tuple[Block, ...]:
    """Return the blocks; none of an article that was stored before there were any."""
    return tuple(
        Block(_KINDS[kind], start, end, TextSpan(*rest[0]) if rest and rest[0] else None, len(rest) > 1)
        for kind, start, end, *rest in stored or ()
    )


def summary_values(summary: Summary) -> Values:
    """Return a summary's row: each key point as the list of its fields."""
    return {
        "method": summary.method,
        "key_points": [_key_point_values(point) for point in summary.key_points],
        "judge": summary.judge or None,
    }


_LATER_DEFAULTS: list[Any] = [None, False, Grade.TIED, None, None, None]
"""The values of a key point that its row has only if one differs from these."""


def _key_point_values(point: KeyPoint) -> list[Any]:
    values = [point.text, point.start, point.end, point.role, point.qualifies, point.rank]
    later = [point.introduction, point.quoted, point.grade, point.kind, point.follows, point.hint]
    return values if later == _LATER_DEFAULTS else [*values, *later]


def _key_point_of(stored: Sequence[Any]) -> KeyPoint:
    text, start, end, role, qualifies, rank, *rest = stored
    # Rows of earlier versions have no later values, or the first two.
    later = [*rest, *_LATER_DEFAULTS[len(rest) :]]
    introduction, quoted, grade, kind, follows, hint = later
    return KeyPoint(
        text,
        start,
        end,
        Role(role),
        qualifies,
        rank,
        TextSpan(*introduction) if introduction else None,
        quoted,
        Grade(grade),
        CaveatKind(kind) if kind else None,
        follows,
        TextSpan(*hint) if hint else None,
    )


SUMMARY_COLUMNS = (summaries.c.method.label("made_by"), summaries.c.key_points, summaries.c.judge)
"""The columns of a summary in a join with `articles`, which has a column `method` of its own."""


def summary_of(row: Row) -> Summary:
    """Return the summary from SUMMARY_COLUMNS."""
    return Summary(
        method=row["made_by"],
        key_points=tuple(map(_key_point_of, row["key_points"])),
        judge=row["judge"] or "",
    )


EDITION = tuple(column.name for column in fields(Edition))
"""The columns of an edition without its key."""


def edition_values(edition: Edition, key: str) -> Values:
    """Return an edition's row."""
    return {"key": key, **asdict(edition)}


def edition_of(row: Row) -> Edition:
    """Return the edition."""
    return Edition(
        newsletter=row["newsletter"],
        schedule=row["schedule"],
        timezone=row["timezone"],
        topics=tuple(row["topics"]),
        stories=row["stories"],
        points=row["points"],
        language=row["language"],
        format=row["format"],
        languages=tuple(row["languages"] or ()),
        follow=tuple(row["follow"] or ()),
        mute=tuple(row["mute"] or ()),
        minutes=row["minutes"],
    )


def preferences_values(preferences: Preferences) -> Values:
    """Return the preferences that are set, as JSON values."""
    made = ((name, getattr(preferences, name)) for name in PREFERENCE_FIELDS)
    return {name: list(v) if isinstance(v, tuple) else v for name, v in made if v is not None}


def preferences_of(stored: Values) -> Preferences:
    """Return the preferences."""
    values: Values = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
    return Preferences(**values)


def subscriber_values(subscriber: Subscriber) -> Values:
    """Return a subscriber's row."""
    return {
        "id": subscriber.id,
        "address_hash": address_hash(subscriber.email),
        "email": subscriber.email,
        "name": subscriber.name,
        "timezone": subscriber.timezone,
        "channel": subscriber.channel,
    }


def issue_values(issue: Issue, channel: str) -> Values:
    """Return an issue's row."""
    return {
        "id": issue.id,
        "delivery_prefix": delivery_prefix(issue.id, channel),
        "channel": channel,
        "newsletter": issue.newsletter,
        "edition_key": issue.edition_key,
        "occurrence": issue.occurrence,
        "due_at": issue.due_at,
        "told_from": issue.served_from,
        "told_through": issue.served_through,
        "created_at": issue.created_at,
        "readers": 0,
        "article_ids": issue.article_ids,
        "subject": issue.rendered.subject,
        "text": issue.rendered.text,
        "html": issue.rendered.html,
    }


def issue_of(row: Row) -> Issue:
    """Return the issue, or the transactional mail, which has no edition."""
    return Issue(
        id=row["id"],
        newsletter=row["newsletter"],
        edition_key=row["edition_key"],
        occurrence=row["occurrence"],
        due_at=row["due_at"],
        served_from=row["told_from"],
        served_through=row["told_through"],
        rendered=RenderedMail(row["subject"], row["html"], row["text"]),
        article_ids=tuple(row["article_ids"]),
        created_at=row["created_at"],
        kind=MailKind.ISSUE if row["edition_key"] else MailKind(row["occurrence"]),
    )
