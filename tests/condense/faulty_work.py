"""Work that fails on purpose, in a module that a process of the pool imports fast."""

from __future__ import annotations

import os
import signal
import threading

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
    return first_sentence(method, article, points)


def first_sentence(method: str, article: Article, _points: int) -> Summary:
    """Return a summary that takes no time: the tests of time limits must pass on a busy machine too."""
    sentence = article.text.partition("\n")[0]
    return Summary(method, (KeyPoint(sentence, 0, len(sentence)),))
