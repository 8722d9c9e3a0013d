"""The rules for a finished message of an issue. Each finding is a sentence: what is wrong, and where."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from urllib.parse import urlsplit

from service.compose.render import inbox
from service.compose.render.check.page import PageElement, letters, read_page
from service.compose.render.check.rules import COMPARED_CHARACTERS, check_mail, page_links, text_links
from service.compose.render.text_cleaning import clean
from service.compose.render.view import sender_line
from service.core.model import Digest, Placement, RenderedMail, Site
from service.core.placeholders import CLOSE, OPEN
from tests.mail_checker.colours import poor_contrasts

MAX_LINE_BYTES = 998  # without CRLF (RFC 5322, 2.1.1)
MAX_SUBJECT_CHARACTERS = 60
MAX_HTML_BYTES = 102_000  # Gmail clips a mail whose HTML is larger
REQUIRED_HEADERS = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "List-Id",
    "Auto-Submitted",
)
STRUCTURES = (
    ["text/plain"],
    ["multipart/alternative", "text/plain", "text/html"],
    ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/jpeg"],
)
ONE_CLICK = "List-Unsubscribe=One-Click"


def check_message(content: bytes, digest: Digest, site: Site) -> list[str]:
    """Return what is wrong with the message of an issue with this digest."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    findings = [*_bytes_findings(content), *_header_findings(message), *_structure_findings(message)]
    text, html = _part(message, "plain"), _part(message, "html")
    unsubscribe = re.match("<([^>]*)>", message["List-Unsubscribe"] or "")
    mail = RenderedMail(message["Subject"] or "", html, text)
    unsubscribe_url = unsubscribe[1] if unsubscribe else "none"
    findings += [
        f"{found.file}: {found.message}"
        for found in check_mail(mail, digest, unsubscribe_url=unsubscribe_url, sent_by=sender_line(site))
    ]
    page = read_page(html)
    findings += _address_findings(text, page, site)
    findings += _shown_findings(letters(text), digest, "text")
    findings += _picture_findings(message, page)
    if html:
        findings += _shown_findings(letters(page.text()), digest, "page")
        findings += _mirror_findings(text, page, digest)
        findings += [
            f"page: “{found.text}” has a contrast of {found.contrast} in {found.scheme} colours, "
            f"{found.colour} on {found.ground}"
            for found in poor_contrasts(page)
        ]
        if (size := len(html.encode())) > MAX_HTML_BYTES:
            findings.append(f"page: it has {size} bytes, and Gmail shows {MAX_HTML_BYTES}")
    return findings


def _bytes_findings(content: bytes) -> Iterator[str]:
    head, _, body = content.partition(b"\r\n\r\n")
    longest = max(content.split(b"\r\n"), key=len)
    if len(longest) > MAX_LINE_BYTES:
        yield f"message: a line has {len(longest)} bytes: {longest[:40]!r}"
    if b"\n" in content.replace(b"\r\n", b"") or b"\r" in content.replace(b"\r\n", b""):
        yield "message: a line does not end with CRLF"
    if b"\x00" in content:
        yield "message: it has a NUL"
    if not body.isascii():
        yield "body: it is not 7-bit, although its encodings are"
    if not head.isascii():
        yield "headers: they are not ASCII"


def _header_findings(message: EmailMessage) -> Iterator[str]:
    for name in REQUIRED_HEADERS:
        if len(message.get_all(name, [])) != 1:
            yield f"header {name}: it is there {len(message.get_all(name, []))} times"
    for name in ("From", "To"):
        if "@" not in parseaddr(str(message[name]))[1]:
            yield f"header {name}: it has no address: {message[name]}"
    subject = str(message["Subject"])
    if (size := inbox.letters(subject)) > MAX_SUBJECT_CHARACTERS:
        yield f"header Subject: it has {size} characters: {subject}"
    if parsedate_to_datetime(message["Date"]).tzinfo is None:
        yield f"header Date: it has no zone: {message['Date']}"
    if not re.fullmatch(r"<[^<>\s@]+@[^<>\s@]+>", message["Message-ID"]):
        yield f"header Message-ID: it is not valid: {message['Message-ID']}"
    yield from _list_header_findings(message)
    for part in message.walk():
        for defect in part.defects:
            yield f"message: {defect}"


def _list_header_findings(message: EmailMessage) -> Iterator[str]:
    if not re.match("<https?://", message["List-Unsubscribe"] or ""):
        yield f"header List-Unsubscribe: it does not begin with a link: {message['List-Unsubscribe']}"
    if (post := message["List-Unsubscribe-Post"]) != ONE_CLICK:
        yield f"header List-Unsubscribe-Post: it is {post}, not {ONE_CLICK} (RFC 8058)"


def _structure_findings(message: EmailMessage) -> Iterator[str]:
    kinds = [part.get_content_type() for part in message.walk()]
    if kinds not in STRUCTURES:
        yield f"message: its structure is {', '.join(kinds)}"
    for part in message.walk():
        if part.get_content_maintype() == "text" and part.get_content_charset() != "utf-8":
            yield f"{part.get_content_type()}: its charset is {part.get_content_charset()}"


def _picture_findings(message: EmailMessage, page: PageElement) -> Iterator[str]:
    """Yield a finding for each picture that the page shows and the message lacks, and the other way round."""
    shown = {picture.attributes.get("src", "") for picture in page.elements("img")}
    sent = {f"cid:{part['Content-ID'].strip('<>')}" for part in message.walk() if part["Content-ID"]}
    for source in sorted(shown - sent):
        yield f"page: the picture {source[:80]} is not in the message"
    for source in sorted(sent - shown):
        yield f"page: the picture {source[:80]} of the message is not shown"


def _address_findings(text: str, page: PageElement, site: Site) -> Iterator[str]:
    """Yield a finding for placeholders that are not filled, and for own links that are not https.

    Publishers' links are as they are.
    """
    if OPEN in text or CLOSE in text:
        yield "text: a placeholder is not filled"
    if OPEN in page.text() or any(OPEN in link for link in page_links(page)):
        yield "page: a placeholder is not filled"
    host = urlsplit(site.url).netloc
    for url in sorted(page_links(page) | text_links(text)):
        if site.url.startswith("https:") and url.startswith(f"http://{host}"):
            yield f"message: an own link is not https: {url[:80]}"


def _shown_findings(shown: str, digest: Digest, where: str) -> Iterator[str]:
    """Yield a finding for each story that the mail should name and does not, and the other way round."""
    for story in digest.stories:
        title = _start(story.headline)
        if story.placement is not Placement.WEB and title and title not in shown:
            yield f"{where}: the story “{clean(story.headline, 60)}” is not named"


def _mirror_findings(text: str, page: PageElement, digest: Digest) -> Iterator[str]:
    """Yield a finding for each point, caveat and link that only one of the parts has."""
    in_text, in_page = letters(text), letters(page.text())
    for line in (point.text for story in digest.stories for point in story.points):
        places = [name for name, shown in (("text", in_text), ("page", in_page)) if _start(line) in shown]
        if len(places) == 1:
            yield f"{places[0]}: only this part has the line “{clean(line, 60)}”"
    for url in sorted(text_links(text) - page_links(page)):
        if letters(url) not in in_page:
            yield f"text: only this part has the link {url[:80]}"


def _start(line: str) -> str:
    return letters(clean(line))[:COMPARED_CHARACTERS]


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
