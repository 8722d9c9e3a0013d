"""A token carries signed claims for one purpose; without the key it cannot be made or changed."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.tokens import ARCHIVE, ISSUE, PREFERENCES, UNSUBSCRIBE, is_signature, read, sign, signature

KEY, ANOTHER_KEY = b"k" * 32, b"x" * 32

claims = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")), min_size=1)


@given(claims)
def test_signed_claims_can_be_read(signed: list[str]):
    assert read(KEY, UNSUBSCRIBE, sign(KEY, UNSUBSCRIBE, *signed)) == tuple(signed)


@given(claims)
def test_a_token_needs_no_escaping_in_a_url(signed: list[str]):
    token = sign(KEY, UNSUBSCRIBE, *signed)

    assert quote(token, safe="") == token
    assert re.fullmatch(r"[\w-]*\.[\w-]{22}", token)


def test_a_token_is_valid_for_one_purpose():
    assert read(KEY, PREFERENCES, sign(KEY, UNSUBSCRIBE, "person", "morning")) is None


def test_a_token_signed_with_another_key_is_refused():
    assert read(KEY, UNSUBSCRIBE, sign(ANOTHER_KEY, UNSUBSCRIBE, "person", "morning")) is None


def test_the_signature_for_one_person_is_refused_for_another():
    ours, theirs = (sign(KEY, UNSUBSCRIBE, person, "morning").split(".") for person in ("amina", "ben"))

    assert read(KEY, UNSUBSCRIBE, f"{theirs[0]}.{ours[1]}") is None


@given(st.data())
def test_a_token_with_one_character_changed_is_refused(data: st.DataObject):
    token = sign(KEY, UNSUBSCRIBE, "person", "morning")
    index = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters().filter(lambda c: c != token[index]))

    assert read(KEY, UNSUBSCRIBE, token[:index] + character + token[index + 1 :]) is None


@given(st.text(st.characters()))
def test_any_other_string_is_refused_without_an_exception(token: str):
    assert read(KEY, UNSUBSCRIBE, token) is None


@pytest.mark.parametrize("change", ["{}=", "{}.", ".{}", " {}", "{}\n", "{}é"])
def test_a_token_has_one_spelling(change: str):
    assert read(KEY, UNSUBSCRIBE, change.format(sign(KEY, UNSUBSCRIBE, "person"))) is None


def test_a_claim_with_a_line_feed_is_not_signed():
    with pytest.raises(ValueError, match="line feed"):
        sign(KEY, UNSUBSCRIBE, "person\nanother")


@given(st.text(st.characters()))
def test_a_signature_is_of_one_claim_for_one_purpose_by_one_key(claim: str):
    given_key = signature(KEY, ISSUE, claim)

    assert re.fullmatch(r"[\w-]{22}", given_key)
    assert is_signature(KEY, ISSUE, claim, given_key)
    assert not is_signature(KEY, ISSUE, claim + "a", given_key)
    assert not is_signature(KEY, ARCHIVE, claim, given_key)
    assert not is_signature(ANOTHER_KEY, ISSUE, claim, given_key)


@given(st.text(st.characters()))
def test_any_other_string_is_no_signature_and_raises_nothing(given_key: str):
    assert not is_signature(KEY, ISSUE, "issue", given_key)


@given(st.data())
def test_a_signature_with_one_character_changed_is_refused(data: st.DataObject):
    right = signature(KEY, ISSUE, "issue")
    index = data.draw(st.integers(0, len(right) - 1))
    character = data.draw(st.characters().filter(lambda c: c != right[index]))

    assert not is_signature(KEY, ISSUE, "issue", right[:index] + character + right[index + 1 :])
