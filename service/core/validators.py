"""Validators of values that people write: time zone, language, schedule, topic and e-mail address.

Each returns the one spelling that is stored and compared, so that equal preferences give equal editions.
Config files, web forms, imports and commands use the same functions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from service.core.errors import UsageError
from service.core.schedules import parse_schedule
from service.core.schedules.cron import MIN_MINUTES_BETWEEN
from service.core.spellings.names import LANGUAGE_CODES, language_meant, zone_meant

MAX_ADDRESS_CHARACTERS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
MAX_PHRASES, MAX_PHRASE_CHARACTERS = 50, 80  # to follow or mute, of one person
ACRONYM_LETTERS = range(2, 6)  # a longer word in capitals is no other word in small letters
DAY_MINUTES = 24 * 60
MAX_SHOWN_CHARACTERS = 64  # of a wrong value, in an error
_PLAIN_ADDRESS = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_SPECIAL_DOMAINS = (".local", ".localhost", ".invalid", ".arpa", ".onion")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_LETTERS = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*")
_ZONE = re.compile(r"(?!posix/|right/)[A-Za-z][A-Za-z0-9_+/-]*")
"""`posix/` and `right/` are copies of the same zones, which not every machine has."""


class InvalidValue(UsageError):
    """A value that a validator refuses: `problem` names it, `suggestion` is a correct value near it or ""."""

    def __init__(self, problem: str, suggestion: str = "", advice: str = "") -> None:
        self.problem, self.suggestion = problem, suggestion
        hints = [f"Did you mean {suggestion}?"] if suggestion else []
        hints += [advice] if advice else []
        super().__init__(". ".join([problem, " ".join(hints)]) if hints else problem)


def read_timezone(name: str) -> str:
    """Return the name of a time zone of the IANA database. Raises InvalidValue."""
    if _ZONE.fullmatch(name):
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, OSError, ValueError):
            pass
        else:
            return name
    short = name[:MAX_SHOWN_CHARACTERS]
    suggestion = zone_meant(short) or _nearest_zone(short)
    raise InvalidValue(
        f"there is no time zone {_shown(name)}", suggestion, "Write one such as Europe/Berlin."
    )


def _nearest_zone(name: str) -> str:
    """Return the zone whose name, or whose city, is nearest; "" when none is near."""
    zones = {zone.lower(): zone for zone in available_timezones()}
    cities = {zone.lower().rpartition("/")[2]: zone for zone in zones.values() if "/" in zone}
    word = name.strip().lower().replace(" ", "_")
    if word in cities:
        return cities[word]
    if near := get_close_matches(word, zones, n=1):
        return zones[near[0]]
    return cities[near[0]] if (near := get_close_matches(word, cities, n=1, cutoff=0.8)) else ""


def read_language(text: str) -> str:
    """Return a language tag (BCP 47), such as `pt-BR`. Raises InvalidValue."""
    if not _LANGUAGE.fullmatch(text):
        raise _no_language(text)
    return text


def read_known_language(text: str) -> str:
    """Return a language tag whose language exists: a wrong two-letter code fits nothing, without a word.

    Raises InvalidValue.
    """
    code = read_language(text).partition("-")[0]
    if len(code) == 2 and code not in LANGUAGE_CODES:
        raise _no_language(text)
    return text


def _no_language(text: str) -> InvalidValue:
    advice = "Write a tag such as en, fr or pt-BR."
    return InvalidValue(f"{_shown(text)} is no language", language_meant(text), advice)


def read_origin(text: str) -> str:
    """Return an origin, the scheme, host and port of a site (RFC 6454), in lower case.

    It becomes part of a Content-Security-Policy, so it has no character with a meaning there. Raises
    UsageError.
    """
    origin = text.rstrip("/").lower()
    if not re.fullmatch(r"https?://[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?", origin):
        raise UsageError(
            f"{text[:100]!r} is not the address of a site; write one such as https://www.example.org"
        )
    return origin


def read_schedule(text: str) -> str:
    """Return the schedule in its one spelling: `Weekly Tue,Monday 7:00` is `weekly mon,tue 07:00`.

    Raises UsageError, also for issues less than MIN_MINUTES_BETWEEN apart.
    """
    schedule = parse_schedule(text)
    minutes = sorted({moment.hour * 60 + moment.minute for moment in schedule.times})
    if schedule.text.startswith("daily") and len(minutes) > 1:
        minutes.append(minutes[0] + DAY_MINUTES)  # the first issue of the next day
    if any(later - earlier < MIN_MINUTES_BETWEEN for earlier, later in pairwise(minutes)):
        raise UsageError(
            f"{schedule.text!r} has issues less than {MIN_MINUTES_BETWEEN} minutes apart; write times "
            "that are further apart, such as 07:00,07:30"
        )
    return schedule.text


def fold_topic(text: str) -> str:
    """Return the topic in its one spelling: NFC, single spaces, no upper case."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def fold_topics(topics: Iterable[str]) -> tuple[str, ...]:
    """Return the topics in their one spelling, each once and sorted, without empty ones."""
    return tuple(sorted({fold_topic(topic) for topic in topics} - {""}))


def is_acronym(word: str) -> bool:
    """Return whether a word is written as an acronym: two to five capitals, also with dots (`WHO`, `U.S`)."""
    letters = word.replace(".", "")
    return letters.isupper() and letters.isalpha() and len(letters) in ACRONYM_LETTERS


def fold_phrase(text: str) -> str:
    """Return the phrase in its one spelling: as a topic, but acronyms keep their capitals.

    So "who" and "WHO" are two phrases: the second one does not mean the pronoun.
    """
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    folded = _LETTERS.sub(lambda w: w.group() if is_acronym(w.group()) else w.group().casefold(), spaced)
    return unicodedata.normalize("NFC", folded)


def read_phrases(phrases: Iterable[str]) -> tuple[str, ...]:
    """Return words and phrases to follow or mute in their one spelling, each once and sorted.

    Raises InvalidValue for more than MAX_PHRASES, or one longer than MAX_PHRASE_CHARACTERS.
    """
    found = tuple(sorted({fold_phrase(phrase) for phrase in phrases} - {""}))
    if len(found) > MAX_PHRASES:
        raise InvalidValue(
            f"{len(found)} words and phrases are too many", advice=f"List at most {MAX_PHRASES}."
        )
    for phrase in found:
        if len(phrase) > MAX_PHRASE_CHARACTERS:
            advice = f"Write at most {MAX_PHRASE_CHARACTERS} characters."
            raise InvalidValue(f"{_shown(phrase)} is too long", advice=advice)
    return found


def read_email(text: str) -> str:
    """Return the address with its domain in lower case and in Unicode (IDNA 2008), its local part unchanged.

    No name server is asked. Raises InvalidValue.
    """
    text = text.strip()
    # Nearly every address is of this plain kind, and the full check takes ten times as long.
    if len(text) <= MAX_ADDRESS_CHARACTERS and _PLAIN_ADDRESS.fullmatch(text) and "xn--" not in text:
        local, _, domain = text.rpartition("@")
        if not domain.lower().endswith(_SPECIAL_DOMAINS):
            return f"{local}@{domain.lower()}"
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - seldom needed

    try:
        found = validate_email(text, check_deliverability=False, test_environment=True).normalized
    except (EmailNotValidError, ValueError) as error:
        # The library's sentences begin with a capital letter and contain no address.
        reason = str(error).rstrip(".")
        problem = f"{_shown(text)} is no email address: {reason[:1].lower()}{reason[1:]}"
        raise InvalidValue(problem) from None
    return unicodedata.normalize("NFC", found)


def _shown(text: str) -> str:
    if not text:
        return "nothing"
    return repr(text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 3] + "...")
