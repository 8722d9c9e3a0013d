"""Labels, plurals, dates and text direction in many languages."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from service.settings.packaged_files import templates_folder
from service.text.i18n import localizer_for, text_direction

LABELS = tomllib.loads((templates_folder() / "digest/daily/labels.toml").read_text(encoding="utf-8"))
EVENING = datetime(2026, 3, 2, 18, 5, tzinfo=UTC)


@pytest.mark.parametrize("language", LABELS)
def test_every_language_has_every_label_in_every_plural_form(language: str):
    localizer = localizer_for(LABELS, language, "UTC")

    assert LABELS[language].keys() == LABELS["en"].keys()
    for key in LABELS[language]:
        for n in (0, 1, 2, 3, 5, 11, 21, 100):
            values = {"listed": "A, B", "address": "a@b.example", "title": "T", "name": "N", "day": "D"}
            values |= {"text": "She came.", "judge": "qwen", "label": "L"}
            assert localizer.text(key, n=n, **values)


def test_a_number_selects_the_plural_form():
    russian = localizer_for(LABELS, "ru", "Europe/Moscow")

    assert [russian.text("stories", n=n) for n in (1, 2, 5, 21)] == [
        "1 новость",
        "2 новости",
        "5 новостей",
        "21 новость",
    ]


def test_a_value_that_looks_like_a_placeholder_is_kept():
    localizer = localizer_for(LABELS, "en", "UTC")

    assert "{title} {n} is subscribed to {{ x }}" in localizer.text(
        "why_you", address="{title} {n}", title="{{ x }}"
    )


def test_an_unknown_label_raises():
    with pytest.raises(KeyError):
        localizer_for(LABELS, "en", "UTC").text("nonsense")


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de", "de"), ("de-AT", "de"), ("pt-BR", "pt"), ("DE_ch", "de"), ("sw", "en"), ("", "en"), ("x!", "en")],
)
def test_the_labels_are_those_of_the_nearest_language_else_english(tag: str, language: str):
    assert localizer_for(LABELS, tag, "UTC").language == language


@pytest.mark.parametrize(
    ("language", "zone", "day", "clock"),
    [
        ("en", "America/New_York", "Monday, March 2, 2026", "1:05\u00a0PM"),
        ("en", "Europe/Berlin", "Monday, 2 March 2026", "19:05"),
        ("en", "Asia/Calcutta", "Monday, 2 March 2026", "11:35\u00a0pm"),
        ("en", "Asia/Qatar", "Monday, 2 March 2026", "9:05\u00a0pm"),
        ("en", "UTC", "Monday, 2 March 2026", "6:05\u00a0pm"),
        ("en-GB", "America/New_York", "Monday, 2 March 2026", "13:05"),
        ("de", "Europe/Vienna", "Montag, 2. März 2026", "19:05"),
        ("de", "America/New_York", "Montag, 2. März 2026", "13:05"),
        ("ar", "Asia/Qatar", "الاثنين، 2 مارس 2026", "9:05\u00a0م"),
        ("zh", "Asia/Shanghai", "2026年3月3日星期二", "02:05"),
        ("sw", "Africa/Nairobi", "Monday, 2 March 2026", "21:05"),
    ],
)
def test_dates_follow_the_territory_of_the_subscriber(language: str, zone: str, day: str, clock: str):
    localizer = localizer_for(LABELS, language, zone)

    assert localizer.full_date(EVENING) == day
    assert localizer.time(EVENING, EVENING) == clock


def test_another_day_is_named_and_another_year_too():
    localizer = localizer_for(LABELS, "en", "Europe/Berlin")

    assert localizer.time(EVENING, EVENING + timedelta(days=1)) == "2 Mar, 19:05"
    assert localizer.time(EVENING, EVENING + timedelta(days=400)) == "2 Mar 2026, 19:05"


def test_the_same_day_is_that_of_the_time_zone():
    localizer = localizer_for(LABELS, "en", "America/New_York")
    late = datetime(2026, 3, 3, 4, 0, tzinfo=UTC)

    assert localizer.time(late, EVENING) == "11:00\u00a0PM"
    assert localizer.time(late, late + timedelta(hours=2)) == "Mar 2, 11:00\u00a0PM"


@pytest.mark.parametrize(
    ("language", "zone", "day"),
    [
        ("en", "Europe/Berlin", "Mon, 2 Mar"),
        ("en", "America/New_York", "Mon, Mar 2"),
        ("de", "Europe/Vienna", "Mo., 2. März"),
        ("ja", "Asia/Tokyo", "3月3日(火)"),
    ],
)
def test_a_short_date_has_its_weekday(language: str, zone: str, day: str):
    assert localizer_for(LABELS, language, zone).short_date(EVENING, EVENING + timedelta(days=3)) == day


def test_a_short_date_of_another_year_has_its_year():
    assert (
        localizer_for(LABELS, "en", "UTC").short_date(EVENING, EVENING + timedelta(days=300)).endswith("2026")
    )


def test_the_direction_is_that_of_the_language():
    assert localizer_for(LABELS, "ar", "Asia/Qatar").direction == "rtl"
    assert [text_direction(tag) for tag in ("he", "fa-IR", "en", "zh-Hant", "und", "", "!!")] == [
        "rtl",
        "rtl",
        "ltr",
        "ltr",
        "ltr",
        "ltr",
        "ltr",
    ]
