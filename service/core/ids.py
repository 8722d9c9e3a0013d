"""Ids are computed from content, not assigned, so that a repeated insert is harmless."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import MISSING, Field, asdict, fields
from hashlib import blake2b, sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from service.core.model import Edition

TRACKING_PARAMETERS = frozenset(
    {"fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "yclid", "ocid", "cmpid", "smid"}
)
"""Query parameters that identify a visitor or campaign, not a page; those with `utm_` are removed as well."""
DEFAULT_PORTS = {"http": 80, "https": 443}


def content_id(kind: str, *parts: str) -> str:
    """Return 32 hex digits for the parts; `kind` separates ids of different kinds of objects."""
    hasher = blake2b(digest_size=16, person=kind.encode()[:16])
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "big"))
        hasher.update(data)
    return hasher.hexdigest()


def canonical_url(url: str) -> str:
    """Return the URL that identifies a page: without tracking parameters, fragment, default port and `www.`.

    http and https count as one scheme. Text that is not a web address is stripped and otherwise unchanged.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url.strip()
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return url.strip()
    host = parts.hostname.removeprefix("www.")
    if ":" in host:
        host = f"[{host}]"
    if port and port != DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    query = urlencode(
        [
            (key, value)
            for key, value in parse_qsl(parts.query, keep_blank_values=True)
            if not key.lower().startswith("utm_") and key.lower() not in TRACKING_PARAMETERS
        ],
        errors="replace",
    )
    return urlunsplit(("https", host, parts.path.rstrip("/") or "/", query, ""))


def host_of(url: str) -> str:
    """Return the host of a URL, with its port if the URL states one; "" for a file."""
    return url.partition("://")[2].partition("/")[0]


def feed_id(url: str) -> str:
    """Return the id of the feed at `url`."""
    return content_id("feed", canonical_url(url))


def article_id(feed: str, guid: str, url: str, title: str) -> str:
    """Return the id of an article: from the URL of its page, else from its guid or title within its feed.

    The URL comes first because feeds lose, change and share guids more often than pages move.
    """
    if url.startswith(("http://", "https://")):
        return content_id("article", canonical_url(url))
    return content_id("article", feed, guid or title)


def story_id(articles: list[str]) -> str:
    """Return the id of a story from the ids of its articles, in any order."""
    return content_id("story", *sorted(articles))


def split_story_id(article: str, story: str) -> str:
    """Return the id of the story of an article that was taken out of `story`."""
    return content_id("split", article, story)


def edit_key(article: str, title: str, text: str) -> str:
    """Return the key of one version of an article's title and text."""
    return content_id("edit", article, title, text)


def text_key(text: str) -> str:
    """Return the key of a text, by which a label names the text that its offsets are of."""
    return content_id("text", text)


def edition_key(edition: Edition) -> str:
    """Return the key of an edition.

    A field with a default value counts only while it differs from it. So a field that is added to Edition
    with a default changes no stored key. The fields of the first version have no default and always count.
    """
    values = asdict(edition)
    for field in fields(edition):
        if getattr(edition, field.name) == _default_of(field):
            del values[field.name]
    return content_id("edition", json.dumps(values, sort_keys=True, ensure_ascii=False))


def _default_of(field: Field[Any]) -> object:
    """Return the field's default, MISSING without one."""
    return field.default if field.default_factory is MISSING else field.default_factory()


def issue_id(edition: str, occurrence: str, served_from: int) -> str:
    """Return the id of an issue: from its edition, its occurrence and the cursor of its group before it."""
    return content_id("issue", edition, occurrence, str(served_from))


def send_id(key: str) -> str:
    """Return the id of the manual send with this idempotency key."""
    return content_id("send", key)


def delivery_prefix(issue: str, channel: str) -> str:
    """Return the first 16 hex digits of the ids of all deliveries of one issue by one channel."""
    return content_id("delivery", issue, channel)[:16]


def delivery_id(issue: str, subscriber: str, channel: str) -> str:
    """Return the id of a delivery; it is the left part of the Message-ID of each attempt.

    The id is a prefix and the subscriber's id instead of one hash of all three, so that the database computes
    a million of them itself, and finds a delivery by its id alone.
    """
    return delivery_prefix(issue, channel) + subscriber


def fold_address(email: str) -> str:
    """Return the form in which two spellings of one address are equal: stripped, NFC, case-folded."""
    email = email.strip()
    if email.isascii():
        return email.lower()  # the same result in a fifth of the time
    # Case folding can decompose characters, therefore NFC once more.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email).casefold())


def subscriber_id(email: str) -> str:
    """Return the id of the subscriber with this address."""
    return content_id("subscriber", fold_address(email))


def address_hash(email: str) -> str:
    """Return the hash that suppressions store in place of the address."""
    return sha256(b"suppression:" + fold_address(email).encode()).hexdigest()


def stable_jitter(identifier: str, span: int) -> int:
    """Return a number in 0 <= n < span that depends on the id alone: repeatable jitter."""
    return int.from_bytes(blake2b(identifier.encode(), digest_size=8).digest(), "big") % max(span, 1)
