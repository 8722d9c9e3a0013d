"""Conditional requests, freshness and Retry-After in HTTP headers. Pure.

Dates are relative to the server's Date header, because its clock may differ from ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

UNSENDABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


def conditional_headers(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """Return the headers of a conditional request; values that a header cannot carry are left out."""
    pairs = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in pairs.items() if value and not UNSENDABLE.search(value)}


def _date(headers: Mapping[str, str], name: str) -> float | None:
    if name not in headers:
        return None
    try:
        return parsedate_to_datetime(headers[name]).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    """Return Retry-After (RFC 9110, 10.2.3) in seconds, None without a valid one."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), 10**9)
    until = _date(headers, "Retry-After")
    since = _date(headers, "Date") if until is not None else None
    return max(0, int(until - since)) if until is not None and since is not None else None


def fresh_seconds(headers: Mapping[str, str]) -> int | None:
    """Return the freshness lifetime in seconds (RFC 9111, 4.2.1): max-age, else Expires minus Date."""
    control = headers.get("Cache-Control", "").lower()
    if not control and "Expires" not in headers:
        return None
    if "no-cache" in control or "no-store" in control:
        return None
    found = re.search(r"(?:^|[\s,])max-age=\"?(\d{1,9})", control)
    if found:
        return int(found.group(1))
    until = _date(headers, "Expires")
    since = _date(headers, "Date") if until is not None else None
    return int(until - since) if until is not None and since is not None and until > since else None
