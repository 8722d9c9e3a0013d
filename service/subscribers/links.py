"""Subscriber links: signed URLs of a subscriber's own pages, which need no login (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from service.core import tokens

UNSUBSCRIBE_PATH = "/unsubscribe/"
PREFERENCES_PATH = "/preferences/"

INVITATION_PATH = "/invitation/"
INVITATION_PURPOSE = "invitation"

TEST_RECIPIENT = "test"
"""The subscriber id in the links of a test mail; nobody has it, because ids of subscribers are hashes."""


@dataclass(frozen=True, slots=True)
class SubscriberLinks:
    """The links in a mail. `token` is that of the unsubscribe link, for unsubscribe requests by mail."""

    unsubscribe: str
    preferences: str
    token: str


@dataclass(frozen=True, slots=True)
class LinkClaim:
    """The subject of a link: a subscriber (id) and the newsletter (id) whose mail contained it."""

    subscriber_id: str
    newsletter: str


def subscriber_links(key: bytes, site_url: str, subscriber_id: str, newsletter: str) -> SubscriberLinks:
    """Return the links for a mail of `newsletter` to that subscriber. `site_url` has no trailing slash.

    They work for everyone who has the mail, so their pages show no personal data but the address.
    """
    unsubscribe = tokens.sign(key, tokens.UNSUBSCRIBE, subscriber_id, newsletter)
    preferences = tokens.sign(key, tokens.PREFERENCES, subscriber_id, newsletter)
    return SubscriberLinks(
        unsubscribe=f"{site_url}{UNSUBSCRIBE_PATH}{unsubscribe}",
        preferences=f"{site_url}{PREFERENCES_PATH}{preferences}",
        token=unsubscribe,
    )


def read_unsubscribe(key: bytes, token: str) -> LinkClaim | None:
    """Return the subject of an unsubscribe link, None if its signature is invalid."""
    return _claim(tokens.read(key, tokens.UNSUBSCRIBE, token))


def read_preferences(key: bytes, token: str) -> LinkClaim | None:
    """Return the subject of a preferences link, None if its signature is invalid."""
    return _claim(tokens.read(key, tokens.PREFERENCES, token))


def invitation_url(key: bytes, site_url: str, invitation_id: str) -> str:
    """Return the link that opens the sign-up form of an invitation (id)."""
    return f"{site_url}{INVITATION_PATH}{tokens.sign(key, INVITATION_PURPOSE, invitation_id)}"


def read_invitation(key: bytes, token: str) -> str | None:
    """Return the id of the invitation that a link names, None if its signature is invalid."""
    claims = tokens.read(key, INVITATION_PURPOSE, token)
    return claims[0] if claims is not None and len(claims) == 1 else None


def _claim(claims: tuple[str, ...] | None) -> LinkClaim | None:
    return LinkClaim(*claims) if claims is not None and len(claims) == 2 else None
