"""Field types of the config files: strict validators whose errors name the expected value."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from difflib import get_close_matches
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from service.core import validators
from service.core.errors import UnknownName, UsageError
from service.core.schedules import SCHEDULE_EXAMPLES
from service.core.spellings.names import short_duration
from service.core.validators import InvalidValue, fold_topic
from service.settings.storage_url import InvalidStorageUrl, storage_url

Method = Literal["keypoints", "lexrank", "textrank", "lsa", "luhn", "lead"]
ChannelName = Literal["file", "smtp"]
"""The names in the registries of condense and deliver, which settings may not import (a test compares)."""

DEFAULT_METHOD: Method = "keypoints"

WRONG_VALUE = "wrong_value"
EXPECTED_ZONE = "a time zone of the IANA database, such as Europe/Berlin"
EXPECTED_LANGUAGE = "a language tag such as en, fr or pt-BR"
EXPECTED_SCHEDULE = "a schedule such as " + ", ".join(f'"{example}"' for example in SCHEDULE_EXAMPLES)
EXPECTED_EMAIL = "an email address such as amina@example.org"
EXPECTED_DURATION = "a duration such as 45s, 10m, 1h30m or 2d"
EXPECTED_DATABASE = "sqlite:///PATH (relative to this folder) or postgresql://USER@HOST/NAME"
EXPECTED_FEED = "an address such as https://example.org/feed.xml, or file:NAME for a file in this folder"
_DURATION = re.compile(
    r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?"
)
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_HOST_NAME = re.compile(r"[A-Za-z0-9*]([A-Za-z0-9.*_-]*[A-Za-z0-9])?")


class ConfigBlock(BaseModel):
    """A block of keys. Unknown keys and values of another type are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


def wrong_value(what: str, expected: str) -> PydanticCustomError:
    """Return a validation error. `what` is the problem as a clause, `expected` a noun phrase."""
    return PydanticCustomError(WRONG_VALUE, "{what}", {"what": what, "expected": expected})


def one_line(text: str) -> str:
    """Return the text in NFC, with each run of white space as one space. Raises for control characters."""
    if any(unicodedata.category(char) in {"Cc", "Cs"} and not char.isspace() for char in text):
        raise wrong_value(f"{text!r} holds control characters", "plain text on one line")
    return " ".join(unicodedata.normalize("NFC", text).split())


def read_duration(value: object) -> timedelta:
    """Return the duration of a text such as `10m`, `1h30m`, `45s` or `2d`."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    if text == "0":
        return timedelta()
    match = _DURATION.fullmatch(text) if isinstance(value, str) else None
    if not match or not text:
        meant = f"{text}m" if text.isdecimal() else short_duration(text)
        unit = f" (did you mean {meant}?)" if meant else ""
        raise wrong_value(f"{value!r} is not a duration{unit}", EXPECTED_DURATION)
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise wrong_value(f"{value!r} is too long", EXPECTED_DURATION) from None


def write_duration(value: timedelta) -> str:
    """Return the duration as text that `read_duration` accepts."""
    seconds = value.total_seconds()
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        whole, seconds = divmod(seconds, size)
        parts += [f"{whole:.0f}{unit}"] if whole else []
    return "".join([*parts, f"{seconds:g}s"] if seconds else parts) or "0m"


def _validated(read: Callable[[str], str], expected: str) -> Callable[[str], str]:
    """Return a validator of core with its errors turned into pydantic's."""

    def validated(text: str) -> str:
        try:
            return read(text)
        except InvalidValue as error:
            hint = f" (did you mean {error.suggestion}?)" if error.suggestion else ""
            raise wrong_value(f"{error.problem}{hint}", expected) from None
        except UnknownName as error:
            raise wrong_value(error.problem, expected) from None
        except UsageError as error:  # its sentence says what to write
            raise wrong_value(str(error).rstrip("."), "") from None

    return validated


def _as_written(read: Callable[[str], str]) -> Callable[[str], str]:
    """Return a validator that checks the text and keeps its spelling, which is shown to users."""

    def unchanged(text: str) -> str:
        read(text)
        return text

    return unchanged


read_email = _validated(validators.read_email, EXPECTED_EMAIL)


def read_bounce_address(text: str) -> str:
    """Return an address whose local part leaves room for a token of 56 characters (RFC 5321, 4.5.3.1.1)."""
    address = read_email(text)
    local = address.partition("@")[0]
    if len(local) > 8 or "+" in local or not address.isascii():
        raise wrong_value(
            f"{local!r} cannot be the name in this address",
            "at most eight letters, as in bounces@example.org",
        )
    return address


def read_mailbox(text: str) -> str:
    """Return a From header such as `The Morning Caveat <digest@example.org>`."""
    name, address = parseaddr(one_line(text))
    if not address or "@" not in address:
        raise wrong_value(f"{text!r} names no address", '"Name <digest@example.org>"')
    read_email(address)
    return f"{name} <{address}>" if name else address


def read_feed_url(text: str) -> str:
    """Return the address of a feed: http(s), or `file:` and a path, which the roster reader checks."""
    if text.startswith("file:"):
        if text.removeprefix("file:").strip("/ "):
            return text
        raise wrong_value(f"{text!r} names no file", EXPECTED_FEED)
    return _web_address(text, EXPECTED_FEED)


def read_site_url(text: str) -> str:
    """Return a site's address without a trailing slash."""
    url = _web_address(text, "an address such as https://news.example.org").rstrip("/")
    if urlsplit(url).query or urlsplit(url).fragment:
        raise wrong_value(
            f"{text!r} has a query or a fragment", "an address such as https://news.example.org"
        )
    return url


def read_proxy_url(text: str) -> str:
    """Return the address of an HTTP proxy. A path and a login are errors."""
    expected = "an address such as http://proxy.example.org:3128"
    url = _web_address(text, expected).rstrip("/")
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise wrong_value(
            "the proxy's address contains a login", "`proxy_username` and `proxy_password_file`"
        )
    if parts.path or parts.query or parts.fragment:
        raise wrong_value(f"{text!r} has more than a host and a port", expected)
    return url


def read_judge_url(text: str) -> str:
    """Return the base address of an OpenAI-compatible API without a trailing slash. A login is an error."""
    expected = "an address such as http://127.0.0.1:8080/v1"
    url = _web_address(text, expected).rstrip("/")
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise wrong_value("the judge's address contains a login", "`key_file`")
    if parts.query or parts.fragment:
        raise wrong_value(f"{text!r} has a query or a fragment", expected)
    base = url.removesuffix("/chat/completions")
    if base != url:
        raise wrong_value(f"{text!r} is the address of one call (did you mean {base}?)", expected)
    return url


def _web_address(text: str, expected: str) -> str:
    try:
        parts = urlsplit(text)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or re.search(r"[\s<>\"\\^`{|}\x00-\x1f\x7f]", text):
        # People often write `feed:` or leave the scheme out.
        bare = re.sub(r"^(?:feed:)?(?:https?:)?(?://)?", "", text)
        meant = f" (did you mean https://{bare}?)" if re.fullmatch(r"[\w-]+(\.[\w-]+)+(/\S*)?", bare) else ""
        raise wrong_value(f"{text!r} is not a web address{meant}", expected)
    return text


def read_storage(text: str) -> str:
    """Return the URL of a database: SQLite or PostgreSQL."""
    try:
        storage_url(text, Path.cwd())
    except InvalidStorageUrl as error:
        raise wrong_value(str(error), EXPECTED_DATABASE) from error
    return text


def read_listen(text: str) -> str:
    """Return the text if it is `host:port`, with an IPv6 address in brackets."""
    host, _, port = text.rpartition(":")
    fine = port.isdecimal() and int(port) <= 65535 and bool(host)
    if fine and (host.startswith("[") or ":" in host):
        try:
            ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]"))
            fine = host.startswith("[") and host.endswith("]")
        except ValueError:
            fine = False
    elif fine:
        fine = bool(_HOST_NAME.fullmatch(host))
    if not fine:
        raise wrong_value(
            f"{text!r} is not an address to listen at", '"127.0.0.1:8080", "0.0.0.0:8080" or "[::1]:8080"'
        )
    return text


def split_host_port(text: str) -> tuple[str, int]:
    """Return host and port of a valid `host:port`; an IPv6 address comes without brackets."""
    host, _, port = text.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_reachable_from_outside(host: str) -> bool:
    """Return whether a server at this IP address can be reached from outside of a private network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False  # a host name, which only DNS can resolve
    return address.is_unspecified or address.is_global


def read_network(text: str) -> str:
    """Return the text if it is a network (CIDR), an IP address or a host name."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        if "/" in text or not _HOST_NAME.fullmatch(text) or re.fullmatch(r"[\d.]+", text):
            raise wrong_value(
                f"{text!r} is not a network", "one such as 127.0.0.1, 10.0.0.0/8 or a host name"
            ) from None
    return text


def read_identifier(text: str) -> str:
    """Return the text if it can be an id in links and mail headers."""
    if not _IDENTIFIER.fullmatch(text):
        raise wrong_value(f"{text!r} cannot be an id", "letters, digits, - and _, such as morning")
    return text


def read_header_name(text: str) -> str:
    """Return the name of a mail header (RFC 5322, 2.2), or nothing."""
    if text and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,60}", text):
        raise wrong_value(
            f"{text!r} is not the name of a header", "letters, digits and -, such as X-Idempotency-Key"
        )
    return text


def read_topic(text: str) -> str:
    """Return the topic in the spelling for comparison, which ignores case."""
    topic = fold_topic(one_line(text))
    if not topic or len(topic) > 64:
        raise wrong_value(f"{text!r} cannot be a topic", "a word or two, such as world")
    return topic


def did_you_mean(name: str, known: Any) -> str:  # noqa: ANN401 - any collection of names
    """Return ` (did you mean X?)` for a name close to a known one, else an empty string."""
    found = get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return f" (did you mean {found[0]}?)" if found else ""


def _text_schema(*examples: str, **schema: str) -> WithJsonSchema:
    """Return the JSON schema that editors get for a text field."""
    return WithJsonSchema({"type": "string", "examples": list(examples), **schema})


SingleLine = Annotated[str, AfterValidator(one_line)]
Label = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(one_line)]
Duration = Annotated[timedelta, BeforeValidator(read_duration), _text_schema("45s", "10m", "1h30m", "2d")]
Zone = Annotated[
    str,
    AfterValidator(_validated(validators.read_timezone, EXPECTED_ZONE)),
    _text_schema("Europe/Berlin", "Asia/Qatar"),
]
ScheduleText = Annotated[
    str,
    AfterValidator(_as_written(_validated(validators.read_schedule, EXPECTED_SCHEDULE))),
    _text_schema(*SCHEDULE_EXAMPLES),
]
Email = Annotated[str, AfterValidator(read_email), _text_schema("amina@example.org", format="email")]
BounceAddress = Annotated[str, AfterValidator(read_bounce_address), _text_schema("bounces@news.example.org")]
Mailbox = Annotated[
    str, AfterValidator(read_mailbox), _text_schema("The Morning Caveat <digest@news.example.org>")
]
FeedUrl = Annotated[
    str, AfterValidator(read_feed_url), _text_schema("https://example.org/feed.xml", "file:notices.xml")
]
SiteUrl = Annotated[str, AfterValidator(read_site_url), _text_schema("https://news.example.org")]
ProxyUrl = Annotated[str, AfterValidator(read_proxy_url), _text_schema("http://proxy.example.org:3128")]
JudgeUrl = Annotated[str, AfterValidator(read_judge_url), _text_schema("http://127.0.0.1:8080/v1")]
Origin = Annotated[
    str,
    AfterValidator(_validated(validators.read_origin, "such as https://www.example.org")),
    _text_schema("https://www.example.org"),
]
StorageUrl = Annotated[
    str,
    AfterValidator(read_storage),
    _text_schema("sqlite:///../data/caveat.db", "postgresql://caveat@db/caveat"),
]
ListenAddress = Annotated[str, AfterValidator(read_listen), _text_schema("127.0.0.1:8080")]
Network = Annotated[str, AfterValidator(read_network), _text_schema("127.0.0.1", "10.0.0.0/8")]
Language = Annotated[
    str,
    AfterValidator(_validated(validators.read_known_language, EXPECTED_LANGUAGE)),
    _text_schema("en", "fr", "pt-BR"),
]
Identifier = Annotated[
    str, AfterValidator(read_identifier), _text_schema("morning", pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
]
HeaderName = Annotated[str, AfterValidator(read_header_name), _text_schema("X-Idempotency-Key")]
Topic = Annotated[str, AfterValidator(read_topic), _text_schema("world", "economy")]
