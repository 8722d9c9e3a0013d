"""Sumy: the library's LexRank, TextRank, LSA and Luhn, on our sentences and tokens (EDGE: sumy).

Sumy's own tokenizer needs data that NLTK downloads; ours needs none. The time of these methods is quadratic
in the number of sentences: each reads only the first `max_sentences`, where news puts what matters.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
from sumy.models.dom import ObjectDocumentModel, Paragraph
from sumy.models.dom import Sentence as SumySentence
from sumy.nlp.stemmers import Stemmer, null_stemmer
from sumy.summarizers.lex_rank import LexRankSummarizer
from sumy.summarizers.lsa import LsaSummarizer
from sumy.summarizers.luhn import LuhnSummarizer
from sumy.summarizers.text_rank import TextRankSummarizer
from sumy.utils import get_stop_words
from typing_extensions import override

from service.condense.block_reading import Candidate
from service.condense.candidates import build_summary, shown_candidates
from service.condense.ports import Summarizer
from service.core.errors import SummaryRefused
from service.core.languages import primary_language
from service.core.model import Block, Summary
from service.text.lexicon import tokenize
from service.text.sentences import split_sentences

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


class SumyTokenizer:
    """The tokenizer interface of sumy, for one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def to_sentences(self, text: str) -> tuple[str, ...]:
        """Return the sentences, verbatim."""
        return tuple(text[start:end] for start, end in split_sentences(text, self.language))

    def to_words(self, sentence: str) -> tuple[str, ...]:
        """Return the words without punctuation, and the bigrams of unspaced scripts."""
        return tuple(_WORD.findall(" ".join(tokenize(sentence))))


class _SumyMethod(Summarizer):
    method: ClassVar[Any]
    max_sentences: ClassVar[int] = 200  # read of an article

    @override
    def summarize(
        self,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        title: str = "",
        language: str = "en",
        points: int = 5,
    ) -> Summary:
        candidates = shown_candidates(text, blocks, title, language, self.max_sentences)
        ranked = self._ranked(text, candidates, language) if candidates else []
        return build_summary(self.name, text, ranked[: max(points, 0)])

    def _ranked(self, text: str, sentences: Sequence[Candidate], language: str) -> list[Candidate]:
        """Return all candidates by weight, equal ones in the order of the text.

        Raises SummaryRefused if the arithmetic of the method fails.
        """
        primary = primary_language(language)
        tokenizer = SumyTokenizer(primary)
        document = ObjectDocumentModel(
            [Paragraph([SumySentence(text[one.start : one.end], tokenizer) for one in sentences])]
        )
        ranked: list[Candidate] = []

        def keep_order(infos: Sequence[Any]) -> Sequence[Any]:
            # Sumy calls its `count` argument with the sentences in order of weight, to select from them.
            ranked.extend(sentences[info.order] for info in infos)
            return infos

        summarizer = self.method(_stemmer(primary))
        summarizer.stop_words = _stop_words(primary)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                summarizer(document, keep_order)
        except (ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
            raise SummaryRefused(f"{self.name} cannot weigh these sentences: {error}") from error
        # Sumy returns nothing if no sentence has a word that counts.
        return ranked or list(sentences)


class LexRank(_SumyMethod):
    """LexRank (Erkan and Radev, 2004): sentences similar to many others."""

    name = "lexrank"
    method = LexRankSummarizer


class TextRank(_SumyMethod):
    """TextRank (Mihalcea and Tarau, 2004): PageRank over shared words."""

    name = "textrank"
    method = TextRankSummarizer


class Lsa(_SumyMethod):
    """Latent semantic analysis (Steinberger and Jezek, 2004): sentences that load on the main topics."""

    name = "lsa"
    method = LsaSummarizer


class Luhn(_SumyMethod):
    """Luhn (1958): sentences with frequent words close together."""

    name = "luhn"
    method = LuhnSummarizer


@cache
def _stemmer(language: str) -> Any:  # noqa: ANN401 - sumy is untyped
    try:
        return Stemmer(language)
    except LookupError:
        return null_stemmer


@cache
def _stop_words(language: str) -> frozenset[str]:
    try:
        return frozenset(get_stop_words(language))
    except LookupError:
        return frozenset()
