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

PAYWALL = any_of(
    r"subscribe (?:now|today)",
    r"subscribe to (?:continue|read|unlock|keep reading)",
    r"subscribe to get (?:full|unlimited) access",
    r"already a subscriber",
    r"(?:log|sign) ?in to (?:continue|read)",
    r"to (?:continue|keep) reading",
    r"(?:for )?subscribers only",
    r"create a free account",
    r"register (?:now |for free )?to (?:continue|read)",
    r"is (?:only )?(?:available|reserved) (?:to|for) (?:\w+ )?(?:subscribers|members)",
    r"you have (?:reached|read) your (?:limit|last)",
    r"remaining free articles",
    r"réservé aux abonnés",
    r"pour lire la suite",
    r"abonnez-vous",
    r"jetzt (?:abonnieren|weiterlesen)",
    r"nur für abonnenten",
    r"bereits abonnent",
    r"suscríbete para",
    r"solo para suscriptores",
    r"per continuare a leggere",
    r"riservato agli abbonati",
)
"""The text of a paywall."""

COOKIE_CONSENT = any_of(
    r"we (?:and our (?:\d+ )?partners )?use cookies",
    r"store and/or access information",
    r"accept (?:all )?cookies",
    r"cookie (?:policy|settings|preferences|consent)",
    r"consent to the use",
    r"enable javascript",
    r"javascript is (?:disabled|required)",
    r"verify (?:that )?you are (?:a )?human",
    r"checking your browser",
    r"ad ?blocker",
    r"are you a robot",
    r"unusual traffic",
    r"wir verwenden cookies",
    r"nous utilisons des cookies",
    r"utilizamos cookies",
    r"utilizziamo i cookie",
)
"""The text of a cookie banner, or of a page that works only in browsers."""

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
