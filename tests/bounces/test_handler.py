"""Mails in the bounce mailbox: what is set down, and what somebody forged."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bounces.handler import BounceHandler, handle_mail
from service.bounces.verp import delivery_id_of, return_paths
from service.core import tokens
from tests.builders import NOON
from tests.deliver.fakes import a_delivery

KEY = b"k" * 32
MAILS = Path(__file__).parent / "mails"


@dataclass
class Recorder:
    """Remembers what was set down."""

    bounced: list[tuple[str, bool]] = field(default_factory=list)
    left: list[tuple[str, str | None]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def record_bounce(self, delivery_id, *, hard, reason, now):  # noqa: ARG002 - the contract's
        self.bounced.append((delivery_id, hard))
        return True

    async def leave(self, subscriber_id, newsmail, _now):
        self.left.append((subscriber_id, newsmail))

    async def ask(self, email, _now):
        self.asked.append(email)
        return email == "amina@example.org"


def stored_mail(name: str, to: str = "") -> bytes:
    content = (MAILS / f"{name}.eml").read_bytes().partition(b"\r\n")[2]
    return content.replace(b"To: bounces@news.example.org", f"To: {to}".encode(), 1) if to else content


async def received(content: bytes, recipients=()) -> tuple[str, Recorder]:
    recorded = Recorder()
    returns = BounceHandler(recorded, recorded.leave, KEY, recorded.ask)
    return await handle_mail(returns, content, now=NOON, recipients=recipients), recorded


DELIVERY = a_delivery()
PATH = return_paths(KEY, "bounces@news.example.org")(DELIVERY)


async def test_a_hard_bounce_at_a_deliverys_return_path_is_set_down():
    assert await received(stored_mail("postfix-unknown", PATH)) == (
        "hard",
        Recorder([(DELIVERY.id, True)]),
    )


async def test_the_envelope_says_it_as_well():
    assert await received(stored_mail("qmail-unknown"), [PATH]) == (
        "hard",
        Recorder([(DELIVERY.id, True)]),
    )


async def test_a_soft_bounce_is_counted():
    assert await received(stored_mail("office365-full", PATH)) == (
        "soft",
        Recorder([(DELIVERY.id, False)]),
    )


@pytest.mark.parametrize(
    "to",
    [
        "bounces@news.example.org",
        f"bounces+{'a' * 55}@news.example.org",
        PATH.replace("+", "+a", 1),
        return_paths(b"another key", "bounces@news.example.org")(DELIVERY),
    ],
)
async def test_a_forged_bounce_changes_nothing(to):
    assert await received(stored_mail("postfix-unknown", to)) == ("forged", Recorder())


@pytest.mark.parametrize("name", ["vacation", "challenge", "a-reader-writes", "empty", "bounce-of-a-bounce"])
async def test_what_is_no_bounce_changes_nothing(name):
    word, recorded = await received(stored_mail(name), [PATH])
    assert (word, recorded) == ("ignored", Recorder())


async def test_a_complaint_unsubscribes_from_everything_if_the_mail_was_ours():
    token = tokens.sign(KEY, tokens.UNSUBSCRIBE, "amina", "morning")
    header = f"List-Unsubscribe: <https://news.example.org/unsubscribe/{token}>".encode()
    ours = stored_mail("complaint").replace(b"Auto-Submitted: auto-generated", header, 1)
    assert header in ours
    assert await received(ours) == ("complaint", Recorder(left=[("amina", None)]))
    assert await received(stored_mail("complaint")) == ("forged", Recorder())


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("block-outlook-s3140", "refused"),
        ("content-gmail-unsolicited", "refused"),
        ("relay-denied", "refused"),
        ("rate-qq-frequency", "refused"),
        ("size-too-large", "refused"),
        ("exchange-japanese-delayed", "delayed"),
        ("postfix-delayed", "delayed"),
    ],
)
async def test_what_is_not_about_the_address_never_counts_towards_its_suppression(name, word):
    assert await received(stored_mail(name), [PATH]) == (word, Recorder())


@pytest.mark.parametrize("name", ["full-gmail", "network-timeout", "postfix-expired", "temporarily-disabled"])
async def test_what_is_about_the_address_counts(name):
    assert await received(stored_mail(name), [PATH]) == ("soft", Recorder([(DELIVERY.id, False)]))


@pytest.mark.parametrize("name", ["feedback-dmarc-failure", "feedback-dmarc-type", "feedback-virus"])
async def test_a_report_about_authentication_unsubscribes_nobody(name):
    token = tokens.sign(KEY, tokens.UNSUBSCRIBE, "amina", "morning")
    report = stored_mail(name).replace(
        b"https://news.example.org/unsubscribe/x.y", f"https://n.example/{token}".encode()
    )
    assert token.encode() in report
    assert await received(report, [PATH]) == ("ignored", Recorder())


async def test_a_mail_to_unsubscribe_does_so():
    token = tokens.sign(KEY, tokens.UNSUBSCRIBE, "amina", "morning")
    for subject in (f"unsubscribe {token}", f"Re: unsubscribe%20{token}".replace("%20", " ")):
        content = f"From: amina@example.net\r\nSubject: {subject}\r\n\r\n\r\n".encode()
        assert await received(content) == ("left", Recorder(left=[("amina", "morning")]))
    forged = f"Subject: unsubscribe {token[:-1]}x\r\n\r\n".encode()
    assert (await received(forged))[0] == "ignored"


IDS = st.binary(min_size=24, max_size=24).map(bytes.hex)


@given(IDS)
def test_a_return_path_names_its_delivery_whatever_happens_to_its_case(id_):
    path = return_paths(KEY, "bounces@news.example.org")(a_delivery(id=id_))
    assert delivery_id_of(KEY, path) == delivery_id_of(KEY, path.upper()) == id_
    assert len(path.partition("@")[0]) <= 64


def test_a_delivery_whose_id_is_another_has_the_plain_return_path():
    assert return_paths(KEY, "b@news.example.org")(a_delivery(id="mail-1")) == "b@news.example.org"


def test_an_id_cannot_be_moved_under_another_signature():
    tail = return_paths(KEY, "b@n.example")(DELIVERY).partition("+")[2].partition("@")[0]
    data = bytearray(base64.b32decode(tail.upper() + "="))
    data[0] ^= 1
    token = base64.b32encode(bytes(data)).rstrip(b"=").decode().lower()
    assert delivery_id_of(KEY, f"b+{token}@n.example") is None
