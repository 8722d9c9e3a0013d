"""Forms: a subscription as the preferences page shows it, and what came back from it as a choice (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from service.core.model import Edition, Membership, Newsletter, Preferences, SubscriptionStatus
from service.core.schedules import DAYS, WEEK
from service.web.ports import PreferenceChange
from service.web.request_bodies import Fields

Status = SubscriptionStatus
STATUSES = {"receive": Status.ACTIVE, "pause": Status.PAUSED, "leave": Status.UNSUBSCRIBED}
WHOLE_WEEK, WORKDAYS, WEEKEND = frozenset(range(7)), frozenset(range(5)), frozenset((5, 6))
MAX_TIMES, MAX_VALUE_CHARACTERS = 6, 200
_CLOCK = re.compile(r"(\d{1,2}:\d{2})(?::\d{2}(?:\.\d+)?)?")


@dataclass(frozen=True, slots=True)
class NewsletterForm:
    """One newsletter's part of the page. Values are what a person typed; `problems` is by field.

    `rhythm` is `week` (then `days` counts, Monday is 0) or `month` (then `dates` does, as `1,15`).
    """

    id: str
    title: str
    status: str
    rhythm: str
    days: frozenset[int]
    dates: str
    times: tuple[str, ...]
    timezone: str
    topics: tuple[str, ...]
    offered: tuple[str, ...]
    everything: bool
    stories: str
    points: str
    format: str
    problems: Mapping[str, str] = field(default_factory=dict)


def stored_form(membership: Membership, newsletter: Newsletter, topics: Sequence[str]) -> NewsletterForm:
    """Return the form as it stands before anything is changed. `topics` are all that there are."""
    edition = membership.edition
    rhythm, days, dates, times = _schedule_parts(edition.schedule)
    return NewsletterForm(
        id=newsletter.id,
        title=newsletter.title,
        status=_status_word(membership.subscription.status),
        rhythm=rhythm,
        days=days,
        dates=dates,
        times=times,
        timezone=edition.timezone,
        topics=edition.topics,
        offered=tuple(sorted({*topics, *newsletter.topics, *edition.topics})),
        everything=not newsletter.topics,
        stories=str(edition.stories),
        points=str(edition.points),
        format=edition.format,
    )


def submitted_form(before: NewsletterForm, fields: Fields) -> NewsletterForm:
    """Return the form as it came back, with the problems that can be seen without asking anybody."""
    form = _typed(before, fields)
    problems: dict[str, str] = {}
    if not form.times:
        problems["schedule"] = "no_time"
    elif form.rhythm == "week" and not form.days:
        problems["schedule"] = "no_days"
    if not form.topics and not form.everything:
        problems["topics"] = "no_topics"
    for name in ("stories", "points"):
        if not re.fullmatch(r"[0-9]{1,4}", getattr(form, name)):
            problems[name] = "no_number"
    return replace(form, problems=problems)


def preference_change(form: NewsletterForm, edition: Edition) -> PreferenceChange:
    """Return what the form says; what cannot be read is no wish at all. The language stays as it is."""
    wishes = Preferences(
        schedule=_schedule(form),
        timezone=form.timezone,
        topics=form.topics,
        stories=None if "stories" in form.problems else int(form.stories),
        points=None if "points" in form.problems else int(form.points),
        language=edition.language,
        format=form.format,
    )
    return PreferenceChange(form.id, STATUSES[form.status], wishes)


def _typed(before: NewsletterForm, fields: Fields) -> NewsletterForm:
    """Return what was typed; a field that did not come back at all (a box unchecked) counts as empty."""

    def all_of(name: str) -> list[str]:
        return [value[:MAX_VALUE_CHARACTERS] for value in fields.get(f"{before.id}.{name}", [])]

    def one_of(name: str, known: Sequence[str], usual: str) -> str:
        return next((value for value in all_of(name) if value in known), usual)

    clock = [match[1] for value in all_of("time") if (match := _CLOCK.fullmatch(value))]
    return replace(
        before,
        status=one_of("status", tuple(STATUSES), before.status),
        rhythm=one_of("rhythm", ("week", "month"), before.rhythm),
        days=frozenset(int(value) for value in all_of("day") if value in "0123456" and len(value) == 1),
        dates=re.sub(r"[\s,;]+", ",", "".join(all_of("dates")[:1])).strip(","),
        times=tuple(clock[:MAX_TIMES]),
        timezone="".join(all_of("timezone")[:1]) or before.timezone,
        topics=tuple(topic for topic in before.offered if topic in all_of("topic")),
        stories="".join(all_of("stories")[:1]),
        points="".join(all_of("points")[:1]),
        format=one_of("format", ("html", "text"), before.format),
    )


def _schedule_parts(schedule: str) -> tuple[str, frozenset[int], str, tuple[str, ...]]:
    word, *days, times = schedule.lower().split()
    clock = tuple(f"{time:0>5}" for time in times.split(","))
    if word == "monthly":
        return "month", WHOLE_WEEK, days[0], clock
    named = {"weekdays": WORKDAYS, "weekends": WEEKEND}.get(word, WHOLE_WEEK)
    if word == "weekly":
        named = frozenset(DAYS[name] for name in days[0].split(",") if name)
    return "week", named, "", clock


def _schedule(form: NewsletterForm) -> str:
    times = ",".join(form.times)
    if form.rhythm == "month":
        return f"monthly {form.dates or '1'} {times}"
    words = {WHOLE_WEEK: "daily", WORKDAYS: "weekdays", WEEKEND: "weekends"}
    listed = ",".join(WEEK[day][:3] for day in sorted(form.days))
    return f"{words.get(form.days, f'weekly {listed}')} {times}"


def _status_word(status: SubscriptionStatus) -> str:
    return next((word for word, meant in STATUSES.items() if meant is status), "leave")
