"""Read untrusted markup: the HTML of feeds and pages becomes safe plain text and its blocks.

The sanitizer parses the HTML as a browser does and removes what a browser would run. Its output is
well-formed, so one pass over its tags finds the blocks; what a tag inside a line means is in `inline_markup`.
"""

from __future__ import annotations

import html
import re
from functools import cache

import nh3

from service.gather.cleaning.ballast import without_ballast
from service.gather.cleaning.block_text import BlockText, assemble
from service.gather.cleaning.characters import without_unsafe_characters
from service.gather.cleaning.escapes import escaped_once, is_structured, text_escaped_once
from service.gather.cleaning.inline_markup import (
    HEEDED_ATTRIBUTES,
    INLINE_TAGS,
    MEANINGS,
    PICTOGRAPH,
    PLAIN_INLINE_TAGS,
    Meaning,
)
from service.gather.cleaning.markdown import html_of_markdown, is_markdown
from service.gather.cleaning.markup_reader import BLOCK_TAGS, MarkupReader
from service.gather.cleaning.nesting import without_deep_nesting
from service.gather.cleaning.related_links import may_have_related_links, without_related_links
from service.gather.cleaning.text_lines import drafts_of_lines
from service.gather.language import detect_language

MAX_HTML_CHARACTERS = 400_000  # without ballast; four times the text of the longest article
MAX_SAMPLE_CHARACTERS = 5_000  # of markup, to detect the language for the marks of its quotations
HTML_CUT = f"markup was longer than {MAX_HTML_CHARACTERS:,} characters"

_REAL_TAG = re.compile(r"<(?:[a-zA-Z/][^<>]*>|!--)")
_TOKEN = re.compile(r'<(/?)([a-z][a-z0-9]*+)((?:[^"<>]|"[^"]*")*+)>')
_RAISED_TAG = re.compile(r"<[sS][uU][bBpP][\s>]")
_TAG_WITH_ATTRIBUTES = re.compile(r"<[a-zA-Z][a-zA-Z0-9]*(\s[^<>]*+)")
_ADDRESS = re.compile(r"(?:href|src)=\"[^\"'#<>\s]*+\"")
"""An address that is no reference to a note; it may contain any of the words below."""
_MEANT_ATTRIBUTES = (
    "hidden invisible d-none sr-only sr_only sronly screen a11y access assist off-screen offscreen show-for "
    "aural display visib mso- font-size text-indent left: clip line-through strike struck font-weight note "
    "reference cite -ref _ref :ref fn- fn: #fn #_ #r #f #e #sd #1 =\"# ='# backlink caption credit "
    "kg- subscription subscribe-w button-w post-wrap post-embed relatedposts related-posts sharedaddy "
    "sd-sharing sharing_container yarpp addtoany feedflare mc4wp "
    "presentation none emoji emote emotic smil tex math katex formula equation eqn alttext encoding lang="
)
MEANT_ATTRIBUTES = tuple(_MEANT_ATTRIBUTES.split())
"""What attributes that mean something contain; most markup has none of it, and is then read twice as fast."""


def plain_text(markup: str) -> str:
    """Return untrusted HTML as paragraphs of plain text separated by an empty line."""
    return read_markup(markup).text


def read_entry(content: str, *, is_plain: bool = False, language: str = "") -> BlockText:
    """Return the text and blocks of an entry's content: plain text, as its feed says, or markup.

    Markup without any tag is plain text, and plain text may be Markdown, or markup that was escaped twice.
    """
    if not is_plain:
        content = escaped_once(content)
        if _REAL_TAG.search(content):
            return read_markup(content, language=language)
        content = html.unescape(content)
    text = text_escaped_once(without_unsafe_characters(content[:MAX_HTML_CHARACTERS]))
    if is_structured(text):
        return read_markup(text, language=language)
    if is_markdown(text):
        return read_markup(html_of_markdown(text), language=language)
    cut = HTML_CUT if len(content) > MAX_HTML_CHARACTERS else ""
    return assemble(drafts_of_lines(text, language=language), language=language, cut=cut)


def read_markup(markup: str, *, language: str = "") -> BlockText:
    """Return the text of untrusted HTML and its blocks; `language` is the text's, "" when unknown.

    What readers of a page do not see, or see struck out, is removed, as are forms, invitations to read more
    and lists of links to other articles at the end.
    """
    markup = escaped_once(without_unsafe_characters(without_ballast(markup)))
    cut = HTML_CUT if len(markup) > MAX_HTML_CHARACTERS else ""
    bounded = without_deep_nesting(markup[:MAX_HTML_CHARACTERS])
    with_links = may_have_related_links(bounded)
    cleaner = _cleaner(with_attributes=_has_meant_attributes(bounded), with_links=with_links)
    bare = cleaner.clean(bounded)
    if "<q" in bare:
        language = detect_language(_TOKEN.sub(" ", bare[:MAX_SAMPLE_CHARACTERS]), language)
    reader = MarkupReader(language)
    pieces = _TOKEN.split(bare)
    if with_links:
        pieces = without_related_links(pieces)
    reader.text(html.unescape(pieces[0]))
    for slash, tag, attributes, text in zip(*(pieces[place::4] for place in range(1, 5)), strict=True):
        if slash:
            reader.end(tag)
        else:
            reader.start(tag, attributes)
        if text:
            reader.text(html.unescape(text) if "&" in text else text)
    return assemble(reader.drafts(), language=language, cut=cut)


def _has_meant_attributes(markup: str) -> bool:
    """Return whether attributes matter: those that mean something, and links inside of raised text."""
    if _RAISED_TAG.search(markup):
        return True
    lists = _ADDRESS.sub("", "\0".join(_TAG_WITH_ATTRIBUTES.findall(markup))).lower()
    written = "\0".join(set(lists.split("\0")))
    if any(part in written for part in MEANT_ATTRIBUTES):
        return True
    return not written.isascii() and PICTOGRAPH.search(written) is not None


@cache
def _cleaner(*, with_attributes: bool, with_links: bool) -> nh3.Cleaner:
    """Return the sanitizer. It keeps the tags that mean something; fewer do without their attributes.

    Links mean something in lists at the end.
    """
    removed = {tag for tag, meaning in MEANINGS.items() if meaning is Meaning.REMOVED}
    inline = INLINE_TAGS if with_attributes else INLINE_TAGS & (MEANINGS.keys() | PLAIN_INLINE_TAGS)
    if with_links:
        inline = inline | {"a"}
    return nh3.Cleaner(
        tags=set(BLOCK_TAGS | inline) - removed,
        attributes={"*": set(HEEDED_ATTRIBUTES)} if with_attributes else {},
        clean_content_tags=removed,
        link_rel=None,
    )
