"""The forms of an issue: its web page, its mail as text and whole, Markdown, EPUB and JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from service.app.archive.issue_json import issue_as_dict
from service.app.archive.issue_page import IssuePage, one_page
from service.app.archive.mail import mail_text, whole_mail
from service.app.factories.application import Application
from service.app.factories.templates import template_folders
from service.cli.issue.group import IssueForm
from service.core.errors import CaveatError
from service.core.read_models import IssueDetails
from service.web.archive.rendering import IssueRenderer
from service.web.pages import Pages

MAX_PAGES = 100  # of 200 stories each: more than compose ever makes


async def written(app: Application, issue: IssueDetails, form: IssueForm, to: str | None) -> bytes:
    """Return the issue in a form, as bytes.

    `to` is the address of the subscriber whose mail is written; None: without anybody's values. Raises
    UsageError for an address that does not get the newsletter, CaveatError for a newsletter that is gone.
    """
    if form is IssueForm.EML:
        return await whole_mail(app, issue, to)
    if form is IssueForm.TEXT:
        return (await mail_text(app, issue, to)).encode("utf-8", "replace")
    archived = await app.archive.own_issue(issue.id)
    if archived is None:
        raise CaveatError(f"the newsletter {issue.newsletter!r} is not in the configuration any more")
    pages = await app.archive.pages(archived, MAX_PAGES)
    templates, custom = template_folders(app.settings)
    renderer = IssueRenderer(Pages(templates, app.settings.site, custom))
    return await asyncio.to_thread(_rendered, renderer, form, pages)


def _rendered(renderer: IssueRenderer, form: IssueForm, pages: Sequence[IssuePage]) -> bytes:
    if form is IssueForm.MARKDOWN:
        return renderer.markdown(pages)
    if form is IssueForm.EPUB:
        return renderer.epub(pages)
    if form is IssueForm.JSON:
        return (json.dumps(issue_as_dict(pages), ensure_ascii=False) + "\n").encode("utf-8", "replace")
    return renderer.html(one_page(pages)).encode("utf-8", "replace")
