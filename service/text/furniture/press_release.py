"""Press release: what a company says of itself at the end of its press releases (pure)."""

from __future__ import annotations

import re

from service.text.furniture.line import MAX_NAMING_WORDS, Line, names_only
from service.text.furniture.words import WordClass

MAX_ARTICLES = 2  # words between the start of a sentence and the name: "Die NAME", "Bei der NAME"

_COLON = re.compile(r"[\s.]{0,3}[:：]")


def describes_publisher(line: Line) -> bool:
    """Return whether a company describes itself: "About NAME: NAME is the leading provider"."""
    name = line.opening(WordClass.ABOUT)
    if not 0 < name < len(line.words):
        return False
    places = range(name + 1, min(len(line.words), name + MAX_NAMING_WORDS))
    after = next((place for place in places if line.is_rest(place, _COLON)), None)
    if after is None or not names_only(line, name, allowed=0, end=after):
        return False
    return _begins_with(line.words[name].text, line, after)


def is_about_publisher(heading: str, text: str) -> bool:
    """Return whether a heading such as "About NAME" announces the text, which begins with that name."""
    title = Line(heading)
    name = title.opening(WordClass.ABOUT)
    if not 0 < name < len(title.words) <= MAX_NAMING_WORDS or not names_only(title, name, allowed=0):
        return False
    return _begins_with(title.words[name].text, Line(text), 0)


def _begins_with(name: str, line: Line, first: int) -> bool:
    return any(word.text == name for word in line.words[first : first + MAX_ARTICLES + 1])
