"""Messages, as the standard library parses them."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.archive_links import IssueLinks, issue_links
from service.core.content_ids import picture_content_id
from service.core.errors import CaveatError
from service.core.model import Issue, MailKind, RenderedMail
from service.core.placeholders import Placeholder, earlier_issue_url
from service.core.transfer_encoding.text_parts import USUAL_VALUE_BYTES, encoded_size, split_part
from service.deliver.message.builder import MailLinks, MessageBuilder
from service.deliver.message.headers import clean_text
from tests.deliver.fakes import SITE, a_delivery, a_message_builder, an_issue, links
from tests.pictures import a_picture

CONTROL_CHARACTERS = "Talks\x0b end\x00 \u2028in\x85 a\ud800 pledge\r\nBcc: victim@example.org"


def read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def made(issue=None, **delivery) -> EmailMessage:
    return read(a_message_builder()(issue or an_issue(), a_delivery(**delivery)).content)


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return body.get_content().replace("\r\n", "\n")


def test_a_message_has_every_required_header_of_bulk_mail():
    delivery = a_delivery()
    message = made()
    assert message["From"] == "The Morning Caveat <digest@news.example.org>"
    assert message["To"] == "Amina <amina@example.org>"
    assert message["Subject"] == "Aid talks end with a pledge"
    assert message["Date"] == "Mon, 02 Mar 2026 12:00:00 +0000"
    assert message["Message-ID"] == f"<{delivery.id}@news.example.org>"
    assert message["List-Id"] == "The Morning Caveat <morning.news.example.org>"
    https, mailto = re.findall("<([^>]+)>", message["List-Unsubscribe"])
    assert https == f"https://news.example.org/u/{delivery.subscriber_id}.morning"
    assert mailto.startswith("mailto:unsubscribe@news.example.org?subject=unsubscribe%20")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Precedence"] == "bulk"
    assert message["Feedback-ID"].count(":") == 3
    assert message["MIME-Version"] == "1.0"
    for name in ("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Id"):
        assert len(message.get_all(name)) == 1


def test_text_comes_before_html_and_both_hold_the_subscribers_own_values():
    message = made(name="Ümit & Söhne")
    assert message.get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]
    text, html = part(message, "plain"), part(message, "html")
    own = f"https://news.example.org/u/{a_delivery().subscriber_id}.morning"
    assert text == f"Hello Ümit & Söhne,\n\nthe harbour reopened.\n\nUnsubscribe: {own}\n"
    assert "<p>Hello Ümit &amp; Söhne,</p>" in html
    assert f'<a href="{own}">' in html


def test_a_picture_is_inside_the_html_part_and_a_text_part_stays_as_it_is():
    picture = a_picture()
    plain, pictured = made(), made(an_issue(picture=picture))
    text, related = pictured.iter_parts()

    assert text.get_content().replace("\r\n", "\n") == part(plain, "plain")
    assert related.get_content_type() == "multipart/related"
    assert related.get_param("type") == "text/html"
    html, image = related.iter_parts()
    assert html.get_content().replace("\r\n", "\n") == part(plain, "html")
    assert image.get_content_type() == "image/jpeg"
    assert image["Content-ID"] == f"<{picture_content_id(picture)}>"
    assert image.get_content_disposition() == "inline"
    assert image.get_content() == picture.data


def test_all_recipients_of_an_issue_share_the_bytes_of_its_picture():
    build, issue = a_message_builder(), an_issue(picture=a_picture())
    messages = [build(issue, a_delivery(f"{name}@example.org", name)) for name in ("amina", "ben")]
    (first,), (second,) = ([p for p in message.parts if b"image/jpeg" in p] for message in messages)
    assert first is second


def test_an_issue_in_plain_text_has_no_picture():
    message = made(an_issue(html="", picture=a_picture()))
    assert message.get_content_type() == "text/plain"


def test_an_issue_in_plain_text_is_one_part():
    message = made(an_issue(html=""))
    assert message.get_content_type() == "text/plain"
    assert message.get_content().startswith("Hello Amina,")


def test_the_same_delivery_makes_the_same_bytes_every_time():
    assert a_message_builder()(an_issue(), a_delivery()) == a_message_builder()(
        an_issue(), a_delivery(attempts=3)
    )


def test_messages_of_two_subscribers_differ_only_in_personal_values():
    make = a_message_builder()
    one = make(an_issue(), a_delivery("a@example.org", "")).content.splitlines()
    two = make(an_issue(), a_delivery("b@example.org", "")).content.splitlines()
    differing = [line for line, other in zip(one, two, strict=True) if line != other]
    assert all(re.search(rb"a@example.org|/u/|Message-ID|mailto", line) for line in differing)


def test_an_empty_name_leaves_no_extra_space():
    assert part(made(name=""), "plain").startswith("Hello ,\n")


def test_control_characters_in_a_subject_are_removed_and_add_no_header():
    issue = an_issue(
        CONTROL_CHARACTERS, text=f"{CONTROL_CHARACTERS}\n", html=f"<p>{CONTROL_CHARACTERS}</p>\n"
    )
    message = made(issue)
    assert message["Subject"] == "Talks end in a pledge Bcc: victim@example.org"
    assert message["Bcc"] is None
    assert "\x00" not in part(message, "plain")


def test_a_title_of_five_thousand_characters_is_cut():
    message = made(an_issue("Ω" * 5000))
    assert 100 < len(message["Subject"]) <= 300
    assert all(
        len(line) <= 78 for line in bytes(message).split(b"\n\n")[0].split(b"\n") if b"Subject" in line
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Amina", "Amina"),
        ("Ng, Amina", "Ng, Amina"),
        ('Amina "Mina" O\\N', 'Amina "Mina" O\\N'),
        ("Zoë 🌍", "Zoë 🌍"),
        ("=?utf-8?q?evil?=", "=?utf-8?q?evil?="),
        ("x\r\nBcc: victim@example.org", "x Bcc: victim@example.org"),
        ("", ""),
        ("王" * 90, "王" * 90),
    ],
)
def test_a_subscribers_name_arrives_unchanged(name, shown):
    content = a_message_builder()(an_issue(), a_delivery(name=name)).content
    # The older parser: the newer one keeps spaces between encoded words, against RFC 2047, section 6.2.
    message = email.message_from_bytes(content)
    raw, address = parseaddr(message["To"])
    assert (str(make_header(decode_header(raw))), address) == (shown, "amina@example.org")
    assert message["Bcc"] is None


def test_a_subject_may_contain_the_subscribers_name():
    issue = an_issue(f"{Placeholder.NAME.marker}, your morning in Zürich")
    assert made(issue, name="Jürgen")["Subject"] == "Jürgen, your morning in Zürich"


def test_a_non_ascii_domain_is_sent_in_its_ascii_form():
    message = a_message_builder()(an_issue(), a_delivery("anna@straße.example"))
    assert message.recipient == "anna@xn--strae-oqa.example"


@pytest.mark.parametrize("address", ["nobody", "a b@example.org", "a@b>\r\nRCPT TO:<c@d", "@example.org", ""])
def test_an_invalid_address_is_refused(address):
    with pytest.raises(CaveatError, match="cannot be mailed"):
        a_message_builder()(an_issue(), a_delivery(address))


def test_a_site_without_an_unsubscribe_address_has_no_mailto_link():
    message = read(a_message_builder(replace(SITE, unsubscribe_address=""))(an_issue(), a_delivery()).content)
    assert message["List-Unsubscribe"] == f"<https://news.example.org/u/{a_delivery().subscriber_id}.morning>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_confirmation_has_its_own_link_and_no_list_headers():
    maker = MessageBuilder(
        SITE, links, confirm_link=lambda *values: f"https://news.example.org/confirm/{values[1]}"
    )
    rendered = RenderedMail("Please confirm", "", f"Press {Placeholder.CONFIRM_URL.marker}")
    issue = an_issue(rendered=rendered, edition_key="", kind=MailKind.CONFIRMATION)
    message = read(maker(issue, a_delivery()).content)
    assert message.get_content().strip() == "Press https://news.example.org/confirm/morning"
    assert not [name for name in message if name.lower().startswith("list-")]
    # In an issue the placeholder is empty.
    assert read(maker(an_issue(rendered=rendered), a_delivery()).content).get_content().strip() == "Press"


def an_issue_with_page_links() -> Issue:
    page, report = Placeholder.ISSUE_URL.marker, Placeholder.REPORT_URL.marker
    return an_issue(
        rendered=RenderedMail(
            f"Today: {page}", f'<a href="{page}">Web</a> <a href="{report}">Wrong</a>', f"{page}\n{report}"
        )
    )


def test_the_pages_of_an_issue_are_linked_alike_for_every_recipient():
    builder = MessageBuilder(
        SITE,
        links,
        issue_links=lambda issue, newsletter: issue_links(
            b"k" * 32, SITE.url, issue, {"morning": "public"}[newsletter]
        ),
    )
    issue = an_issue_with_page_links()
    url = f"https://news.example.org/issues/{issue.id}"

    for address in ("amina@example.org", "ben@example.org"):
        message = read(builder(issue, a_delivery(address)).content)
        assert message["Subject"] == f"Today: {url}"
        assert part(message, "plain").split() == [url, f"{url}/report"]
        assert part(message, "html").strip() == f'<a href="{url}">Web</a> <a href="{url}/report">Wrong</a>'


@pytest.mark.parametrize("archive", ["public", "signed"])
def test_an_earlier_issue_is_linked_with_a_key_of_its_own(archive: str):
    def pages(issue_id: str, _newsletter: str) -> IssueLinks:
        return issue_links(b"k" * 32, SITE.url, issue_id, archive)

    builder = MessageBuilder(SITE, links, issue_links=pages)
    first = earlier_issue_url("a1")
    issue = an_issue(rendered=RenderedMail("Update", f'<a href="{first}">before</a>', first))

    message = read(builder(issue, a_delivery()).content)
    url = pages("a1", "").page
    assert part(message, "plain").strip() == url
    assert part(message, "html").strip() == f'<a href="{url}">before</a>'


def test_a_transactional_mail_has_no_page():
    builder = MessageBuilder(SITE, links, issue_links=lambda *_: pytest.fail("it is no issue"))
    issue = replace(an_issue_with_page_links(), kind=MailKind.WELCOME)

    assert part(read(builder(issue, a_delivery()).content), "plain").strip() == ""


def test_the_site_may_have_a_name_in_any_script():
    site = SITE.__class__(
        name="ニュース",
        url="https://news.example.org",
        sender="ニュース <digest@news.example.org>",
        postal_address="",
        unsubscribe_address="u@news.example.org",
    )
    message = read(a_message_builder(site)(an_issue(), a_delivery()).content)
    assert message["From"].addresses[0].display_name == "ニュース"
    assert message["List-Id"].endswith("<morning.news.example.org>")


ANY_TEXT = st.text(st.characters(exclude_characters="\ue000\ue001"), max_size=300)
PLACED = st.lists(st.one_of(ANY_TEXT, st.sampled_from([p.marker for p in Placeholder])), max_size=8).map(
    "".join
)


@given(subject=ANY_TEXT, text=PLACED, html=PLACED, name=ANY_TEXT)
def test_lines_of_any_message_stay_short_and_need_no_dot_stuffing(subject, text, html, name):
    issue = an_issue(subject, text=text, html=html)
    content = a_message_builder()(issue, a_delivery(name=name)).content
    head, _, body = content.partition(b"\r\n\r\n")
    assert b"\r\n." not in content
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    assert all(len(line) <= 250 for line in head.split(b"\r\n"))
    assert read(content)["From"] is not None


@given(
    text=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Co"]), max_size=400),
    name=st.text(st.characters(exclude_categories=["C", "Z"]), max_size=50),
)
def test_the_decoded_text_equals_the_source(text, name):
    rendered = RenderedMail(
        "s", "", f"{text}{Placeholder.NAME.marker}{text}{Placeholder.UNSUBSCRIBE_URL.marker}"
    )
    delivery = a_delivery(name=name)
    content = a_message_builder()(an_issue(rendered=rendered), delivery).content
    own = f"https://news.example.org/u/{delivery.subscriber_id}.morning"
    assert (
        read(content).get_payload(decode=True).decode().replace("\r\n", "\n").rstrip("\n")
        == f"{text}{clean_text(name)}{text}{own}"
    )


# --- encodings ---------------------------------------------------------------------------------

ARABIC = "أعلنت الهيئة أن البئر الجديدة تكفي حاجة المدينة من مياه الشرب."


def an_arabic_issue() -> Issue:
    name, leave = Placeholder.NAME.marker, Placeholder.UNSUBSCRIBE_URL.marker
    html = f"<p>{name}</p><p>{ARABIC}</p>\n" * 9 + f'<a href="{leave}">{name}</a>'
    return an_issue(rendered=RenderedMail("s", html, f"{ARABIC}\n{name}\n{leave}\n" * 3))


def test_a_part_in_arabic_is_sent_in_base64_with_the_subscribers_own_values():
    for name in ("", "A", "Be", "سلمى", "Ümit & <Söhne>"):
        message = made(an_arabic_issue(), name=name)
        own = f"https://news.example.org/u/{a_delivery().subscriber_id}.morning"

        encodings = [one["Content-Transfer-Encoding"] for one in message.iter_parts()]
        assert encodings == ["base64", "base64"]
        assert part(message, "plain") == f"{ARABIC}\n{name}\n{own}\n" * 2 + f"{ARABIC}\n{name}\n{own}"
        assert part(message, "html").endswith(f'<a href="{own}">{escape(name)}</a>')


@given(html=PLACED, name=st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20))
def test_a_part_in_base64_equals_the_source(html, name):
    source = ARABIC * 9 + html
    issue = an_issue(rendered=RenderedMail("s", source, "text"))
    delivery = a_delivery(name=name)
    message = read(a_message_builder()(issue, delivery).content)
    [_, found] = message.iter_parts()
    assert found["Content-Transfer-Encoding"] == "base64"
    texts, placeholders = split_part(source)
    shown = "".join(
        text + values_of(delivery)[place] for text, place in zip(texts, [*placeholders, ""], strict=True)
    )
    assert found.get_payload(decode=True).decode() == shown.replace("\n", "\r\n")


def values_of(delivery) -> dict[str, str]:
    own = links(delivery.subscriber_id, "morning")
    return {
        Placeholder.NAME: escape(clean_text(delivery.name)),
        Placeholder.ADDRESS: delivery.address,
        Placeholder.UNSUBSCRIBE_URL: own.unsubscribe,
        Placeholder.PREFERENCES_URL: own.preferences,
        **dict.fromkeys([Placeholder.CONFIRM_URL, Placeholder.ISSUE_URL, Placeholder.REPORT_URL, ""], ""),
    }


@given(html=PLACED, arabic=st.integers(0, 9))
def test_the_size_of_a_part_is_that_which_compose_counts(html, arabic):
    source = ARABIC * arabic + html

    def usual_links(_subscriber: str, _newsletter: str) -> MailLinks:
        return MailLinks(*["x" * USUAL_VALUE_BYTES] * 3)

    delivery = a_delivery(name="x" * USUAL_VALUE_BYTES)
    only_links = re.sub("\ue000(?!name|unsubscribe_url|preferences_url)[a-z_]+\ue001", "", source)
    issue = an_issue(rendered=RenderedMail("s", only_links or "x", "text"))
    content = MessageBuilder(SITE, usual_links)(issue, delivery).content
    boundary = read(content).get_boundary().encode()
    _, _, body = content.split(b"--" + boundary)[2].partition(b"\r\n\r\n")
    assert len(body.removesuffix(b"\r\n\r\n")) == encoded_size(only_links or "x")
