"""Web addresses: which links of a feed are safe to show. Pure."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from service.gather.cleaning.characters import UNSAFE

MAX_URL_CHARACTERS = 2_000

_SPACE = re.compile(r"[\s\u2028\u2029\u0085\u200b\ufeff]+")


def safe_web_url(url: str) -> str:
    """Return the URL if a link to it is safe, else "".

    Refused are schemes other than http(s), control characters, white space, credentials, and host names that
    mix Latin with Cyrillic or Greek letters, as look-alike addresses do. A space in a path is escaped.
    """
    url = re.sub(r"(?<=[^:/]/)(.*)", lambda path: path.group().replace(" ", "%20"), url.strip(), count=1)
    if len(url) > MAX_URL_CHARACTERS or UNSAFE.search(url) or _SPACE.search(url) or "\\" in url:
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - the property raises for an invalid port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    return "" if any(_mixes_scripts(label) for label in _readable(host).split(".")) else url


def _readable(host: str) -> str:
    try:
        return host.encode("ascii").decode("idna") if "xn--" in host else host
    except UnicodeError:
        return host


def _mixes_scripts(label: str) -> bool:
    scripts = {unicodedata.name(letter, "?").split(" ")[0] for letter in label if letter.isalpha()}
    return len(scripts & {"LATIN", "CYRILLIC", "GREEK"}) > 1
