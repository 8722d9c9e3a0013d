"""Languages: the primary subtag of a language tag (pure)."""

from __future__ import annotations

import re
from functools import lru_cache

_SEPARATOR = re.compile("[-_]")
_ISO_639 = re.compile("[a-z]{2,3}")


@lru_cache(maxsize=256)  # asked for every block; the tags are few, or a hostile feed's
def primary_language(tag: str | None) -> str:
    """Return the primary subtag of a language tag (RFC 5646), `pt` for `pt-BR`; "" for any other text.

    Subtags of four and more letters are not in use; feeds write `english` or `unknown` there.
    """
    first = _SEPARATOR.split(tag or "", maxsplit=1)[0].strip().lower()
    return first if _ISO_639.fullmatch(first) else ""
