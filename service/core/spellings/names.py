"""Spellings that people write for languages and time zones, each with the name that is meant (pure)."""

from __future__ import annotations

import re

_SECOND_LETTERS = {
    "a": "abefkmnrsvyz",
    "b": "aeghimnors",
    "c": "aehorsuvy",
    "d": "aevz",
    "e": "elnostu",
    "f": "afijory",
    "g": "adlnuv",
    "h": "aeiortuyz",
    "i": "adegiknostuw",
    "j": "aivw",
    "k": "agijklmnorsuvwy",
    "l": "abginotuv",
    "m": "ghiklnorsty",
    "n": "abdeglnorvy",
    "o": "cjmrs",
    "p": "ailst",
    "q": "u",
    "r": "mnouw",
    "s": "acdeghiklmnoqrstuvw",
    "t": "aeghiklnorstwy",
    "u": "gkrz",
    "v": "eio",
    "w": "ao",
    "x": "h",
    "y": "io",
    "z": "ahu",
}
LANGUAGE_CODES = frozenset(first + second for first, seconds in _SECOND_LETTERS.items() for second in seconds)
"""Two-letter codes of ISO 639-1, with the withdrawn ones that older tags use."""

_LANGUAGE_NAMES = {
    "ar": "arabic arabisch arabe árabe عربي العربية",
    "bg": "bulgarian bulgarisch български",
    "cs": "cz czech tschechisch čeština česky",
    "da": "dk danish dänisch dansk",
    "de": "german deutsch allemand alemán at",
    "el": "gr greek griechisch ελληνικά",
    "en": "english englisch anglais inglés inglese gb us",
    "es": "spanish spanisch español castellano espagnol",
    "fa": "ir persian persisch farsi فارسی",
    "fi": "finnish finnisch suomi",
    "fr": "french französisch français francés francese",
    "he": "hebrew hebräisch עברית",
    "hi": "hindi हिन्दी",
    "hu": "hungarian ungarisch magyar",
    "id": "indonesian indonesisch bahasa",
    "it": "italian italienisch italiano",
    "ja": "jp japanese japanisch 日本語",
    "ko": "korean koreanisch 한국어",
    "nl": "dutch niederländisch holländisch nederlands",
    "no": "norwegian norwegisch norsk",
    "pl": "polish polnisch polski",
    "pt": "portuguese portugiesisch português",
    "ro": "romanian rumänisch română",
    "ru": "russian russisch русский",
    "sv": "swedish schwedisch svenska",
    "tr": "turkish türkisch türkçe",
    "uk": "ua ukrainian ukrainisch українська",
    "ur": "pk urdu اردو",
    "vi": "vietnamese vietnamesisch vn",
    "zh": "cn chinese chinesisch mandarin 中文",
}
_CODE_OF_NAME = {name: code for code, names in _LANGUAGE_NAMES.items() for name in names.split()}

ABBREVIATED_ZONES = {
    "BST": "Europe/London",
    "CEST": "Europe/Berlin",
    "CET": "Europe/Berlin",
    "CST": "America/Chicago or Asia/Shanghai",
    "CST6CDT": "America/Chicago",
    "EDT": "America/New_York",
    "EEST": "Europe/Athens",
    "EET": "Europe/Athens",
    "EST": "America/New_York",
    "EST5EDT": "America/New_York",
    "HST": "Pacific/Honolulu",
    "IST": "Asia/Kolkata, Europe/Dublin or Asia/Jerusalem",
    "JST": "Asia/Tokyo",
    "MDT": "America/Denver",
    "MEZ": "Europe/Berlin",
    "MET": "Europe/Berlin",
    "MSK": "Europe/Moscow",
    "MST": "America/Denver, or America/Phoenix without summer time",
    "MST7MDT": "America/Denver",
    "PDT": "America/Los_Angeles",
    "PKT": "Asia/Karachi",
    "PST": "America/Los_Angeles",
    "PST8PDT": "America/Los_Angeles",
    "SGT": "Asia/Singapore",
    "WEST": "Europe/Lisbon",
    "WET": "Europe/Lisbon",
}
"""Abbreviations of zones -> the places that are meant. Some are zones of the IANA database, kept for old
programs: EST is five hours behind UTC also in summer.
"""

_CITIES = {
    "abu dhabi": "Asia/Dubai",
    "beijing": "Asia/Shanghai",
    "boston": "America/New_York",
    "delhi": "Asia/Kolkata",
    "doha": "Asia/Qatar",
    "frankfurt": "Europe/Berlin",
    "geneva": "Europe/Zurich",
    "hamburg": "Europe/Berlin",
    "milan": "Europe/Rome",
    "mumbai": "Asia/Kolkata",
    "munich": "Europe/Berlin",
    "new delhi": "Asia/Kolkata",
    "san francisco": "America/Los_Angeles",
    "seattle": "America/Los_Angeles",
    "tel aviv": "Asia/Jerusalem",
    "washington": "America/New_York",
}
"""Cities that are no zone of the IANA database -> the zone that they are in."""

_UNIT_WORDS = {
    "d": "d day days",
    "h": "h hr hrs hour hours",
    "m": "m min mins minute minutes",
    "s": "s sec secs second seconds",
}
_UNITS = {word: unit for unit, words in _UNIT_WORDS.items() for word in words.split()}

_OFFSET = re.compile(r"(?:GMT|UTC)\s?([+-])(\d{1,2})(?::?00)?", re.IGNORECASE)


def language_meant(text: str) -> str:
    """Return the code of the language that a word or a country's code stands for; "" if it is unknown."""
    return _CODE_OF_NAME.get(text.strip().casefold(), "")


def zone_meant(text: str) -> str:
    """Return the zones that an abbreviation, a city or an offset stands for; "" if it is unknown."""
    word = text.strip()
    if offset := _OFFSET.fullmatch(word):
        # The signs of these zones are those of POSIX: Etc/GMT-3 is three hours ahead of UTC.
        return f"Etc/GMT{'-' if offset[1] == '+' else '+'}{int(offset[2])}"
    return ABBREVIATED_ZONES.get(word.upper()) or _CITIES.get(word.casefold().replace("_", " "), "")


def short_duration(text: str) -> str:
    """Return a duration written in words, such as `1 hour 30 min`, in short: `1h30m`; "" if it is none."""
    words = text.strip().lower()
    if not re.fullmatch(r"(?:\d+\s*[a-z]+(?:,?\s+(?:and\s+)?|$))+", words):
        return ""
    parts = re.findall(r"(?<!\d)(\d+)\s*([a-z]+)", words)
    units = [_UNITS.get(unit, "") for _, unit in parts]
    return (
        "".join(f"{number}{unit}" for (number, _), unit in zip(parts, units, strict=True))
        if all(units)
        else ""
    )
