"""Headline: which sentences say no more than the headline of their article (pure)."""

from __future__ import annotations

from service.text.lexicon import FLAG_BIT, FLAG_BITS, Lexicon, tokenize
from service.text.scripts import IDEOGRAPH

MIN_TITLE_SHARE = (
    0.4  # of the title's terms in a sentence that repeats it; the title may name the publisher too
)
WORDS_PER_NEW_TERM = 8  # one new term in this number is no news
BIGRAMS_PER_NEW_TERM = 5  # the same in a script without spaces, where endings count as terms

_TERM = 1 << FLAG_BIT["term"]
_TELLING = sum(
    1 << FLAG_BIT[name]
    for name in (
        "number",
        "negation",
        "denial",
        "false",
        "unsure",
        "reserve",
        "limit",
        "condition",
        "caution",
    )
)


def repeats_headline(sentence: str, title: str, lexicon: Lexicon) -> bool:
    """Return whether the title says nearly all of the sentence, which has no new number, doubt or limit."""
    title_codes = [lexicon[token] for token in tokenize(title)]
    stems = {code >> FLAG_BITS for code in title_codes}
    codes = [lexicon[token] for token in tokenize(sentence)]
    new = [code for code in codes if code >> FLAG_BITS not in stems]
    if any(code & _TELLING for code in new):
        return False
    terms = {code >> FLAG_BITS for code in codes if code & _TERM}
    new_terms = {code >> FLAG_BITS for code in new if code & _TERM}
    tolerance = BIGRAMS_PER_NEW_TERM if IDEOGRAPH.search(sentence) else WORDS_PER_NEW_TERM
    title_terms = {code >> FLAG_BITS for code in title_codes if code & _TERM}
    shared = len(title_terms & terms)
    return 0 < MIN_TITLE_SHARE * len(title_terms) <= shared and len(new_terms) * tolerance <= len(terms)
