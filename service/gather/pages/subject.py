"""Subject: whether a page is about what its feed says. Pure.

The words of the feed's title and text are looked for in the page's text. Under the same headline, fewer of
them suffice: a headline often has other words than its article. Some are needed, because a page may show a
list of other articles under it. The name of the site, above a page to log in, is no such headline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from service.gather.entries.teasers import without_invitation
from service.gather.pages.word_runs import contains, words_of
from service.text.scripts import HAN, HAN_COMPATIBILITY, HANGUL, INDIC, KANA, THAI_LAO, bigrams

MIN_SHARED_RATIO = 0.4  # of the words in the feed's title and text that the page must contain
MIN_SHARED_BELOW_HEADLINE = 0.1  # of them in the text below the same headline
MIN_COMPARED_WORDS = 4  # fewer tell nothing
MIN_HEADLINE_WORDS = 4  # of a title that is part of a page's headline, beside the name of the site

_KATAKANA = "\u30a1-\u30ff"
_THAI_RUN = 4  # characters of Thai or Lao, in which a pair of letters is in any text
_LETTER = rf"(?:[^\W_{KANA}{HAN}{HAN_COMPATIBILITY}{HANGUL}{THAI_LAO}]|[{INDIC}])"
_PARTS = re.compile(
    rf"(?P<word>{_LETTER}{{4,}})|(?P<name>[{_KATAKANA}]{{2,}})"
    rf"|(?P<pairs>[{HAN}{HAN_COMPATIBILITY}]{{2,}})|(?P<stem>[{HANGUL}]{{2}})[{HANGUL}]*"
    rf"|(?P<thai>[{THAI_LAO}]{{{_THAI_RUN},}})"
)


def is_same_subject(title: str, feed_text: str, page_text: str, headlines: Sequence[str] = ()) -> bool:
    """Return whether the page is about what the feed's title and text say.

    `headlines` are the page's own: its title and the heading of the first level.
    """
    words = set(subject_words(f"{title} {without_invitation(feed_text)}"))
    if len(words) < MIN_COMPARED_WORDS:
        return True
    page = page_text.casefold()
    shared = sum(word in page for word in words) / len(words)
    return shared >= (MIN_SHARED_BELOW_HEADLINE if _is_headline(title, headlines) else MIN_SHARED_RATIO)


def subject_words(text: str) -> Iterable[str]:
    """Yield the longer words of a text, folded; of dense scripts, the pairs of characters.

    Hiragana are left out, which are the endings and short words of Japanese, and the endings of Korean words.
    """
    for part in _PARTS.finditer(text.casefold()):
        if part.lastgroup == "pairs":
            yield from bigrams(part[0])
        elif part.lastgroup == "thai":
            yield from (part[0][n : n + _THAI_RUN] for n in range(len(part[0]) - _THAI_RUN + 1))
        else:
            yield part["stem"] or part[0]


def _is_headline(title: str, headlines: Sequence[str]) -> bool:
    """Return whether a headline is the title, perhaps beside the name of the site."""
    words = words_of(title)
    found = [words_of(headline) for headline in headlines]
    if len(words) < MIN_HEADLINE_WORDS:
        return bool(words) and words in found
    return any(contains(headline, words) for headline in found)
