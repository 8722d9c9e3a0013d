"""Traps for the story index, read from story_traps.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from service.core.model import Article
from tests.builders import NOON, an_article


@dataclass(frozen=True)
class Piece:
    """An article of a trap: its event, its publisher and its hours after noon."""

    event: str
    title: str
    text: str
    publisher: str = "The Gazette"
    hours: float = 0


@dataclass(frozen=True)
class Trap:
    """Articles in order of arrival. `not_seen` is the reason why the index fails on them."""

    name: str
    pieces: tuple[Piece, ...]
    language: str = "en"
    not_seen: str = ""

    def articles(self) -> list[Article]:
        """Return the articles, each with a date and an address of its own."""
        return [_article(piece, number, self.language) for number, piece in enumerate(self.pieces)]

    def by_one_paper(self) -> Trap:
        """Return the trap with everything in it written by one publisher."""
        return replace(self, pieces=tuple(replace(piece, publisher="The Gazette") for piece in self.pieces))


def _article(piece: Piece, number: int, language: str) -> Article:
    at = NOON + timedelta(hours=piece.hours)
    host = piece.publisher.lower().replace(" ", "-")
    return an_article(
        piece.title,
        " ".join(piece.text.split()),
        url=f"https://{host}.example/{number}",
        publisher=piece.publisher,
        published_at=at,
        gathered_at=at,
        language=language,
        position=number + 1,
    )


def _traps() -> dict[str, Trap]:
    stored = tomllib.loads(Path(__file__).with_name("story_traps.toml").read_text(encoding="utf-8"))
    traps = [
        Trap(pieces=tuple(Piece(**piece) for piece in trap.pop("piece")), **trap) for trap in stored["trap"]
    ]
    return {trap.name: trap for trap in traps}


TRAPS = _traps()
