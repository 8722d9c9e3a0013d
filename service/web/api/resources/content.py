"""The content of an issue for programs: its stories with their key points and caveats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from service.app.archive.issue_json import issue_as_dict
from service.app.archive.issue_page import IssuePage
from service.web.api.operations import ApiOutput


class ContentLine(ApiOutput):
    """A key point or a caveat as the issue shows it."""

    text: str
    label: str = Field(description="Label of a caveat, such as `Denied`; empty for a point.")
    hint: str = Field(description="The name that a pronoun in the text stands for.")
    introduction: str = Field(description="The part of the article that is shown before it.")
    source: str = Field(description="Letter or name of its article, if the story has several.")
    url: str


class ContentPoint(ContentLine):
    """A key point with the caveats that qualify it."""

    grade: str
    caveats: list[ContentLine]
    earlier: list[ContentLine] = Field(description="Earlier figures that this one outdates.")


class ContentArticle(ApiOutput):
    """An article of a story."""

    title: str
    publisher: str
    url: str


class ContentStory(ApiOutput):
    """A story as the issue shows it."""

    number: int
    placement: str = Field(description="How much is shown: lead, story, short or web.")
    section: str
    headline: str
    url: str
    language: str
    publishers: str
    time: str
    update: bool
    caveats: list[ContentLine] = Field(description="Caveats of the headline.")
    points: list[ContentPoint]
    articles: list[ContentArticle]


class ContentChange(ApiOutput):
    """A corrected sentence, as it was and as it is now (null: removed)."""

    was: str
    now: str | None


class ContentCorrection(ApiOutput):
    """A correction of an article that an earlier issue contained."""

    headline: str
    url: str
    publisher: str
    changes: list[ContentChange]


class IssueContent(ApiOutput):
    """Everything that an issue shows. Times and dates are written for its readers."""

    id: str
    newsletter: str
    title: str
    day: str
    language: str
    created_at: datetime
    url: str = Field(description="Its web page; empty without one.")
    stories: list[ContentStory]
    corrections: list[ContentCorrection]
    left_out: int
    text: list[str] = Field(description="The lines of the mail, for an old issue without stored stories.")


def issue_content(pages: Sequence[IssuePage]) -> IssueContent:
    """Return the content of the issue of these pages."""
    return IssueContent.model_validate(issue_as_dict(pages))
