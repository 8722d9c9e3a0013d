"""Colour scheme of a mail in a preview: dark or light, whatever the system of the editor says (pure).

Only the response to a frame is changed. The frame keeps its sandbox and its policy, and a mail that is sent
keeps its media queries.
"""

from __future__ import annotations

import re

ALWAYS, NEVER = "(min-width: 0px)", "(max-width: 0px)"
"""Media features that are true and false on every screen; unlike `all`, they may follow `and`."""

_STYLE = re.compile(r"(<style\b[^<>]*>)([^<]*)(</style>)", re.IGNORECASE)
_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_INLINED = re.compile(
    r"""(<html\b[^<>]*\bstyle=["'][^"'<>]*?(?<![-\w])color-scheme\s*:\s*)[^;"']+""", re.IGNORECASE
)
"""The property on the root element, where the inlining of styles repeats it."""

_DARK = re.compile(r"color-scheme(?:(?!color-scheme)[^>;}])*\bdark\b", re.IGNORECASE)
_PROPERTY = re.compile(r"(?<![-\w])(color-scheme\s*:\s*)[^;}]+", re.IGNORECASE)
_META = re.compile(
    r"""(<meta\b[^<>]{0,200}\bname=["'](?:supported-)?color-schemes?["'][^<>]{0,200}\bcontent=["'])[^"']*""",
    re.IGNORECASE,
)


def has_dark_style(html: str) -> bool:
    """Return whether a mail has rules for dark screens, or lets the mail program choose its colours."""
    return bool(_DARK.search(html))


def with_color_scheme(html: str, scheme: str) -> str:
    """Return the HTML of a mail in the scheme `dark` or `light`. Text outside of styles is not touched."""

    def styled(found: re.Match[str]) -> str:
        css = _QUERY.sub(lambda query: ALWAYS if query[1].lower() == scheme else NEVER, found[2])
        return found[1] + _PROPERTY.sub(rf"\g<1>{scheme}", css) + found[3]

    found = _META.sub(rf"\g<1>{scheme}", _STYLE.sub(styled, html))
    return _INLINED.sub(rf"\g<1>{scheme}", found, count=1)
