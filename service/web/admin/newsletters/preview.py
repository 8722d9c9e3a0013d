"""Preview of a newsletter: as phone, desktop, dark, text or headers, for any reader, time and theme."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app.newsletters.color_scheme import has_dark_style, with_color_scheme
from service.app.newsletters.editing import theme_names
from service.app.newsletters.preview import GMAIL_LIMIT, MailPreview, preview_mail
from service.core.errors import TemplateFailed, UnknownName, UsageError
from service.core.model import AccountRole, Newsletter
from service.web.admin.context import AdminContext
from service.web.admin.mail_frame import framed_mail

FORMS = {"phone": "Phone", "desktop": "Desktop", "dark": "Dark", "text": "Text", "headers": "Headers"}
FRAMED = ("phone", "desktop", "dark")
YEARS = range(2000, 2100)  # of the time; other years are typing errors
NOT_A_TIME = "This is not a date and time. Expected: 2026-12-01T07:00."
EDITORS_ONLY = "The mail of one reader is shown to the role editor; yours is viewer."


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the address of the page asks for, as typed."""

    reader: str
    at: str
    theme: str
    form: str

    def query(self, **others: str) -> str:
        """Return the query of a page with the same reader, time and theme."""
        values = {"reader": self.reader, "at": self.at, "theme": self.theme, **others}
        return urlencode({name: value for name, value in values.items() if value})


async def show_preview(context: AdminContext) -> Response:
    """Show the mail in one of its forms, with subject, size and reading time."""
    newsletter, wanted = _newsletter(context), _wanted(context)
    problems: dict[str, str] = {}
    mail: MailPreview | None = None
    moment = _moment(context, wanted.at)
    if moment is None:
        problems["at"] = NOT_A_TIME
    else:
        try:
            mail = await _mail(context, newsletter, wanted, moment)
        except (UnknownName, TemplateFailed) as error:
            problems["theme"] = error.sentence
        except UsageError as error:
            problems["reader"] = error.sentence
    return context.page(
        "newsletters/preview.html",
        status=422 if problems else 200,
        newsletter=newsletter,
        wanted=wanted,
        forms=FORMS,
        framed=FRAMED,
        mail=mail,
        problems=problems,
        lacks_dark=mail is not None and wanted.form == "dark" and not has_dark_style(mail.html),
        themes=await theme_names(context.app),
        limit=GMAIL_LIMIT,
        may_choose=context.account.role.includes(AccountRole.EDITOR),
        typed_at=wanted.at or f"{context.app.clock().astimezone(context.pages.zone):%Y-%m-%dT%H:%M}",
    )


async def show_mail(context: AdminContext) -> Response:
    """Return the mail alone, for the sandboxed frame of the preview."""
    newsletter, wanted = _newsletter(context), _wanted(context)
    moment = _moment(context, wanted.at)
    if moment is None:
        raise HTTPException(422, NOT_A_TIME)
    mail = await _mail(context, newsletter, wanted, moment)
    return framed_mail(with_color_scheme(mail.html, "dark" if wanted.form == "dark" else "light"))


async def _mail(
    context: AdminContext, newsletter: Newsletter, wanted: _Wanted, moment: datetime
) -> MailPreview:
    return await preview_mail(
        context.app, newsletter, email=wanted.reader or None, at=moment, theme=wanted.theme or None
    )


def _wanted(context: AdminContext) -> _Wanted:
    """Return what is asked for. Raises HTTPException 403 if a viewer asks for the mail of a person."""
    reader = context.query("reader")
    if reader and not context.account.role.includes(AccountRole.EDITOR):
        raise HTTPException(403, EDITORS_ONLY)
    form = context.query("form", "phone")
    return _Wanted(reader, context.query("at"), context.query("theme"), form if form in FORMS else "phone")


def _newsletter(context: AdminContext) -> Newsletter:
    found = context.app.roster.newsletter(context.path("newsletter"))
    if found is None:
        raise HTTPException(404)
    return found


def _moment(context: AdminContext, typed: str) -> datetime | None:
    """Return the typed local time of the pages in UTC, now for "", None for what is no time."""
    if not typed:
        return context.app.clock()
    try:
        local = datetime.fromisoformat(typed)
    except ValueError:
        return None
    if local.year not in YEARS:
        return None
    return (local if local.tzinfo else local.replace(tzinfo=context.pages.zone)).astimezone(UTC)
