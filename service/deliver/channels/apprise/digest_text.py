"""Digest text: an issue as a short message of headlines and links (pure).

The headlines and links are taken from the issue's plain text, which every theme has. A theme that does not
mark its headlines as ours do gives the links alone.
"""

from __future__ import annotations

import re

from service.core.model import Issue
from service.core.placeholders import MARKER, Placeholder

MAX_TEXT_CHARACTERS = 1_900  # of the stories; Discord, the strictest of the large services, takes 2,000
MAX_TITLE_CHARACTERS = 200
LINE_WIDTH = 76  # the width that themes wrap the plain text at
_HEADLINE = re.compile(r"(?: {0,3}\d{1,3}\. |\* )(\S.*)")  # `1. Headline` in daily, `* Headline` in brief
_URL = re.compile(r"https?://[^\s\ue000\ue001]+")


def title_of(issue: Issue, name: str) -> str:
    """Return the subject on one line, with the subscriber's name where the theme greets them."""
    subject = MARKER.sub(lambda marker: name if marker[1] == Placeholder.NAME else "", issue.rendered.subject)
    return " ".join(subject.split())[:MAX_TITLE_CHARACTERS]


def digest_text(issue: Issue, preferences_url: str) -> str:
    """Return each story's headline with the link to its first article, then the preferences link.

    Stories beyond `MAX_TEXT_CHARACTERS` are left out and counted in a last line `... +3`.
    """
    stories = [f"{headline}\n{url}" if headline else url for headline, url in stories_in(issue.rendered.text)]
    lines: list[str] = []
    for number, story in enumerate(stories):
        if sum(map(len, lines)) + len(story) > MAX_TEXT_CHARACTERS:
            lines.append(f"... +{len(stories) - number}")
            break
        lines.append(story)
    return "\n\n".join([*lines, preferences_url])


def stories_in(text: str) -> list[tuple[str, str]]:
    """Return (headline, URL of the first article) of each story in an issue's plain text.

    The headline is empty where a link follows no headline. Further links of a story are left out.
    """
    stories: list[tuple[str, str]] = []
    headline, has_link, has_headlines = "", False, False
    seen: set[str] = set()
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if found := _HEADLINE.fullmatch(line):
            following = lines[number + 1] if number + 1 < len(lines) else ""
            headline, has_link, has_headlines = _whole_line(line, found[1], following), False, True
        elif (url := _URL.search(line)) and url[0] not in seen and not has_link:
            stories.append((headline, url[0]))
            seen.add(url[0])
            headline, has_link = "", has_headlines
    return stories


def _whole_line(line: str, headline: str, following: str) -> str:
    """Return the headline, with an ellipsis where the theme wrapped it: its next word had no room."""
    first_word = following.split(maxsplit=1)[0] if following.strip() else ""
    return f"{headline} ..." if first_word and len(line) + 1 + len(first_word) > LINE_WIDTH else headline
