"""The page of today."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from starlette.responses import Response

from service.app.overview.due import DueTime, by_hour
from service.app.overview.overview import Overview, overview
from service.web.admin.charts import ColumnChart, Series, column_chart
from service.web.admin.context import AdminContext
from service.web.admin.issues.rows import issue_rows

HOURS = 24  # of the chart of what goes out
MAX_FEEDS = 10  # in trouble; the page of feeds has all
MAX_ROWS = 12  # of what goes out, before the others are folded


async def show(context: AdminContext) -> Response:
    """Show what goes out in the next 24 hours, and what needs a person."""
    found = await overview(context.app, context.pages.zone)
    return context.page(
        "today/today.html",
        found=found,
        max_feeds=MAX_FEEDS,
        going=by_hour(found.upcoming.due, context.pages.zone),
        max_rows=MAX_ROWS,
        issues=issue_rows(context, found.issues),
        paused=issue_rows(context, found.paused),
        titles={one.id: one.title for one in context.app.roster.newsletters},
        faults=context.app.config_faults(),
        hours=_hours(context, found.upcoming.due),
        mails=_mails(found),
        articles=_articles(found),
    )


def _hours(context: AdminContext, due: tuple[DueTime, ...]) -> ColumnChart:
    """Return the chart of mails in each of the next hours; those of held drafts are a part of their own."""
    first = context.app.clock().replace(minute=0, second=0, microsecond=0)
    hours = [first + timedelta(hours=number) for number in range(HOURS + 1)]
    going, held = ([0] * len(hours) for _ in range(2))
    for one in due:
        index = (one.at - first) // timedelta(hours=1)
        going[index] += one.subscribers - one.held
        held[index] += one.held
    series = [Series("mails", tuple(going))]
    series += [Series("held", tuple(held), "warn")] if any(held) else []
    return column_chart([_hour(context, at) for at in hours], *series, unit="hour")


def _mails(found: Overview) -> ColumnChart:
    days = [_day(one.day) for one in found.mails]
    return column_chart(
        days,
        Series("sent", tuple(one.sent for one in found.mails)),
        Series("refused", tuple(one.refused for one in found.mails), "bad"),
        Series("suppressed", tuple(one.suppressed for one in found.mails), "rest"),
    )


def _articles(found: Overview) -> ColumnChart:
    days = [_day(day) for day, _ in found.articles]
    return column_chart(days, Series("articles", tuple(number for _, number in found.articles)))


def _hour(context: AdminContext, at: datetime) -> str:
    local = at.astimezone(context.pages.zone)
    return f"{local:%a %H:%M}"


def _day(day: date) -> str:
    return f"{day:%a %-d %b}"
