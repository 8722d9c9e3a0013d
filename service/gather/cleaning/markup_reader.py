"""Markup reader: the drafts of blocks from the tags and texts of well-formed HTML, in one pass. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from service.core.model import BlockKind
from service.gather.cleaning.block_text import BlockDraft
from service.gather.cleaning.inline_markup import (
    MEANINGS,
    STRUCTURE_OF_FORMULAS,
    Meaning,
    ends_with_opening_mark,
    formula_text,
    is_bold,
    is_caption,
    is_note_reference,
    meaning_of,
    picture_text,
)
from service.gather.cleaning.raised_text import is_note_mark, lowered, raised, with_fractions
from service.gather.cleaning.speakers import put_speaker_first
from service.gather.cleaning.table_rows import Cell, Table
from service.gather.cleaning.text_lines import drafts_of_lines, preformatted_drafts
from service.text.quotations import quotation_marks

_BLOCKS = (
    "p div hr h1 h2 h3 h4 h5 h6 li ul ol dir menu dl dt dd blockquote pre table caption thead tbody tfoot tr "
    "td th section article header footer main aside nav hgroup details summary address center figure "
    "figcaption fieldset"
)
BLOCK_TAGS = frozenset(_BLOCKS.split())
_KINDS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "dt"), BlockKind.HEADING),
    **dict.fromkeys(("figcaption", "caption"), BlockKind.CAPTION),
    **dict.fromkeys(("li", "dd"), BlockKind.ITEM),
    "blockquote": BlockKind.QUOTE,
    "pre": BlockKind.PREFORMATTED,
}
_LASTING_KINDS = frozenset({BlockKind.QUOTE, BlockKind.CAPTION})
"""Kinds that list items in them keep."""

_TABLE_PARTS = frozenset({"table", "tr", "td", "th"})
_PLAIN_BLOCKS = BLOCK_TAGS - _KINDS.keys() - _TABLE_PARTS - {"ul", "ol", "footer", "header", "hr"}
"""Blocks that only separate texts, as long as they have no attributes."""

_NO_ATTRIBUTES: Mapping[str, str] = {}
_ATTRIBUTE = re.compile(r' ([^\s=]+)="([^"]*)"')
_QUOTED_END = re.compile(r"[.!?…。”\"»]([\s—–―-]*+)\Z")
_BOLD, _CITED, _OTHER = 1, 2, 4
# Named here because to look up a member of an enumeration takes Python 3.11 a fifth of a microsecond.
_PARAGRAPH, _HEADING, _ITEM = BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.ITEM
_QUOTE, _PREFORMATTED = BlockKind.QUOTE, BlockKind.PREFORMATTED
_PLAIN, _REMOVED, _PICTURE, _LINE_END = Meaning.PLAIN, Meaning.REMOVED, Meaning.PICTURE, Meaning.LINE_END

Closer: TypeAlias = Callable[[], None]


@dataclass(slots=True)
class _Capture:
    """An inline element whose text is replaced at its end: its start, and whether it refers to a note."""

    start: int
    note: bool = False


class MarkupReader:
    """Takes the tags and texts of well-formed HTML in their order; returns the drafts of its blocks."""

    def __init__(self, language: str = "") -> None:
        self._language = language
        self._drafts: list[BlockDraft] = []
        self._line: list[str] = []
        self._styles = 0  # of the text in the line: _BOLD, _CITED, _OTHER
        self._is_raised = False  # the line has raised or lowered text
        self._kind = _PARAGRAPH
        self._introducer: BlockDraft | None = None
        self._open: list[Closer | None] = []
        self._skipped = 0  # open elements inside of a removed one, and itself
        self._bold = self._cited = self._quotes = self._code = 0
        self._tables: list[Table] = []
        self._captures: list[_Capture] = []
        self._annotation = ""
        self._is_formula_structured = False

    def drafts(self) -> list[BlockDraft]:
        """Return the drafts; the markup has ended."""
        self._flush()
        return self._drafts

    # --- the three kinds of events ------------------------------------------------------------------

    def text(self, text: str) -> None:
        """Take text, with its entities resolved."""
        if self._skipped or not text:
            return
        if self._kind is not _PREFORMATTED and "\n" in text:
            text = text.replace("\n", " ")
        if not text.isspace():
            self._styles |= (_BOLD if self._bold else 0) | (_CITED if self._cited else 0) or _OTHER
        self._line.append(text)

    def start(self, tag: str, written_attributes: str) -> None:
        """Take a start tag; the attributes are as they are written."""
        if self._skipped:
            self._skipped += tag not in ("br", "img", "hr")
            return
        attributes = _attributes(written_attributes) if written_attributes else _NO_ATTRIBUTES
        meaning = meaning_of(tag, attributes) if attributes else MEANINGS.get(tag, _PLAIN)
        if meaning is _REMOVED:
            self._skipped = tag not in ("br", "img", "hr")
        elif tag in _PLAIN_BLOCKS and not attributes:
            self._flush()
            self._open.append(self._flush)
        elif tag in BLOCK_TAGS:
            self._flush()
            if tag != "hr":
                self._open.append(self._start_block(tag, attributes))
        elif meaning is _PICTURE:
            self.text(picture_text(attributes))
        elif meaning is _LINE_END:
            self._end_line()
        elif meaning is _PLAIN:
            self._open.append(self._start_plain(tag, attributes))
        else:
            self._open.append(self._start_inline(meaning, attributes))

    def end(self, _tag: str) -> None:
        """Take an end tag."""
        if self._skipped:
            self._skipped -= 1
            return
        closer = self._open.pop() if self._open else None
        if closer is not None:
            closer()

    # --- blocks -------------------------------------------------------------------------------------

    def _start_block(self, tag: str, attributes: Mapping[str, str]) -> Closer:
        if tag in _TABLE_PARTS:
            return self._start_table_part(tag, attributes)
        kind, introducer, first = self._kind, self._introducer, len(self._drafts)
        bold = self._bold

        def close() -> None:
            self._flush()
            if tag == "blockquote":
                put_speaker_first(self._drafts, first)
            self._kind, self._introducer, self._bold = kind, introducer, bold

        if attributes:
            self._bold += is_bold(attributes)
        if tag in ("ul", "ol", "blockquote", "dd"):
            self._introducer = self._last_draft(tag)
        elif tag in ("footer", "header") or _KINDS.get(tag) is _HEADING:
            self._introducer = None
        if tag == "footer" and kind is _QUOTE:
            return self._cited_until(close)
        new = _KINDS.get(tag)
        if attributes and tag in ("p", "div", "figure") and is_caption(attributes):
            new = BlockKind.CAPTION
        if new is not None and not (new is _ITEM and kind in _LASTING_KINDS):
            self._kind = new
        return close

    def _last_draft(self, tag: str) -> BlockDraft | None:
        """Return the block that may introduce what begins; a list that has ended introduces nothing."""
        last = self._drafts[-1] if self._drafts else None
        if last is None or last.kind is not _ITEM or self._kind is _ITEM:
            return last
        return last.introducer if tag == "dd" else None

    def _cited_until(self, close: Closer) -> Closer:
        self._cited += 1

        def close_cited() -> None:
            close()
            self._cited -= 1

        return close_cited

    def _start_table_part(self, tag: str, attributes: Mapping[str, str]) -> Closer:
        if tag == "table":
            table = Table(is_layout=attributes.get("role", "") in ("presentation", "none"))
            self._tables.append(table)
            return self._end_table
        if tag == "tr" and self._tables:
            self._tables[-1].rows.append([])
        if tag == "tr" or not self._tables:
            return self._flush
        outer, cell = self._drafts, Cell(is_head=tag == "th")
        self._drafts = cell.blocks
        tables = self._tables

        def close() -> None:
            self._flush()
            self._drafts = outer
            tables[-1].add(cell)

        return close

    def _end_table(self) -> None:
        self._flush()
        self._drafts.extend(self._tables.pop().blocks(self._kind))

    def _end_line(self) -> None:
        if self._kind is _HEADING:
            self._line.append(" ")
        elif self._styles == _BOLD and self._kind is _PARAGRAPH:
            self._flush()
        else:
            self._line.append("\n")

    def _flush(self) -> None:
        """End the block."""
        if not self._line:
            return
        text, styles = "".join(self._line), self._styles
        self._line.clear()
        self._styles = 0
        for capture in self._captures:
            capture.start = 0
        if not styles:
            return
        if self._is_raised:
            text, self._is_raised = with_fractions(text), False
        if self._kind is _PREFORMATTED:
            self._drafts.extend(preformatted_drafts(text, is_code=self._code > 0, language=self._language))
            self._code = 0
        elif "\n" in text:
            self._drafts.extend(drafts_of_lines(text, self._kind, self._introducer, language=self._language))
        else:
            kind = _PARAGRAPH if styles == _CITED and self._kind is _QUOTE else self._kind
            self._drafts.append(BlockDraft(kind, text, self._introducer, bold=styles == _BOLD))

    # --- inside of a line ---------------------------------------------------------------------------

    def _start_inline(self, meaning: Meaning, attributes: Mapping[str, str]) -> Closer | None:
        if meaning is Meaning.RAISED or meaning is Meaning.LOWERED:
            return self._capture(raised if meaning is Meaning.RAISED else lowered, attributes)
        if meaning is Meaning.QUOTATION:
            return self._start_quotation(attributes)
        if meaning is Meaning.FORMULA:
            return self._start_formula(attributes)
        if self._captures:
            self._captures[-1].note = True
        return self._capture(_note_or_text, {})

    def _start_plain(self, tag: str, attributes: Mapping[str, str]) -> Closer | None:
        if tag == "a" and self._captures:
            self._captures[-1].note = True
        if tag == "annotation":
            return self._start_annotation(attributes)
        if tag in STRUCTURE_OF_FORMULAS:
            self._is_formula_structured = True
        return self._start_style(tag, attributes)

    def _start_style(self, tag: str, attributes: Mapping[str, str]) -> Closer | None:
        if tag in ("b", "strong") or (attributes and is_bold(attributes)):
            self._bold += 1
            return self._end_bold
        if tag == "cite":
            self._end_quoted_sentence()
            self._cited += 1
            return self._end_cited
        self._code += tag == "code"
        return None

    def _end_bold(self) -> None:
        if self._bold:
            self._bold -= 1

    def _end_quoted_sentence(self) -> None:
        """End the block where the name of the speaker follows a quoted sentence in the same line."""
        if self._kind is _QUOTE and (end := _QUOTED_END.search("".join(self._line[-4:])[-40:])):
            self._line.append("")
            self._line[-4:] = ["".join(self._line[-4:]).removesuffix(end[1])]
            self._flush()

    def _end_cited(self) -> None:
        self._cited -= 1

    def _capture(self, replacement: Callable[..., str], attributes: Mapping[str, str]) -> Closer:
        capture = _Capture(len(self._line), is_note_reference(attributes))
        self._captures.append(capture)

        def close() -> None:
            self._captures.remove(capture)
            inner = "".join(self._line[capture.start :])
            before = "".join(self._line[max(0, capture.start - 8) : capture.start])
            del self._line[capture.start :]
            self._line.append(replacement(before, inner, note=capture.note))
            self._is_raised = True

        return close

    def _start_quotation(self, attributes: Mapping[str, str]) -> Closer:
        opening, closing = quotation_marks(attributes.get("lang", "") or self._language, self._quotes)
        has_mark = ends_with_opening_mark("".join(piece[-2:] for piece in self._line[-2:]))
        self._quotes += 1
        if not has_mark:
            self._line.append(opening)

        def close() -> None:
            self._quotes -= 1
            if not has_mark:
                self._line.append(closing)

        return close

    def _start_formula(self, attributes: Mapping[str, str]) -> Closer:
        alternative, start = attributes.get("alttext", ""), len(self._line)
        self._annotation, self._is_formula_structured = "", False

        def close() -> None:
            tex = alternative or self._annotation
            if tex or self._is_formula_structured:
                del self._line[start:]
                self._line.append(formula_text(tex))
                self._styles |= _OTHER

        return close

    def _start_annotation(self, attributes: Mapping[str, str]) -> Closer:
        start, is_tex = len(self._line), "tex" in attributes.get("encoding", "").lower()

        def close() -> None:
            if is_tex:
                self._annotation = "".join(self._line[start:])
            del self._line[start:]

        return close


def _note_or_text(_before: str, inner: str, *, note: bool) -> str:
    del note
    return "" if is_note_mark(inner) else inner


def _attributes(written: str) -> Mapping[str, str]:
    return {
        name: html.unescape(value) if "&" in value else value for name, value in _ATTRIBUTE.findall(written)
    }
