"""Inline markup: the one table of what an element means inside a line, for feeds and for web pages. Pure.

A driver walks its own kind of tree, asks `meaning_of` for each element, and does what the meaning says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto

from service.gather.cleaning.raised_text import subscript, superscript

MAX_ATTRIBUTE_CHARACTERS = 2_000  # of a style or class that are examined
MAX_FORMULA_CHARACTERS = 300  # a longer formula is cut


class Meaning(Enum):
    """What a driver does with an element.

    PLAIN      keep its text; it neither splits nor joins words
    REMOVED    leave it out with all its content
    RAISED     replace it by `raised_text.raised(text before it, its text, note=...)`
    LOWERED    replace it by `raised_text.lowered(text before it, its text, note=...)`
    NOTE       leave it out if `raised_text.is_note_mark(its text)`, else keep its text
    QUOTATION  put its text between `quotation_marks(language, depth)`
    LINE_END   end the line
    PICTURE    replace it by `picture_text(attributes)`
    FORMULA    replace it by `formula_text(...)`

    `note` of RAISED and LOWERED: it, or an element in it, `is_note_reference`, or it contains a link.
    """

    PLAIN = auto()
    REMOVED = auto()
    RAISED = auto()
    LOWERED = auto()
    NOTE = auto()
    QUOTATION = auto()
    LINE_END = auto()
    PICTURE = auto()
    FORMULA = auto()


_REMOVED = (
    "script style noscript template iframe object embed svg canvas audio video map title head "
    "form button select textarea input datalist progress meter dialog "
    "del s strike rt rp rtc"
)
MEANINGS: Mapping[str, Meaning] = {
    **dict.fromkeys(_REMOVED.split(), Meaning.REMOVED),
    "sup": Meaning.RAISED,
    "sub": Meaning.LOWERED,
    "q": Meaning.QUOTATION,
    "br": Meaning.LINE_END,
    "img": Meaning.PICTURE,
    "math": Meaning.FORMULA,
}
"""The meaning of each element by its name; any other inline element is PLAIN."""

_FORMULA_PARTS = "msup msub msubsup mfrac msqrt mroot mtable munder mover munderover"
STRUCTURE_OF_FORMULAS = frozenset(_FORMULA_PARTS.split())
_INLINE = (
    "sup sub q br img math annotation a span b strong em i u small font label abbr time mark code cite ins"
)
INLINE_TAGS = frozenset(_INLINE.split()) | STRUCTURE_OF_FORMULAS
PLAIN_INLINE_TAGS = frozenset({"b", "strong", "cite", "code", *STRUCTURE_OF_FORMULAS})
"""Inline elements that mean something without attributes, beside those of MEANINGS."""

HEEDED_ATTRIBUTES = frozenset(
    {
        "class",
        "style",
        "hidden",
        "aria-hidden",
        "role",
        "id",
        "epub:type",
        "lang",
        "href",
        "alt",
        "alttext",
        "encoding",
    }
)
"""The attributes that the table reads."""

_HIDING_STYLE = re.compile(
    r"(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|mso-hide:all|font-size:0(?:px|pt|em|rem|%)?(?:[;!]|$)"
    r"|text-indent:-\d{3}|left:-\d{3}|clip:rect\([01](?:px)?[, ])"
)
_STRIKING_STYLE = re.compile(r"(?:^|;)text-decoration(?:-line)?:[^;]{0,60}line-through")
_HIDING_CLASSES = (
    "sr-only sr_only sronly is-sr-only u-sr-only screen-reader-text screen-reader-only screen-reader "
    "screenreader screenreader-only screen-reader-response visually-hidden visuallyhidden visually_hidden "
    "u-visually-hidden u-visuallyhidden is-visually-hidden hidden-visually u-hiddenvisually "
    "visuallyhidden-focusable visually-hidden-focusable element-invisible a11y-hidden a11y-only "
    "accessibility-hidden accessible-hide accessibly-hidden accesshide assistive-text offscreen off-screen "
    "show-for-sr aural-only invisible hidden d-none katex-html mathjax_preview"
)
HIDING_CLASSES = frozenset(_HIDING_CLASSES.split())
_INSERTED_CLASSES = (
    "kg-bookmark-card kg-signup-card kg-button-card kg-cta-card "
    "subscription-widget-wrap subscription-widget subscription-widget-wrap-editor subscribe-widget "
    "button-wrapper captioned-button-wrap embedded-post-wrap digest-post-embed "
    "jp-relatedposts sharedaddy sd-sharing sd-sharing-enabled wp-block-jetpack-subscriptions "
    "wp-block-jetpack-related-posts jetpack_subscription_widget yarpp yarpp-related addtoany_content "
    "addtoany_share_save_container heateor_sss_sharing_container feedflare mc4wp-form"
)
INSERTED_CLASSES = frozenset(_INSERTED_CLASSES.split())
"""Classes by which Ghost, Substack and WordPress mark what they insert into a text: buttons that share it,
forms to subscribe, cards of other articles. They are whole names, so that nothing else is meant."""
_STRIKING_CLASSES = frozenset({"line-through", "strikethrough", "strike-through", "struck", "strike"})
_SHOWING_CLASS = re.compile(r"(?:^|:)(?:block|inline|inline-block|flex|inline-flex|grid|table|contents)$")
_SHOWING_CLASS_OF_BOOTSTRAP = re.compile(r"d-[a-z]{2,3}-(?:block|inline|inline-block|flex|grid|table)")
"""Classes that show an element again on wider screens, in the manner of Tailwind and of Bootstrap."""

_OPENING_MARKS = frozenset("“„‘‚«‹»›\"'「『")
_MARKS_AFTER_SPACE = frozenset("\"'‘«‹»›")
"""Marks that close, or are apostrophes, after a letter; scripts without spaces have other ones."""
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)")
_CAPTION_CLASS = re.compile(r"(?:^|[-_])(?:captions?|credits?)(?:$|[-_](?:text|content|wrap))")
_NOTE_CLASS = re.compile(
    r"(?:foot|end|side)-?_?notes?(?:$|[-_](?:ref|reference|link|mark|anchor|num|back))|^note-?_?ref|^fn(?:$|[-_]|ref)"
    r"|^cite_(?:ref|note)|^reference$|^noteref|reversefootnote|easy-footnote|sdfootnote|^citation-?ref|^mw-ref"
)
_NOTE_FRAGMENT = re.compile(
    r"#_?(?:user-content-)?(?:e|sd)?(?:fn|ftn|edn|foot|end-?note|note|cite|ref|easy-foot|mod_foot|r\d|f\d|n\d|\d)"
)
_NOTE_ROLES = frozenset({"doc-noteref", "doc-backlink", "noteref", "backlink"})
_EMOJI_CLASS = re.compile(r"(?:^|[-_])(?:emoji|emoticon|smil(?:ey|ie)|emote|twemoji|emojione)s?(?:$|[-_])")
_FORMULA_CLASS = re.compile(r"(?:^|[-_])(?:tex|latex|math|mathjax|katex|formula|equation|eqn)(?:$|[-_])")
_PICTOGRAPHS = "\u203c\u2049\u2122-\u27bf\u2934-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_EMOJI = re.compile(f"[{_PICTOGRAPHS}\U000e0020-\U000e007f\ufe0f\u200d\u20e3#*0-9]{{1,16}}")
PICTOGRAPH = re.compile(f"[{_PICTOGRAPHS}]")
_DISPLAY_STYLE = re.compile(r"\{\\(?:display|text)style (.*)\}", re.DOTALL)
_POWER = re.compile(r"([\^_])(?:\{([^{}]{1,12})\}|([0-9a-z]))")


def meaning_of(tag: str, attributes: Mapping[str, str]) -> Meaning:
    """Return the meaning of an element: `tag` and the names of attributes are in lower case."""
    meaning = MEANINGS.get(tag, Meaning.PLAIN)
    if not attributes or meaning is Meaning.REMOVED:
        return meaning
    if is_hidden(attributes) or is_struck_out(attributes) or is_inserted(attributes):
        return Meaning.REMOVED
    if meaning is Meaning.PLAIN and tag in ("a", "span") and is_note_reference(attributes):
        return Meaning.NOTE
    return meaning


def is_hidden(attributes: Mapping[str, str]) -> bool:
    """Return whether readers of the page do not see the element."""
    if "hidden" in attributes or attributes.get("aria-hidden", "").strip().lower() == "true":
        return True
    style = attributes.get("style")
    if style and _HIDING_STYLE.search(_folded_style(style)):
        return True
    classes = _classes(attributes)
    return not HIDING_CLASSES.isdisjoint(classes) and not any(
        _SHOWING_CLASS.search(name) or _SHOWING_CLASS_OF_BOOTSTRAP.match(name) for name in classes
    )


def is_struck_out(attributes: Mapping[str, str]) -> bool:
    """Return whether the element's style or class strikes its text out, as `<del>` does."""
    style = attributes.get("style")
    if style and _STRIKING_STYLE.search(_folded_style(style)):
        return True
    return not _STRIKING_CLASSES.isdisjoint(_classes(attributes))


def is_bold(attributes: Mapping[str, str]) -> bool:
    """Return whether the element's style makes its text bold."""
    return _BOLD_STYLE.search(attributes.get("style", "")[:1_000].lower()) is not None


def is_caption(attributes: Mapping[str, str]) -> bool:
    """Return whether the element's class says that it is the caption or the credit of a picture."""
    return any(_CAPTION_CLASS.search(name) for name in attributes.get("class", "")[:1_000].lower().split())


def is_inserted(attributes: Mapping[str, str]) -> bool:
    """Return whether the publishing program inserted the element into the text."""
    return not INSERTED_CLASSES.isdisjoint(_classes(attributes))


def is_note_reference(attributes: Mapping[str, str]) -> bool:
    """Return whether the element refers to a footnote, or from a footnote back to its text."""
    kinds = f"{attributes.get('role', '')} {attributes.get('epub:type', '')}".lower().split()
    if not _NOTE_ROLES.isdisjoint(kinds):
        return True
    names = [*_classes(attributes), attributes.get("id", "")[:100].lower()]
    if any(_NOTE_CLASS.search(name) for name in names):
        return True
    href = attributes.get("href", "")[:MAX_ATTRIBUTE_CHARACTERS].lower()
    return "#" in href and _NOTE_FRAGMENT.search(href) is not None


def picture_text(attributes: Mapping[str, str]) -> str:
    """Return the text that a picture stands for: an emoji or a formula. Any other picture is no text."""
    alt = " ".join(attributes.get("alt", "")[:MAX_FORMULA_CHARACTERS].split())
    if not alt:
        return ""
    if _EMOJI.fullmatch(alt) and PICTOGRAPH.search(alt):
        return alt
    classes = _classes(attributes)
    if any(_EMOJI_CLASS.search(name) for name in classes):
        return alt[:40]
    return formula_text(alt) if any(_FORMULA_CLASS.search(name) for name in classes) else ""


def formula_text(tex: str) -> str:
    """Return a formula of TeX as text: simple powers and indices are raised and lowered, the rest stays."""
    tex = " ".join(tex[:MAX_FORMULA_CHARACTERS].split()).strip("$ ")
    tex = tex.removeprefix("\\(").removesuffix("\\)").removeprefix("\\[").removesuffix("\\]").strip()
    if wrapped := _DISPLAY_STYLE.fullmatch(tex):
        tex = wrapped[1].strip()
    return _POWER.sub(_raised_or_lowered, tex)


def _raised_or_lowered(found: re.Match[str]) -> str:
    inner = found[2] or found[3]
    text = superscript(inner) if found[1] == "^" else subscript(inner)
    return text or found[0]


def ends_with_opening_mark(text: str) -> bool:
    """Return whether a text ends with a mark that opens a quotation; `d'` ends with an apostrophe."""
    mark, before = text[-1:], text[-2:-1]
    return bool(mark) and mark in _OPENING_MARKS and not (mark in _MARKS_AFTER_SPACE and before.isalnum())


def _folded_style(style: str) -> str:
    return re.sub(r"\s", "", style[:MAX_ATTRIBUTE_CHARACTERS]).lower()


def _classes(attributes: Mapping[str, str]) -> list[str]:
    names = attributes.get("class")
    return names[:MAX_ATTRIBUTE_CHARACTERS].lower().split() if names else []
