"""The options of `caveat subscriber list` and `edit`."""

from __future__ import annotations

from typing import Annotated

import typer


def _option(name: str, metavar: str, text: str) -> object:
    return typer.Option(f"--{name}", metavar=metavar, help=text)


Schedule = Annotated[str | None, _option("schedule", "TEXT", 'Schedule, such as "weekdays 06:30".')]
Topics = Annotated[str | None, _option("topics", "TOPICS", "Topics; all.")]
Stories = Annotated[str | None, _option("stories", "N", "Maximum number of stories with key points.")]
Points = Annotated[str | None, _option("points", "N", "Maximum number of key points of a story.")]
Minutes = Annotated[str | None, _option("minutes", "N", "Reading time of an issue.")]
Language = Annotated[str | None, _option("language", "CODE", "Language of headings and footer.")]
Format = Annotated[str | None, _option("format", "FORMAT", "html or text.")]
Languages = Annotated[str | None, _option("languages", "CODES", "Languages of articles; all.")]
Follow = Annotated[str | None, _option("follow", "WORDS", "Words whose stories come first.")]
Mute = Annotated[str | None, _option("mute", "WORDS", "Words whose stories are left out.")]
Channel = Annotated[
    str | None, _option("channel", "URL", "Apprise URL that digests go to; mail for mail (file only).")
]
Search = Annotated[str | None, _option("search", "TEXT", "A part of the address or the name.")]
Limit = Annotated[int | None, _option("limit", "N", "Maximum number of people. Default: all.")]
After = Annotated[str | None, _option("after", "NUMBER", "What the page before printed as More.")]
