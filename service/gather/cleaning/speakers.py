"""Speakers: the line under a quotation that names who says it is put before it, to introduce it. Pure."""

from __future__ import annotations

import re

from service.core.model import BlockKind
from service.gather.cleaning.block_text import BlockDraft

MAX_SPEAKER_CHARACTERS = 120

_DASHES = re.compile(r"\s*+(?:[—–―]|-{1,2}(?=\s))\s*+")


def put_speaker_first(drafts: list[BlockDraft], first: int) -> None:
    """Reorder the drafts of a quotation, those from `first` on, in place.

    The speaker is the last line if it is marked up as a source, and so a paragraph, or begins with a dash.
    """
    quotation = drafts[first:]
    if len(quotation) < 2 or quotation[0].kind is not BlockKind.QUOTE:
        return
    speaker = quotation[-1]
    dash = _DASHES.match(speaker.text)
    if len(speaker.text) > MAX_SPEAKER_CHARACTERS or not (speaker.kind is BlockKind.PARAGRAPH or dash):
        return
    if dash:
        speaker.text = speaker.text[dash.end() :]
    speaker.kind, speaker.introducer = BlockKind.PARAGRAPH, None
    drafts[first:] = [speaker, *quotation[:-1]]
    for draft in quotation[:-1]:
        if draft.kind is BlockKind.QUOTE and not _names_speaker(draft.introducer):
            draft.introducer = speaker


def _names_speaker(introducer: BlockDraft | None) -> bool:
    """Return whether the text before the quotation announces it with a colon."""
    return introducer is not None and introducer.text.rstrip()[-1:] in (":", "：")
