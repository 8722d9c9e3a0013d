"""Scripts: the Unicode ranges of the writing systems that need rules of their own (pure).

Each constant is the inside of a regular expression's character class.
"""

from __future__ import annotations

import re

KANA = "\u3040-\u30ff"
HAN = "\u3400-\u4dbf\u4e00-\u9fff"
HAN_COMPATIBILITY = "\uf900-\ufaff"
HANGUL = "\uac00-\ud7af"
THAI_LAO = "\u0e00-\u0eff"
INDIC = "\u0900-\u0963\u0966-\u0dff"  # with the signs on letters that Python's \\w does not match
THAI_LAO_TIBETAN_KHMER = "\u0e01-\u0fff\u1780-\u17ff"  # written without a full stop

CJK = KANA + HAN + HAN_COMPATIBILITY
UNSPACED = THAI_LAO + CJK  # written without spaces between words

IDEOGRAPH = re.compile(f"[{CJK}]")


def bigrams(run: str) -> list[str]:
    """Return the overlapping pairs of characters, used as the words of an unspaced script."""
    return [run[start : start + 2] for start in range(max(1, len(run) - 1))]
