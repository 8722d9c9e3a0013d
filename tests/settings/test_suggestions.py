"""What people write by mistake: the place, what is wrong, and what is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.core.errors import ConfigError
from tests.settings.config_folders import FILES, a_config_folder, loaded

MAIN, FEEDS, NEWS, PEOPLE = (FILES[name] for name in FILES)


def newsletter(key: str) -> dict[str, str]:
    return {"newsletters.yaml": NEWS.replace("timezone:", f"{key}, timezone:")}


def zone(name: str) -> dict[str, str]:
    return {"subscribers.yaml": PEOPLE.replace("Asia/Qatar", name)}


def schedule(text: str) -> dict[str, str]:
    return {"newsletters.yaml": NEWS.replace("daily 07:00", text)}


def smtp(port: int, security: str) -> dict[str, str]:
    server = f"{{host: mail.example.org, port: {port}, security: {security}}}"
    return {"caveat.yaml": f"{MAIN}mail: {{channel: smtp, smtp: {server}}}\n"}


def imap(port: int, security: str) -> dict[str, str]:
    server = f"{{host: mail.example.org, port: {port}, security: {security}, username: me}}"
    return {"caveat.yaml": f"{MAIN}mail: {{bounces: {{address: b@example.org, imap: {server}}}}}\n"}


MISTAKES = {
    "a language's name": (newsletter("language: englisch"), "newsletters.yaml:2:91", "did you mean en?"),
    "its own name": (newsletter("language: Deutsch"), "newsletters.yaml:2:91", "did you mean de?"),
    "a country's code": (newsletter("languages: [en, jp]"), "newsletters.yaml:2:97", "did you mean ja?"),
    "no language": (newsletter("language: xx"), "newsletters.yaml:2:91", "'xx' is no language"),
    "a feed's language": (
        {"feeds.yaml": FEEDS.replace("name:", "language: arabic, name:")},
        "feeds.yaml:2:57",
        "did you mean ar?",
    ),
    "an old zone": (zone("CET"), "subscribers.yaml:2:55", "expected Europe/Berlin"),
    "a zone without summer": (zone("EST"), "subscribers.yaml:2:55", "expected America/New_York"),
    "three zones": (zone("IST"), "subscribers.yaml:2:55", "Asia/Kolkata, Europe/Dublin or Asia/Jerusalem?"),
    "a city of a zone": (zone("Qatar"), "subscribers.yaml:2:55", "did you mean Asia/Qatar?"),
    "another city": (zone("Doha"), "subscribers.yaml:2:55", "did you mean Asia/Qatar?"),
    "an offset": (zone("UTC+3"), "subscribers.yaml:2:55", "did you mean Etc/GMT-3?"),
    "465 starttls": (smtp(465, "starttls"), "caveat.yaml:6:60", "expected `security: tls`"),
    "465 none": (smtp(465, "none"), "caveat.yaml:6:60", "expected `security: tls`"),
    "587 tls": (smtp(587, "tls"), "caveat.yaml:6:75", "`security: starttls`, or port 465"),
    "25 tls": (smtp(25, "tls"), "caveat.yaml:6:74", "`security: starttls`, or port 465"),
    "143 tls": (imap(143, "tls"), "caveat.yaml:6:94", "`security: starttls`, or port 993"),
    "993 starttls": (imap(993, "starttls"), "caveat.yaml:6:79", "expected `security: tls`"),
    "close times": (schedule("daily 07:00,07:05"), "newsletters.yaml:2:66", "less than 15 minutes apart"),
    "close at midnight": (schedule("daily 00:05,23:55"), "newsletters.yaml:2:66", "less than 15 minutes"),
    "close weekdays": (schedule("weekdays 7:00,7:14"), "newsletters.yaml:2:66", "less than 15 minutes"),
    "a topic": (
        {"newsletters.yaml": NEWS.replace("[world]", "[wrold]")},
        "newsletters.yaml:2:48",
        "mean world?",
    ),
    "a theme": (newsletter("theme: dayly"), "newsletters.yaml:2:88", "did you mean daily?"),
    "a method": (newsletter("method: lexrnk"), "newsletters.yaml:2:89", "did you mean lexrank?"),
    "a key": (newsletter("topcis: [world]"), "newsletters.yaml:2:81", "did you mean topics?"),
    "a newsletter": (
        {"subscribers.yaml": PEOPLE.replace("[morning]", "[mornign]")},
        "subscribers.yaml:2:81",
        "did you mean morning?",
    ),
    "a channel": (
        {"caveat.yaml": f"{MAIN}mail: {{channel: smpt}}\n"},
        "caveat.yaml:6:17",
        "did you mean smtp?",
    ),
    "a personal channel": (
        {"subscribers.yaml": PEOPLE.replace("newsletters:", "channel: {aprise: x}, newsletters:")},
        "subscribers.yaml:2:76",
        "did you mean apprise?",
    ),
    "a duration in words": (newsletter("late_limit: 6 hours"), "newsletters.yaml:2:93", "did you mean 6h?"),
    "two of them": (newsletter("late_limit: 1 hour 30 min"), "newsletters.yaml:2:93", "mean 1h30m?"),
    "a duration's unit": (newsletter("review: 90min"), "newsletters.yaml:2:89", "did you mean 90m?"),
    "no unit": (newsletter("late_limit: 90"), "newsletters.yaml:2:93", "did you mean 90m?"),
}


@pytest.mark.parametrize(("files", "place", "meant"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_named_with_its_place_and_what_is_meant(
    tmp_path: Path, files: dict[str, str], place: str, meant: str
):
    folder = a_config_folder(tmp_path, files)
    try:
        said = list(map(str, loaded(folder).warnings))
    except ConfigError as error:
        said = list(map(str, error.faults))

    (named,) = [one for one in said if one.startswith(f"{place}:")]
    assert meant in named


@pytest.mark.parametrize(
    "files",
    [
        newsletter("languages: [en, pt-BR, zh-Hant, fil, nds, no]"),
        schedule("daily 07:00,07:15"),
        schedule("weekly mon 00:05,23:55"),
        zone("UTC"),
        smtp(465, "tls"),
        smtp(587, "starttls"),
        newsletter("late_limit: 1h30m"),
    ],
)
def test_what_is_right_is_not_named(tmp_path: Path, files: dict[str, str]):
    assert not [one for one in loaded(a_config_folder(tmp_path, files)).warnings if "feeds" not in one.file]
