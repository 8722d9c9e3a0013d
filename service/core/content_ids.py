"""Content-IDs: the names by which the HTML of a mail shows the pictures inside it (RFC 2392; pure)."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from service.core.model import Issue, Picture


def picture_content_id(picture: Picture) -> str:
    """Return the Content-ID of a picture, without angle brackets: the same in all mails that show it."""
    return f"{sha256(picture.data).hexdigest()[:32]}@picture.caveat"


def picture_url(picture: Picture) -> str:
    """Return the address of a picture inside a mail."""
    return f"cid:{picture_content_id(picture)}"


def standalone_html(issue: Issue, html: str) -> str:
    """Return the issue's HTML with its picture in it, for a file or page outside of a mail."""
    if issue.picture is None:
        return html
    data = b64encode(issue.picture.data).decode()
    return html.replace(picture_url(issue.picture), f"data:image/jpeg;base64,{data}")
