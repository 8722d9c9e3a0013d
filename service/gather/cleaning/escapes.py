"""Escapes: recognise text that was escaped once too often, and undo it. Pure.

Feed software sometimes escapes markup twice, so that readers see "<p>" or "&amp;". But a text about HTML
means what it shows: its tags stand in the middle of sentences, or in code.
"""

from __future__ import annotations

import html
import re

MAX_ROUNDS = 3  # of escaping that are undone
MAX_REST_CHARACTERS = 200  # after the last tag of a document whose tags are its structure
MIN_STRUCTURE_TAGS = 2

_REAL_TAG = re.compile(r"<[a-zA-Z/!]")
_WRAPPER = re.compile(r"\s*+<(p|div|span)(?:\s[^<>]{0,500})?>([^<]*+)</\1>\s*+\Z", re.IGNORECASE)
_BLOCK_NAMES = "p|div|ul|ol|li|h[1-6]|blockquote|section|article|figure|table|tr|td|pre|center"
_INLINE_NAMES = "a|b|i|em|strong|span|font|u|s|sup|sub|small|big|code|cite|q|time|abbr|mark|del|ins"
_START = re.compile(rf"\s*+<(?:{_BLOCK_NAMES}|{_INLINE_NAMES}|br|hr|img)(?:\s[^<>]*+)?/?>", re.IGNORECASE)
_STRUCTURE = re.compile(
    rf"</(?:{_BLOCK_NAMES})\s*>|<(?:br|hr)\s*/?>|<(?:img|a)\s[^<>]*=[^<>]*>|</(?:{_INLINE_NAMES})\s*>",
    re.IGNORECASE,
)
_TITLE_PAIR = re.compile(
    rf"<({_INLINE_NAMES}|p)(?:\s[^<>]{{0,500}})?>[^<>]*+</\1\s*>|<br\s*/?>", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:amp|quot|apos|nbsp|[a-zA-Z]{2,8}[0-9]{0,2}|#[0-9]{2,6}|#[xX][0-9a-fA-F]{2,5});")
_ESCAPED_ENTITY = re.compile(r"&amp;(?=(?:[a-zA-Z]{2,8}[0-9]{0,2}|#[0-9]{2,6}|#[xX][0-9a-fA-F]{2,5});)")
_ABOUT_MARKUP = re.compile(
    r"(?i)(?<![\w./#-])(?:x?html5?|xml|css|php|javascript|jsx|entity|entities)\b|<(?:code|pre)\b"
)
_TAG = re.compile(r"<(?!code\b|pre\b)/?[a-zA-Z][^<>]*+>", re.IGNORECASE)


def escaped_once(markup: str) -> str:
    """Return markup that was escaped twice as markup that was escaped once; any other stays as it is."""
    if "&" not in markup:
        return markup
    markup = _with_plain_entities(markup)
    for _ in range(MAX_ROUNDS):
        wrapped = _WRAPPER.match(markup)
        inner = wrapped[2] if wrapped else markup
        if "&lt;" not in inner or _REAL_TAG.search(inner):
            break
        unescaped = html.unescape(inner)
        if not is_structured(unescaped):
            break
        markup = unescaped
    return markup


def text_escaped_once(text: str) -> str:
    """Return plain text, or a title in which entities are resolved once, without a second escaping."""
    for _ in range(MAX_ROUNDS):
        if "&" not in text or not _ENTITY.search(text) or _ABOUT_MARKUP.search(text):
            break
        text = html.unescape(text)
    return text


def has_title_markup(title: str) -> bool:
    """Return whether tags in a title format it, rather than being what it is about."""
    return _TITLE_PAIR.search(title) is not None and not _ABOUT_MARKUP.search(title)


def is_structured(markup: str) -> bool:
    """Return whether tags are the structure of a text, rather than its subject."""
    if "<" not in markup:
        return False
    tags = list(_STRUCTURE.finditer(markup))
    if not tags:
        return False
    if _START.match(markup):
        return len(tags) > MIN_STRUCTURE_TAGS or len(markup) - tags[-1].end() <= MAX_REST_CHARACTERS
    return len(tags) >= MIN_STRUCTURE_TAGS and not _ABOUT_MARKUP.search(markup)


def _with_plain_entities(markup: str) -> str:
    """Return the markup with "&amp;amp;" as "&amp;", unless it is about markup."""
    for _ in range(MAX_ROUNDS):
        if not _ESCAPED_ENTITY.search(markup) or _ABOUT_MARKUP.search(_TAG.sub(" ", markup)):
            break
        markup = _ESCAPED_ENTITY.sub("&", markup)
    return markup
