"""Message: each recipient's mail, spliced from the bytes of an issue that was encoded once.

Headers are those of a lawful bulk mail: RFC 5322, RFC 2919 (List-Id), RFC 2369 and RFC 8058 (one-click
unsubscribe), RFC 3834 (Auto-Submitted), and Feedback-ID as Gmail's postmaster tools read it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from service.core.errors import CaveatError
from service.core.model import Delivery, Issue, MailKind, Message, Site
from service.core.placeholders import Placeholder
from service.deliver.message import headers
from service.deliver.message import quoted_printable as quoted
from service.deliver.message.dkim import DkimSigner, DkimTemplate, UnsignedDkimHeader
from service.deliver.message.mime_template import (
    MimeTemplate,
    has_list_headers,
    mime_template,
    subject_header,
)

MAX_CACHED_TEMPLATES = 32
# Plain strings: an enum's hash costs more than all else that filling a gap does.
NAME, ADDRESS = Placeholder.NAME.value, Placeholder.ADDRESS.value
UNSUBSCRIBE_URL, PREFERENCES_URL = Placeholder.UNSUBSCRIBE_URL.value, Placeholder.PREFERENCES_URL.value
CONFIRM_URL = Placeholder.CONFIRM_URL.value


@dataclass(frozen=True, slots=True)
class MailLinks:
    """A recipient's own pages, and the token that a mail to the unsubscribe address holds.

    All three are made of characters that stand in a URL as they are.
    """

    unsubscribe: str
    preferences: str
    token: str


MakeLinks = Callable[[str, str], MailLinks]
"""Makes the links of a subscriber (id) for a newsletter (id)."""

MakeConfirmLink = Callable[[str, str, datetime], str]
"""Makes the link that confirms the sign-up of a subscriber (id) for a newsletter (id), asked for then."""

MakeReturnPath = Callable[[Delivery], str]
"""Makes the envelope sender of a delivery: where its bounces go."""


class MessageBuilder:
    """Makes the message of a delivery; keeps the last issues in their encoded form.

    `links` makes the recipient's links; `return_path` the envelope sender (the site's own address unless
    given); each of `signers` adds a DKIM signature; `repeat_header` names a header for relays that drop a
    message whose value they have seen before, if yours is one that does; `confirm_link` makes what mails
    that ask to confirm a sign-up need. Raises CaveatError for a delivery that cannot become a message (an
    address that is none).
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
    ) -> None:
        self._site, self._links, self.signers = site, links, tuple(signers)
        self._confirm_link = confirm_link
        name, address = headers.split_mailbox(site.sender)
        self._sender = headers.envelope_address(address)
        self._from = b"From: " + headers.mailbox(name, self._sender) + b"\r\n"
        self._return_path = return_path or (lambda _delivery: self._sender)
        self._repeat_header = repeat_header
        self._host = site_host(site)
        self._forms: OrderedDict[str, tuple[MimeTemplate, DkimTemplate | None]] = OrderedDict()

    def __call__(self, issue: Issue, delivery: Delivery) -> Message:
        """Return the finished message; the same bytes for the same delivery every time."""
        message, drafts = self.build_unsigned(issue, delivery)
        if not drafts:
            return message
        signatures = [signer.sign(draft.digest) for signer, draft in zip(self.signers, drafts, strict=True)]
        return with_signatures(message, drafts, signatures)

    def build_unsigned(
        self, issue: Issue, delivery: Delivery
    ) -> tuple[Message, tuple[UnsignedDkimHeader, ...]]:
        """Return the message without its signatures, and what each of the signers is to sign."""
        form, seal = self._forms.get(issue.id) or self._formed(issue)
        try:
            recipient = headers.envelope_address(delivery.address)
        except ValueError as error:
            raise CaveatError(f"the address cannot be mailed: {error}") from error
        links = self._links(delivery.subscriber_id, issue.newsletter)
        values = {
            NAME: headers.clean_text(delivery.name),
            ADDRESS: delivery.address,
            UNSUBSCRIBE_URL: links.unsubscribe,
            PREFERENCES_URL: links.preferences,
            CONFIRM_URL: "",
        }
        if issue.kind is MailKind.CONFIRMATION and self._confirm_link is not None:
            asked = (delivery.subscriber_id, issue.newsletter, issue.created_at)
            values[CONFIRM_URL] = self._confirm_link(*asked)
        own = [self._from, *self._own_headers(delivery, recipient)]
        if has_list_headers(issue):
            own.append(self._unsubscribe_header(links))
        own.append(form.subject or subject_header(issue.rendered.subject, values))
        encoded = {place: quoted.encode_value(values[place]) for place in form.placeholders}
        filled = [gap.encoded_value(values[gap.placeholder], encoded[gap.placeholder]) for gap in form.fields]
        head = b"".join(own)
        parts = (head, *form.filled_parts(filled))
        drafts = seal.unsigned_headers(head, filled) if seal is not None else ()
        return Message(delivery.id, self._return_path(delivery), recipient, parts), drafts

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

    def _formed(self, issue: Issue) -> tuple[MimeTemplate, DkimTemplate | None]:
        form = mime_template(issue, self._site, self._host)
        seal = DkimTemplate(self.signers, form.head, form.body, issue.created_at) if self.signers else None
        self._forms[issue.id] = form, seal
        if len(self._forms) > MAX_CACHED_TEMPLATES:
            self._forms.popitem(last=False)
        return form, seal


def with_signatures(
    message: Message, unsigned: Sequence[UnsignedDkimHeader], signatures: Sequence[bytes]
) -> Message:
    """Return the message with its signature headers in front."""
    headers = [draft.signed_header(signature) for draft, signature in zip(unsigned, signatures, strict=True)]
    return replace(message, parts=(*headers, *message.parts))


def site_host(site: Site) -> str:
    """Return the host that stands in Message-ID and List-Id: the site's, in ASCII."""
    host = urlsplit(site.url).hostname or "localhost"
    return headers.envelope_address(f"host@{host}").partition("@")[2]
