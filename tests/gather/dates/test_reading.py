"""Dates as feeds write them are read as they are meant, or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from babel import Locale
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from service.gather.dates.grammar import MAX_CHARACTERS, Order
from service.gather.dates.reading import DateHabits, PublicationDate, habits_of, publication_date, read_date

NOW = datetime(2026, 11, 29, 14, tzinfo=UTC)
SAMPLES = [
    tuple(part.strip() for part in line.split(" | "))
    for line in (Path(__file__).parent / "samples.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
EUROPEAN = (
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "cs",
    "hr",
    "ru",
    "uk",
    "bg",
    "sv",
    "da",
    "nb",
    "fi",
    "el",
)
OTHERS = ("ro", "lt", "lv", "hu", "tr", "ar", "he", "hi", "id", "vi", "zh", "ja", "ko")


def read(text: str, language: str = "en", **known: object) -> PublicationDate | None:
    return read_date(text, DateHabits(language, NOW, **known))  # type: ignore[arg-type]


def meant(expected: str) -> PublicationDate | None:
    """Return the date that a line of samples.txt expects."""
    if expected == "-":
        return None
    at = datetime.fromisoformat(expected)
    return PublicationDate(at.replace(tzinfo=UTC), day_only=at.tzinfo is None)


@pytest.mark.parametrize(("language", "text", "expected"), SAMPLES)
def test_a_date_is_read_as_it_is_meant(language: str, text: str, expected: str) -> None:
    assert read(text, language) == meant(expected)


@pytest.mark.parametrize("declared", ["", "en", "de"])
def test_a_feed_in_another_language_than_it_declares_has_no_wrong_date(declared: str) -> None:
    by_territory = ("CST", "IST", "03/04", "03-04")  # what only the language can decide
    wrong = [
        text
        for _, text, expected in SAMPLES
        if read(text, declared) not in (None, meant(expected))
        and not any(part in text for part in by_territory)
    ]
    assert wrong == []


# --- what the other dates of a feed decide -----------------------------------------------------------


def habits(*texts: str, known: DateHabits | None = None) -> DateHabits:
    return habits_of(texts, known or DateHabits("en", NOW))


def test_a_day_above_twelve_shows_the_order_of_the_other_dates() -> None:
    assert habits("03/04/2026", "24/11/2026").order is Order.DAY_FIRST
    assert habits("03/04/2026", "11/24/2026").order is Order.MONTH_FIRST
    assert read("03/04/2026", order=Order.MONTH_FIRST) == meant("2026-03-04")


def test_a_day_in_the_future_shows_the_order_too() -> None:
    assert habits("03/12/2026").order is Order.MONTH_FIRST


def test_dates_that_contradict_each_other_show_no_order() -> None:
    found = habits("24/11/2026", "11/24/2026")
    assert found.order is None
    assert read_date("03/04/2026", found) is None


def test_the_order_shown_wins_over_the_language() -> None:
    assert read("03/04/2026", "en-US", order=Order.DAY_FIRST) == meant("2026-04-03")


def test_a_date_without_zone_is_in_the_usual_zone_of_the_feed() -> None:
    found = habits("Sat, 28 Nov 2026 09:00:00 +0100", "2026-11-27T09:00:00+01:00", "2026-11-29 13:30")
    assert read_date("2026-11-29 13:30", found) == meant("2026-11-29T12:30:00Z")


def test_two_zones_equally_often_show_no_usual_one() -> None:
    found = habits("Sat, 28 Nov 2026 09:00:00 +0100", "2026-11-27T09:00:00Z")
    assert read_date("2026-11-29 13:30", found) == meant("2026-11-29T13:30:00")


def test_habits_are_kept_where_a_document_shows_none() -> None:
    known = DateHabits("en", NOW, Order.DAY_FIRST, 60)
    assert habits("2026-11-29", known=known) == known


def test_the_first_date_that_can_be_read_is_taken() -> None:
    assert publication_date(["soon", "2026-11-29"], DateHabits("en", NOW)) == meant("2026-11-29")
    assert publication_date(["soon"], DateHabits("en", NOW)) is None


# --- forms, by formatting a moment and reading it ----------------------------------------------------

moments = st.integers(820_454_400, 1_795_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
zones = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


@given(moments, zones)
def test_a_moment_is_read_back_from_every_form(at: datetime, zone: timezone) -> None:
    local = at.astimezone(zone)
    forms = [
        format_datetime(local),
        local.isoformat(),
        local.isoformat(" "),
        f"{local:%Y%m%dT%H%M%S%z}",
        f"{local:%G-W%V-%uT%H:%M:%S%z}",
        f"{local:%Y-%jT%H:%M:%S%z}",
        f"{local:%a %b %d %H:%M:%S %z %Y}",
        f"{local:%a %b %d %Y %H:%M:%S} GMT{local:%z} (Local Time)",
        f"{local:%A, %B %d, %Y at %I:%M:%S %p %z}",
        f"{local:%Y/%m/%d %H:%M:%S %z}",
        f"{local:%d.%m.%Y %H:%M:%S %z}",
        f"{local:%d-%b-%Y %H:%M:%S %z}",
        f"{local:%Y年%m月%d日 %H:%M:%S %z}",
        str(int(at.timestamp())) if at.timestamp() >= 1e9 else local.isoformat(),
    ]
    assert [read(form) for form in forms] == [PublicationDate(at)] * len(forms)


@given(moments, st.sampled_from((*EUROPEAN, *OTHERS)), st.sampled_from(["long", "full", "medium"]))
def test_a_day_is_read_back_as_a_language_writes_it(at: datetime, language: str, form: str) -> None:
    written = format_date(at.date(), form, locale=Locale.parse(language))
    found = read(written, language)
    assert found is None or found == PublicationDate(at.replace(hour=0, minute=0, second=0), day_only=True)
    if form == "long":
        assert found is not None, written


@given(st.text(max_size=200) | st.text("0123456789:/-.+ TZapm年月日h()[]", max_size=200))
def test_any_text_is_read_or_refused_without_an_error(text: str) -> None:
    found = read(text)
    assert found is None or found.at.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["9" * 100_000, "1:" * 50_000, "a." * 50_000, "29/11/2026 " * 9_000, "(" * 90_000, "-1" * 50_000]
)
def test_a_text_of_extreme_length_is_refused(text: str) -> None:
    assert read(text) is None
    assert read(text[:MAX_CHARACTERS]) is None
