"""Item details: the categories and the picture of a feed's item, from what its format calls them. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from service.gather.cleaning.characters import folded
from service.gather.web_addresses import safe_web_url

MAX_CATEGORIES = 30  # of an item; more are keywords for search engines
MAX_CATEGORY_CHARACTERS = 100  # as long as a key of `categories` in feeds.yaml
MAX_WRITTEN_CHARACTERS = 10 * MAX_CATEGORY_CHARACTERS  # of one with character references and white space
MAX_PICTURES = 50  # offered by an item, of which one is chosen
WIDTH_FOR_MAIL = 600  # pixels; the column of a digest is about as wide

_PODCAST_SCHEME = "http://www.itunes.com/"  # feedparser's, for keywords of itunes, which are no categories
_PICTURE_PATH = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)$", re.IGNORECASE)
_PORTRAITS = ("gravatar.com/", "s.w.org/")
"""Hosts of pictures of authors and of emoji, which blogs list as the item's."""


def category_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of categories, each once and on one line; too long ones are left out."""
    short = (html.unescape(name) for name in names if len(name) <= MAX_WRITTEN_CHARACTERS)
    kept = dict.fromkeys(map(folded, short))
    return tuple(name for name in kept if 0 < len(name) <= MAX_CATEGORY_CHARACTERS)[:MAX_CATEGORIES]


def tag_names(tags: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """Yield the names of tags as feedparser returns them: the label, and the term if it is no address."""
    for tag in tags[: 2 * MAX_CATEGORIES]:
        if tag.get("scheme") != _PODCAST_SCHEME:
            label, term = str(tag.get("label") or ""), str(tag.get("term") or "")
            yield label
            yield "" if "://" in term else term


def picture_of(pictures: Iterable[Mapping[str, Any]]) -> str:
    """Return the address of the best of these pictures, "" for none.

    A picture has `url` or `href`, and perhaps `type`, `medium` and `width`. Only absolute http(s) addresses
    count, of files that look like pictures; the best is the first, or the smallest one that fills the width
    of a mail if widths are given.
    """
    found = []
    for place, picture in zip(range(MAX_PICTURES), pictures, strict=False):
        url = safe_web_url(str(picture.get("url") or picture.get("href") or ""))
        if url and _is_picture(url, picture):
            width = _width(picture.get("width"))
            found.append((width < WIDTH_FOR_MAIL, abs(width - WIDTH_FOR_MAIL) if width else 0, place, url))
    return min(found)[-1] if found else ""


def _is_picture(url: str, picture: Mapping[str, Any]) -> bool:
    kind, medium = str(picture.get("type") or ""), str(picture.get("medium") or "")
    named = kind.startswith("image/") or medium == "image"
    unnamed = not kind and medium in ("", "image") and _PICTURE_PATH.search(url.partition("?")[0])
    is_portrait = any(host in url for host in _PORTRAITS)
    return bool(named or unnamed) and not is_portrait and not kind.startswith("image/svg")


def _width(text: object) -> int:
    digits = str(text or "").removesuffix("px")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 5 else 0
