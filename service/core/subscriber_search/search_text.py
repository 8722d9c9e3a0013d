"""Search text: the address and name of a person in the form in which they are searched (pure)."""

from __future__ import annotations

import unicodedata
import zlib
from functools import lru_cache

TRIGRAM = 3
"""Characters of the parts by which a text is indexed; a shorter term is not looked up in the index."""

MAX_TERM_CHARACTERS = 320
"""Length of the longest mail address (RFC 5321, 4.5.3.1); the rest of a search term is ignored."""

_BUCKETS = 1 << 16


def folded(text: str) -> str:
    """Return a text without upper case, accents and control characters: `Zoë` and `ZOE` become `zoe`."""
    if text.isascii():
        plain = text.lower()
    else:
        parts = unicodedata.normalize("NFKD", text.casefold())
        kept = "".join(char for char in parts if not unicodedata.combining(char))
        plain = kept.encode("utf-8", "replace").decode()
    return plain if plain.isprintable() else "".join(char if char.isprintable() else " " for char in plain)


def search_text(email: str, name: str) -> str:
    """Return what a search for a person looks in: the folded address and name, one a line."""
    return f"{folded(email)}\n{folded(name)}"


def search_term(text: str) -> str:
    """Return the folded term, with single spaces and at most MAX_TERM_CHARACTERS."""
    return " ".join(folded(text[:MAX_TERM_CHARACTERS]).split())


def trigrams(text: str) -> tuple[str, ...]:
    """Return the different parts of three characters, in their order; () for a shorter text."""
    return tuple(dict.fromkeys(text[at : at + TRIGRAM] for at in range(len(text) - TRIGRAM + 1)))


def trigram_numbers(text: str) -> list[int]:
    """Return the trigrams as 16-bit integers, sorted; two trigrams can have the same number."""
    return sorted({_number(trigram) for trigram in trigrams(text)})


@lru_cache(maxsize=50_000)
def _number(trigram: str) -> int:
    return zlib.crc32(trigram.encode()) % _BUCKETS - _BUCKETS // 2
