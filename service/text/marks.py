"""Marks: the characters that end sentences, and those that stand around quotations, of all scripts."""

from __future__ import annotations

import re

INVISIBLE = "\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
"""Characters without width, for a class of a pattern."""

WIDE_CLOSERS = f"\"'”’»›)\\]}}」』】》〉）］{INVISIBLE}"
"""Marks that close a quotation or a bracket, for a class of a pattern."""

# German closes with the quotation marks that English opens with.
CLOSERS = f"“‘{WIDE_CLOSERS}"
OPENERS = f"\"'“‘‚„«‹(\\[{{「『【《〈（［¿¡–—―•\\-{INVISIBLE}"

WIDE_MARKS = "。！？｡؟۔।॥։།။។"
"""Final marks that need no white space after them."""

FINAL_MARK = re.compile(rf"[.!?…{WIDE_MARKS}][{CLOSERS}\s]*\Z")
"""A final mark at the end of a text; search a bounded number of characters."""
