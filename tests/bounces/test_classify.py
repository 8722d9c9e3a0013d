"""Bounce mails in the styles of the large providers and mail programs: each file says what it expects."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bounces.classify import classify_bytes
from service.bounces.result import BounceAction

MAILS = sorted((Path(__file__).parent / "mails").glob("*.eml"))


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_a_mail_says(path: Path):
    content = path.read_bytes()
    first, _, mail = content.partition(b"\r\n")
    action, status, *rest = first.decode().removeprefix("X-Expect: ").split()
    kinds = [word.removeprefix("kind=") for word in rest if word.startswith("kind=")]
    recipients = [word for word in rest if not word.startswith("kind=")]
    bounce = classify_bytes(mail)
    found = (str(bounce.action), bounce.status or "-", " ".join(bounce.recipients) or "-")
    assert found == (action, status, " ".join(recipients))
    assert not kinds or kinds == [bounce.kind]


def test_there_are_enough_of_them_to_mean_something():
    assert len(MAILS) >= 160


def test_a_complaint_is_more_than_a_bounce():
    mail = (Path(__file__).parent / "mails" / "complaint.eml").read_bytes()
    assert classify_bytes(mail).complaint


def test_the_delivery_that_came_back_is_named():
    mail = (Path(__file__).parent / "mails" / "postfix-unknown.eml").read_bytes()
    assert classify_bytes(mail).delivery_id == "0c73aed88e4db2a22c77cb3969a4d07a387d60fe4b45929a"


@given(st.binary(max_size=2000))
def test_any_bytes_have_an_answer(content):
    assert classify_bytes(content).action in BounceAction


@given(st.sampled_from(MAILS), st.integers(0, 5000), st.integers(0, 400))
def test_a_torn_mail_has_an_answer(path, start, length):
    content = path.read_bytes()
    assert classify_bytes(content[:start] + content[start + length :]).action in BounceAction
