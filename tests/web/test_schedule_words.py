"""Schedules in words for readers: no cron expression where a language has words for it."""

from __future__ import annotations

import pytest

from service.settings.packaged_files import templates_folder
from service.text.i18n import localizer_for
from service.web.page_text import PageTexts
from service.web.sign_up.schedule_words import schedule_words

LABELS = PageTexts(templates_folder() / "web" / "words.toml").languages


def words(language: str, schedule: str) -> str:
    return schedule_words(localizer_for(LABELS, language), schedule)


@pytest.mark.parametrize(
    ("language", "schedule", "expected"),
    [
        ("en", "cron */15 * * * *", "Every 15 minutes"),
        ("en", "every 1h", "Every hour"),
        ("en", "every 3h", "Every 3 hours"),
        ("en", "cron 30 6 * * mon-fri", "Monday to Friday at 6:30\xa0am"),
        ("en", "cron 5 * * * *", "On this schedule: at minute 5 of each hour"),
        ("en", "every 3h from 06:00 to 22:00", "On this schedule: every 3 hours from 06:00 to 22:00"),
        ("de", "cron */30 * * * *", "Alle 30 Minuten"),
        ("de", "every 2h", "Alle 2 Stunden"),
        ("ru", "every 3h", "Каждые 3 часа"),
        ("ar", "every 1h", "كل ساعة"),
    ],
)
def test_readers_read_words(language: str, schedule: str, expected: str):
    assert words(language, schedule) == expected


@pytest.mark.parametrize("language", sorted(LABELS))
def test_every_language_has_words_for_even_times(language: str):
    for schedule in ("cron */15 * * * *", "cron 0 */6 * * *", "cron 0 * * * *", "every 12h"):
        said = words(language, schedule)
        assert "*" not in said
        assert "every" not in said or language == "en"
        assert "{" not in said
