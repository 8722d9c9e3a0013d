"""Preview for an editor: the next issue for any reader, time and theme, with what an inbox shows of it.

The links of the mail lead to no subscription, so an editor who tries one changes nobody's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from typing_extensions import override

from service.app.preview import (
    EXAMPLE_SUBSCRIBER,
    next_issue,
    page_note,
    personalized,
    preview_reader,
    rendered_mail,
)
from service.compose.layout import mail_minutes
from service.compose.size_budget import html_bytes
from service.core.errors import CaveatError
from service.core.model import Newsletter, Placement, Subscriber

if TYPE_CHECKING:
    from service.app.factories.application import Application

GMAIL_LIMIT = 102_000
"""Bytes of HTML above which Gmail clips a mail."""

MAX_PREHEADER_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class MailPreview:
    """The mail that a reader would get. `html` is "" for an edition in plain text.

    `stories` is the number of stories by placement. `headers` and `message_bytes` are those of the message;
    "" and 0 with `headers_problem` if the channel cannot make one. `note` says what does not work here.
    """

    subject: str
    preheader: str
    html: str
    text: str
    headers: str
    headers_problem: str
    html_bytes: int
    message_bytes: int
    minutes: int
    stories: dict[Placement, int]
    is_sent: bool
    note: str

    @property
    def is_clipped(self) -> bool:
        """Whether Gmail would clip the mail."""
        return self.html_bytes > GMAIL_LIMIT


async def preview_mail(
    app: Application, newsletter: Newsletter, *, email: str | None, at: datetime, theme: str | None
) -> MailPreview:
    """Return the mail that the reader would get at a moment; email None: the newsletter's own edition.

    Raises UsageError for an address that does not get the newsletter, UnknownName for an unknown theme,
    TemplateFailed for one with an error.
    """
    reader = await preview_reader(app, newsletter, email, at=at)
    found = await next_issue(app, reader, at=at, theme=theme)
    recipient = _without_links(reader.subscriber)
    mail = await personalized(app, found.issue, recipient)
    headers, problem, size = "", "", 0
    try:
        message = await rendered_mail(app, found.issue, recipient)
    except CaveatError as error:
        problem = error.sentence
    else:
        headers, size = _headers_of(message), len(message)
    stories = {one: len(found.digest.placed(one)) for one in Placement}
    return MailPreview(
        subject=mail.subject,
        preheader=inbox_text(mail.html)
        if mail.html
        else " ".join(mail.text.split())[:MAX_PREHEADER_CHARACTERS],
        html=mail.html,
        text=mail.text,
        headers=headers,
        headers_problem=problem,
        html_bytes=html_bytes(found.issue.rendered),
        message_bytes=size,
        minutes=mail_minutes(found.digest),
        stories=stories,
        is_sent=newsletter.empty == "send" or sum(stories.values()) >= newsletter.min_stories,
        note=page_note(newsletter),
    )


def _without_links(subscriber: Subscriber | None) -> Subscriber:
    """Return the reader with the id of the example: name and address are theirs, the links are nobody's."""
    return EXAMPLE_SUBSCRIBER if subscriber is None else replace(subscriber, id=EXAMPLE_SUBSCRIBER.id)


def _headers_of(message: bytes) -> str:
    head = message.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return head.decode("utf-8", "replace")


def inbox_text(html: str) -> str:
    """Return the text that an inbox shows behind the subject: the first one of the body, hidden or not."""
    reader = _FirstText()
    reader.feed(html)
    shown = "".join(char for char in reader.found if char.isprintable() and char != "\u034f")
    return " ".join(shown.split())[:MAX_PREHEADER_CHARACTERS]


class _FirstText(HTMLParser):
    """Keeps the first text of the body that is more than white space."""

    def __init__(self) -> None:
        super().__init__()
        self.found, self._skipped, self._in_body = "", False, False

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_body = self._in_body or tag == "body"
        self._skipped = tag in ("style", "script", "title")

    @override
    def handle_endtag(self, tag: str) -> None:
        self._skipped = False

    @override
    def handle_data(self, data: str) -> None:
        if self._in_body and not self._skipped and not self.found.strip():
            self.found = data
