"""What the fork server does once for all processes of the pool: imports, and a task of each common kind.

A library is imported, and the model that knows languages is loaded, by the first task that needs it: a second
of CPU time and 100 MB. Done here, it is needed once, not in each process, and the processes share the memory.
"""

from __future__ import annotations

import gc

from service.condense.registry import get_summarizer
from service.gather.entries import process
from service.gather.formats import rss_atom
from service.gather.language import detect_language
from service.gather.pages.full_text import read_page

__all__ = ["process"]  # a task of the pool

WORDS = "The minister of finance resigned on Monday, after a report that he called wrong in every part. "
PAGE = f"<html><body><article><h1>Minister resigns</h1><p>{WORDS * 5}<p>{WORDS * 5}</article></body></html>"
FEED = b"<rss version='2.0'><channel><item><title>Minister resigns</title></item></channel></rss>"

rss_atom.read(FEED)
detect_language(WORDS)
read_page(PAGE.encode(), "Minister resigns", "")
get_summarizer("keypoints").summarize(WORDS * 5, blocks=(), title="Minister resigns", language="en", points=3)
# A collection would write to the memory of each object, and so copy it for each process.
gc.collect()
gc.freeze()
