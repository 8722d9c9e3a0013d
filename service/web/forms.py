"""Preferences form: a subscription as form fields, and submitted fields as a preference change (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from service.app.people.typed_preferences import words_of
from service.app.self_service import PreferenceChange
from service.core.model import NO_LIMIT, Membership, Newsletter, Preferences, SubscriptionStatus
from service.core.schedules import DAYS, WEEK
from service.web.request_bodies import Fields

STATUSES = {
    "receive": SubscriptionStatus.ACTIVE,
    "pause": SubscriptionStatus.PAUSED,
    "leave": SubscriptionStatus.UNSUBSCRIBED,
}
RHYTHMS = ("week", "month", "own")
WHOLE_WEEK, WORKDAYS, WEEKEND = frozenset(range(7)), frozenset(range(5)), frozenset((5, 6))

MAX_TIMES = 6
"""Number of times a day that are read from a form."""

MAX_VALUE_CHARACTERS = 200
"""Characters that are read of one field; no valid value is longer."""

MAX_PHRASES_CHARACTERS = 5_000
"""Characters that are read of a list of words and phrases; the longest valid list is shorter."""

_TIME = re.compile(r"(\d{1,2}:\d{2})(?::\d{2}(?:\.\d+)?)?")
_NUMBER = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class NewsletterForm:
    """The fields of one newsletter, as typed text. `problems` has a label key or a sentence for each field.

    `until` is the day (`2026-08-15`) at which a pause ends, "" for none. `rhythm` is `week`, which uses
    `days` (Monday is 0), `month`, which uses `dates` (`1,15`), or `own`, which keeps `own_schedule`: one that
    has no fields here (`every 3h`, `cron ...`), else "". `offered` are the topics to choose from;
    `everything` says whether no topic means all of them. `languages` are those of the articles, none for all,
    of `offered_languages`. `follow` and `mute` are words and phrases between commas; `minutes` is empty for
    the newsletter's own reading time, 0 for no limit. `language` is that of the mail, of `mail_languages`.
    """

    id: str
    title: str
    status: str
    until: str
    rhythm: str
    days: frozenset[int]
    dates: str
    times: tuple[str, ...]
    own_schedule: str
    timezone: str
    topics: tuple[str, ...]
    offered: tuple[str, ...]
    everything: bool
    stories: str
    points: str
    format: str
    language: str
    languages: tuple[str, ...] = ()
    offered_languages: tuple[str, ...] = ()
    follow: str = ""
    mute: str = ""
    minutes: str = ""
    mail_languages: tuple[str, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


def stored_form(
    membership: Membership,
    newsletter: Newsletter,
    topics: Sequence[str],
    languages: Sequence[str],
    mail_languages: Sequence[str] = (),
) -> NewsletterForm:
    """Return the form with the stored preferences.

    `topics` are those of all feeds and newsletters, `languages` those of the newsletter's feeds,
    `mail_languages` those that mails can have.
    """
    edition = membership.edition
    rhythm, days, dates, times = _schedule_parts(edition.schedule)
    return NewsletterForm(
        id=newsletter.id,
        title=newsletter.title,
        status=_status_word(membership.subscription.status),
        until="" if membership.pause_end is None else membership.pause_end.isoformat(),
        rhythm=rhythm,
        days=days,
        dates=dates,
        times=times,
        own_schedule=edition.schedule if rhythm == "own" else "",
        timezone=edition.timezone,
        topics=edition.topics,
        offered=tuple(sorted({*topics, *newsletter.topics, *edition.topics})),
        everything=not newsletter.topics,
        stories=str(edition.stories),
        points=str(edition.points),
        format=edition.format,
        language=edition.language,
        languages=edition.languages,
        offered_languages=tuple(sorted({*languages, *edition.languages})),
        follow=", ".join(edition.follow),
        mute=", ".join(edition.mute),
        minutes=_minutes(edition.minutes, newsletter.minutes),
        mail_languages=tuple(sorted({*mail_languages, edition.language})),
    )


def _minutes(minutes: int | None, usual: int | None) -> str:
    """Return the minutes as typed: 0 where the person wants no limit and the newsletter has one."""
    if minutes is None:
        return "" if usual is None else str(NO_LIMIT)
    return str(minutes)


def submitted_form(stored: NewsletterForm, fields: Fields) -> NewsletterForm:
    """Return the form with the submitted fields and the problems that are visible without the newsletter.

    A newsletter that the subscriber leaves has no problems: its other fields are ignored.
    """
    form = _filled(stored, fields)
    problems: dict[str, str] = {}
    if form.status == "leave":
        return form
    if form.status == "pause" and form.until and _day(form.until) is None:
        problems["paused_until"] = "no_date"
    if form.rhythm != "own" and not form.times:
        problems["schedule"] = "no_time"
    elif form.rhythm == "week" and not form.days:
        problems["schedule"] = "no_days"
    if not form.topics and not form.everything:
        problems["topics"] = "no_topics"
    for name in ("stories", "points"):
        if _number(getattr(form, name)) is None:
            problems[name] = "no_number"
    if form.minutes and _number(form.minutes) is None:
        problems["minutes"] = "no_number"
    return replace(form, problems=problems)


def preference_change(form: NewsletterForm) -> PreferenceChange:
    """Return what the form asks for; an unreadable number becomes the newsletter's own."""
    preferences = Preferences(
        schedule=_schedule(form),
        timezone=form.timezone,
        topics=form.topics,
        stories=_number(form.stories),
        points=_number(form.points),
        language=form.language,
        format=form.format,
        languages=form.languages,
        follow=words_of(form.follow),
        mute=words_of(form.mute),
        minutes=_number(form.minutes),
    )
    until = _day(form.until) if form.status == "pause" else None
    return PreferenceChange(form.id, STATUSES[form.status], preferences, until)


def _filled(stored: NewsletterForm, fields: Fields) -> NewsletterForm:
    """Return the form with the submitted values; a missing field, such as an unchecked box, is empty.

    A form without the fields for languages, words and minutes, from an older page, leaves them as they are.
    """

    def values(name: str, limit: int = MAX_VALUE_CHARACTERS) -> list[str]:
        return [value[:limit] for value in fields.get(f"{stored.id}.{name}", [])]

    def first(name: str, limit: int = MAX_VALUE_CHARACTERS) -> str:
        return "".join(values(name, limit)[:1])

    def given(name: str, kept: str, limit: int = MAX_VALUE_CHARACTERS) -> str:
        return first(name, limit) if f"{stored.id}.{name}" in fields else kept

    def choice(name: str, allowed: Sequence[str], default: str) -> str:
        return next((value for value in values(name) if value in allowed), default)

    times = [match[1] for value in values("time") if (match := _TIME.fullmatch(value))]
    return replace(
        stored,
        status=choice("status", tuple(STATUSES), stored.status),
        until=first("until").strip(),
        rhythm=choice("rhythm", RHYTHMS if stored.own_schedule else RHYTHMS[:2], stored.rhythm),
        days=frozenset(int(value) for value in values("day") if value in "0123456" and len(value) == 1),
        dates=re.sub(r"[\s,;]+", ",", first("dates")).strip(","),
        times=tuple(times[:MAX_TIMES]),
        timezone=first("timezone") or stored.timezone,
        topics=tuple(topic for topic in stored.offered if topic in values("topic")),
        stories=first("stories"),
        points=first("points"),
        format=choice("format", ("html", "text"), stored.format),
        language=choice("language", stored.mail_languages, stored.language),
        languages=tuple(tag for tag in stored.offered_languages if tag in values("languages"))
        if f"{stored.id}.languages" in fields
        else stored.languages,
        follow=given("follow", stored.follow, MAX_PHRASES_CHARACTERS),
        mute=given("mute", stored.mute, MAX_PHRASES_CHARACTERS),
        minutes=given("minutes", stored.minutes),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _schedule_parts(schedule: str) -> tuple[str, frozenset[int], str, tuple[str, ...]]:
    word, *details = schedule.lower().split()
    if word in ("every", "cron"):
        return "own", WHOLE_WEEK, "", ()
    *days, times = details
    clock = tuple(f"{time:0>5}" for time in times.split(","))
    if word == "monthly":
        return "month", WHOLE_WEEK, days[0], clock
    named = {"weekdays": WORKDAYS, "weekends": WEEKEND}.get(word, WHOLE_WEEK)
    if word == "weekly":
        named = frozenset(DAYS[name] for name in days[0].split(",") if name)
    return "week", named, "", clock


def _schedule(form: NewsletterForm) -> str:
    times = ",".join(form.times)
    if form.rhythm == "own":
        return form.own_schedule
    if form.rhythm == "month":
        return f"monthly {form.dates or '1'} {times}"
    words = {WHOLE_WEEK: "daily", WORKDAYS: "weekdays", WEEKEND: "weekends"}
    listed = ",".join(WEEK[day][:3] for day in sorted(form.days))
    return f"{words.get(form.days, f'weekly {listed}')} {times}"


def _status_word(status: SubscriptionStatus) -> str:
    return next((word for word, meant in STATUSES.items() if meant is status), "leave")
