"""Text lines: the drafts of blocks from text with line ends: plain text, preformatted text, `<br>`. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from service.core.model import BlockKind
from service.gather.cleaning.block_text import BlockDraft
from service.text.blocks import plain_blocks, with_plain_newlines

MIN_PROSE_CHARACTERS = 120
MIN_WORDS_PER_LINE = 5
MIN_PROSE_SHARE = 0.93  # of letters, spaces and common marks among the characters

_PROSE_MARKS = frozenset(" .,;:!?'\"-()’“”‘–—„«»…。，、；：！？「」\n")


def drafts_of_lines(
    text: str,
    kind: BlockKind = BlockKind.PARAGRAPH,
    introducer: BlockDraft | None = None,
    *,
    language: str = "",
) -> Iterator[BlockDraft]:
    """Yield the drafts of a text with line ends.

    The paragraphs in it are of this kind and introduced by `introducer`; its lists by the line before them.
    """
    plain = with_plain_newlines(text)
    drafts: dict[int, BlockDraft] = {}
    for block in plain_blocks(plain, language or "en"):
        by = drafts.get(block.introduction.start) if block.introduction else introducer
        is_item = block.kind is BlockKind.ITEM and kind is BlockKind.PARAGRAPH
        draft = BlockDraft(block.kind if is_item else kind, plain[block.start : block.end], by)
        drafts[block.start] = draft
        yield draft


def preformatted_drafts(text: str, *, is_code: bool, language: str = "") -> list[BlockDraft]:
    """Return the drafts of a `<pre>`; `is_code` when its markup says so."""
    if is_code or not _is_prose(text):
        return [BlockDraft(BlockKind.PREFORMATTED, text)]
    return list(drafts_of_lines(text, language=language))


def _is_prose(text: str) -> bool:
    lines = [line for line in text.split("\n") if line.strip()]
    if len(text) < MIN_PROSE_CHARACTERS or len(text.split()) < MIN_WORDS_PER_LINE * len(lines):
        return False
    dense = " ".join(text.split())
    common = sum(1 for char in dense if char.isalpha() or char in _PROSE_MARKS or char.isdigit())
    return common >= MIN_PROSE_SHARE * len(dense)
