"""Boilerplate: patterns of the phrases that pages and feeds add to articles, in several languages.

Only these few are left out of the stored text. Counts of comments and invitations to share change at every
poll and would make an edit of each; and a changed list would make edits of all remembered items. Other
furniture stays in the text, and condense recognises it (service/text/furniture).
"""

from __future__ import annotations

import re


def any_of(*patterns: str) -> str:
    """Return one pattern that matches any of the patterns."""
    return "(?:" + "|".join(patterns) + ")"


READ_MORE = any_of(
    r"continue reading",
    r"keep reading",
    r"read (?:more|on)",
    r"read the (?:rest|full (?:story|article))",
    r"read full (?:story|article)",
    r"click here to read more",
    r"view (?:the )?full (?:story|article)",
    r"weiterlesen",
    r"mehr lesen",
    r"lire la suite",
    r"leer m[aá]s",
    r"seguir leyendo",
    r"leggi tutto",
    r"lees verder",
)
"""An invitation to read the article elsewhere."""
READ_MORE_WORDS = ("read", "full ", "lesen", "lire", "leer", "leyendo", "leggi", "lees")
"""Each invitation contains one of them, in lower case."""

BOILERPLATE_PARAGRAPH = any_of(
    r"the post .{1,300} (?:appeared first on|first appeared on) .{1,120}",
    r"this (?:article|story|post) (?:was )?(?:originally|first) (?:appeared|published) (?:on|in|at) .{1,120}",
    r"advertisements?",
    r"(?:sign|subscribe) (?:up )?(?:to|for) (?:our|the|my) .{0,60}newsletter.{0,80}",
    r"(?:sign|subscribe) up here",
    r"share this(?: article| story)?",
    r"related(?: articles| stories| posts)?:?",
    r"follow us on .{1,80}",
    r"(?:\d+ )?comments?",
    r"filed under:? .{1,120}",
)
"""A whole paragraph that is not part of the article."""

BOT_CHALLENGE = any_of(
    r"<title>\s*(?:just a moment|attention required|access denied|are you a robot|ddos-guard|security check)",
    r"<title>\s*(?:please wait|un momento|bot verification)",
    r"cf-chl-",
    r"cf_chl_",
    r"g-recaptcha",
    r"h-captcha",
    r"px-captcha",
    r"/_incapsula_resource",
    r"captcha-delivery\.com",
    r"verify(?:ing)? (?:that )?you are (?:a )?human",
)
"""Markup of a page that blocks programs until a person has passed a test."""


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile the pattern; it ignores case."""
    return re.compile(pattern, re.IGNORECASE)
