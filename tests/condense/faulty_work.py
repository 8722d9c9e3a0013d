"""Work that fails on purpose, in a module that a process of the pool imports fast."""

from __future__ import annotations

import os
import signal
import threading

from service.condense.stage import summarize_article
from service.core.model import Article, KeyPoint, Summary

FAULTS = ("crash", "hang", "lie", "raise")


def summarize_with_faults(method: str, article: Article, points: int) -> Summary:
    """Condense the article, unless its title is the name of a fault."""
    if article.title == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if article.title == "hang":
        threading.Event().wait(30)
    if article.title == "raise":
        raise ValueError("no sense in it")
    if article.title == "lie":
        return Summary(method, (KeyPoint("Never said.", 0, 11),))
    return summarize_article(method, article, points)
