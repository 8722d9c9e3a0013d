"""Message builder: each recipient's mail, from a template of the issue that was encoded once.

The headers are those that bulk mail needs: RFC 5322, RFC 2919 (List-Id), RFC 2369 and RFC 8058 (one-click
unsubscribe), RFC 3834 (Auto-Submitted), and Feedback-ID for Gmail's Postmaster Tools.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from typing_extensions import override

from service.core.archive_links import IssueLinks
from service.core.errors import CaveatError
from service.core.model import Delivery, Issue, MailKind, Message, RenderedMail, Site
from service.core.placeholders import Placeholder, PlaceholderValues, fill
from service.deliver.message import headers
from service.deliver.message.dkim import DkimSigner, DkimTemplate, UnsignedDkimHeader
from service.deliver.message.mime_template import (
    MimeTemplate,
    has_list_headers,
    mime_template,
    subject_header,
)
from service.deliver.ports import MessageFactory

MAX_CACHED_TEMPLATES = 32
# Plain strings: the hash of an enum member costs more than the rest of filling a field.
NAME, ADDRESS = Placeholder.NAME.value, Placeholder.ADDRESS.value
UNSUBSCRIBE_URL, PREFERENCES_URL = Placeholder.UNSUBSCRIBE_URL.value, Placeholder.PREFERENCES_URL.value
CONFIRM_URL = Placeholder.CONFIRM_URL.value


@dataclass(frozen=True, slots=True)
class MailLinks:
    """The URLs of a recipient's pages, and the token in a mail to the unsubscribe address.

    All three contain only characters that a URL holds unquoted.
    """

    unsubscribe: str
    preferences: str
    token: str


MakeLinks = Callable[[str, str], MailLinks]
"""Makes the links of a subscriber (id) for a newsletter (id)."""

MakeConfirmLink = Callable[[str, str, datetime], str]
"""Makes the link that confirms a sign-up: subscriber (id), newsletter (id), time of the sign-up."""

MakeIssueLinks = Callable[[str, str], IssueLinks]
"""Makes the links to the web pages of an issue: issue (id), newsletter (id)."""

MakeReturnPath = Callable[[Delivery], str]
"""Makes the envelope sender of a delivery: where its bounces go."""


class MessageBuilder(MessageFactory):
    """Builds the message of a delivery; caches the templates of the last issues.

    `links` makes the recipient's links; `return_path` the envelope sender (None: the site's own address);
    each of `signers` adds a DKIM signature; `repeat_header` names the header by which some relays drop a
    message that they have seen before (empty: none); `confirm_link` makes the link of confirmation mails,
    `issue_links` those of issues.
    """

    def __init__(
        self,
        site: Site,
        links: MakeLinks,
        return_path: MakeReturnPath | None = None,
        *,
        signers: Sequence[DkimSigner] = (),
        repeat_header: str = "",
        confirm_link: MakeConfirmLink | None = None,
        issue_links: MakeIssueLinks | None = None,
    ) -> None:
        self._site, self._links, self.signers = site, links, tuple(signers)
        self._confirm_link, self._issue_links = confirm_link, issue_links
        name, address = headers.split_mailbox(site.sender)
        self._sender = headers.envelope_address(address)
        self._from = b"From: " + headers.mailbox(name, self._sender) + b"\r\n"
        self._return_path = return_path or (lambda _delivery: self._sender)
        self._repeat_header = repeat_header
        self._host = site_host(site)
        self._templates: OrderedDict[str, tuple[MimeTemplate, DkimTemplate | None]] = OrderedDict()

    @override
    def __call__(self, issue: Issue, delivery: Delivery) -> Message:
        message, unsigned = self.build_unsigned(issue, delivery)
        if not unsigned:
            return message
        signatures = [
            signer.sign(header.digest) for signer, header in zip(self.signers, unsigned, strict=True)
        ]
        return with_signatures(message, unsigned, signatures)

    def build_unsigned(
        self, issue: Issue, delivery: Delivery
    ) -> tuple[Message, tuple[UnsignedDkimHeader, ...]]:
        """Return the message without signatures, and the unsigned DKIM header of each signer."""
        template, dkim = self._templates.get(issue.id) or self._make_templates(issue)
        try:
            recipient = headers.envelope_address(delivery.address)
        except ValueError as error:
            raise CaveatError(f"the address cannot be mailed: {error}") from error
        links = self._links(delivery.subscriber_id, issue.newsletter)
        values = PlaceholderValues(
            {
                NAME: headers.clean_text(delivery.name),
                ADDRESS: delivery.address,
                UNSUBSCRIBE_URL: links.unsubscribe,
                PREFERENCES_URL: links.preferences,
                CONFIRM_URL: "",
            }
        )
        if issue.kind is MailKind.CONFIRMATION and self._confirm_link is not None:
            asked = (delivery.subscriber_id, issue.newsletter, issue.created_at)
            values[CONFIRM_URL] = self._confirm_link(*asked)
        own = [self._from, *self._own_headers(delivery, recipient)]
        if has_list_headers(issue):
            own.append(self._unsubscribe_header(links))
        own.append(template.subject or subject_header(template.subject_text, values))
        filled = template.filled(values)
        head = b"".join(own)
        parts = (head, *template.filled_parts(filled))
        unsigned = dkim.unsigned_headers(head, filled) if dkim is not None else ()
        return Message(delivery.id, self._return_path(delivery), recipient, parts), unsigned

    def _own_headers(self, delivery: Delivery, recipient: str) -> tuple[bytes, ...]:
        repeat = f"{self._repeat_header}: {delivery.id}\r\n" if self._repeat_header else ""
        return (
            b"To: ",
            headers.mailbox(delivery.name, recipient),
            f"\r\nMessage-ID: <{delivery.id}@{self._host}>\r\n{repeat}".encode(),
        )

    def _unsubscribe_header(self, links: MailLinks) -> bytes:
        """Return List-Unsubscribe (RFC 2369): the link, and the address where such mail is read."""
        address = self._site.unsubscribe_address
        mail = f",\r\n <mailto:{address}?subject=unsubscribe%20{links.token}>" if address else ""
        return f"List-Unsubscribe: <{links.unsubscribe}>{mail}\r\n".encode()

    def _make_templates(self, issue: Issue) -> tuple[MimeTemplate, DkimTemplate | None]:
        template = mime_template(self._with_issue_links(issue), self._site, self._host)
        dkim = (
            DkimTemplate(self.signers, template.head, template.body, issue.created_at)
            if self.signers
            else None
        )
        self._templates[issue.id] = template, dkim
        if len(self._templates) > MAX_CACHED_TEMPLATES:
            self._templates.popitem(last=False)
        return template, dkim

    def _with_issue_links(self, issue: Issue) -> Issue:
        """Return the issue with the links to its pages and to earlier issues, the same for all recipients."""

        def links_of(issue_id: str) -> IssueLinks:
            if issue.kind is not MailKind.ISSUE or self._issue_links is None:
                return IssueLinks("", "")
            return self._issue_links(issue_id, issue.newsletter)

        def page_of(issue_id: str) -> str:
            return links_of(issue_id).page

        links = links_of(issue.id)
        # The links have no character that HTML would need escaped.
        values = {Placeholder.ISSUE_URL.value: links.page, Placeholder.REPORT_URL.value: links.report}
        rendered = issue.rendered
        filled = RenderedMail(
            *(
                fill(part, values, issue_url=page_of)
                for part in (rendered.subject, rendered.html, rendered.text)
            )
        )
        return replace(issue, rendered=filled)


def with_signatures(
    message: Message, unsigned: Sequence[UnsignedDkimHeader], signatures: Sequence[bytes]
) -> Message:
    """Return the message with the signed DKIM headers at the front."""
    headers = [
        header.signed_header(signature) for header, signature in zip(unsigned, signatures, strict=True)
    ]
    return replace(message, parts=(*headers, *message.parts))


def site_host(site: Site) -> str:
    """Return the host for Message-ID and List-Id: the site's, in ASCII."""
    host = urlsplit(site.url).hostname or "localhost"
    return headers.envelope_address(f"host@{host}").partition("@")[2]
