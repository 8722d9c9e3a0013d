"""Raised and lowered text: footnote marks go; powers, indices, ordinals and fractions stay readable. Pure.

A raised number is never joined to the number or word before it: 10⁶ must not become 106.
"""

from __future__ import annotations

import re
import unicodedata

MAX_CONTEXT_CHARACTERS = 60  # of the text before that are examined
MAX_RAISED_CHARACTERS = 24  # a longer raised text is small print, not a mark or a power

_RAISED_LETTERS = dict(zip("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", strict=True))
_LOWERED_LETTERS = dict(zip("aehijklmnoprstuvx", "ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_RAISED = str.maketrans(dict(zip("0123456789+-−–=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾", strict=True)) | _RAISED_LETTERS)
_LOWERED = str.maketrans(dict(zip("0123456789+-−–=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎", strict=True)) | _LOWERED_LETTERS)
_PLAIN_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789")

_SYMBOLS = {"tm": "™", "(tm)": "™", "sm": "℠", "(r)": "®", "®": "®", "™": "™", "©": "©", "℠": "℠"}
_BRACKETED = re.compile(r"\[[^\[\]]*\]")
_ORDINAL_SIGNS = {"o": "º", "a": "ª"}
_MARK_SYMBOLS = frozenset("*†‡§¶‖#↩↵⤴↑^⏎\ufe0e\ufe0f")
_MARK_SEPARATORS = re.compile(r"[,;،、\s–—-]+")
_ROMAN = re.compile(r"[ivx]{1,5}")
_POWERS = re.compile(r"[+\-−–]?\d{1,4}|\d{0,2}[+\-−–]|\d{0,2}n|n?[+\-−–]\d")
_NUMBER_BEFORE = re.compile(r"\d[\d.,'’٬٫\u00a0\u202f]*$")
_WORD_BEFORE = re.compile(r"[^\W\d_]+$")
_ROMAN_NUMERAL = re.compile(r"(?<![^\W_])[IVXLCDM]+$")
_SIGN_BEFORE = re.compile(r"[×·*=+/^√∝≈<>±÷−]\s*\S{1,6}$")
_CURRENCY_BEFORE = re.compile(r"[$€£¥₹₽₩]\s?\S{1,15}$")
_UNITS = "m cm mm km dm nm µm μm ft in mi yd ms kg sec min м см мм км дм нм сек م كم سم مم χλμ χμ מ קמ"
UNITS = frozenset(_UNITS.split())
"""Units that are squared or cubed."""
_MOLECULES = frozenset({"CO", "NO", "SO", "PO", "O", "H", "N"})
_FRACTION = re.compile(
    r"(?:(?<=\d)\s?|(?<![\w⁰¹²³⁴-⁹]))([⁰¹²³⁴-⁹]{1,3})\s?[/⁄]\s?([₀-₉]{1,4})"
    r"|(?<![\w⁰¹²³⁴-⁹])([⁰¹²³⁴-⁹]{1,3})[/⁄](\d{1,3})(?![\w.,⁰¹²³⁴-⁹])"
)
_VULGAR = {unicodedata.normalize("NFKC", char): char for char in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}  # by "1⁄4"
_DEGREE = re.compile(r"(?<=\d)[ \u00a0]?[º⁰ᵒ](?=[ \u00a0]?[CFKС]\b)")


def superscript(text: str) -> str:
    """Return the text in Unicode's superscript characters, "" when one of its characters has none."""
    raised = text.translate(_RAISED)
    return "" if any(old == new for old, new in zip(text, raised, strict=True)) else raised


def subscript(text: str) -> str:
    """Return the text in Unicode's subscript characters, "" when one of its characters has none."""
    lowered = text.translate(_LOWERED)
    return "" if any(old == new for old, new in zip(text, lowered, strict=True)) else lowered


def is_note_mark(text: str) -> bool:
    """Return whether a text is the mark of a footnote: a number, a letter, a symbol, or several of them."""
    text = text.strip()
    if len(text) > MAX_RAISED_CHARACTERS:
        return False
    if _BRACKETED.fullmatch(text):
        return True
    bare = text.strip("[](){}.:").translate(_PLAIN_DIGITS).lower()
    return all(
        (part.isdecimal() and len(part) <= 3)
        or (len(part) == 1 and part.isalpha())
        or _ROMAN.fullmatch(part) is not None
        or _MARK_SYMBOLS.issuperset(part)
        or part in ("fn", "note", "n")
        for part in _MARK_SEPARATORS.split(bare)
    )


def raised(before: str, inner: str, *, note: bool = False) -> str:
    """Return what takes the place of raised text.

    before   the text of the same line in front of it; only its end is read
    note     the markup says that it refers to a note
    """
    before, inner = before[-MAX_CONTEXT_CHARACTERS:], " ".join(inner.split())
    if len(inner) > MAX_RAISED_CHARACTERS:
        return _apart(before, inner)
    if symbol := _SYMBOLS.get(inner.lower()):
        return symbol
    if (note and is_note_mark(inner)) or _BRACKETED.fullmatch(inner) or _MARK_SYMBOLS.issuperset(inner):
        return ""
    if _POWERS.fullmatch(inner):
        return superscript(inner) if _is_power(before, inner) else ""
    return _raised_letters(before, inner) if inner.isalpha() else _raised_formula(before, inner)


def lowered(before: str, inner: str, *, note: bool = False) -> str:
    """Return what takes the place of lowered text; the arguments are those of `raised`."""
    inner = " ".join(inner.split())
    if not inner or (note and is_note_mark(inner)):
        return ""
    if len(inner) <= 6 and " " not in inner and before[-1:].strip():
        return subscript(inner) or f"_{inner}"
    if len(inner) <= MAX_RAISED_CHARACTERS and not inner.isalpha() and (numeral := subscript(inner)):
        return numeral
    return _apart(before, inner)


def with_fractions(line: str) -> str:
    """Return the line with "1 ¹/₂" as "1½" or "1 1⁄2", and with degree signs in place of a raised o or 0."""
    return _DEGREE.sub("°", _FRACTION.sub(_fraction, line))


def _fraction(found: re.Match[str]) -> str:
    upper, lower = (found[1] or found[3], found[2] or found[4])
    fraction = f"{upper}⁄{lower}".translate(_PLAIN_DIGITS)
    whole = found.start() > 0 and found.string[found.start() - 1].isdigit()
    return _VULGAR.get(fraction) or (f" {fraction}" if whole else fraction)


def _is_power(before: str, inner: str) -> bool:
    """Return whether a raised number belongs to what is before it, rather than to a footnote."""
    if not inner.isdecimal() or inner == "0":
        return True  # a sign or a letter: a charge or an exponent
    if not before or before[-1].isspace() or before[-1] in "/⁄−-(" or _SIGN_BEFORE.search(before):
        return True  # an isotope, a numerator, or a term of a formula
    if number := _NUMBER_BEFORE.search(before):
        return _is_base(before, number, inner)
    if word := _WORD_BEFORE.search(before):
        return _has_powers(word[0], inner)
    inside = before[before.rfind("(") + 1 : -1] if before[-1] == ")" else ""
    return 0 < len(inside) <= 20 and re.search(r"[^\W\d_]{3}", inside) is None


def _is_base(before: str, number: re.Match[str], inner: str) -> bool:
    """Return whether the number before may have a power: it is 10 or shorter, or part of a formula."""
    if before[-1] in ".,'’\u00a0\u202f":
        return False  # the end of a sentence
    if number.start() and before[number.start() - 1].isalpha():
        return True  # SO4 and its charge
    if len(inner) == 2 and _CURRENCY_BEFORE.search(before):
        return True  # cents
    return len(number[0]) <= 2


def _has_powers(word: str, inner: str) -> bool:
    """Return whether the word before is a unit, a variable or a molecule."""
    if word in UNITS:
        return int(inner) <= 4
    return word in _MOLECULES or (len(word) == 1 and unicodedata.category(word) in ("Ll", "Lu"))


def _raised_letters(before: str, inner: str) -> str:
    """Return raised letters: ordinals and abbreviations are joined to what is before, marks go."""
    last = before[-1:]
    if inner in _ORDINAL_SIGNS and (last.isdigit() or last in ("n", "N")):
        return _ORDINAL_SIGNS[inner]
    if last.isdigit():
        return inner if len(inner) > 1 or inner in "edhms" else superscript(inner) or inner
    word = _WORD_BEFORE.search(before)
    if word is None:
        return superscript(inner) or inner if len(inner) == 1 else _apart(before, inner)
    if _ROMAN_NUMERAL.search(before) or _is_abbreviation(word[0], inner):
        return inner
    if len(word[0]) == 1:
        return superscript(inner) or _apart(before, inner)
    return "" if is_note_mark(inner) else _apart(before, inner)


def _is_abbreviation(word: str, inner: str) -> bool:
    """Return whether the letters end an abbreviation, such as those of "Mme", "Dr" or "Cie"."""
    return len(word) <= 3 and (1 < len(inner) <= 4 or (len(inner) == 1 and word[0].isupper()))


def _raised_formula(before: str, inner: str) -> str:
    """Return raised text of letters, digits and signs."""
    if is_note_mark(inner):
        return ""
    if " " in inner or not before[-1:].strip():
        return _apart(before, inner)
    return superscript(inner) or f"^({inner})"


def _apart(before: str, inner: str) -> str:
    """Return the text, separated from a word before it."""
    return f" {inner}" if before[-1:].strip() else inner
