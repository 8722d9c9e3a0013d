"""Languages: the primary subtag of a language tag, and which tags mean one language to a reader (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

_SAME_LANGUAGE = {
    **dict.fromkeys(("nb", "nn", "nob", "nno"), "no"),  # feeds of either write no, nb or nn
    **dict.fromkeys(("cmn", "zho", "chi"), "zh"),
    "iw": "he",
    "in": "id",
    "ji": "yi",
    "mo": "ro",
    "jw": "jv",
    "fil": "tl",
    **dict.fromkeys(("prs", "pes", "fas", "per"), "fa"),
    **dict.fromkeys(("arb", "ara"), "ar"),
    "eng": "en",
    "deu": "de",
    "ger": "de",
    "fra": "fr",
    "fre": "fr",
    "spa": "es",
    "por": "pt",
    "ita": "it",
    "rus": "ru",
    "nld": "nl",
    "dut": "nl",
    "jpn": "ja",
    "kor": "ko",
    "ell": "el",
    "gre": "el",
    "ukr": "uk",
}
"""Primary subtag -> the one that stands for the same language: written forms, old and three-letter codes."""

_SEPARATOR = re.compile("[-_]")
_ISO_639 = re.compile("[a-z]{2,3}")


@lru_cache(maxsize=256)  # asked for every block; the tags are few, or a hostile feed's
def primary_language(tag: str | None) -> str:
    """Return the primary subtag of a language tag (RFC 5646), `pt` for `pt-BR`; "" for any other text.

    Subtags of four and more letters are not in use; feeds write `english` or `unknown` there.
    """
    first = _SEPARATOR.split(tag or "", maxsplit=1)[0].strip().lower()
    return first if _ISO_639.fullmatch(first) else ""


def same_language(tag: str | None) -> str:
    """Return the primary subtag that stands for the tag's language, "" if it names none.

    Regions and scripts do not count: `zh-Hant` and `zh-CN` are `zh`, `nb` and `nn` are `no`.
    """
    primary = primary_language(tag)
    return _SAME_LANGUAGE.get(primary, primary)


def is_readable(language: str, wanted: Collection[str]) -> bool:
    """Return whether a text in this language is one that a reader of the wanted languages reads.

    `wanted` are results of `same_language`; none means all languages. A text of an unknown language stays.
    """
    own = same_language(language)
    return not wanted or own in ("", "und", "mul", "zxx") or own in wanted
