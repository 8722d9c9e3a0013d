"""The mail checker finds each fault, in a message that has no other."""

from __future__ import annotations

import pytest

from service.core.model import Digest
from tests.compose.digests import SITE, a_digest, a_story, caveat, point, published
from tests.mail_checker.checker import check_message

BRIDGE = published("Bridge closes", url="https://news.example/bridge")
CLAIM, LIMIT = "The bridge is closed to lorries.", "Ambulances may still cross it."
DIGEST = a_digest(a_story([point(BRIDGE, CLAIM), caveat(BRIDGE, LIMIT)]))
SENDER = SITE.postal_address
UNSUBSCRIBE = "https://news.example.org/u/amina"

TEXT = f"Bridge closes\nhttps://news.example/bridge\n{CLAIM}\n  | {LIMIT}\n{UNSUBSCRIBE}\n{SENDER}\n"
HTML = f"""<html lang="en" dir="ltr"><head><title>News</title><style>
@media (prefers-color-scheme: dark) {{ .sheet {{ background-color: #111111 !important; }}
.ink, .sheet a {{ color: #eeeeee !important; }} }}
</style></head><body class="sheet ink" style="background-color: #fff; color: #222222"><h1>News</h1>
<h2><a style="color: #222222" href="https://news.example/bridge">Bridge closes</a></h2>
<p>{CLAIM}</p><p class="ink" style="color: #333">{LIMIT}</p>
<p><a style="color: #222222" href="{UNSUBSCRIBE}">Unsubscribe</a> {SITE.postal_address}</p></body></html>
"""
MESSAGE = f"""From: The Morning Caveat <digest@news.example.org>
To: Amina <amina@example.org>
Message-ID: <1@news.example.org>
List-Unsubscribe: <{UNSUBSCRIBE}>
Subject: Bridge closes
List-Id: <morning.news.example.org>
Date: Mon, 02 Mar 2026 12:00:00 +0000
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="between"

--between
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 7bit

{TEXT}
--between
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: 7bit

{HTML}
--between--
"""


def findings(message: str = MESSAGE, digest: Digest = DIGEST) -> list[str]:
    return check_message(message.replace("\n", "\r\n").encode(), digest, SITE)


def test_a_good_message_has_no_findings():
    assert not findings()


WRONG = {
    "no sender": ("From: The", "X-From: The", "header From: it is there 0 times"),
    "a recipient without address": ("To: Amina <amina@example.org>", "To: A", "header To: it has no address"),
    "two subjects": ("Subject: Bridge closes", "Subject: a\nSubject: b", "header Subject: it is there 2"),
    "a long subject": ("Subject: Bridge", "Subject: " + "Bridge " * 9, "header Subject: it has 70"),
    "a wrong id": ("<1@news.example.org>", "<1>", "header Message-ID"),
    "no way to unsubscribe": ("List-Unsubscribe: <https", "List-Unsubscribe: <m", "List-Unsubscribe: it"),
    "no one-click": ("List-Unsubscribe=One-Click", "no", "header List-Unsubscribe-Post: it is no"),
    "one part": ("multipart/alternative", "multipart/mixed", "its structure is multipart/mixed"),
    "the page first": ("Content-Type: text/plain", "Content-Type: text/html", "its structure is"),
    "a wrong charset": ('text/html; charset="utf-8"', 'text/html; charset="latin-1"', "its charset is"),
    "8-bit text": ("Ambulances may", "Ambülances may", "body: it is not 7-bit"),
    "a long line": (CLAIM, CLAIM + " and" * 300, "message: a line has"),
    "a placeholder": ("<p>", "<p>\ue000name\ue001", "page: a placeholder is not filled"),
    "an own link without TLS": (
        "<h1>News",
        '<h1>News <a style="color: #222222" href="http://news.example.org/x">x</a>',
        "own link is not https",
    ),
    "a story that is not named": ("Bridge closes</a>", "No bridge</a>", "page: the story “Bridge closes”"),
    "a point that the text lacks": (f"bridge\n{CLAIM}", "bridge", "page: only this part has the line “The"),
    "a caveat that the page lacks": (f"{LIMIT}</p>", "</p>", "text: only this part has the line “Ambulances"),
    "a link that the page lacks": ("| Amb", "| https://other.example Amb", "only this part has the link"),
    "grey on white": ("color: #333", "color: #999", "has a contrast of 2.85 in light colours, #999 on"),
    "black on black": (".ink, .sheet a {", ".none, .sheet a {", "in dark colours, #222222 on #111111"),
    "two headings": ("<h1>News</h1>", "<h1>News</h1><h1>More</h1>", "2 first headings"),
    "a large page": (f"{LIMIT}</p>", f"{LIMIT}</p>" + "<p>more of it</p>\n" * 7_000, "page: it has"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), WRONG.values(), ids=WRONG)
def test_a_fault_is_found(old: str, new: str, said: str):
    assert old in MESSAGE
    found = findings(MESSAGE.replace(old, new, 1))

    assert [one for one in found if said in one] if said else not found, found
