"""Links: a reader's own pages, signed, so that they need no account and nobody can guess them (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from service.core import tokens

UNSUBSCRIBE_PATH = "/unsubscribe/"
PREFERENCES_PATH = "/preferences/"


@dataclass(frozen=True, slots=True)
class SubscriberLinks:
    """What goes into a reader's mail; `token` is the unsubscribe link's, for a mail that asks to leave."""

    unsubscribe: str
    preferences: str
    token: str


@dataclass(frozen=True, slots=True)
class LinkClaim:
    """Whom a link is about: a subscriber (id), and the newsletter (id) of the mail that it came in."""

    subscriber_id: str
    newsletter: str


def subscriber_links(key: bytes, site_url: str, subscriber_id: str, newsletter: str) -> SubscriberLinks:
    """Return the links for a mail of `newsletter` to that subscriber. `site_url` has no slash at its end.

    Anybody who has the mail can use them: they unsubscribe and choose, and show no more than the address.
    """
    leave = tokens.sign(key, tokens.UNSUBSCRIBE, subscriber_id, newsletter)
    choose = tokens.sign(key, tokens.PREFERENCES, subscriber_id, newsletter)
    return SubscriberLinks(
        unsubscribe=f"{site_url}{UNSUBSCRIBE_PATH}{leave}",
        preferences=f"{site_url}{PREFERENCES_PATH}{choose}",
        token=leave,
    )


def read_unsubscribe(key: bytes, token: str) -> LinkClaim | None:
    """Return whom an unsubscribe link is about, or None for one that we did not sign."""
    return _claim(tokens.read(key, tokens.UNSUBSCRIBE, token))


def read_preferences(key: bytes, token: str) -> LinkClaim | None:
    """Return whom a preferences link is about, or None for one that we did not sign."""
    return _claim(tokens.read(key, tokens.PREFERENCES, token))


def _claim(claims: tuple[str, ...] | None) -> LinkClaim | None:
    return LinkClaim(*claims) if claims is not None and len(claims) == 2 else None
