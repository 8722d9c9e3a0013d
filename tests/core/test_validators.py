"""Each validator has one spelling for what means the same, and one sentence for what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import UsageError
from service.core.schedules import WEEK, parse_schedule
from service.core.validators import read_email, read_phrases, read_schedule, read_timezone

days = st.lists(st.sampled_from([*WEEK, *(day[:3] for day in WEEK)]), min_size=1).map(",".join)
dates = st.lists(st.integers(1, 31).map(str), min_size=1).map(",".join)
times = st.lists(  # a quarter of an hour apart at least
    st.integers(0, 4 * 24 - 1).map(lambda quarter: f"{quarter // 4}:{quarter % 4 * 15:02}"), min_size=1
).map(",".join)
schedules = st.one_of(
    st.tuples(st.sampled_from(["daily", "Weekdays", "WEEKENDS"]), times),
    st.tuples(st.just("weekly"), days, times),
    st.tuples(st.just("monthly"), dates, times),
).map(" ".join)


@given(schedules)
def test_the_one_spelling_of_a_schedule_means_the_same_and_is_its_own_spelling(text: str):
    spelt = read_schedule(text)
    assert read_schedule(spelt) == spelt
    assert parse_schedule(spelt).times == parse_schedule(text).times
    january = [datetime(2026, 1, day, tzinfo=UTC).date() for day in range(1, 32)]
    assert [*map(parse_schedule(spelt).matches, january)] == [*map(parse_schedule(text).matches, january)]


def test_every_zone_of_the_database_is_one():
    assert all(read_timezone(name) == name for name in available_timezones())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Amina@Example.ORG", "Amina@example.org"),
        (" a+b.c_d-e@x.co.uk ", "a+b.c_d-e@x.co.uk"),
        ("a@BÜCHER.example", "a@bücher.example"),
        ("a@xn--bcher-kva.example", "a@bücher.example"),
        ("o'brien@x.org", "o'brien@x.org"),
    ],
)
def test_an_address_has_one_spelling(written: str, read: str):
    assert read_email(written) == read
    assert read_email(read) == read


@pytest.mark.parametrize(
    "text",
    ["", "@", "a@", "@x.org", "a@x", "a b@x.org", "a@x..org", ".a@x.org", "a@-x.org", "a@x.org\nb@x.org",
     "a@x.local", "a@[127.0.0.1]", f"a@{'b' * 64}.org", "a@x.org\0", "<a@x.org>",
     "a@x.org,b@x.org", "a" * 100_000, "\ud800@x.org", f"a@{'b.' * 200}org"],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_a_sentence(text: str):
    with pytest.raises(UsageError) as refused:
        read_email(text)
    assert len(str(refused.value)) < 300


@given(st.emails())
def test_the_quick_check_never_says_otherwise_than_the_full_one(address: str):
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - the judge of this test

    try:
        wanted = validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        with pytest.raises(UsageError):
            read_email(address)
    else:
        assert read_email(address) == wanted


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("  Central   Bank ", "central bank"),
        ("WHO", "WHO"),
        ("who", "who"),
        ("US economy", "US economy"),
        ("U.S. Economy", "U.S. economy"),
        ("US-China", "US-china"),
        ("CLIMATE CHANGE", "climate change"),
        ("Wahl", "wahl"),
        ("E\u0301LECTION", "élection"),
    ],
)
def test_a_phrase_has_one_spelling_and_an_acronym_keeps_its_capitals(written: str, read: str):
    assert read_phrases([written]) == (read,)


@given(st.lists(st.text(max_size=20), max_size=5))
def test_the_one_spelling_of_phrases_is_its_own_spelling(phrases: list[str]):
    once = read_phrases(phrases)
    assert read_phrases(once) == once


def test_too_many_or_too_long_phrases_are_refused():
    with pytest.raises(UsageError, match="51 words and phrases are too many"):
        read_phrases([f"word {n}" for n in range(51)])
    with pytest.raises(UsageError, match="at most 80 characters"):
        read_phrases(["x" * 81])
