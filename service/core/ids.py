"""Identity: ids are computed from content, not assigned, so that inserting twice is harmless."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict
from hashlib import blake2b, sha256
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from service.core.model import Edition

TRACKING_PARAMETERS = frozenset(
    {"fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "yclid", "ocid", "cmpid", "smid"}
)
DEFAULT_PORTS = {"http": 80, "https": 443}


def content_id(kind: str, *parts: str) -> str:
    """Return 32 hex digits for the parts; `kind` keeps ids of different nouns apart."""
    hasher = blake2b(digest_size=16, person=kind.encode()[:16])
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "big"))
        hasher.update(data)
    return hasher.hexdigest()


def canonical_url(url: str) -> str:
    """Return the address that identifies a page: no tracking parameters, fragment, default port or `www.`.

    http and https count as one scheme. What cannot be split comes back stripped and otherwise unchanged.
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
    """Return the host that an address lies on, with its port as it is written; "" for a file."""
    return url.partition("://")[2].partition("/")[0]


def feed_id(url: str) -> str:
    """Return the id of the feed at `url`."""
    return content_id("feed", canonical_url(url))


def article_id(feed: str, guid: str, url: str, title: str) -> str:
    """Return the id of an article: its page's address where it has one, else its guid or title in its feed.

    The address comes first because feeds lose, change and share guids more often than pages move.
    """
    if url.startswith(("http://", "https://")):
        return content_id("article", canonical_url(url))
    return content_id("article", feed, guid or title)


def story_id(articles: list[str]) -> str:
    """Return the id of the story that these articles tell; their order does not matter."""
    return content_id("story", *sorted(articles))


def edit_key(article: str, title: str, text: str) -> str:
    """Return the key of an article's words, as they are now or after an edit."""
    return content_id("edit", article, title, text)


def edition_key(edition: Edition) -> str:
    """Return the key of an edition, computed from its wishes alone."""
    return content_id("edition", json.dumps(asdict(edition), sort_keys=True, ensure_ascii=False))


def issue_id(edition: str, occurrence: str, served_from: int) -> str:
    """Return the id of an issue: its edition, the moment it is due, and where its readers stood."""
    return content_id("issue", edition, occurrence, str(served_from))


def send_id(key: str) -> str:
    """Return the id of the manual send that was asked for under this idempotency key."""
    return content_id("send", key)


def delivery_prefix(issue: str, channel: str) -> str:
    """Return the 16 hex digits that the ids of all deliveries of one issue by one channel begin with."""
    return content_id("delivery", issue, channel)[:16]


def delivery_id(issue: str, subscriber: str, channel: str) -> str:
    """Return the id of a delivery; it is the left part of the Message-ID on every attempt.

    Prefix and subscriber rather than one digest of all three: a database computes a million of them without
    calling back, and finds the delivery again from its id alone.
    """
    return delivery_prefix(issue, channel) + subscriber


def fold_address(email: str) -> str:
    """Return the form under which two spellings of an address are the same person: NFC, case-folded."""
    email = email.strip()
    if email.isascii():
        return email.lower()  # what the rest comes to, in a fifth of the time
    # Folding can undo the composition, so that it is composed again.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email).casefold())


def subscriber_id(email: str) -> str:
    """Return the id of the person at that address."""
    return content_id("subscriber", fold_address(email))


def address_hash(email: str) -> str:
    """Return the hash under which an address is suppressed; the address itself need not be kept."""
    return sha256(b"suppression:" + fold_address(email).encode()).hexdigest()


def stable_jitter(identifier: str, span: int) -> int:
    """Return a number in 0 <= n < span that depends on the id alone: jitter that can be repeated."""
    return int.from_bytes(blake2b(identifier.encode(), digest_size=8).digest(), "big") % max(span, 1)
