"""Story series: short items in one form, each of them about another event."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from service.core.ids import content_id
from service.core.model import Article
from tests.builders import NOON, an_article


class Series(NamedTuple):
    """Items of one kind as articles, in order of arrival."""

    name: str
    language: str
    articles: tuple[Article, ...]


def read_series(name: str = "story_series.toml") -> dict[str, Series]:
    """Return the series of a file by name."""
    rows = tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))["series"]
    return {row["name"]: articles_of(row["name"], row.get("language", "en"), row["items"]) for row in rows}


def articles_of(name: str, language: str, items: list[tuple[str, float, str, str]]) -> Series:
    """Return the items as articles."""
    arrived = sorted(items, key=lambda item: item[1])
    articles = []
    for position, (publisher, hours, title, text) in enumerate(arrived, start=1):
        at = NOON + timedelta(hours=hours)
        articles.append(
            an_article(
                title,
                text,
                url=f"https://{content_id(name)}.example/{position}",
                language=language,
                publisher=publisher,
                published_at=at,
                gathered_at=at,
                position=position,
            )
        )
    return Series(name, language, tuple(articles))
