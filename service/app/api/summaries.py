"""Summaries for programs: a text or page that a request brings, condensed in a process of the pool."""

from __future__ import annotations

import asyncio
from concurrent.futures import BrokenExecutor
from functools import partial
from typing import TYPE_CHECKING

from service.app.summarize import summarize_for_program, summarizer_named
from service.core.errors import SummaryRefused, UsageError
from service.core.validators import read_language

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_TEXT_CHARACTERS = 300_000  # of a text or page: a book chapter, a second of work


async def summarize(
    app: Application,
    *,
    text: str | None,
    html: str | None,
    title: str,
    language: str,
    method: str | None,
    points: int,
) -> dict[str, object]:
    """Return the summary of a text or of a page as `caveat summarize --json` prints it.

    Raises UsageError unless there is exactly one of `text` and `html`, and for an unknown language or method;
    SummaryRefused for a text that cannot be condensed.
    """
    if (text is None) == (html is None):
        raise UsageError("send either `text` or `html`")
    summarizer_named(method)
    work = partial(
        summarize_for_program,
        text or html or "",
        html=html is not None,
        title=title,
        language=read_language(language) if language else "",
        method=method,
        points=points,
    )
    try:
        return await asyncio.get_running_loop().run_in_executor(app.pool, work)
    except TimeoutError:
        raise SummaryRefused("condensing the text takes longer than it may") from None
    except (MemoryError, BrokenExecutor):
        raise SummaryRefused("condensing the text takes more memory than it may") from None
